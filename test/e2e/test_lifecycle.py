# SPDX-License-Identifier: Apache-2.0
"""Pods of every kind come and go, the API server goes away, the helper is killed: budgets are what is
wanted, and nothing is left behind."""

import os
import pathlib
import random
import signal
import threading
import time

from stage import CPU, GRACE, SYSTEM, budget_of, read, share_of

PERIOD = 100000
CALM = ["--period", PERIOD, "--work", 2000]
PODS = 100
KILLS = 100
AWAY_SECONDS = 60
RSS_KIB = 8 * 1000 * 1000 // 1024
# The helper gives back what only many new pods needed once a minute.
RELEASE_SECONDS = 90


def kubepods():
    return budget_of(CPU / "kubepods")


def is_applied(w, *names):
    return all(w.annotation("pods", n, "mckube.io/rt-applied") == "true" for n in names)


def container_status(w, name):
    return w.get("pods", name)["status"]["containerStatuses"][0]


def starts(w, name):
    return container_status(w, name)["restartCount"]


def budgets(w, names):
    """Nothing while a container is just being made."""
    try:
        return [w.budget(n) for n in names]
    except (AssertionError, KeyError):
        return None


def is_ready(w, name):
    return container_status(w, name)["ready"]


def test_quality_classes(w):
    """Guaranteed, Burstable and BestEffort pods lie in different groups; each parent has the sum, when
    what earlier pods needed is no longer held."""
    full = {"cpu": "100m", "memory": "16Mi"}
    resources = {"guaranteed": {"requests": full, "limits": full},
                 "burstable": {"requests": full}, "besteffort": {}}
    for name, r in resources.items():
        w.create(*w.task(name, "Middle", PERIOD, 10000, 10000, CALM, resources=r))
    w.apply()
    w.wait_running(*resources)
    w.wait(lambda: is_applied(w, *resources))
    for name in resources:
        group = w.group(name)
        assert (share_of(group), share_of(group.parent)) == (100000, 100000), name
        folder = group.relative_to(CPU / "kubepods").parts[0]
        assert folder == name or (name == "guaranteed" and folder.startswith("pod")), group
    kubepods = CPU / "kubepods"
    w.wait(lambda: [share_of(g) for g in (kubepods / "burstable", kubepods / "besteffort", kubepods)] ==
           [100000, 100000, 300000])


def test_two_containers(w):
    """A pod is one request; its containers share it as it says, and the pod's group has the sum."""
    pod, request = w.task("pair", "High", PERIOD, 20000, 30000, CALM,
                          annotations={"mckube.io/rt-containers": "app=75,logger=25"})
    pod["spec"]["containers"].append(w.container("logger", CALM, {}))
    w.create(pod, request)
    w.apply()
    w.wait_running("pair")
    w.wait(lambda: is_applied(w, "pair"))
    app, logger = w.group("pair", "app"), w.group("pair", "logger")
    assert app.parent == logger.parent
    got = share_of(app), share_of(logger), share_of(app.parent)
    assert got in ((150000, 50000, 200000), (225000, 75000, 300000)), got


def restarts(w):
    return w.helper()["status"]["containerStatuses"][0]["restartCount"]


def open_files(pid):
    return len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir()))


def rss_kib(pid):
    for line in read(pathlib.Path(f"/proc/{pid}/status")).splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])


