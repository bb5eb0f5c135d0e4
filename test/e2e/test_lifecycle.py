# SPDX-License-Identifier: Apache-2.0
"""Pods of every kind are created and deleted, the API server is unavailable, the helper is killed:
budgets are as wanted, and nothing is left."""

import json
import os
import pathlib
import random
import signal
import threading
import time

from node_fixture import CPU, GRACE, SYSTEM, budget_of, read, share_of

PERIOD = 100000
CALM = ["--period", PERIOD, "--work", 2000]
PODS = 100
KILLS = 100 if os.environ.get("FULL") else 30  # test/run --full
OUTAGE_SECONDS = 60
RSS_KIB = 8 * 1000 * 1000 // 1024
# The helper returns memory that only many new pods needed once a minute.
RELEASE_SECONDS = 90


def kubepods():
    return budget_of(CPU / "kubepods")


def is_applied(c, *names):
    return all(c.annotation("pods", n, "mckube.io/rt-applied") == "true" for n in names)


def container_status(c, name):
    return c.get("pods", name)["status"]["containerStatuses"][0]


def starts(c, name):
    return container_status(c, name)["restartCount"]


def budgets(c, names):
    """Nothing while a container is just being made."""
    try:
        return [c.budget(n) for n in names]
    except (AssertionError, KeyError):
        return None


def is_ready(c, name):
    return container_status(c, name)["ready"]


def test_qos_parents_have_the_sum_of_their_pods(c):
    """Guaranteed, Burstable and BestEffort pods lie in different groups; each parent has the sum, when
    what earlier pods needed is no longer held."""
    full = {"cpu": "100m", "memory": "16Mi"}
    resources = {"guaranteed": {"requests": full, "limits": full},
                 "burstable": {"requests": full}, "besteffort": {}}
    for name, r in resources.items():
        c.create(*c.task(name, "Middle", PERIOD, 10000, 10000, CALM, resources=r))
    c.apply()
    c.wait_running(*resources)
    c.wait(lambda: is_applied(c, *resources))
    for name in resources:
        group = c.group(name)
        assert (share_of(group), share_of(group.parent)) == (100000, 100000), name
        folder = group.relative_to(CPU / "kubepods").parts[0]
        assert folder == name or (name == "guaranteed" and folder.startswith("pod")), group
    kubepods = CPU / "kubepods"
    c.wait(lambda: [share_of(g) for g in (kubepods / "burstable", kubepods / "besteffort", kubepods)] ==
           [100000, 100000, 300000])


def test_two_containers_share_their_pods_budget(c):
    """A pod is one request; its containers share it as it says, and the pod's group has the sum."""
    pod, request = c.task("pair", "High", PERIOD, 20000, 30000, CALM,
                          annotations={"mckube.io/rt-containers": "app=75,logger=25"})
    pod["spec"]["containers"].append(c.container("logger", CALM, {}))
    c.create(pod, request)
    c.apply()
    c.wait_running("pair")
    c.wait(lambda: is_applied(c, "pair"))
    app, logger = c.group("pair", "app"), c.group("pair", "logger")
    assert app.parent == logger.parent
    got = share_of(app), share_of(logger), share_of(app.parent)
    assert got in ((150000, 50000, 200000), (225000, 75000, 300000)), got


def restarts(c):
    return c.helper()["status"]["containerStatuses"][0]["restartCount"]


def open_files(pid):
    return len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir()))


def rss_kib(pid):
    for line in read(pathlib.Path(f"/proc/{pid}/status")).splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])


def test_hundred_pods_get_and_free_their_budgets(c):
    """Created, run and deleted: every budget is given, and given back."""
    [pid] = c.helper_pids()
    files = open_files(pid)
    names = [f"p{i}" for i in range(PODS)]
    args = ["--period", 1000000, "--work", 500, "--seconds", 600]
    c.create(*[o for n in names for o in c.task(n, "Low", 1000000, 5000, 5000, args)])
    start = time.monotonic()
    done = c.apply()
    assert done.out.count(" bind: Done") == PODS, done
    bound = time.monotonic()
    c.wait(lambda: all(p["status"].get("phase") == "Running" for p in c.get("pods")), 300)
    running = time.monotonic()
    c.wait(lambda: all(p["metadata"]["annotations"].get("mckube.io/rt-applied") == "true"
                       for p in c.get("pods")))
    assert kubepods() == PODS * 5000, kubepods()
    c.wait(lambda: rss_kib(pid) <= RSS_KIB, RELEASE_SECONDS)
    print(f"# {PODS} pods: bound in {bound - start:.1f} s, running after {running - start:.1f} s; "
          f"helper {rss_kib(pid)} KiB, {open_files(pid)} files")
    c.kubectl("delete", "pods", "--all", "-n", c.ns, "--wait=true")
    c.wait(lambda: kubepods() == 0)
    c.wait(lambda: open_files(pid) <= files)
    assert not [k for k in c.metrics() if k.startswith("mckube_node_pod_") and c.ns in k]
    assert restarts(c) == 0


