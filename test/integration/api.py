# SPDX-License-Identifier: Apache-2.0
"""Requests to an API server without kubectl, which takes a hundred times as long."""

import base64
import concurrent.futures
import http.client
import json
import ssl
import threading
import time
import urllib.parse

IDLE_SECONDS = 10


class Refused(Exception):
    """An answer that is no success."""


class Api:
    """Any number of threads; each has a connection of its own. The configuration is that of $KUBECONFIG
    in one piece, as kubectl shows it, and its user has a token."""

    def __init__(self, config):
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.url = urllib.parse.urlsplit(cluster["server"])
        ca = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self.tls = ssl.create_default_context(cadata=ca)
        self.headers = {"Authorization": f"Bearer {user['token']}"}
        self.local = threading.local()

    def _connect(self):
        return http.client.HTTPSConnection(self.url.hostname, self.url.port, context=self.tls)

    def _connection(self):
        """This thread's; a new one when the server may have closed the old one meanwhile."""
        now = time.monotonic()
        if now - getattr(self.local, "used", 0) > IDLE_SECONDS:
            self.local.connection = self._connect()
        self.local.used = now
        return self.local.connection

    def raw(self, method, path, body=None, headers=None):
        """Status, headers and bytes of the answer."""
        for is_last in (method != "GET", True):
            c = self._connection()
            try:
                c.request(method, path, body, {**(headers or {}), **self.headers})
                reply = c.getresponse()
                return reply.status, reply.getheaders(), reply.read()
            except (OSError, http.client.HTTPException):
                self.local.used = 0  # perhaps the server was restarted
                if is_last:
                    raise

    def call(self, method, path, body=None, kind="application/json"):
        text = None if body is None else json.dumps(body)
        status, _, reply = self.raw(method, path, text, {"Content-Type": kind})
        if status >= 300:
            raise Refused(f"{method} {path}: {reply.decode()}")
        return json.loads(reply)

    def merge(self, path, change):
        return self.call("PATCH", path, change, "application/merge-patch+json")

    def stream(self, path):
        """The answer of a server that goes on with it, over a connection of its own."""
        c = self._connect()
        c.request("GET", path, headers=self.headers)
        return c.getresponse()

    def follow(self, path):
        """Starts a watch. Returns its objects as they come, until it ends."""
        return (json.loads(line)["object"] for line in self.stream(path))

    def many(self, calls):
        """Arguments of call(), eight at a time."""
        self.many_of(lambda arguments: self.call(*arguments), calls)

    def many_of(self, function, items):
        """Calls it with each, eight at a time."""
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(function, items))
