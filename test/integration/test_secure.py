# SPDX-License-Identifier: Apache-2.0
"""Metrics over TLS: the API server says which accounts may read them, by the roles of manifests/monitoring/secure.yaml."""

import contextlib
import http.client
import socket
import ssl
import subprocess

from fixture import TOP
from ports import free_ports

SYSTEM = "mckube-system"
FILES = ["namespace.yaml", "rbac.yaml", "monitoring/secure.yaml"]


def make_certificate(c, name):
    """The files of certificate and key."""
    cert, key = c.folder / f"{name}.crt", c.folder / f"{name}.key"
    c.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
          "2", "-subj", "/CN=mckube-metrics", "-addext", "subjectAltName=DNS:mckube-metrics", "-keyout", key,
          "-out", cert)
    return cert, key


@contextlib.contextmanager
def serving(c, *args, env=None):
    """watch as the account that it has in a cluster; where its metrics are, and their certificate."""
    cert, key = make_certificate(c, "metrics")
    [port] = free_ports(1)
    log = open(c.folder / "metrics.log", "w+")
    process = subprocess.Popen(
        [c.program, "watch", "--dry-run", "--metrics-bind-address=0", f"--secure-metrics-bind-address=127.0.0.1:{port}",
         f"--tls-cert-file={cert}", f"--tls-private-key-file={key}", *args], stderr=log, env=env)
    text = lambda: (c.folder / "metrics.log").read_text()
    try:
        c.wait(lambda: process.poll() is None and "metrics: https://" in text(), found=text)
        yield port, cert
    finally:
        process.terminate()
        process.wait(60)
        log.close()


def read(port, cert, token, host="127.0.0.1"):
    """As a PodMonitor is told to: by the name in the certificate, which is verified."""
    context = ssl.create_default_context(cafile=str(cert))
    with context.wrap_socket(socket.create_connection((host, port), timeout=60),
                             server_hostname="mckube-metrics") as s:
        connection = http.client.HTTPConnection(host)
        connection.sock = s
        connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {token}"} if token else {})
        reply = connection.getresponse()
        return reply.status, reply.read().decode()


def test_metrics_over_tls_are_for_accounts_that_may_get_them(c):
    for file in FILES:
        c.kubectl("apply", "-f", TOP / "manifests" / file)
    c.kubectl("create", "serviceaccount", "scraper", "-n", c.ns)
    token = lambda name, ns: c.kubectl("create", "token", name, "-n", ns).out.strip()
    try:
        with serving(c, env=c.as_account("mckube-applier")) as server:
            may, may_not = token("mckube-metrics-reader", SYSTEM), token("scraper", c.ns)
            assert read(*server, None)[0] == 401
            assert read(*server, may[:-4] + "xxxx")[0] == 401
            code, text = read(*server, may_not)
            assert code == 403 and "mckube_" not in text, (code, text)
            code, text = read(*server, may)
            assert code == 200 and "mckube_build_info" in text, (code, text)
            c.kubectl("create", "clusterrolebinding", f"scraper-{c.ns}", "--clusterrole=mckube-metrics-reader",
                      f"--serviceaccount={c.ns}:scraper")
            c.wait(lambda: read(*server, may_not)[0] == 200)
            c.wait(lambda: c.get("secret", "mckube-metrics-token", SYSTEM).get("data", {}).get("token"))
            c.kubectl("delete", "clusterrolebinding", "mckube-metrics-review")
            another = token("mckube-metrics-reader", SYSTEM)
            c.wait(lambda: read(*server, another)[0] == 503)  # the two verbs are all that it needs, and needs
    finally:
        c.kubectl("delete", "clusterrolebinding", f"scraper-{c.ns}", "--ignore-not-found")
        c.kubectl("delete", "-f", TOP / "manifests" / "monitoring" / "secure.yaml", "--ignore-not-found")
