# SPDX-License-Identifier: Apache-2.0
"""Moves that end well: by kind of pod, by size, there and back."""

import json
import time

import pair
from fixture import Lines, wait_for


def test_there_and_back(f):
    """10 MB, with a periodic timerfd, which CRIU alone would stop."""
    name = f.start("app", "--mb", 10, "--timer")
    for to in ("node-b", "node-a"):
        name = f.move(name, to)
        lines = f.check_one()
        f.check_clean()
        pod = f.pod(name)
        assert pod["spec"]["nodeName"] == to
        assert pod["status"]["containerStatuses"][0]["restartCount"] == 0
    f.downtimes.append(("10 MB", lines.downtime_ms()))


def test_larger(f):
    f.move(f.start("app", "--mb", 100), "node-b")
    f.downtimes.append(("100 MB", f.check_one().downtime_ms()))
    f.check_clean()


def test_deployment(f):
    """Its template stays as it is, and the next pod is an ordinary one."""
    pod = f.start_deployment("web", "--mb", 1)
    before = f.kubectl("get", "deployment", "web", "-o", "jsonpath={.spec.template}")
    new = f.move(pod, "node-b")
    f.downtimes.append(("Deployment", f.check_one().downtime_ms()))
    f.check_clean()
    assert f.kubectl("get", "deployment", "web", "-o", "jsonpath={.spec.template}") == before
    owners = f.pod(new)["metadata"]["ownerReferences"]
    assert owners[0]["kind"] == "ReplicaSet"
    assert f.pod(new)["spec"]["nodeName"] == "node-b"


def test_stateful_set(f):
    """The new pod has the name of the old one, which is gone before it is made, and goes on there and back."""
    pod = f.start_stateful_set("db", "--mb", 1)
    uids = [f.pod(pod)["metadata"]["uid"]]
    for to in ("node-b", "node-a"):
        assert f.move(pod, to) == pod
        lines = f.check_one()
        f.check_clean()
        meta, spec = f.pod(pod)["metadata"], f.pod(pod)["spec"]
        assert spec["nodeName"] == to and meta["ownerReferences"][0]["kind"] == "StatefulSet"
        uids.append(meta["uid"])
    assert len(set(uids)) == 3, uids
    f.downtimes.append(("StatefulSet", lines.downtime_ms()))


def test_several_containers(f):
    """All of them stand still while any of them is dumped, and all go on."""
    spec = f.spec("--mb", 2, nodeName="node-a")
    first = f.file
    more = f.spec()["containers"][0]
    spec["containers"].append({**more, "name": "d"})
    f.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "app"}, "spec": spec})
    f.wait_lines()
    f.move("app", "node-b")
    f.check_one()
    f.check_clean()
    Lines(first).check()


def test_real_time(f):
    """A FIFO process: its budget is there before it is restored, policy and priority stay, and it has no
    privilege to set them itself."""
    def runtime_us(pod):
        uid = f.pod(pod)["metadata"]["uid"]
        groups = pair.paths(pair.CGROUPS / "cpu", f"mckube-node-*/kubepods/**/pod{uid}/*/cpu.rt_runtime_us")
        return sorted(int(g.read_text()) for g in groups)

    f.wait_facts()
    with f.real_time():
        f.start_real_time("app", "--mb", 9)
        assert runtime_us("app") == [0, 10000], runtime_us("app")
        source = f.pod("app")["spec"]["nodeName"]
        assert "whole periods" in f.mckube("migrate", "pod/app")
        lines = f.check_one()
        (pod,) = f.pods()
        assert pod["spec"]["nodeName"] != source
        assert runtime_us(pod["metadata"]["name"]) == [0, 10000]
        moved = max(range(1, len(lines.at_ms)), key=lambda i: lines.at_ms[i] - lines.at_ms[i - 1])
        assert set(lines.policies[moved - 10:]) == {"1.20"}, lines.policies[moved - 10:moved + 10]
        events = f.kubectl("get", "events.events.k8s.io", "-o", "jsonpath={range .items[*]}{.reason} {end}")
        assert "RTBudgetApplied" in events and "CanOutrank" not in events, events
        f.downtimes.append(("real time", lines.downtime_ms()))
    f.check_clean()


def test_restart_is_fresh(f):
    """A moved program that dies begins at its start: the checkpoint is not restored again."""
    name = f.move(f.start("app"), "node-b")
    f.check_one()
    f.check_clean()
    f.kubectl("exec", name, "--", "/count", "--kill-1", check=False)
    wait_for(lambda: f.pod(name)["status"]["containerStatuses"][0]["restartCount"] == 1,
             "no restart", 60)
    wait_for(lambda: Lines(f.file).starts == 2, "not started again")


def test_probe_refuses(f):
    """A liveness probe by HTTP would end it while it is paused: nothing is touched."""
    spec = f.spec()
    spec["nodeName"] = "node-a"
    spec["containers"][0]["livenessProbe"] = {
        "httpGet": {"path": "/", "port": 1}, "periodSeconds": 1, "failureThreshold": 1,
        "initialDelaySeconds": 600}
    f.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "app"}, "spec": spec})
    f.wait_lines()
    out, code = f.end_move(f.start_move("app", "node-b"))
    assert code == 1 and "liveness probe" in out, out
    f.check_one()
    f.check_clean()