def test_pod_deleted_by_force_frees_its_budget(c):
    """A pod that is deleted before its program has ended frees its budget all the same."""
    c.create(*c.task("brake", "High", PERIOD, 20000, 40000, []))
    c.apply()
    c.wait_running("brake")
    c.wait(lambda: kubepods() > 0)
    c.kubectl("delete", "pod", "brake", "-n", c.ns, "--force", "--grace-period=0")
    c.wait(lambda: kubepods() == 0)


def busy_brake(c):
    return c.task("brake", "High", PERIOD, 10000, 60000,
                  ["--period", PERIOD, "--work", 4000, "--overrun-work", 30000, "--seconds", 300])


def make_busy_brake(c):
    """A brake that overruns when told to, and whose hi leaves no room for the logger."""
    c.create(*busy_brake(c), *c.task(
        "logger", "Low", PERIOD, 45000, 45000,
        ["--period", PERIOD, "--work", 40000, "--seconds", 300]))
    c.apply()
    c.wait_running("brake", "logger")
    c.wait(lambda: is_applied(c, "brake", "logger"))
    return c.group("brake"), c.group("logger")


def escalations(c):
    return c.metrics()["mckube_node_escalations_total"]


def test_escalation_without_api_server(c):
    """Escalation and recovery need no API server; Events are written when it is available again."""
    brake, logger = make_busy_brake(c)
    pid = c.pid_of("brake")
    before = escalations(c)
    c.cluster.stop("kube-apiserver")
    try:
        end = time.monotonic() + OUTAGE_SECONDS
        rounds = 0
        while time.monotonic() < end:
            os.kill(pid, signal.SIGUSR1)
            c.wait(lambda: (budget_of(brake), budget_of(logger)) == (60000, 2250), 5)
            os.kill(pid, signal.SIGUSR2)
            c.wait(lambda: (budget_of(brake), budget_of(logger)) == (10000 + GRACE, 45000), 70)
            rounds += 1
        os.kill(pid, signal.SIGUSR1)
        c.wait(lambda: budget_of(brake) == 60000, 5)
    finally:
        c.start_api_server()
    print(f"# {rounds} times up and down while the API server was unavailable")
    c.wait(lambda: c.annotation("pods", "brake", "mckube.io/rt-current") == "hi", 60)
    def n_events():
        events = [e for e in c.get("events") if e["reason"] == "RuntimeEscalated"]
        return sum(e.get("series", {}).get("count", 1) for e in events)
    c.wait(lambda: n_events() == escalations(c) - before > rounds, 60)


def test_recreated_pod_inherits_nothing(c):
    """A pod that is made again under its name inherits nothing."""
    brake, _ = make_busy_brake(c)
    os.kill(c.pid_of("brake"), signal.SIGUSR1)
    c.wait(lambda: budget_of(brake) == 60000)
    c.wait(lambda: c.get("mckubes", "brake")["status"].get("currentRuntime") == "hi")
    uid = c.get("pods", "brake")["metadata"]["uid"]
    c.kubectl("delete", "pod", "brake", "-n", c.ns)
    c.create(busy_brake(c)[0])
    c.apply()
    c.wait_running("brake")
    c.wait(lambda: is_applied(c, "brake"))
    status = lambda: c.get("mckubes", "brake")["status"]
    c.wait(lambda: status().get("podUID") not in (None, uid))
    assert (status()["currentRuntime"], c.budget("brake")) == ("low", 10000 + GRACE), status()


def saved_level(c, name):
    """In the state file, which is written after the reaction."""
    uid = c.get("pods", name)["metadata"]["uid"]
    return {p["uid"]: p["level"] for p in json.loads(c.state_file.read_text())["pods"]}.get(uid)


