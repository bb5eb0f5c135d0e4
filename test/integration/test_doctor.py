# SPDX-License-Identifier: Apache-2.0
"""doctor as a gate: green when the installation works, and not before."""

import json
import time

from test_watch import watching

SYSTEM = "mckube-system"
READY = {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}


def states(c, *args):
    done = c.mckube("doctor", "-o", "json", *args, check=False)
    return done.code, {f["check"]: (f["state"], f["detail"]) for f in json.loads(done.out)}


def installed(c):
    return c.kubectl("get", "pods", "-n", SYSTEM, "-o", "name", "-l",
                     "app.kubernetes.io/component in (node, watch)").out.split()


def set_ready(c):
    """As kubelets would."""
    for pod in installed(c):
        c.kubectl("patch", pod, "-n", SYSTEM, "--subresource=status", "--type=merge", "-p", json.dumps(READY))


def heartbeat(c, node):
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())
    c.kubectl("apply", "-f", "-", stdin=json.dumps({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": f"mckube-node-{node}", "namespace": SYSTEM,
                     "labels": {"app.kubernetes.io/name": "mckube-node"}},
        "spec": {"holderIdentity": node, "leaseDurationSeconds": 40, "renewTime": now}}))


def test_doctor_is_green_when_all_of_it_works(c):
    code, found = states(c, "--wait", "--timeout=1s")
    assert code == 1 and found["daemonset"][0] == found["deployment"][0] == "missing", found
    c.nodes("n1")
    c.kubectl("annotate", "node", "n1", "mckube.io/backend-")
    c.kubectl("label", "node", "n1", "kubernetes.io/os=linux")
    c.install()
    gate = None
    try:
        c.wait(lambda: len(installed(c)) == 3, found=lambda: c.kubectl(
            "get", "daemonsets,deployments,replicasets,pods,events", "-n", SYSTEM).out)
        code, found = states(c)
        assert code == 1, found
        assert found["daemonset"] == ("missing", "mckube-node: 0 of 1 pods ready, 1 updated"), found
        assert found["deployment"][0] == found["lease"][0] == "missing", found
        assert found["api"][0] == "ok", found

        gate = c.start_mckube("doctor", "--wait", "--timeout=60s")
        set_ready(c)
        c.wait(lambda: states(c)[1]["daemonset"][0] == "ok")
        assert states(c)[1]["helpers"][0] == "missing", "it has reported nothing yet"
        c.kubectl("annotate", "node", "n1", "mckube.io/backend=cgroup-v1")
        heartbeat(c, "n1")
        with watching(c, "doctor"):
            out, err = gate.communicate(timeout=60)
            assert gate.returncode == 0, (out, err)
            assert "waiting for " in err, err
            code, found = states(c)
            assert code == 0 and found["planning"][0] == found["lease"][0] == "ok", found
            assert found["backend"] == ("ok", "cgroup-v1 (Kernel, real-time budgets, by the kernel): n1"), found

            c.kubectl("scale", "deployment", "mckube-watch", "-n", SYSTEM, "--replicas=0")
            c.wait(lambda: states(c)[0] == 1)
            assert "scaled to 0" in states(c)[1]["deployment"][1]
    finally:
        if gate and gate.poll() is None:
            gate.kill()
        c.remove_installed()
    code, found = states(c)
    assert found["leftovers"][0] == "note", found
