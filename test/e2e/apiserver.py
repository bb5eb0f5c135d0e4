# SPDX-License-Identifier: Apache-2.0
"""The API server without the time that kubectl takes to start."""

import http.client
import json
import ssl
import urllib.parse


class Api:
    """One connection, for one thread."""

    def __init__(self, kubeconfig):
        config = json.loads(kubeconfig.read_text())
        server = config["clusters"][0]["cluster"]
        self.headers = {"Authorization": f"Bearer {config['users'][0]['user']['token']}"}
        self.connection = http.client.HTTPSConnection(
            urllib.parse.urlparse(server["server"]).netloc,
            context=ssl.create_default_context(cafile=server["certificate-authority"]))

    def ask(self, method, path, body=None):
        headers = dict(self.headers)
        if body:
            headers["Content-Type"] = "application/merge-patch+json"
        self.connection.request(method, path, json.dumps(body) if body else None, headers)
        return json.load(self.connection.getresponse())

    def follow(self, path):
        """The objects of a watch as they come, until it ends."""
        self.connection.request("GET", path, headers=self.headers)
        for line in self.connection.getresponse():
            yield json.loads(line)["object"]
