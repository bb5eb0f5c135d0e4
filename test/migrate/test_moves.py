# SPDX-License-Identifier: Apache-2.0
"""Moves that end well: by kind of pod, by size, there and back."""

import contextlib
import json
import os
import pathlib
import threading

import pair
from fixture import PERIOD, Lines, wait_for
from node import paths


def root(f, name):
    """What a pod's program sees as /."""
    tasks = [t for g in f.containers(f.pod(name)) for t in (g.parent / "tasks").read_text().split()]
    (task,) = [t for t in tasks if pathlib.Path(f"/proc/{t}/comm").read_text() == "count\n"]
    return pathlib.Path(f"/proc/{task}/root")


def test_there_and_back(f):
    """10 MB, with a periodic timerfd, which CRIU alone would stop, and with files of its own."""
    name, written = f.start("app", "--mb", 10, "--timer", "--open", "/opened"), os.urandom(9 << 20)
    (root(f, name) / "written").write_bytes(written)
    for to in ("node-b", "node-a"):
        name = f.move(name, to)
        assert (root(f, name) / "written").read_bytes() == written
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


class FirstBudgets:
    """The first budget in the kernel of each container that comes to a node, meanwhile."""

    def __init__(self, f, node):
        self.found, self.is_over = {}, threading.Event()
        self.groups = pair.CGROUPS / "cpu" / node.groups
        self.before = set(self._files())
        self.thread = threading.Thread(target=self._follow)

    def _files(self):
        return paths(self.groups, "kubepods/**/pod*/*/cpu.rt_runtime_us")

    def _follow(self):
        while not self.is_over.wait(0.01):
            for path in set(self._files()) - self.before:
                with contextlib.suppress(OSError):
                    us = int(path.read_text())
                    self.found.setdefault(path.parent.name, us) if us else None

    def __enter__(self):
        self.thread.start()
        return self.found

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()


def budgets(f, name):
    return sorted(int(g.read_text()) for g in f.containers(f.pod(name)))


def affinity(f, name):
    """Of all threads of the pod's programs."""
    tids = [int(t) for g in f.containers(f.pod(name)) if int(g.read_text())
            for t in (g.parent / "tasks").read_text().split()]
    return [os.sched_getaffinity(t) for t in tids]


def level(f, name):
    return f.note("pod", name, "mckube.io/rt-current")


LOGGER, LOW, HI = 38000, 10000, 35000


def check_told(f):
    """How long it stood still, in the Event and in the McKube's status."""
    last = json.loads(f.kubectl("get", "mckube", "app", "-o", "json"))["status"]["lastMigration"]
    ms, missed = last["downtimeMs"], last["missedPeriods"]
    assert last | {"time": ""} == {
        "pod": "app", "from": "node-a", "to": "node-b", "method": "Checkpoint", "result": "Migrated",
        "time": "", "downtimeMs": ms, "missedPeriods": missed}, last
    assert ms > 0 and missed == ms * 1000 // PERIOD, last
    notes = [e["note"] for e in json.loads(f.kubectl("get", "events.events.k8s.io", "-o", "json"))["items"]
             if e["reason"] == "Migrated" and e["regarding"]["name"] == "app"]
    assert any(f"stood still for {ms} ms: {missed} whole periods" in n for n in notes), notes


def test_real_time(f):
    """A FIFO process at its raised budget goes to a node where a Low one has to yield for it: level and
    budget are there before it is restored, policy, priority and core too, and it has no privilege to set
    them itself."""
    f.wait_facts()
    with f.real_time():
        f.start_real_time("logger", "Low", LOGGER, LOGGER, node="node-b")
        f.start_real_time("app", "High", LOW, HI, "--mb", 9, "--work-us", 2500)
        wait_for(lambda: level(f, "app") == "hi", "it does not go up")
        wait_for(lambda: budgets(f, "app") == [0, HI], "not the budget of its level")
        assert budgets(f, "logger") == [0, LOGGER] and level(f, "logger") == "low"
        assert set(map(frozenset, affinity(f, "app"))) == {frozenset({0})}

        path = f.cluster.folder / "plan.json"
        f.mckube("migrate", "pod/app", "--dry-run", "--out", path)
        (action,) = [a for a in json.loads(path.read_text())["spec"]["actions"] if a["kind"] == "Migrate"]
        to = action["to"]
        assert (to["node"], to["cores"], to["level"], to["runtime"]) == ("node-b", "1", "hi", HI), to
        with FirstBudgets(f, f.nodes[1]) as first:
            assert "whole periods" in f.mckube("migrate", "pod/app")
        check_real_time(f, first)
    f.check_clean()


