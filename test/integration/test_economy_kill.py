# SPDX-License-Identifier: Apache-2.0
"""kill -9 of passes for cost and power after every single write: the next one goes on from there, and they end
where undisturbed ones would, with each dollar counted once."""

import json
import time

from api import Refused
from economy import share
from proxy import Proxy
from test_economy import check_account, optimizer, priced, replicas, worker
from test_kill import LEASE

PRICES = {"b": "2", "c": "4"}  # $/h: what is spent grows by micro-dollars each second, and by a cent in minutes


def deployment(name, n, **spec):
    """Half a CPU for each pod."""
    made = {**replicas(name, name, n), "kind": "Deployment"}
    pod = made["spec"]["template"]["spec"]
    pod["containers"][0]["resources"]["requests"]["cpu"] = "500m"
    pod.update(spec)
    return made


def apart(name):
    """No two of its pods on a node."""
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"workload-optimizer": name}}}
    return {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}


class Scene:
    """Everything that a plan does for money: a scale-down of which the dearer pod goes first, a scale-up, pods that
    are bound with and without the gate, and one that moves, since its node is empty without it."""

    def __init__(self, c):
        self.c, self.api = c, c.api
        self.optimizers = f"/apis/kcloud.io/v1alpha1/namespaces/{c.ns}/workloadoptimizers"
        self.pods = f"/api/v1/namespaces/{c.ns}/pods"
        self.budgets = {}

    def build(self):
        c = self.c
        priced(c, **PRICES)
        c.kubectl("cordon", "b")
        c.create(optimizer("move"), replicas("move", "move", 1))
        c.wait(lambda: c.mckube("apply") and self.nodes() == ["c"])
        c.kubectl("uncordon", "b")
        c.create(optimizer("few"), deployment("few", 2, **apart("few")))
        c.wait(lambda: len(self.nodes()) == 3)
        c.mckube("apply")
        c.wait(lambda: self.nodes() == ["b", "c", "c"])
        self.api.merge(f"{self.optimizers}/few", {"spec": {"autoScaling": {"minReplicas": 1, "maxReplicas": 1}}})
        c.create(optimizer("more", autoScaling={"minReplicas": 2, "maxReplicas": 2}), deployment("more", 1),
                 optimizer("gated"), worker("w1", "gated", "500m"))
        c.wait(lambda: len(self.nodes()) == 5)
        self.look()

    def there(self):
        """The pods that are not on their way out."""
        return [p for p in self.api.call("GET", self.pods)["items"] if not p["metadata"].get("deletionTimestamp")]

    def nodes(self):
        return sorted(p["spec"].get("nodeName") or "" for p in self.there())

    def look(self):
        """Adds what the statuses say of money to what they said before."""
        for o in self.api.call("GET", self.optimizers)["items"]:
            budget, seen = o.get("status", {}).get("budget"), self.budgets.setdefault(o["metadata"]["name"], [])
            if budget and budget not in seen[-1:]:
                seen.append(budget)

    def drop_lease(self):
        """What waiting for 15 seconds does: the dead pass no longer has it."""
        try:
            self.api.call("DELETE", LEASE)
        except Refused:
            pass

    def let_a_minute_pass(self):
        """After the status of a move without its eviction, which a snapshot might not show yet. False: it was another
        status."""
        status = self.api.call("GET", f"{self.optimizers}/move")["status"]
        if "lastMoveTime" not in status:
            return False
        before = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))
        self.api.merge(f"{self.optimizers}/move/status", {"status": {"lastMoveTime": before}})
        return True

    def is_over(self):
        return self.nodes() == ["b"] * 5 and not json.loads(
            self.c.mckube("plan", "-o", "json").out)["spec"]["actions"]

    def rate(self, name):
        """What its pods cost: micro-dollars per hour."""
        nodes = {n["metadata"]["name"]: n for n in self.c.get("nodes")}
        return sum(share(p, nodes[p["spec"]["nodeName"]]) for p in self.there()
                   if p["metadata"]["labels"]["workload-optimizer"] == name)


class Writes(Proxy):
    """Only writes for the plan are counted: no Lease. `written` is the path of the last one."""

    written = ""

    def _pass(self, where, path):
        if "/leases" in path:
            return
        if where == "after" and "/events" not in path:
            self.written = path.split("?")[0]
        super()._pass(where, path)


MOVE = "workloadoptimizers/move/status"


def run_until_over(scene, proxy, *argv):
    """Passes of which each dies of its first write, or of the eviction, which comes behind a status; returns the last
    words of the paths that were written."""
    killed, deadline = [], time.monotonic() + 300
    while not scene.is_over():
        assert time.monotonic() < deadline, (killed, scene.nodes())
        is_undone = scene.let_a_minute_pass() if proxy.written.endswith(MOVE) else False
        code, out = proxy.run([scene.c.program, *argv, "--parallel=1"], ("after", 1 + is_undone))
        scene.look()
        scene.drop_lease()
        assert code in (0, 4, -9), (code, out)
        if code == -9:
            killed.append(proxy.written.split("/")[-1])
    return killed


def check_killed_after_each_write(c, *argv):
    scene, proxy = Scene(c), Writes(c.api, c.folder)
    scene.build()
    try:
        killed = run_until_over(scene, proxy, *argv)
    finally:
        proxy.stop()
    assert {"scale", "binding", "eviction", "status", "w1"} <= set(killed) and len(killed) >= 10, killed
    assert any(last.startswith("few-") for last in killed), ("no deletion cost", killed)
    status = {o["metadata"]["name"]: o["status"] for o in c.get("wo")}
    for name, budgets in scene.budgets.items():
        check_account(budgets)
        assert status[name]["budget"]["rateMicroUSD"] == scene.rate(name), (name, status[name])
    assert sum(b[-1]["spent"] for b in scene.budgets.values()) > 0.0001, scene.budgets
    assert [c.get("deployment", name)["spec"]["replicas"] for name in ("few", "more")] == [1, 2]
    assert status["move"]["moves"] == 1 and status["move"]["lastMove"]["to"] == "b", status["move"]
    assert [status[n].get("scalesUndone", 0) for n in ("few", "more")] == [0, 0], status
    evictions = [(path, code) for _, path, code in proxy.answers if "/eviction" in path]
    assert [code < 300 for _, code in evictions] == [True], evictions


def test_apply_killed_after_each_write_for_cost_and_power_ends_the_same(c):
    try:
        check_killed_after_each_write(c, "apply", "--force")
    finally:  # no controller makes pods again while the namespace goes
        c.kubectl("delete", "deployments,replicasets", "--all", "--cascade=orphan", check=False)
