# SPDX-License-Identifier: Apache-2.0
"""What is right about moves to other nodes (step 7): which pods, from where, to where, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from kube import Obj, cpuset, resources
from model import NOTE, Pod, Rank
from relief import seconds

if TYPE_CHECKING:
    from check import Checker

TAINT = NOTE + "pressure"
METHODS = {"Restart", "Checkpoint"}
STALE = 300  # seconds, of a measurement
KINDS = ("cpu", "memory")
Complaint = tuple[str, str]
Use = dict[str, int]


class Migration:
    def __init__(self, checker: Checker, objects: list[Obj], now: float):
        self.checker, self.snap, self.now = checker, checker.snap, now
        self.settings = checker.plan["spec"]["settings"].get("migration") or {"enabled": False}
        self.owners = {self._key(o): next(
            (r.get("uid", "") for r in o["metadata"].get("ownerReferences") or [] if r.get("controller")), "")
            for o in objects if o["kind"] == "Pod"}
        self.measured = {(o["kind"], self._key(o)): o for o in objects if o["kind"].endswith("Metrics")}
        self.stale: set[str] = set()
        self.unmeasured: dict[str, set[str]] = {}  # node -> what of it is known by requests alone
        self.since_measured: dict[str, float] = {}
        self.young: dict[str, Use] = {}
        self.use = {n: self._node_use(n) for n in self.snap.nodes}
        self.incoming: set[str] = set()

    @staticmethod
    def _key(obj: Obj) -> str:
        meta = obj["metadata"]
        return f"{meta.get('namespace') or 'default'}/{meta['name']}"

    def _fresh(self, kind: str, key: str) -> Obj | None:
        row = self.measured.get((kind, key))
        if row and self.now and self.now - seconds(row["timestamp"]) > STALE:
            self.stale.add(key.split("/")[1])
            return None
        return row

    def _node_use(self, name: str) -> Use:
        row, node = self._fresh("NodeMetrics", f"default/{name}"), self.snap.nodes[name]
        there = [p for p in self.snap.pods.values() if p.node == name]
        self.young[name] = dict.fromkeys(KINDS, 0)
        if not row:
            use = {k: sum(p.requests.get(k, 0) for p in there) for k in KINDS}
            share = node.notes.get("mckube.sdv.com/cpu-usage", "")
            self.unmeasured[name] = set(KINDS) - ({"cpu"} if share.isdigit() else set())
            if share.isdigit():
                use["cpu"] = node.allocatable.get("cpu", 0) * int(share) // 100
            return use
        use, when = resources(row["usage"]), seconds(row["timestamp"])
        self.since_measured[name] = when - float(row.get("window", "0s").rstrip("s"))
        self.young[name] = {k: sum(p.requests.get(k, 0) for p in there
                                   if p.created and seconds(p.created) >= when) for k in KINDS}
        return {k: use.get(k, 0) for k in KINDS}

    def pod_use(self, pod: Pod) -> Use:
        row = self._fresh("PodMetrics", pod.key)
        if not row:
            return {k: pod.requests.get(k, 0) for k in KINDS}
        return {k: sum(resources(c["usage"]).get(k, 0) for c in row["containers"]) for k in KINDS}

    def share(self, node: str, more: Use | None = None) -> int:
        """Of what it uses most of, in ppm."""
        have = self.snap.nodes[node].allocatable
        return max((self.use[node][k] + (more or {}).get(k, 0)) * 1_000_000 // have[k]
                   if have.get(k) else 1 << 40 for k in KINDS)

    def coming(self, node: str) -> Use:
        """Requests of pods that came after the measurement, and of those that this plan puts there."""
        placed = [self.snap.pods[f"{a['pod']['namespace']}/{a['pod']['name']}"]
                  for a in self.checker.actions
                  if (a["kind"] == "Bind" and a["to"]["node"] == node) or (
                      a["kind"] == "Evict" and (a.get("replacement") or {}).get("node") == node)]
        return {k: self.young[node][k] + sum(p.requests.get(k, 0) for p in placed if p.request)
                for k in KINDS}

    def worst(self, node: str) -> str:
        """What the node uses most of."""
        have = self.snap.nodes[node].allocatable
        return max(KINDS, key=lambda k: (self.use[node][k] / have[k] if have.get(k) else 1e9, k == "cpu"))

    def is_pressed(self, node: str) -> bool:
        return self.share(node) > self.settings["threshold"]

    def is_calm_with(self, node: str, pod: Pod) -> bool:
        if self._fresh("PodMetrics", pod.key) and self.unmeasured.get(node):
            return False
        use, more = self.pod_use(pod), self.coming(node)
        return self.share(node, {k: use[k] + more[k] for k in KINDS}) <= (
            self.settings["threshold"] - self.settings["hysteresis"])

    def since(self, node: str) -> float | None:
        taints = [t for t in self.snap.nodes[node].taints if t["key"] == TAINT]
        return seconds(taints[0].get("timeAdded", "")) if taints else None

    # Pods

    def is_protected(self, pod: Pod) -> str:
        if pod.ns == "kube-system" or pod.owner in ("DaemonSet", "Node") or not pod.is_movable:
            return "system, DaemonSet, static, terminating or critical"
        if pod.phase == "Pending" or not pod.node:
            return "not running"
        if pod.notes.get(NOTE + "migration", "Restart").lower() not in ("restart", "checkpoint"):
            return "Never"
        pdbs = self.snap.pdbs_of(pod)
        used = [a for a in self.checker.migrated if any(p.covers(self.snap.pods[a]) for p in pdbs)]
        if len(pdbs) > 1 or any(p.allowed <= len(used) + sum(p.covers(self.snap.pods[k]) for k in
                                                             self.checker.evicted) for p in pdbs):
            return "its budget allows no eviction"
        return ""

    def is_cooling(self, pod: Pod) -> bool:
        def young(other: Pod) -> bool:
            return bool(other.created) and (
                self.now - seconds(other.created) < self.settings["cooldownSeconds"])
        uid = self.owners.get(pod.key)
        return young(pod) or any(uid and self.owners.get(p.key) == uid and young(p)
                                 for p in self.snap.pods.values())

    # One move, before it is made

    def check(self, action: Obj) -> Iterator[str]:
        pod, to = self.snap.pods[f"{action['pod']['namespace']}/{action['pod']['name']}"], action["to"]
        node = self.snap.nodes.get(to["node"])
        if not node or action["method"] not in METHODS:
            yield "no such node or method"
            return
        if action["reason"] == "Resumed":
            return
        if node.name == action["from"]["node"] or pod.node != action["from"]["node"]:
            yield "from or to"
        why = self.is_protected(pod)
        if why:
            yield f"it is protected: {why}"
        yield from self._check_target(action, pod)
        if action["reason"] == "NodePressure":
            yield from self._check_pressure(action, pod)

    def _check_target(self, action: Obj, pod: Pod) -> Iterator[str]:
        node, state = self.snap.nodes[action["to"]["node"]], self.checker.end.copy()
        state.remove(pod.key)
        refusal = state.refusal(pod, node)
        if refusal:
            yield f"filter {refusal} refuses {node.name}"
        elif pod.request:
            cores = cpuset(action["to"]["cores"])
            if not pod.may_use(node, cores) or not state.admits(pod, node, cores):
                yield f"cores {action['to']['cores']} of {node.name} do not admit it"

    def _check_pressure(self, action: Obj, pod: Pod) -> Iterator[str]:
        source, target = pod.node, action["to"]["node"]
        since = self.since(source)
        if not self.settings["enabled"] or not self.now or since is None or (
                self.now - since < self.settings["checkSeconds"]):
            yield "moves before its node was pressed for long enough"
        elif self.since_measured.get(source, since) < since:
            yield "moves for a use that was measured before its node was marked"
        if self.share(source) <= self.settings["threshold"]:
            yield "moves from a node that is not pressed"
        if not self.is_calm_with(target, pod):
            yield "its target would be close to the threshold, or above, or is not measured"
        if self.incoming & {source, target}:
            yield "a node takes part in two moves"
        self.incoming |= {source, target}
        if self.is_cooling(pod):
            yield "its workload was moved or started a short time ago"
        if pod.request and pod.rank > Rank.LOW and NOTE + "migration" not in pod.notes and (
                action["method"] == "Restart") and not self._says_restart(pod):
            yield "a critical pod is restarted, and does not say so"
        if not pod.owner and NOTE + "migration" not in pod.notes and action["method"] == "Restart":
            yield "a bare pod is restarted, and does not say so"

    def _says_restart(self, pod: Pod) -> bool:
        return any(((m.get("spec") or {}).get("migration") or "").lower() == "restart"
                   for m in self.snap.mckubes if pod.request and pod.request.mckube ==
                   f"{m['metadata'].get('namespace') or 'default'}/{m['metadata']['name']}")

    # The whole plan

    def complaints(self, actions: list[Obj]) -> Iterator[Complaint]:
        moves = [a for a in actions if a["kind"] == "Migrate" and a["reason"] == "NodePressure"]
        if len(moves) > self.settings.get("perPass", 0):
            yield "plan", "more moves than a pass may have"
        left = {a["from"]["node"]: a for a in moves}
        taints = {a["object"]["name"]: a for a in actions if a["kind"] in ("Taint", "Untaint")
                  and a["reason"] in ("NodePressure", "NodeRelieved")}
        for name in self.snap.nodes:
            yield from self._taint(name, taints.get(name), left.get(name))

    def _taint(self, name: str, action: Obj | None, move: Obj | None) -> Iterator[Complaint]:
        is_on, since = self.settings["enabled"], self.since(name)
        wanted = ""
        if is_on and name in self.stale:
            wanted = ""
        elif is_on and self.now and self.share(name) > self.settings["threshold"]:
            wanted = "Taint" if since is None or move else ""
        elif since is not None and (not is_on or self.share(name) <= (
                self.settings["threshold"] - self.settings["hysteresis"])):
            wanted = "Untaint"
        if (action["kind"] if action else "") != wanted:
            yield name, f"{action and action['kind']} for its use, expected {wanted or 'nothing'}"
        if move and (not action or action["id"] not in move.get("after", [])):
            yield name, "a pod is moved before the taint says when"
