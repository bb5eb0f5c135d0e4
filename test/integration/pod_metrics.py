# SPDX-License-Identifier: Apache-2.0
"""metrics.k8s.io without a metrics-server: an API that the API server passes requests on to."""

import json
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

GROUP = "metrics.k8s.io/v1beta1"
NS = "kube-system"


def register(c, port):
    """The API server finds metrics at this port of loopback through a Service that is a name for it, since no
    endpoint may be there."""
    meta = {"name": "metrics", "namespace": NS}
    api_service = {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
                   "metadata": {"name": "v1beta1.metrics.k8s.io"}, "spec": {
                       "group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100,
                       "versionPriority": 100, "insecureSkipTLSVerify": True,
                       "service": {**meta, "port": port}}}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {
        "type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]}}
    c.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List",
                                                    "items": [service, api_service]}))
    c.wait(lambda: c.kubectl("get", "--raw", f"/apis/{GROUP}/pods", check=False).code == 0)


def unregister(c):
    c.kubectl("delete", "apiservice", "v1beta1.metrics.k8s.io")
    c.kubectl("delete", "service", "metrics", "-n", NS)


class PodMetrics:
    """`sample` are a version, a time, and CPU in milli-cores by pod ("namespace/name"), measured then."""

    def __init__(self, c, folder):
        self.c, self.sample = c, (0, "", {})
        key, certificate = folder / "metrics.key", folder / "metrics.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                        "-keyout", key, "-out", certificate], check=True, stderr=subprocess.DEVNULL)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        register(self.c, self.server.server_port)
        return self

    def __exit__(self, *_):
        unregister(self.c)
        self.server.shutdown()
        self.server.server_close()

    def answer(self, path):
        if path == f"/apis/{GROUP}":
            return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": GROUP, "resources": [
                {"name": "pods", "singularName": "", "namespaced": True, "kind": "PodMetrics",
                 "verbs": ["get", "list"]}]}
        if path != f"/apis/{GROUP}/pods":
            return None
        version, at, usage = self.sample
        return {"kind": "PodMetricsList", "apiVersion": GROUP, "metadata": {"resourceVersion": str(version)}, "items": [
            {"metadata": dict(zip(("namespace", "name"), pod.split("/"))), "timestamp": at, "window": "15s",
             "containers": [{"name": "main", "usage": {"cpu": f"{milli}m", "memory": "64Mi"}}]}
            for pod, milli in usage.items()]}

    def _handler(metrics):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def do_GET(self):
                found = metrics.answer(self.path.partition("?")[0])
                text = json.dumps(found or {"kind": "Status", "code": 404}).encode()
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def handle(self):
                try:
                    super().handle()
                except (OSError, ssl.SSLError):
                    pass

        return Handler
