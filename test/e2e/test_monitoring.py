# SPDX-License-Identifier: Apache-2.0
"""Metrics over TLS of the programs as they are installed: a kubelet's pods, their accounts and seccomp profiles."""

import contextlib

from node_fixture import SYSTEM, TOP
from test_install import KEPT, status_of
from test_secure import make_certificate, read

SECRET = "mckube-metrics-tls"
PORT = 9443


def put_certificate(c, name):
    """Returns the certificate's file."""
    cert, key = make_certificate(c, name)
    made = c.kubectl("create", "secret", "tls", SECRET, "-n", SYSTEM, f"--cert={cert}", f"--key={key}",
                     "--dry-run=client", "-o", "yaml").out
    c.kubectl("apply", "-f", "-", stdin=made)
    return cert


@contextlib.contextmanager
def secured(c):
    """Installed with the value monitoring.secure.enabled, and one watch; as it was afterwards."""
    c.manifest_options = ["--set", "monitoring.secure.enabled=true"]
    try:
        c.install(n_watchers=1)
        yield
    finally:
        c.manifest_options = []
        c.install()
        c.kubectl("delete", "--ignore-not-found", "-f", TOP / "manifests" / "monitoring" / "secure.yaml")
        c.kubectl("delete", "secret", SECRET, "-n", SYSTEM)


def addresses(c):
    """Of the helper and of watch, by the metric that each has."""
    pods = {p["metadata"]["name"]: p["status"].get("podIP") for p in c.get("pods", ns=SYSTEM)
            if "deletionTimestamp" not in p["metadata"]}
    [watch] = [ip for name, ip in pods.items() if name.startswith("mckube-watch-")]
    return {"mckube_node_build_info": c.helper()["status"]["podIP"], "mckube_build_info": watch}


def test_secure_metrics(c):
    cert = put_certificate(c, "first")
    token = lambda name, ns: c.kubectl("create", "token", name, "-n", ns).out.strip()
    with secured(c):
        reader, other = token("mckube-metrics-reader", SYSTEM), token("default", c.ns)
        for metric, host in addresses(c).items():
            c.wait(lambda: read(PORT, cert, reader, host)[0] == 200)
            assert read(PORT, cert, None, host)[0] == 401
            assert read(PORT, cert, other, host)[0] == 403
            assert metric in read(PORT, cert, reader, host)[1]
        [pid] = c.helper_pids()
        status = status_of(pid)
        assert status["Seccomp"] == "2" and int(status["CapEff"], 16) == KEPT, status
        second = put_certificate(c, "second")
        for host in addresses(c).values():
            # The kubelet brings it to the volume within its syncFrequency, the program looks every two seconds.
            c.wait(lambda: is_shown(second, reader, host), 240)
        assert [pid] == c.helper_pids(), "it was restarted"


def is_shown(cert, token, host):
    try:
        return read(PORT, cert, token, host)[0] == 200
    except OSError:  # it shows another certificate
        return False
