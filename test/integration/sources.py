# SPDX-License-Identifier: Apache-2.0
"""What metrics are read from: a Prometheus, and the APIs of custom and external metrics."""

import json
import ssl
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from proxy import Proxy

CUSTOM = "/apis/custom.metrics.k8s.io/"
EXTERNAL = "/apis/external.metrics.k8s.io/"


class Prometheus:
    """Answers instant queries below /prom, over https with the certificate of a Proxy.

    `values` are the elements of the result by query, texts or labels and a text; a query that is not there has none. `asked` are
    (query, Authorization) in order; `status`, if set, is what all get instead.
    """

    def __init__(self, proxy):
        self.values, self.asked, self.status = {}, [], None
        self.ca = proxy.folder / "cert.pem"
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca, proxy.folder / "key.pem")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_port}/prom"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def _handler(source):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def do_POST(self):
                form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                query = form["query"][0]
                source.asked.append((query, self.headers["Authorization"]))
                elements = [v if isinstance(v, tuple) else ({}, v) for v in source.values.get(query, ())]
                result = [{"metric": labels, "value": [time.time(), v]} for labels, v in elements]
                self.reply({"status": "success", "data": {"resultType": "vector", "result": result}})

            def reply(self, body):
                status = source.status or (200 if self.path == "/prom/api/v1/query" else 404)
                text = json.dumps(body).encode() if status == 200 else b"gone"
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

        return Handler


class MetricsProxy(Proxy):
    """An API server that has metrics, too: `metrics` are the values of each path, without its query."""

    def __init__(self, api, folder):
        self.metrics, self.asked = {}, []
        super().__init__(api, folder)

    def pass_on(self, method, path, headers, body):
        if not path.startswith((CUSTOM, EXTERNAL)):
            return super().pass_on(method, path, headers, body)
        name, _, query = urllib.parse.unquote(path).partition("?")
        self.asked.append((name, query))
        values = self.metrics.get(name)
        if values is None:
            return 404, [], b"404 page not found"
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        kind = "MetricValueList" if name.startswith(CUSTOM) else "ExternalMetricValueList"
        return 200, [("Content-Type", "application/json")], json.dumps({
            "kind": kind, "items": [{"timestamp": now, "value": v} for v in values]}).encode()
