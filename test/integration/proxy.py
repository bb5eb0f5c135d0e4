# SPDX-License-Identifier: Apache-2.0
"""Stands between a client and the API server, and ends the client with SIGKILL at one request."""

import json
import os
import signal
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Proxy:
    """Serves https with a certificate of its own; what comes is passed on with the real token.

    `n_connections` were opened by clients. `answers` are (method, path, status) of what was passed on, in order. `before_request`, a function of
    method and path, is called before each is passed on.
    """

    def __init__(self, api, folder):
        self.api, self.lock = api, threading.Lock()
        self.folder = folder / "proxy"
        self.folder.mkdir(exist_ok=True)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self._use_certificate()
        self._write_kubeconfig()
        self.forget()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def forget(self):
        self.client, self.answers, self.before_request, self.n_connections = None, [], None, 0
        self.has_client = threading.Event()

    def run(self, argv, kill_at=None):
        """Runs a client. kill_at is ("before", n): its nth request does not reach the server, or
        ("after", n): its nth write does, and the answer does not reach the client (after a read that
        is the same as before the next request). Returns its exit code and output."""
        self.seen, self.kill_at = {"before": 0, "after": 0}, kill_at
        self.has_client.clear()
        env = dict(os.environ, KUBECONFIG=str(self.kubeconfig))
        self.client = subprocess.Popen(argv, env=env, text=True, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT)
        self.has_client.set()
        out, _ = self.client.communicate(timeout=90)
        return self.client.returncode, out

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def _use_certificate(self):
        key, certificate = self.folder / "key.pem", self.folder / "cert.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "60", "-subj", "/CN=proxy",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out",
                        certificate], check=True, stderr=subprocess.DEVNULL)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                 do_handshake_on_connect=False)

    def _write_kubeconfig(self):
        self.kubeconfig = self.folder / "kubeconfig"
        self.kubeconfig.write_text(json.dumps({
            "clusters": [{"name": "c", "cluster": {
                "server": f"https://127.0.0.1:{self.server.server_port}",
                "certificate-authority": str(self.folder / "cert.pem")}}],
            "users": [{"name": "u", "user": {"token": "of-the-proxy"}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x"}))

    def _pass(self, where, path):
        """Counts requests, and kills the client at the one that was asked for. Events are not
        counted: nothing is read from them."""
        self.has_client.wait()
        if "/events" in path:
            return
        with self.lock:
            self.seen[where] += 1
            is_end = self.kill_at == (where, self.seen[where])
        if is_end:
            self.client.send_signal(signal.SIGKILL)
            self.client.wait()
            raise ConnectionAbortedError

    def pass_on(self, method, path, headers, body):
        self._pass("before", path)
        keep = {k: v for k, v in headers.items()
                if k.lower() in ("content-type", "accept", "accept-encoding")}
        if self.before_request:
            self.before_request(method, path)
        answer = self.api.raw(method, path, body, keep)
        with self.lock:
            self.answers.append((method, path, answer[0]))
        if method != "GET":
            self._pass("after", path)
        return answer

    def changed(self, reply):
        """What the client gets of an answer."""
        return reply

    def stream(self, handler):
        """A watch: its lines are passed on as they come, until it ends."""
        self._pass("before", handler.path)
        reply = self.api.stream(handler.path)
        handler.send_response(reply.status)
        handler.send_header("Content-Type", reply.getheader("Content-Type"))
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for line in map(self.changed, reply):
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
        handler.wfile.write(b"0\r\n\r\n")

    def _handler(proxy):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                with proxy.lock:
                    proxy.n_connections += 1
                super().setup()

            def log_message(self, *args):
                pass

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                try:
                    if "watch=" in self.path:
                        return proxy.stream(self)
                    status, headers, reply = proxy.pass_on(self.command, self.path, self.headers,
                                                           body)
                    reply = proxy.changed(reply)
                except ConnectionAbortedError:
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in headers:
                    if name.lower() in ("content-type", "content-encoding", "warning",
                                        "retry-after"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

            def handle(self):
                try:
                    super().handle()
                except (OSError, ssl.SSLError):
                    pass

        return Handler
