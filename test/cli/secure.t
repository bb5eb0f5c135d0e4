#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Metrics over TLS of `kubectl-mckube watch` and `mckube-node run`: an API server is asked which accounts may read
them, here a made-up one that counts."""

import collections
import http.client
import http.server
import json
import os
import pathlib
import re
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from ports import free_ports

MCKUBE = pathlib.Path(os.environ["MCKUBE"])
NODE = MCKUBE.parent / "cmd/mckube-node/mckube-node"
LIMIT_S = 120
USER = {"username": "system:serviceaccount:m:prometheus", "uid": "u-1", "groups": ["a", "b"],
        "extra": {"pod": ["p"]}}
n_checks = n_failed = 0


def check(name, is_good, text=""):
    global n_checks, n_failed
    n_checks += 1
    n_failed += not is_good
    print(f"{'ok' if is_good else 'not ok'} {n_checks} - {name}", flush=True)
    if not is_good:
        print(re.sub("^", "# ", str(text), flags=re.MULTILINE), flush=True)


class Server(http.server.BaseHTTPRequestHandler):
    """Knows the token "good", whose account may read, and "other", whose may not."""
    protocol_version = "HTTP/1.1"
    counts, accounts, is_down = collections.Counter(), [], False

    def log_message(self, *args):
        pass

    def answer(self, code, reply):
        body = json.dumps(reply).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        """Every list is empty, and stays so."""
        if "watch=" in self.path:
            time.sleep(LIMIT_S)
        self.answer(200, {"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": "1"}, "items": []})

    def do_PATCH(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer(404, {"kind": "Status", "code": 404, "reason": "NotFound", "message": "not here"})

    def do_POST(self):
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
        kind, spec = review.get("kind"), review.get("spec", {})
        if Server.is_down or kind not in ("TokenReview", "SubjectAccessReview"):
            return self.answer(500, {"kind": "Status", "code": 500, "message": "no"})
        Server.counts[kind] += 1
        if kind == "TokenReview":
            name = {"good": USER, "other": {**USER, "username": "other"}}.get(spec["token"])
            return self.answer(201, {**review, "status": {"authenticated": True, "user": name} if name else
                                     {"authenticated": False, "error": "unknown"}})
        Server.accounts.append(spec)
        return self.answer(201, {**review, "status": {"allowed": spec.get("user") == USER["username"]}})


def make_certificate(folder, name):
    """Written beside their places, and both at once, as those of a Secret are."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                    "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt"],
                   check=True, capture_output=True)


def put(folder, certificate, key):
    for name, suffix in ((certificate, "crt"), (key, "key")):
        (folder / "next").write_bytes((folder / f"{name}.{suffix}").read_bytes())
        (folder / "next").rename(folder / f"tls.{suffix}")


class Program:
    def __init__(self, name, folder, *argv):
        self.name, self.folder, self.plain, self.port = name, folder, *free_ports(2)
        self.log = open(folder / f"{name}.log", "w+")
        options = ["--secure-metrics-bind-address", f"127.0.0.1:{self.port}", "--tls-cert-file",
                   folder / "tls.crt", "--tls-private-key-file", folder / "tls.key"]
        self.process = subprocess.Popen([str(a).replace("PLAIN", f"127.0.0.1:{self.plain}")
                                         for a in (*argv, *options)], stderr=self.log, stdout=self.log)
        self.wait(lambda: self.get("/healthz", secure=False)[0] == 200 and self.get()[0] == 401, "it starts")

    def text(self):
        return (self.folder / f"{self.name}.log").read_text()

    def wait(self, condition, what):
        end = time.monotonic() + LIMIT_S
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if condition():
                    return True
            except OSError:
                pass
            time.sleep(0.05)
        check(f"{self.name}: {what}", False, self.text())
        return False

    def connect(self, secure=True):
        if not secure:
            return http.client.HTTPConnection("127.0.0.1", self.plain, timeout=LIMIT_S)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=LIMIT_S, context=context)

    def get(self, path="/metrics", token=None, secure=True, connection=None, scheme="Bearer"):
        c = connection or self.connect(secure)
        c.request("GET", path, headers={"Authorization": f"{scheme} {token}"} if token else {})
        reply = c.getresponse()
        text = reply.read().decode()
        if not connection:
            c.close()
        return reply.status, text

    def certificate(self):
        """The PEM that it shows; verified against what is in the file."""
        return ssl.get_server_certificate(("127.0.0.1", self.port), timeout=LIMIT_S)

    def end(self):
        self.process.terminate()
        return self.process.wait(LIMIT_S)


