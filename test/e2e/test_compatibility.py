# SPDX-License-Identifier: Apache-2.0
"""What was set up for MC-Kube and for rt-operator works unchanged."""

import json
import os
import signal
import urllib.error
import urllib.request

import node
from cluster import free_ports
from node_fixture import share_of

PERIOD = 1000000
# As MC-Kube's manual has them; criticality, core and both spellings of the budgets vary.
OLD_SETTINGS = {"period": PERIOD, "core": "1"}
SPELLINGS = {
    "runtime": {"runtime_low": 200000, "runtime_hi": 400000},
    "budget": {"budget_lo": 200000, "budget_hi": 400000},
}


def old_pod(c, name, annotations=None):
    """A pod as MC-Kube's manual has it: a label, no scheduler's name, nothing of ours."""
    container = c.container("app", ["--period", PERIOD, "--work", 20000,
                                    "--overrun-work", 300000], {})
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "labels": {"sdv.com": "my-app"},
                         "annotations": annotations or {}},
            "spec": {"containers": [container], "restartPolicy": "Never",
                     "terminationGracePeriodSeconds": 2}}


def old_request(kind, name, settings, criticality):
    return {"apiVersion": "mcoperator.sdv.com/v1", "kind": kind,
            "metadata": {"name": f"{name}-config"},
            "spec": {"podname": name, "criticality": criticality,
                     "rtSettings": {**OLD_SETTINGS, **settings}}}


def check_old_pair(c, kind, spelling, criticality):
    name = f"app-{spelling}"
    c.create(old_request(kind, name, SPELLINGS[spelling], criticality), old_pod(c, name))
    c.apply()
    c.wait_running(name)
    c.wait(lambda: c.annotation("pods", name, "mckube.io/rt-applied") == "true")
    status = lambda: c.get("mckubes", f"{name}-config").get("status", {})
    c.wait(lambda: (status().get("currentRuntime"), status().get("allocatedCore")) == ("low", "1"))
    os.kill(c.pid_of(name), signal.SIGUSR1)
    c.wait(lambda: status().get("currentRuntime") == "hi" and "lastOverrunTime" in status())
    assert c.annotation("pods", name, "mckube.io/rt-current") == "hi"
    assert share_of(c.group(name)) == 400000
    c.kubectl("delete", "pod", name, "-n", c.ns)


def test_mckube_objects(c):
    check_old_pair(c, "McKube", "runtime", "high")
    check_old_pair(c, "McKube", "budget", "HIGH")


def define(c, kind):
    c.release_mckubes()
    c.kubectl("delete", "crd", "mckubes.mcoperator.sdv.com")
    c.kubectl("apply", "-f", "-", stdin=c.kubectl("mckube", "crd", f"--kind={kind}").out)
    c.wait(lambda: c.kubectl("get", "mckubes", "-n", c.ns, check=False).code == 0)


def test_mckube_objects_of_the_other_kind(c):
    """The definition says one of both kinds; a cluster may have the other one."""
    define(c, "MCKube")
    try:
        check_old_pair(c, "MCKube", "budget", "High")
    finally:
        define(c, "McKube")


def test_mckube_annotations(c):
    """Without an object a pod may say itself what it needs, as the older webhook wrote it."""
    c.create(old_pod(c, "app", {"mckube.io/rt-period": "1000000",
                                "mckube.io/rt-runtime-low": "200000",
                                "mckube.io/rt-runtime-hi": "400000"}))
    c.apply()
    c.wait_running("app")
    c.wait(lambda: c.annotation("pods", "app", "mckube.io/rt-applied") == "true")
    assert share_of(c.group("app")) in (200000, 400000)


def rt_operator_pod(c):
    """The example of rt-operator, scheduled by kube-scheduler as ever."""
    full = {"cpu": "100m", "memory": "16Mi"}
    container = c.container("app", ["--period", PERIOD, "--work", 5000],
                            {"requests": full, "limits": full})
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "threadtest",
                         "annotations": {"realtime": "true", "rt_runtime_us": "25000"}},
            "spec": {"containers": [container], "restartPolicy": "Never",
                     "terminationGracePeriodSeconds": 2}}


def test_rt_operator(c):
    """Its annotations, and its configuration file with every key."""
    config = f"""---
### rt-operator configuration settings
log_level: "DEBUG"
kube_path: {c.cluster.kubeconfig}
node_name: {node.NAME}
cgroup_handler: cgroup_v1
cgroup_v1_capacity: 850000
"""
    with c.service("--direct", config=config) as helper:
        c.wait(lambda: c.annotation("nodes", node.NAME, "mckube.io/rt-capacity") == "850000")
        c.create(rt_operator_pod(c))
        c.wait_running("threadtest")
        c.wait(lambda: share_of(c.group("threadtest")) == 25000)
        c.wait(lambda: "ready" in c.kubectl("logs", "-n", c.ns, "threadtest").out)
        assert "backend cgroup-v1" in helper.log_text(), helper.log_text()


def post(port, path, body, token=None):
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", method="POST", data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return reply.status
    except urllib.error.HTTPError as e:
        return e.code


def test_older_agents_calls(c):
    """The controller of MC-Kube sends budgets itself: they are written when the token is right."""
    [port] = free_ports(1)
    sleeper = {"name": "app", "image": node.BUSYBOX, "imagePullPolicy": "Never",
               "command": ["/bin/sleep", "60"]}
    with c.service("--listen", port, env={"MCKUBE_SHARED_TOKEN": "secret"}):
        c.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "app"},
                  "spec": {"containers": [sleeper], "terminationGracePeriodSeconds": 0}})
        c.wait_running("app")
        group = c.group("app")
        budget = {"container_id": f"containerd://{group.name}", "period": 100000, "runtime": 20000,
                  "core": "1"}
        c.wait(lambda: post(port, "/cgroup", budget) == 401)
        assert share_of(group) == 0
        assert post(port, "/cgroup", budget, "guess") == 401
        assert post(port, "/cgroup", budget, "secret") == 200
        assert share_of(group) == 200000
        assert post(port, "/set-rt", {**budget, "runtime": 5000, "only_runtime": True},
                    "secret") == 200
        assert share_of(group) == 50000
        assert post(port, "/cgroup", {**budget, "runtime": 200000}, "secret") == 400
        assert post(port, "/renice", {"container_id": group.name, "nice": 5}, "secret") == 200
        assert os.getpriority(os.PRIO_PROCESS, c.pid_of("app")) == 5