def test_hundred_pods(w):
    """Created, run and deleted: every budget is given, and given back."""
    [pid] = w.helper_pids()
    files = open_files(pid)
    names = [f"p{i}" for i in range(PODS)]
    args = ["--period", 1000000, "--work", 500, "--seconds", 600]
    w.create(*[o for n in names for o in w.task(n, "Low", 1000000, 5000, 5000, args)])
    start = time.monotonic()
    done = w.apply()
    assert done.out.count(" bind: Done") == PODS, done
    bound = time.monotonic()
    w.wait(lambda: all(p["status"].get("phase") == "Running" for p in w.get("pods")), 300)
    running = time.monotonic()
    w.wait(lambda: all(p["metadata"]["annotations"].get("mckube.io/rt-applied") == "true"
                       for p in w.get("pods")))
    assert kubepods() == PODS * 5000, kubepods()
    w.wait(lambda: rss_kib(pid) <= RSS_KIB, RELEASE_SECONDS)
    print(f"# {PODS} pods: bound in {bound - start:.1f} s, running after {running - start:.1f} s; "
          f"helper {rss_kib(pid)} KiB, {open_files(pid)} files")
    w.kubectl("delete", "pods", "--all", "-n", w.ns, "--wait=true")
    w.wait(lambda: kubepods() == 0)
    w.wait(lambda: open_files(pid) <= files)
    assert not [k for k in w.metrics() if k.startswith("mckube_node_pod_") and w.ns in k]
    assert restarts(w) == 0


def test_deleted_while_it_runs(w):
    """Who is gone from the API before his program has ended frees his budget all the same."""
    w.create(*w.task("brake", "High", PERIOD, 20000, 40000, []))
    w.apply()
    w.wait_running("brake")
    w.wait(lambda: kubepods() > 0)
    w.kubectl("delete", "pod", "brake", "-n", w.ns, "--force", "--grace-period=0")
    w.wait(lambda: kubepods() == 0)


def busy_brake(w):
    return w.task("brake", "High", PERIOD, 10000, 60000,
                  ["--period", PERIOD, "--work", 4000, "--overrun-work", 30000, "--seconds", 300])


def make_busy_brake(w):
    """A brake that overruns when told to, and whose hi leaves no room for the logger."""
    w.create(*busy_brake(w), *w.task(
        "logger", "Low", PERIOD, 45000, 45000,
        ["--period", PERIOD, "--work", 40000, "--seconds", 300]))
    w.apply()
    w.wait_running("brake", "logger")
    w.wait(lambda: is_applied(w, "brake", "logger"))
    return w.group("brake"), w.group("logger")


def escalations(w):
    return w.metrics()["mckube_node_escalations_total"]


def test_api_server_away(w):
    """Escalation and recovery need nobody; what happened is told when somebody listens again."""
    brake, logger = make_busy_brake(w)
    pid = w.pid_of("brake")
    before = escalations(w)
    w.cluster.stop("kube-apiserver")
    try:
        end = time.monotonic() + AWAY_SECONDS
        rounds = 0
        while time.monotonic() < end:
            os.kill(pid, signal.SIGUSR1)
            w.wait(lambda: (budget_of(brake), budget_of(logger)) == (60000, 2250), 5)
            os.kill(pid, signal.SIGUSR2)
            w.wait(lambda: (budget_of(brake), budget_of(logger)) == (10000 + GRACE, 45000), 70)
            rounds += 1
        os.kill(pid, signal.SIGUSR1)
        w.wait(lambda: budget_of(brake) == 60000, 5)
    finally:
        w.cluster.start("kube-apiserver")
    print(f"# {rounds} times up and down while the API server was away")
    w.wait(lambda: w.kubectl("get", "--raw", "/readyz", check=False).code == 0, 60)
    w.wait(lambda: w.annotation("pods", "brake", "mckube.io/rt-current") == "hi", 60)
    def told():
        events = [e for e in w.get("events") if e["reason"] == "RuntimeEscalated"]
        return sum(e.get("series", {}).get("count", 1) for e in events)
    w.wait(lambda: told() == escalations(w) - before > rounds, 60)


def test_same_name(w):
    """A pod that is made again under its name inherits nothing."""
    brake, _ = make_busy_brake(w)
    os.kill(w.pid_of("brake"), signal.SIGUSR1)
    w.wait(lambda: budget_of(brake) == 60000)
    w.wait(lambda: w.get("mckubes", "brake")["status"].get("currentRuntime") == "hi")
    uid = w.get("pods", "brake")["metadata"]["uid"]
    w.kubectl("delete", "pod", "brake", "-n", w.ns)
    w.create(busy_brake(w)[0])
    w.apply()
    w.wait_running("brake")
    w.wait(lambda: is_applied(w, "brake"))
    status = lambda: w.get("mckubes", "brake")["status"]
    w.wait(lambda: status().get("podUID") not in (None, uid))
    assert (status()["currentRuntime"], w.budget("brake")) == ("low", 10000 + GRACE), status()


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


