# SPDX-License-Identifier: Apache-2.0
"""An hour of changing load and prices, lived by `watch` in a minute of real time: what statuses say was spent
is what an account of the API's history adds up to, replicas follow the load, no pod moves to and fro, and
no placement exceeds a budget."""

import contextlib
import json
import math
import os
import random
import re
import time
from dataclasses import dataclass

import fleet
from account import PRICE, Account, History
from cluster import build_programs
from crowd import Kwok
from pod_metrics import PodMetrics
from sim_clock import SimClock, SimProxy, seconds, stamp
from test_economy import V1
from test_watch import watching
from tries import Skip

HOUR, STABLE = 3600, 300
MERGE = "application/merge-patch+json"
TARGET, REQUEST = 50, 500  # per cent of milli-cores
PLAN = re.compile(r"\] plan \S+ (\d+) actions")


@dataclass
class Size:
    nodes: int
    workloads: int
    replicas: int  # of each, about
    hold: int  # simulated seconds until load and prices change again
    steps: tuple[int, ...]  # of the clock, in this time
    wait: int  # for one of them, real seconds


# What is wanted at one time is moved at the next, if it is wanted then, too.
SMALL = Size(nodes=20, workloads=40, replicas=5, hold=540, steps=(20, 260, 260), wait=120)
WHOLE = Size(nodes=200, workloads=100, replicas=18, hold=120, steps=(20, 100), wait=300)


def deployment(name, replicas):
    labels = {"workload-optimizer": name}
    container = {"name": "main", "image": "none", "resources": {"requests": {"cpu": f"{REQUEST}m", "memory": "1Gi"}}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": {
        "replicas": replicas, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {
            "schedulerName": "mckube", "containers": [container], "terminationGracePeriodSeconds": 0}}}}


class Workload:
    """Asks for CPU in waves. Every fifth one may cost only so much an hour, and every fifth one so much a day."""

    def __init__(self, i, size):
        self.name, self.size, self.turns, self.phase = f"w{i:03d}", size, 1 + i % 2, i / size.workloads / 2
        self.costs = {1: {"maxCostPerHour": 0.42 * size.replicas / 16},
                      3: {"budgetLimit": 0.11 * size.replicas / 16, "budgetPeriod": "Day"}}.get(i % 5, {})

    def load(self, after):
        """Milli-cores, at a time after the beginning, in seconds."""
        after = after // self.size.hold * self.size.hold
        wave = 1 + 0.5 * math.sin(2 * math.pi * (self.turns * after / HOUR + self.phase))
        return int(wave * self.size.replicas * REQUEST * TARGET / 100)

    def optimizer(self):
        return {"apiVersion": V1, "kind": "WorkloadOptimizer", "metadata": {"name": self.name}, "spec": {
            "workloadType": "serving", "costConstraints": self.costs, "autoScaling": {
                "minReplicas": 2, "maxReplicas": 100, "metrics": [{"type": "cpu", "threshold": TARGET}]}}}

    def fewest(self, after):
        """Replicas, below which the load is too much for an autoscaler's tolerance."""
        return math.floor(self.load(after) / (REQUEST * (TARGET + 1) / 100 * 1.1))

    def most(self, after):
        """What was asked for lately."""
        return max(math.ceil(self.load(t) / (REQUEST * TARGET / 100 * 0.9)) + 1
                   for t in (*range(max(0, after - STABLE - self.size.hold), after, 10), after))


