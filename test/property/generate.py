#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random clusters, the same for the same seed.

    generate.py --seed N [--profile NAME]      prints a v1 List as JSON
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from dataclasses import dataclass, field
from typing import Any

from kube import Obj, cpuset_text
from relief import TAINT
from model import FINALIZER, GATE, LABEL, NOTE, PPM, Budget, Cores, Rank
from scheduling import Scheduling

WORDS = {Rank.LOW: ["Low", "LOW", "low"], Rank.MIDDLE: ["Middle", "MIDDLE", "middle"],
         Rank.HIGH: ["High", "HIGH", "high"]}
OWNERS = ["ReplicaSet", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", ""]
TAKEN_AT = "2026-11-21T09:00:00Z"
CAP = (900_000, 950_000, 950_000)


@dataclass(frozen=True)
class Profile:
    """How big, and how often each feature shows; probabilities are per node or per pod."""
    nodes: tuple[int, int] = (1, 3)
    cores: tuple[int, int] = (1, 4)
    pods: tuple[int, int] = (1, 12)
    low_share: tuple[int, int] = (5, 45)  # C(low) in percent of the period
    pending: float = 0.4
    plain: float = 0.1  # pods without a request
    filters: float = 0.1
    odd: float = 0.1  # owners, bad values, gates, orphans
    pdbs: float = 0.3
    over: float = 0.0  # running pods put without asking whether they fit
    wrong_cores: float = 0.0
    coreless: float = 0.05
    node_scope: float = 0.1
    multi_core: float = 0.1
    core_pin: float = 0.08
    node_pin: float = 0.06
    fixed_pods: int = 0  # exactly so many RT pods
    sources: bool = True
    inter_pod: bool = True
    pressure: float = 0.0  # nodes that are short of CPU time, or were
    scheduling: bool = False  # what scheduling.py adds
    changes: float = 0.15  # budgets that are not what was granted, and what else is not in order


PROFILES = {
    "tiny": Profile(),
    "small": Profile(nodes=(1, 4), cores=(1, 6), pods=(5, 25)),
    "medium": Profile(nodes=(3, 8), cores=(2, 8), pods=(20, 60)),
    "filters": Profile(nodes=(2, 6), pods=(6, 30), filters=0.7, odd=0.05, low_share=(3, 30)),
    "scheduling": Profile(nodes=(2, 5), pods=(6, 20), filters=0.6, odd=0.05, low_share=(3, 40),
                          scheduling=True),
    "repair": Profile(nodes=(1, 4), cores=(2, 6), pods=(6, 25), over=0.35, wrong_cores=0.15,
                      pending=0.25),
    "node-scope": Profile(nodes=(1, 4), pods=(4, 20), node_scope=0.7, low_share=(3, 25)),
    "pressure": Profile(nodes=(1, 4), cores=(1, 6), pods=(5, 25), over=0.05, pressure=0.7,
                        pending=0.3),
    "exact": Profile(pods=(4, 12), low_share=(10, 65), pending=0.45, plain=0.03, filters=0.05,
                     odd=0.05, pdbs=0.5, node_scope=0.25, over=0.05, wrong_cores=0.12,
                     multi_core=0.12, inter_pod=False, changes=0),
    "oracle": Profile(nodes=(3, 3), cores=(4, 4), fixed_pods=20, low_share=(22, 62), pending=0.42,
                      plain=0, filters=0.08, odd=0, pdbs=0.5, node_scope=0, over=0.03,
                      wrong_cores=0.03, multi_core=0.06, sources=False, inter_pod=False,
                      changes=0),
}


@dataclass
class NodeBox:
    """What the generator remembers of a node, to put running pods where they fit."""
    name: str
    cores: Cores
    cap: tuple[int, int, int]
    whole: bool
    load: dict[int, list[int]] = field(default_factory=dict)

    def slots(self, cores: Cores) -> list[int]:
        return [-1] if self.whole else sorted(cores)

    def fits(self, budget: Budget, cores: Cores) -> bool:
        loads = budget.loads
        return all(self.load.get(s, [0, 0, 0])[m] + loads[m] <= self.cap[m]
                   for s in self.slots(cores) for m in range(3))

    def put(self, budget: Budget, cores: Cores) -> None:
        for slot in self.slots(cores):
            row = self.load.setdefault(slot, [0, 0, 0])
            for mode, load in enumerate(budget.loads):
                row[mode] += load


class Generator:
    def __init__(self, seed: int, profile: Profile):
        self.rng = random.Random(seed)
        self.later = random.Random(f"changes {seed}")  # leaves the clusters of older seeds alone
        self.profile, self.seed = profile, seed
        self.items: list[Obj] = []
        self.boxes: list[NodeBox] = []

    def chance(self, p: float) -> bool:
        return self.rng.random() < p

    def time(self) -> str:
        return f"2026-11-{self.rng.randint(1, 20):02d}T{self.rng.randint(0, 23):02d}:00:00Z"

    def meta(self, kind: str, name: str, **more: Any) -> Obj:
        return {"name": name, "uid": f"{kind.lower()}-{name}",
                "resourceVersion": str(self.rng.randint(1, 9999)),
                "creationTimestamp": self.time(), **more}

    def cluster(self) -> Obj:
        for i in range(self.rng.randint(*self.profile.nodes)):
            self.node(i)
        n_pods = self.profile.fixed_pods or self.rng.randint(*self.profile.pods)
        for i in range(n_pods):
            if self.chance(self.profile.plain):
                self.plain_pod(i)
            else:
                self.rt_pod(i)
        self.budgets()
        self.volumes()
        self.strain()
        if self.chance(self.profile.odd):
            self.items.append(self.orphan_mckube())
        self.items.append({"apiVersion": "v1", "kind": "Namespace", "metadata": self.meta(
            "Namespace", "default", labels={"team": "a"})})
        if self.profile.scheduling:
            Scheduling(self.seed, self.items).add()
        return {"apiVersion": "v1", "kind": "List", "metadata": self.taken(), "items": self.items}

    # Nodes under pressure

    def taken(self) -> Obj:
        is_known = self.profile.pressure and self.later.random() < 0.8
        return {"annotations": {NOTE + "taken-at": TAKEN_AT}} if is_known else {}

    def strain(self) -> None:
        if not self.profile.pressure:
            return
        hurt = set()
        for node in (o for o in self.items if o["kind"] == "Node"):
            if self.later.random() < self.profile.pressure:
                hurt.add(node["metadata"]["name"])
                self.strain_node(node)
        for pod in (o for o in self.items if o["kind"] == "Pod"):
            notes = pod["metadata"]["annotations"]
            if NOTE + "rt-core" in notes and self.later.random() < 0.05:
                notes[NOTE + "rt-applied"] = "false"
            if pod["spec"].get("nodeName") in hurt and self.later.random() < 0.4:
                notes[NOTE + "rt-degraded"] = self.earlier()

    def strain_node(self, node: Obj) -> None:
        notes, usage = node["metadata"]["annotations"], self.later.choice([50, 79, 80, 89, 90, 97])
        if self.later.random() < 0.8:
            notes["mckube.sdv.com/isCpuBusy"] = self.later.choice(["true", "true", "false"])
        if self.later.random() < 0.7:
            notes["mckube.sdv.com/cpu-usage"] = str(usage)
            notes["mckube.sdv.com/cpu-over90-duration-s"] = self.later.choice(["0", "5", "40"])
        if self.later.random() < 0.5:
            notes[NOTE + "rt-pressure"] = self.later.choice(["0", "500", "120000"])
        if self.later.random() < 0.3:
            taint = {"key": TAINT, "value": "True", "effect": "NoSchedule"}
            if self.later.random() < 0.7:
                taint["timeAdded"] = self.earlier()
            node["spec"].setdefault("taints", []).append(taint)

    def earlier(self) -> str:
        return f"2026-11-21T08:{self.later.choice([50, 58, 59])}:{self.later.choice([15, 45])}Z"

    # Nodes

    def node(self, i: int) -> None:
        name, n = f"node-{i}", self.rng.randint(*self.profile.cores)
        notes, cores, cap, whole = {}, frozenset(range(n)), CAP, False
        if self.profile.sources and self.chance(0.3) and n > 1:
            cores = frozenset(self.rng.sample(range(n), self.rng.randint(1, n)))
            notes[NOTE + "rt-cores"] = cpuset_text(cores)
        if self.profile.sources and self.chance(0.2):
            limit = self.rng.choice([950_000, 900_000, 700_000, 1_000_000])
            notes[NOTE + "rt-capacity"] = str(limit)
            cap = (min(CAP[0], limit), limit, limit)
        if self.chance(self.profile.node_scope):
            notes[NOTE + "capacity-scope"], whole = "node", True
        elif self.chance(0.1):
            notes[NOTE + "capacity-scope"] = "core"
        if self.chance(self.profile.odd * 0.5):
            key, bad = self.rng.choice([("rt-cores", "3-1"), ("rt-capacity", "much"),
                                        ("capacity-scope", "rack")])
            notes[NOTE + key] = bad
            cores = frozenset(range(n)) if key == "rt-cores" else cores
            cap = CAP if key == "rt-capacity" else cap
            whole = False if key == "capacity-scope" else whole
        self.boxes.append(NodeBox(name, cores, cap, whole))
        spec: Obj = {}
        busy = self.profile.filters
        if self.chance(busy * 0.25):
            spec["unschedulable"] = True
        if self.chance(busy * 0.4):
            spec["taints"] = [{"key": self.rng.choice(["gpu", "edge"]), "value": "yes",
                               "effect": self.rng.choice(["NoSchedule", "NoExecute",
                                                          "PreferNoSchedule"])}]
        tight = self.chance(busy)
        amounts = {"cpu": str(n if tight else 4 * n), "memory": "8Gi" if tight else "64Gi",
                   "pods": str(self.rng.randint(3, 9) if tight else 110)}
        if self.chance(0.4):
            amounts["example.com/gpu"] = str(self.rng.randint(0, 2))
        self.items.append({
            "apiVersion": "v1", "kind": "Node",
            "metadata": self.meta("Node", name, annotations=notes, labels={
                "kubernetes.io/hostname": name, "zone": self.rng.choice("abc"),
                "pool": self.rng.choice(["one", "two"]), "index": str(i)}),
            "spec": spec, "status": {"capacity": {**amounts, "cpu": str(n)},
                                     "allocatable": amounts}})

    # Pods

    def budget(self) -> Budget:
        rng = self.rng
        rank = rng.choice(list(Rank))
        period = rng.choice([10_000, 33_333, 100_000, 1_000_000, 3_000_000])
        low = max(1, period * rng.randint(*self.profile.low_share) // 100 + rng.randint(0, 3))
        high = min(period * 94 // 100, low * 2 if rank else period)
        hi = rng.randint(low, max(low, high))
        medium = rng.randint(low, hi) if self.chance(0.25) else None
        floor = rng.randint(1, low) if self.chance(0.25) else None
        return Budget(rank, period, low, hi, medium, floor)

    def pod_obj(self, i: int, labels: dict[str, str], owner: str) -> Obj:
        name = f"pod-{i}"
        meta = self.meta("Pod", name, namespace="default", annotations={}, labels=labels)
        if owner:
            meta["ownerReferences"] = [{"apiVersion": "v1", "kind": owner, "name": f"own-{i}",
                                        "uid": f"own-{i}", "controller": True}]
        requests = {"cpu": f"{self.rng.choice([0, 100, 250, 1000])}m",
                    "memory": self.rng.choice(["0", "64Mi", "1Gi"])}
        if self.chance(self.profile.filters * 0.2):
            requests["example.com/gpu"] = "1"
        return {"apiVersion": "v1", "kind": "Pod", "metadata": meta,
                "spec": {"schedulerName": "mckube", "containers": [
                    {"name": "main", "resources": {"requests": requests}}]},
                "status": {"phase": "Pending"}}

    def plain_pod(self, i: int) -> None:
        pod = self.pod_obj(i, {"app": self.rng.choice("xyz")}, "ReplicaSet")
        if self.chance(0.8):
            self.run_on(pod, self.rng.choice(self.boxes).name)
        if self.chance(0.6):
            pod["spec"]["schedulerName"] = "default-scheduler"
        self.constrain(pod)
        self.items.append(pod)

    def run_on(self, pod: Obj, node: str) -> None:
        pod["spec"]["nodeName"] = node
        pod["status"]["phase"] = "Running"

    def rt_pod(self, i: int) -> None:
        budget = self.budget()
        owner = self.rng.choice(OWNERS)
        pod = self.pod_obj(i, {LABEL: f"app-{i}", "app": self.rng.choice("xyz")}, owner)
        pod["spec"]["priority"] = self.rng.choice([0, 0, 0, 100, 1000])
        self.constrain(pod)
        source = self.rng.choice(["mckube", "mckube", "annotations", "rt-operator"]) \
            if self.profile.sources else "mckube"
        count = self.rng.randint(2, 3) if source == "mckube" and self.chance(
            self.profile.multi_core) else 1
        box = self.rng.choice(self.boxes)
        pin = self.pin(box, count) if source != "rt-operator" else None
        if source == "rt-operator":
            budget = Budget(Rank.HIGH, PPM, budget.low * PPM // budget.period or 1,
                            budget.low * PPM // budget.period or 1)
        elif source == "annotations":
            budget = Budget(budget.rank, budget.period, budget.low, budget.hi)
        mckube = self.request(pod, source, budget, pin, count)
        if not self.chance(self.profile.pending):
            self.run(pod, mckube, source, budget, pin, count)
        else:
            self.queue(pod, mckube, box)
        self.odd(pod, mckube)
        self.items += [pod] + ([mckube] if mckube else [])

    def pin(self, box: NodeBox, count: int) -> Cores | None:
        if not self.chance(self.profile.core_pin):
            return None
        span = range(max(box.cores) + 2) if self.chance(self.profile.odd) else sorted(box.cores)
        return frozenset(self.rng.sample(span, min(count, len(span))))

    def request(self, pod: Obj, source: str, budget: Budget, pin: Cores | None,
                count: int) -> Obj | None:
        notes = pod["metadata"]["annotations"]
        if source == "rt-operator":
            notes.update({"realtime": "true", "rt_runtime_us": str(budget.low)})
            container = pod["spec"]["containers"][0]["resources"]
            container["requests"] = {"cpu": "100m", "memory": "64Mi"}
            container["limits"] = {"cpu": "100m", "memory": "64Mi"}
            return None
        if source == "annotations":
            notes.update({NOTE + "rt-period": str(budget.period),
                          NOTE + "rt-runtime-low": str(budget.low),
                          NOTE + "rt-runtime-hi": str(budget.hi),
                          NOTE + "criticality": self.rng.choice(WORDS[budget.rank])})
            if pin:
                notes[NOTE + "rt-core-request"] = cpuset_text(pin)
            return None
        return self.mckube(pod, budget, pin, count)

    def mckube(self, pod: Obj, budget: Budget, pin: Cores | None, count: int) -> Obj:
        low, hi = self.rng.choice([("runtime_low", "runtime_hi"), ("budget_lo", "budget_hi")])
        settings: Obj = {"period": budget.period, low: budget.low, hi: budget.hi}
        if budget.medium:
            settings["runtime_medium"] = budget.medium
        if budget.floor_given:
            settings["runtime_floor"] = budget.floor_given
        if count > 1 or self.chance(0.1):
            settings["coreCount"] = count
        if pin:
            settings["core"] = cpuset_text(pin)
        spec: Obj = {"criticality": self.rng.choice(WORDS[budget.rank]), "rtSettings": settings}
        if self.chance(0.5):
            spec["podname"] = pod["metadata"]["name"]
        else:
            spec["selector"] = {"matchLabels": {LABEL: pod["metadata"]["labels"][LABEL]}}
        if budget.rank == Rank.LOW and self.chance(0.1):
            del spec["criticality"]
        kind = self.rng.choice(["McKube", "MCKube"])
        more = {} if self.later.random() < self.profile.changes else {"finalizers": [FINALIZER]}
        return {"apiVersion": "mcoperator.sdv.com/v1", "kind": kind,
                "metadata": self.meta("McKube", f"mck-{pod['metadata']['name']}",
                                      namespace="default", **more),
                "spec": spec}

    def queue(self, pod: Obj, mckube: Obj | None, box: NodeBox) -> None:
        if mckube and self.chance(self.profile.node_pin):
            mckube["spec"]["node"] = box.name
        choice = self.rng.random()
        if choice < 0.1:
            pod["spec"]["schedulerName"] = "default-scheduler"
            pod["spec"]["schedulingGates"] = [{"name": GATE}]
        elif choice < 0.2:
            del pod["spec"]["schedulerName"]
        elif choice < 0.2 + self.profile.odd * 0.3:
            pod["spec"]["schedulerName"] = "default-scheduler"
        elif choice < 0.2 + self.profile.odd * 0.5:
            pod["spec"]["schedulingGates"] = [{"name": GATE}, {"name": "example.com/quota"}]

    def run(self, pod: Obj, mckube: Obj | None, source: str, budget: Budget, pin: Cores | None,
            count: int) -> None:
        seat = self.seat(budget, pin, count)
        if not seat:
            return
        box, cores = seat
        self.run_on(pod, box.name)
        if cores is None:
            return
        box.put(budget, cores)
        level = self.rng.choice(["low", "low", "low", "medium", "hi"])
        if mckube and "podname" in mckube["spec"] and self.chance(0.4):
            mckube["status"] = {"allocatedCore": cpuset_text(cores), "currentRuntime": level}
            return
        notes = {NOTE + "rt-core": cpuset_text(cores), NOTE + "rt-source": source,
                 NOTE + "rt-period": str(budget.period), NOTE + "rt-current": level,
                 NOTE + "rt-runtime-low": str(budget.low), NOTE + "rt-runtime-hi": str(budget.hi),
                 NOTE + "criticality": WORDS[budget.rank][0]}
        if budget.medium:
            notes[NOTE + "rt-runtime-medium"] = str(budget.medium)
        if budget.floor_given:
            notes[NOTE + "rt-runtime-floor"] = str(budget.floor_given)
        if source != "annotations" and self.later.random() < self.profile.changes:
            self.regrant(notes, budget)
        if self.later.random() < self.profile.changes:
            notes[NOTE + "rt-enforcement"] = self.later.choice(["watch", "raise"])
        pod["metadata"]["annotations"].update(notes)

    def regrant(self, notes: Obj, budget: Budget) -> None:
        """It asked for something else when it was assigned."""
        low = max(1, budget.low * self.later.choice([3, 6, 9, 11, 14]) // 10)
        hi = max(low, budget.hi * self.later.choice([5, 10, 15]) // 10)
        notes.pop(NOTE + "rt-runtime-medium", None)
        notes.pop(NOTE + "rt-runtime-floor", None)
        notes.update({NOTE + "rt-runtime-low": str(min(low, budget.period)),
                      NOTE + "rt-runtime-hi": str(min(hi, budget.period))})
        if self.later.random() < 0.3:
            notes[NOTE + "criticality"] = self.later.choice(["Low", "Middle", "High"])

    def seat(self, budget: Budget, pin: Cores | None,
             count: int) -> tuple[NodeBox, Cores | None] | None:
        """A node and cores where it runs; None: it stays pending."""
        forced = self.chance(self.profile.over)
        for box in self.rng.sample(self.boxes, len(self.boxes)):
            if self.chance(self.profile.coreless):
                return box, None
            if self.chance(self.profile.wrong_cores):
                span = range(max(box.cores) + 2)
                return box, frozenset(self.rng.sample(span, min(count, len(span))))
            for _ in range(6):
                if pin:
                    cores = pin
                elif len(box.cores) < count:
                    break
                else:
                    cores = frozenset(self.rng.sample(sorted(box.cores), count))
                if cores <= box.cores and (forced or box.fits(budget, cores)):
                    return box, cores
        return None

    # Constraints

    def constrain(self, pod: Obj) -> None:
        for _ in range(2):
            if self.chance(self.profile.filters):
                self.rng.choice(CONSTRAINTS + INTER_POD * self.profile.inter_pod)(self, pod)

    def tolerations(self, pod: Obj) -> None:
        pod["spec"]["tolerations"] = [self.rng.choice([
            {"operator": "Exists"}, {"key": "gpu", "operator": "Exists"},
            {"key": "edge", "value": "yes", "effect": "NoSchedule"},
            {"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}])]

    def node_selector(self, pod: Obj) -> None:
        pod["spec"]["nodeSelector"] = {"pool": self.rng.choice(["one", "two"])}

    def node_affinity(self, pod: Obj) -> None:
        expr = self.rng.choice([
            {"key": "zone", "operator": "In", "values": ["a", "b"]},
            {"key": "zone", "operator": "NotIn", "values": ["a"]},
            {"key": "index", "operator": "Gt", "values": ["0"]},
            {"key": "ssd", "operator": "DoesNotExist"}, {"key": "zone", "operator": "Exists"}])
        term = {"matchExpressions": [expr]} if self.chance(0.8) else {"matchFields": [
            {"key": "metadata.name", "operator": "In", "values": ["node-0"]}]}
        self.affinity(pod)["nodeAffinity"] = {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}

    def affinity(self, pod: Obj) -> Obj:
        return pod["spec"].setdefault("affinity", {})

    def inter_pod(self, pod: Obj, kind: str) -> None:
        self.affinity(pod)[kind] = {"requiredDuringSchedulingIgnoredDuringExecution": [{
            "topologyKey": self.rng.choice(["zone", "kubernetes.io/hostname"]),
            "labelSelector": {"matchLabels": {"app": self.rng.choice("xyz")}}}]}

    def together(self, pod: Obj) -> None:
        self.inter_pod(pod, "podAffinity")

    def apart(self, pod: Obj) -> None:
        self.inter_pod(pod, "podAntiAffinity")

    def spread(self, pod: Obj) -> None:
        constraint = {"maxSkew": self.rng.randint(1, 2), "whenUnsatisfiable": "DoNotSchedule",
                      "topologyKey": self.rng.choice(["zone", "kubernetes.io/hostname"]),
                      "labelSelector": {"matchLabels": {"app": pod["metadata"]["labels"]["app"]}}}
        if self.chance(0.3):
            constraint["nodeTaintsPolicy"] = "Honor"
        pod["spec"]["topologySpreadConstraints"] = [constraint]

    def port(self, pod: Obj) -> None:
        pod["spec"]["containers"][0]["ports"] = [
            {"containerPort": 80, "hostPort": self.rng.choice([8080, 8081])}]

    def volume(self, pod: Obj) -> None:
        pod["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {
            "claimName": self.rng.choice(["claim-a", "claim-b"])}}]

    def volumes(self) -> None:
        for zone in "ab":
            self.items.append({
                "apiVersion": "v1", "kind": "PersistentVolume",
                "metadata": self.meta("PersistentVolume", f"vol-{zone}"),
                "spec": {"nodeAffinity": {"required": {"nodeSelectorTerms": [{
                    "matchExpressions": [{"key": "zone", "operator": "In",
                                          "values": [zone]}]}]}}}})
            self.items.append({
                "apiVersion": "v1", "kind": "PersistentVolumeClaim",
                "metadata": self.meta("PersistentVolumeClaim", f"claim-{zone}",
                                      namespace="default"),
                "spec": {"volumeName": f"vol-{zone}"}, "status": {"phase": "Bound"}})

    def budgets(self) -> None:
        for i, app in enumerate("xyz"):
            if self.chance(self.profile.pdbs):
                selector = {"matchLabels": {"app": app}} if self.chance(0.8) else {}
                self.items.append({
                    "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
                    "metadata": self.meta("PodDisruptionBudget", f"pdb-{i}", namespace="default"),
                    "spec": {"selector": selector},
                    "status": {"disruptionsAllowed": self.rng.randint(0, 2)}})

    # What is not as usual

    def odd(self, pod: Obj, mckube: Obj | None) -> None:
        if self.chance(self.profile.odd):
            self.rng.choice([self.terminating, self.mirror, self.critical])(pod)
        if self.chance(self.profile.odd * 0.6):
            self.spoil(pod, mckube)

    def terminating(self, pod: Obj) -> None:
        pod["metadata"]["deletionTimestamp"] = "2026-11-21T08:59:00Z"

    def mirror(self, pod: Obj) -> None:
        if "nodeName" in pod["spec"]:
            pod["metadata"]["annotations"]["kubernetes.io/config.mirror"] = "abc"

    def critical(self, pod: Obj) -> None:
        pod["spec"]["priority"] = 2_000_001_000
        pod["spec"]["priorityClassName"] = "system-node-critical"

    def spoil(self, pod: Obj, mckube: Obj | None) -> None:
        """A value that must be refused, or a request that has gone."""
        if not mckube:
            if NOTE + "rt-period" in pod["metadata"]["annotations"]:
                pod["metadata"]["annotations"][NOTE + "rt-period"] = self.rng.choice(
                    ["0", "4000001", "1e6", "", "ten"])
            return
        settings, choice = mckube["spec"]["rtSettings"], self.rng.randint(0, 6)
        low = "runtime_low" if "runtime_low" in settings else "budget_lo"
        if choice == 0:
            settings[low] = settings["period"] + 1
        elif choice == 1:
            settings[low] = self.rng.choice([0, -5, "100", 1.5, True])
        elif choice == 2:
            settings["core"] = self.rng.choice(["3-1", "x", "0-4000000000"])
        elif choice == 3:
            mckube["spec"]["criticality"] = "Severe"
        elif choice == 4:
            mckube["metadata"]["deletionTimestamp"] = "2026-11-21T08:59:00Z"
        elif choice == 5:
            settings["period"] = self.rng.choice([99, 4_000_001])
        else:
            duplicate = json.loads(json.dumps(mckube))
            duplicate["metadata"] = self.meta("McKube", mckube["metadata"]["name"] + "-duplicate",
                                         namespace="default")
            duplicate["metadata"]["creationTimestamp"] = "2026-12-01T00:00:00Z"
            duplicate.pop("status", None)
            self.items.append(duplicate)

    def orphan_mckube(self) -> Obj:
        pod = {"metadata": {"name": "not-yet", "labels": {LABEL: "not-yet"}}}
        return self.mckube(pod, self.budget(), None, 1)


CONSTRAINTS = [Generator.tolerations, Generator.node_selector, Generator.node_affinity,
               Generator.port, Generator.volume]
INTER_POD = [Generator.together, Generator.apart, Generator.spread]


def generate(seed: int, profile: str) -> Obj:
    return Generator(seed, PROFILES[profile]).cluster()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--profile", choices=PROFILES, default="small")
    args = parser.parse_args()
    json.dump(generate(args.seed, args.profile), sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