def check_real_time(f, first):
    wait_for(lambda: not f.pod("app"), "the source stays", 60)
    lines = f.wait_lines()
    lines.check()
    (new,) = (p["metadata"]["name"] for p in f.pods() if p["metadata"]["name"] != "logger")
    assert list(first.values()) == [HI], first
    assert f.pod(new)["spec"]["nodeName"] == "node-b" and level(f, new) == "hi"
    assert budgets(f, new) == [0, HI] and set(map(frozenset, affinity(f, new))) == {frozenset({1})}
    moved = max(range(1, len(lines.at_ms)), key=lambda i: lines.at_ms[i] - lines.at_ms[i - 1])
    assert set(lines.policies[moved - 10:]) == {"1.20"}, lines.policies[moved - 10:moved + 10]
    # As the plan counted it: at this level of a High pod a Low one has its floor.
    wait_for(lambda: level(f, "logger") == "floor", "the Low pod is not cut")
    assert budgets(f, "logger") == [0, LOGGER // 20], budgets(f, "logger")
    events = f.kubectl("get", "events.events.k8s.io", "-o", "jsonpath={range .items[*]}{.reason} {end}")
    assert "RTBudgetApplied" in events and "Degraded" in events and "CanOutrank" not in events, events
    check_told(f)
    f.downtimes.append(("real time", lines.downtime_ms()))


def test_job(f):
    """By Restart: what the Job makes instead comes to the target, and completes once."""
    f.wait_facts()
    end = f.shared / "end"
    pod = f.start_job("batch", "--end-file", end)
    out = f.mckube("migrate", f"pod/{pod}", "--to", "node-b")
    assert "migrate: Done" in out, out
    wait_for(lambda: Lines(f.file).starts == 2, "does not begin again", 60)
    end.touch()

    def status():
        return json.loads(f.kubectl("get", "job", "batch", "-o", "json")).get("status", {})
    wait_for(lambda: status().get("completionTime"), "not complete", 60)
    assert status()["succeeded"] == 1 and not status().get("failed"), status()
    assert Lines(f.file).ends == 1
    done = [p for p in f.pods() if p["status"]["phase"] == "Succeeded"]
    assert [p["spec"]["nodeName"] for p in done] == ["node-b"], f.pods()
    f.check_clean()


def test_thread_cpus(f):
    """A thread that is held to one CPU is held to it after the move, too; its process is not."""
    last = os.cpu_count() - 1
    wanted = sorted([[*range(last + 1)], [last]])
    name = f.start("app", "--pin", last)
    wait_for(lambda: f.thread_cpus(name) == wanted, "not held")
    for to in ("node-b", "node-a"):
        name = f.move(name, to)
        f.check_one()
        f.check_clean()
        assert f.thread_cpus(name) == wanted


def test_restart_is_fresh(f):
    """A moved program that dies begins at its start: the checkpoint is not restored again."""
    name = f.move(f.start("app"), "node-b")
    f.check_one()
    f.check_clean()
    f.kubectl("exec", name, "--", "/count", "--kill-1", check=False)
    wait_for(lambda: f.pod(name)["status"]["containerStatuses"][0]["restartCount"] == 1,
             "no restart", 60)
    wait_for(lambda: Lines(f.file).starts == 2, "not started again")


def full_connections_are_closed(f):
    """Both ends of a connection see its end, and the server takes new ones."""
    pod = f.start("app", "--talk", 7000)
    said = lambda: [line for line in f.file.read_text().splitlines() if line in ("connected", "closed")]
    wait_for(lambda: said() == ["connected"], "not connected")
    f.move(pod, "node-b")
    wait_for(lambda: said() == ["connected", "closed", "connected"], "not connected again")
    f.check_one().check()
    f.check_clean()


def full_init_container(f):
    """It runs again on the target, and its image is no checkpoint."""
    spec = f.spec("--mb", 1, nodeName="node-a")
    spec["initContainers"] = [f.container("first", "/count", "--nothing")]
    f.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "app"}, "spec": spec})
    f.wait_lines()
    pod = f.pod(f.move("app", "node-b"))
    f.check_one()
    f.check_clean()
    [first] = pod["status"]["initContainerStatuses"]
    assert first["state"]["terminated"]["exitCode"] == 0 and first["restartCount"] == 0, first
    assert pod["spec"]["initContainers"][0]["image"] == spec["initContainers"][0]["image"], pod["spec"]