class Watcher:
    """The least and the most that a group's budget was, looked at all the time."""

    def __init__(self, group):
        self.group, self.seen, self.is_ending = group, set(), False
        self.thread = threading.Thread(target=self._look, daemon=True)

    def _look(self):
        while not self.is_ending:
            self.seen.add(budget_of(self.group))
            time.sleep(0.0002)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_ending = True
        self.thread.join()


def test_killed_helper_keeps_budgets(c):
    """At random moments, many times: the pod that overruns keeps its hi, the others their cut."""
    rng = random.Random(1)
    with c.service() as helper:
        brake, logger = make_busy_brake(c)
        os.kill(c.pid_of("brake"), signal.SIGUSR1)
        c.wait(lambda: (budget_of(brake), budget_of(logger)) == (60000, 2250))
        c.wait(lambda: saved_level(c, "brake") == "hi")
        with Watcher(brake) as high, Watcher(logger) as low:
            for _ in range(KILLS):
                time.sleep(rng.uniform(0, 0.4))
                helper.kill()
                helper.start()
            helper.kill()
            c.state_file.unlink()  # the API and the kernel remember, too
            helper.start()
            c.stays(lambda: (budget_of(brake), budget_of(logger)) == (60000, 2250), 2)
        assert (high.seen, low.seen) == ({60000}, {2250}), (high.seen, low.seen)
        os.kill(c.pid_of("brake"), signal.SIGUSR2)
        c.wait(lambda: (budget_of(brake), budget_of(logger)) == (10000 + GRACE, 45000), 90)


def test_power_cut_restores_budgets_from_the_api(c):
    """Containers and the helper start again together, nothing but the API remembers. A program that
    is there before its budget ends, and is started again."""
    names = "brake", "logger"
    always = {"spec": {"restartPolicy": "Always"}}
    c.create(*c.task("brake", "High", PERIOD, 10000, 60000,
                     [*CALM, "--overrun-work", 30000, "--seconds", 300], **always),
             *c.task("logger", "Low", PERIOD, 45000, 45000, [*CALM, "--seconds", 300], **always))
    c.apply()
    c.wait_running(*names)
    c.wait(lambda: is_applied(c, *names))
    os.kill(c.pid_of("brake"), signal.SIGUSR1)
    c.wait(lambda: c.annotation("pods", "brake", "mckube.io/rt-current") == "hi")
    before = {n: starts(c, n) for n in names}
    c.node.cut_power()
    c.node.boot()
    c.wait(lambda: all(starts(c, n) > before[n] and is_ready(c, n) for n in names), 120)
    print("# started again: " + ", ".join(f"{n} {starts(c, n) - before[n]} times" for n in names))
    c.wait(lambda: budgets(c, names) == [10000 + GRACE, 45000], 60)
    c.wait(lambda: c.get("mckubes", "brake")["status"].get("currentRuntime") == "low")


def test_upgrade_keeps_budgets(c):
    """While the DaemonSet is there, a helper that ends leaves everything to the next one."""
    brake, logger = make_busy_brake(c)
    os.kill(c.pid_of("brake"), signal.SIGUSR1)
    c.wait(lambda: (budget_of(brake), budget_of(logger)) == (60000, 2250))
    c.wait(lambda: saved_level(c, "brake") == "hi")
    with Watcher(brake) as high, Watcher(logger) as low:
        c.kubectl("rollout", "restart", "daemonset/mckube-node", "-n", SYSTEM)
        c.kubectl("rollout", "status", "daemonset/mckube-node", "-n", SYSTEM, "--timeout=90s")
        c.stays(lambda: (budget_of(brake), budget_of(logger)) == (60000, 2250), 2)
    assert (high.seen, low.seen) == ({60000}, {2250}), (high.seen, low.seen)


def test_uninstall_restores_the_kernel(c):
    """Budgets are as they were before; pods run on."""
    c.create(*c.task("brake", "High", PERIOD, 10000, 20000, CALM))
    c.apply()
    c.wait_running("brake")
    c.wait(lambda: is_applied(c, "brake"))
    c.kubectl("delete", "pod", "brake", "-n", c.ns)
    c.wait(lambda: kubepods() == 0)
    c.uninstall()
    try:
        assert budget_of(CPU) == 950000 and kubepods() == 0
        assert not c.state_file.exists()
        assert c.kubectl("get", "namespace", SYSTEM, check=False).code
    finally:
        c.install()