def metrics_are_for_some(p, metric):
    name = p.name
    code, text = p.get(secure=False)
    check(f"{name}: no metrics without TLS", code == 404, text)
    check(f"{name}: no health over TLS", p.get("/healthz", token="good")[0] == 404)
    for what, token, scheme, wanted in (
            ("without a token", None, "Bearer", 401), ("with another scheme", "good", "Basic", 401),
            ("with a made-up token", "bad", "Bearer", 401), ("an account that may not", "other", "Bearer", 403)):
        code, text = p.get(token=token, scheme=scheme)
        check(f"{name}: {what}: {wanted}", code == wanted and metric not in text, (code, text))
    code, text = p.get(token="good")
    check(f"{name}: an account that may reads them", code == 200 and metric in text, (code, text))
    check(f"{name}: the whole account is asked about", Server.accounts[-1] == {
        "user": USER["username"], "uid": "u-1", "groups": ["a", "b"], "extra": {"pod": ["p"]},
        "nonResourceAttributes": {"path": "/metrics", "verb": "get"}}, Server.accounts[-1])
    before = dict(Server.counts)
    codes = [p.get(token="good")[0] for _ in range(2)]
    check(f"{name}: answers are kept", codes == [200, 200] and Server.counts == before, (codes, Server.counts))


def made_up_tokens_are_limited(p):
    connection, n = p.connect(), 0
    before = Server.counts["TokenReview"]
    while p.get(token=f"x{n}", connection=connection)[0] == 401 and n < 5000:
        n += 1
    connection.close()
    check(f"{p.name}: made-up tokens are limited", n < 5000 and Server.counts["TokenReview"] <= before + n + 1, n)
    check(f"{p.name}: and keep no account out", p.get(token="good")[0] == 200)


def without_api_server(p):
    Server.is_down = True
    p.wait(lambda: p.get(token="good2")[0] != 429, "the limit ends")
    code, _ = p.get(token="good3")
    while code == 429:
        time.sleep(0.1)
        code, _ = p.get(token="good3")
    check(f"{p.name}: without an answer no new account may", code == 503, code)
    if p.get(token="good")[0] != 200:  # the minute was over: once more
        Server.is_down = False
        p.get(token="good")
        Server.is_down = True
    check(f"{p.name}: but one that might just before", p.get(token="good")[0] == 200)
    check(f"{p.name}: health is another matter", p.get("/healthz", secure=False)[0] == 200)
    Server.is_down = False


def main():
    if not NODE.exists() or os.geteuid() != 0:
        print("ok 1 # SKIP metrics over TLS: needs root and mckube-node\n1..1")
        return 0
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    server.daemon_threads = True
    server.handle_error = lambda *args: None  # a client that has gone
    threading.Thread(target=server.serve_forever, daemon=True).start()
    programs = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for which in ("old", "new"):
            make_certificate(folder, which)
        put(folder, "old", "old")
        (folder / "config").write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "x",
            "clusters": [{"name": "x", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
            "users": [{"name": "x", "user": {}}],
            "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}]}))
        (folder / "cgroup").mkdir()
        try:
            programs.append(Program("watch", folder, MCKUBE, "watch", "--kubeconfig", folder / "config", "--dry-run",
                                    "-v=8", "--metrics-bind-address", "PLAIN"))
            programs.append(Program("node", folder, NODE, "run", "--kubeconfig", folder / "config", "--backend", "noop",
                                    "--poll", "--node-name", "n", "--cgroup-root", folder / "cgroup", "--state-file",
                                    folder / "state.json", "--listen", "PLAIN"))
            old, new = ((folder / f"{which}.crt").read_text() for which in ("old", "new"))
            for p in programs:
                check(f"{p.name}: it shows its certificate", p.certificate() == old)
            put(folder, "new", "old")
            for p, metric in zip(programs, ("mckube_build_info", "mckube_node_build_info")):
                metrics_are_for_some(p, metric)
                made_up_tokens_are_limited(p)
                without_api_server(p)
            for p in programs:
                if p.wait(lambda p=p: "the certificate stays as it is" in p.text(), "a key of another is told"):
                    check(f"{p.name}: a key of another certificate is told, and left", p.certificate() == old)
            put(folder, "new", "new")
            for p in programs:
                if p.wait(lambda p=p: p.certificate() == new, "the new certificate is shown"):
                    check(f"{p.name}: a new one is shown without a restart", p.get(token="good")[0] == 200)
                check(f"{p.name}: no token is in the log", "good" not in p.text().replace("is_good", ""), p.text()[-2000:])
                check(f"{p.name}: it ends well", p.end() == 0, p.text()[-2000:])
        finally:
            for p in programs:
                if p.process.poll() is None:
                    p.process.kill()
                p.log.close()
        for more, why in ((["--tls-cert-file", "x"], "only with --secure"),
                          (["--secure-metrics-bind-address", "0"], "needs --tls-cert-file")):
            for argv in ([MCKUBE, "watch"], [NODE, "run", "--backend", "noop"]):
                done = subprocess.run([*argv, *more], text=True, capture_output=True, timeout=LIMIT_S)
                check(f"{argv[0].name}: {why}", done.returncode == 1 and why in done.stderr, done)
    print(f"1..{n_checks}")
    return n_failed > 0


if __name__ == "__main__":
    sys.exit(main())