def spec_with_sidecar(f, **more):
    """And the file of the sidecar's lines."""
    side, beside = f.spec("--mb", 1)["containers"][0], f.file
    spec = f.spec("--mb", 2, **more)
    spec["initContainers"] = [{**side, "name": "side", "restartPolicy": "Always"}]
    return spec, beside


def move_with_sidecar(f, pod, beside):
    new = f.pod(f.move(pod, "node-b"))
    f.check_one()
    f.check_clean()
    Lines(beside).check()
    [side] = new["status"]["initContainerStatuses"]
    assert side["restartCount"] == 0 and "running" in side["state"], side


def full_sidecar(f):
    """It goes on where it was, as the container that it is beside."""
    spec, beside = spec_with_sidecar(f, nodeName="node-a")
    f.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "app"}, "spec": spec})
    f.wait_lines()
    move_with_sidecar(f, "app", beside)


def full_sidecar_of_a_deployment(f):
    spec, beside = spec_with_sidecar(f, schedulerName="mckube")
    pod = f.start_owned("Deployment", "web", node="node-a", spec=spec)
    f.wait_lines()
    move_with_sidecar(f, pod, beside)


def full_restore_is_off(f):
    """The target's helper refuses what was promised nevertheless; the source is never paused."""
    target = f.nodes[1]
    config = target.folder / "containerd.toml"
    text = config.read_text()

    def restart(its):
        config.write_text(its)
        target.stop("containerd")
        target.restart("containerd")
        wait_for(lambda: f.images(target, "ls"), "containerd does not answer", 60)
    pod = f.start("app")
    try:
        restart(text.replace("restore_via_create = true", "restore_via_create = false"))
        out, code = f.end_move(f.start_move(pod, target.name))
    finally:
        restart(text)
    assert code == 1 and "target node: containerd does not restore here" in out and "Paused" not in out, out
    f.check_one().check()
    f.check_clean()


def test_dump_fails(f):
    """CRIU cannot dump it: it goes on where it was, and the reason is told."""
    out, code = f.end_move(f.start_move(f.start("app", "--io-uring"), "node-b"))
    assert code == 1 and "checkpoint container c" in out, out
    f.check_one()
    f.check_clean()
    assert f.pod("app")["spec"]["nodeName"] == "node-a"


def full_restore_fails(f):
    """The target has all of it, and cannot restore it: the new pod goes first, then the source goes on."""
    spec = f.spec("--open", "/own/file", nodeName="node-a")
    spec["volumes"].append({"name": "own", "emptyDir": {}})
    spec["containers"][0]["volumeMounts"].append({"name": "own", "mountPath": "/own"})
    f.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "app"}, "spec": spec})
    f.wait_lines()
    out, code = f.end_move(f.start_move("app", "node-b"))
    assert code == 1 and "container c of the new pod" in out, out
    f.check_one()
    f.check_clean()
    assert f.pod("app")["spec"]["nodeName"] == "node-a"


def full_base_image_missing(f):
    """Nothing is paused where the target cannot have the image that the container is of."""
    f.start("app")
    f.remove_image(f.nodes[1])
    try:
        out, code = f.end_move(f.start_move("app", "node-b"))
    finally:
        f.nodes[1].import_image(f.image)
    assert code == 1 and "target node: " in out, out
    f.check_one().check()
    f.check_clean()


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