def test_helper_killed(w):
    """At any moment of its life, a hundred times: who overruns keeps his hi, the others their cut."""
    rng = random.Random(1)
    with w.service() as helper:
        brake, logger = make_busy_brake(w)
        os.kill(w.pid_of("brake"), signal.SIGUSR1)
        w.wait(lambda: (budget_of(brake), budget_of(logger)) == (60000, 2250))
        time.sleep(0.2)  # the state file is written after the reaction
        with Watcher(brake) as high, Watcher(logger) as low:
            for _ in range(KILLS):
                time.sleep(rng.uniform(0, 0.4))
                helper.kill()
                helper.start()
            helper.kill()
            w.state_file.unlink()  # the API and the kernel remember, too
            helper.start()
            time.sleep(2)
        assert (high.seen, low.seen) == ({60000}, {2250}), (high.seen, low.seen)
        os.kill(w.pid_of("brake"), signal.SIGUSR2)
        w.wait(lambda: (budget_of(brake), budget_of(logger)) == (10000 + GRACE, 45000), 90)


def test_power_cut(w):
    """Containers and the helper start again together, nothing but the API remembers. A program that
    is there before its budget ends, and is started again."""
    names = "brake", "logger"
    always = {"spec": {"restartPolicy": "Always"}}
    w.create(*w.task("brake", "High", PERIOD, 10000, 60000,
                     [*CALM, "--overrun-work", 30000, "--seconds", 300], **always),
             *w.task("logger", "Low", PERIOD, 45000, 45000, [*CALM, "--seconds", 300], **always))
    w.apply()
    w.wait_running(*names)
    w.wait(lambda: is_applied(w, *names))
    os.kill(w.pid_of("brake"), signal.SIGUSR1)
    w.wait(lambda: w.annotation("pods", "brake", "mckube.io/rt-current") == "hi")
    before = {n: starts(w, n) for n in names}
    w.node.cut_power()
    w.node.boot()
    w.wait(lambda: all(starts(w, n) > before[n] and is_ready(w, n) for n in names), 120)
    print("# started again: " + ", ".join(f"{n} {starts(w, n) - before[n]} times" for n in names))
    w.wait(lambda: budgets(w, names) == [10000 + GRACE, 45000], 60)
    w.wait(lambda: w.get("mckubes", "brake")["status"].get("currentRuntime") == "low")


def test_upgrade_keeps_budgets(w):
    """While the DaemonSet is there, a helper that ends leaves everything to the next one."""
    brake, logger = make_busy_brake(w)
    os.kill(w.pid_of("brake"), signal.SIGUSR1)
    w.wait(lambda: (budget_of(brake), budget_of(logger)) == (60000, 2250))
    time.sleep(0.5)
    with Watcher(brake) as high, Watcher(logger) as low:
        w.kubectl("rollout", "restart", "daemonset/mckube-node", "-n", SYSTEM)
        w.kubectl("rollout", "status", "daemonset/mckube-node", "-n", SYSTEM, "--timeout=90s")
        time.sleep(2)
    assert (high.seen, low.seen) == ({60000}, {2250}), (high.seen, low.seen)


def test_uninstalling_restores(w):
    """Budgets are as they were before; pods run on."""
    w.create(*w.task("brake", "High", PERIOD, 10000, 20000, CALM))
    w.apply()
    w.wait_running("brake")
    w.wait(lambda: is_applied(w, "brake"))
    w.kubectl("delete", "pod", "brake", "-n", w.ns)
    w.wait(lambda: kubepods() == 0)
    w.uninstall()
    try:
        assert budget_of(CPU) == 950000 and kubepods() == 0
        assert not w.state_file.exists()
        assert w.kubectl("get", "namespace", SYSTEM, check=False).code
    finally:
        w.install()