class Live:
    def __init__(self, c, size, proxy, metrics, has_kubelets):
        self.c, self.size, self.proxy, self.clock, self.metrics = c, size, proxy, proxy.clock, metrics
        self.has_kubelets = has_kubelets
        self.random, self.marks, self.n_pokes, self.began = random.Random(16), [], 0, proxy.clock.now
        self.workloads = [Workload(i, size) for i in range(size.workloads)]
        self.kinds = [self.random.choice(fleet.TYPES) for _ in range(size.nodes)]
        self.pods_path = f"/api/v1/namespaces/{c.ns}/pods"
        kcloud = f"/apis/{V1}/namespaces/{c.ns}"
        self.history = History(c.api, {
            "Pod": self.pods_path, "Node": "/api/v1/nodes", "WorkloadOptimizer": f"{kcloud}/workloadoptimizers",
            "CostPolicy": f"{kcloud}/costpolicies", "Deployment": f"/apis/apps/v1/namespaces/{c.ns}/deployments"})

    def now(self, kind):
        return list(self.history.now[kind].values())

    # What is there

    def make_nodes(self):
        made = [fleet.node(f"n{i:03d}", kind, f"zone-{i % 3}") for i, kind in enumerate(self.kinds)]
        self.c.api.many([("POST", "/api/v1/nodes", n) for n in made])
        self.c.api.many([("PATCH", f"/api/v1/nodes/{n['metadata']['name']}", {"spec": {"taints": None}}, MERGE)
                         for n in made])

    def make_workloads(self):
        ns = self.c.ns
        self.c.api.call("POST", f"/apis/{V1}/namespaces/{ns}/costpolicies", {
            "apiVersion": V1, "kind": "CostPolicy", "metadata": {"name": "all"}, "spec": {
                "monthlyBudget": 100000, "costPerHourLimit": 0.4 * self.size.nodes}})
        self.c.api.many([("POST", f"/apis/{V1}/namespaces/{ns}/workloadoptimizers", w.optimizer())
                         for w in self.workloads])
        self.c.api.many([("POST", f"/apis/apps/v1/namespaces/{ns}/deployments",
                          deployment(w.name, w.load(0) * 100 // (REQUEST * TARGET) + 1)) for w in self.workloads])

    def change_prices(self):
        """Of a third of the nodes, to half or twice of what they cost at first."""
        names = self.random.sample(range(self.size.nodes), self.size.nodes // 3)
        self.c.api.many([("PATCH", f"/api/v1/nodes/n{i:03d}", {"metadata": {"annotations": {
            PRICE: f"{float(self.kinds[i].price) * self.random.choice((0.5, 1, 2)):.6f}"}}}, MERGE) for i in names])

    def share_load(self):
        """Each pod that runs uses its part of its workload's load, at once."""
        pods = {w.name: [] for w in self.workloads}
        for (_, name), pod in list(self.history.now["Pod"].items()):
            if pod["status"].get("phase") == "Running":
                pods[pod["metadata"]["labels"]["workload-optimizer"]].append(name)
        after, (version, at, was) = self.clock.now - self.began, self.metrics.sample
        usage = {f"{self.c.ns}/{name}": w.load(after) // len(pods[w.name])
                 for w in self.workloads for name in pods[w.name]}
        if usage != was or self.age_of(at) > self.size.hold / 2:
            self.metrics.sample = version + 1, stamp(self.clock.now), usage

    def age_of(self, at):
        return self.clock.now - seconds(at) if at else HOUR

    def has_told_load(self):
        return self.proxy.metrics_version == self.metrics.sample[0]

    def run_pods(self):
        """A kubelet's part."""
        now = stamp(self.clock.now)
        status = {"phase": "Running", "startTime": now, "conditions": [
            {"type": "Ready", "status": "True", "lastTransitionTime": now}]}
        self.c.api.many([("PATCH", f"{self.pods_path}/{p['metadata']['name']}/status", {"status": status}, MERGE)
                         for p in self.now("Pod") if "nodeName" in p["spec"] and p["status"]["phase"] == "Pending"
                         and "deletionTimestamp" not in p["metadata"]])

    # Until nothing happens any more

    def is_at_rest(self):
        """Controllers and kubelets have done what was asked of them."""
        return (all(d["status"].get("observedGeneration") == d["metadata"]["generation"]
                    and d["status"].get("replicas", 0) == d["spec"]["replicas"] for d in self.now("Deployment"))
                and all("deletionTimestamp" not in p["metadata"] for p in self.now("Pod"))
                and all(p["status"]["phase"] == "Running" for p in self.now("Pod") if "nodeName" in p["spec"])
                and len(self.now("Pod")) == sum(d["spec"]["replicas"] for d in self.now("Deployment")))

    def poke(self):
        """A change that leads to a pass and to nothing else. Returns its version, which is of the whole cluster."""
        self.n_pokes += 1
        changed = self.c.api.merge(f"/api/v1/namespaces/{self.c.ns}", {"metadata": {"annotations": {
            "mckube.io/rt-quota": str(1000 + self.n_pokes % 2)}}})
        return int(changed["metadata"]["resourceVersion"])

    def plans(self, watcher):
        return [int(n) for n in PLAN.findall(watcher.text())]

    def settle(self, watcher):
        """Until a pass finds nothing to do, and nothing has happened since it was asked for."""
        end = time.monotonic() + self.size.wait
        while True:
            assert time.monotonic() < end, f"no rest within {self.size.wait} s: {watcher.text()[-3000:]}"
            if not self.has_kubelets:
                self.run_pods()
            self.share_load()
            n_events, n_plans = len(self.history.events), len(self.plans(watcher))
            if not (self.is_at_rest() and self.has_told_load()):
                time.sleep(0.05)
                continue
            version = self.poke()
            self.c.wait(lambda: len(self.plans(watcher)) > n_plans, self.size.wait)
            if self.plans(watcher)[-1] == 0 and self.is_at_rest() and len(self.history.events) == n_events:
                self.marks.append((version, self.clock.now))
                return

    def run(self, watcher):
        self.settle(watcher)
        while self.clock.now < self.began + HOUR:
            for seconds_more in self.size.steps:
                self.clock.step(seconds_more)
                self.share_load()
                self.c.wait(self.has_told_load, self.size.wait)
                if (self.clock.now - self.began) % self.size.hold == 0:
                    self.change_prices()
                self.settle(watcher)
                self.check_replicas()

    def check_replicas(self):
        after = self.clock.now - self.began
        for w in self.workloads:
            [d] = [d for d in self.now("Deployment") if d["metadata"]["name"] == w.name]
            n, most = d["spec"]["replicas"], w.most(after)
            fewest = 0 if w.costs else w.fewest(after)
            assert fewest <= n <= most, (after, w.name, fewest, n, most, w.load(after))
            if not w.costs:
                assert d["status"].get("readyReplicas", n) == n, (after, d["status"])


@contextlib.contextmanager
def living(c, size, has_kubelets):
    clock = SimClock(c.program.parent / "test/http/kube_clock.so", c.folder)
    proxy = SimProxy(c.api, c.folder, clock)
    config = c.folder / "live.json"
    config.write_text(json.dumps({"apiVersion": "mckube.io/v1alpha1", "kind": "Configuration",
                                  "metrics": {"intervalSeconds": 1}}))
    with PodMetrics(c, c.folder) as metrics:
        live = Live(c, size, proxy, metrics, has_kubelets)
        live.make_nodes()
        live.make_workloads()
        env = {**clock.env, "KUBECONFIG": str(proxy.kubeconfig)}
        try:
            with watching(c, "live", "-v=2", "--interval=1h", "--qps=0", f"--config={config}", env=env) as watcher:
                yield live, watcher
        finally:
            c.kubectl("delete", "deployments,wo,costpolicies", "--all", "-n", c.ns, "--wait=false")
            proxy.stop()


def live_an_hour(c, size, has_kubelets=False):
    with living(c, size, has_kubelets) as (live, watcher):
        live.run(watcher)
    account = Account([e for e in live.history.events if e[1] != "Deployment"], live.marks)
    complaints = account.run()
    assert not complaints, "\n".join([str(len(complaints)), *complaints[:20]])
    unlimited = {w.name for w in live.workloads if not w.costs}
    assert not [p for p in live.now("Pod") if "nodeName" not in p["spec"]
                and p["metadata"]["labels"]["workload-optimizer"] in unlimited]
    print(f"live: {len(live.marks)} steps, {account.n_binds} placements, {len(account.moves)} moves, "
          f"{account.n_replaced} replacements, {account.n_statuses} budgets, {account.n_periods} began again; "
          f"{account.n_budgeted} placements within a budget, of hourly limits at most "
          + ", ".join(f"{float(used):.1%} of a {kind}'s" for kind, used in account.fullest.items()))
    assert account.moves and account.n_replaced == len(account.moves) and account.n_periods
    assert not any(account.left.values()) and not any(account.landed.values()), (account.left, account.landed)


def test_an_hour_costs_what_the_history_of_the_api_adds_up_to(c):
    if not c.cluster.processes:
        raise Skip("the API server is not on this machine, where the metrics are")
    live_an_hour(c, SMALL)


if os.environ.get("FULL"):
    def test_an_hour_of_two_hundred_nodes(c):
        """With kubelets for 2,000 pods: takes ten minutes."""
        Kwok(build_programs("--kwok"), c.cluster)
        try:
            live_an_hour(c, WHOLE, has_kubelets=True)
        finally:
            c.cluster.stop("kwok")
