# SPDX-License-Identifier: Apache-2.0
"""Judges what a plan does for money and power, in exact fractions and without the program's code: the
places of pods of WorkloadOptimizers, their limits, and the totals."""

from __future__ import annotations

import datetime
import math
from fractions import Fraction
from typing import Any

from kube import Obj

UNPLACED = {"BudgetExhausted", "OverHourlyLimit", "OverPowerLimit", "SpotNotAllowed", "PeakHours",
            "NotGreenEnough", "OverCarbonLimit", "Suspended"}
REASONS = {"Cheaper", "Greener", "NodeClosed", "SpotInterrupted", "MoveRolledBack", "PowerAlert"}
CPU, MEMORY, ACCELERATOR = Fraction("0.031611"), Fraction("0.004237"), Fraction("0.95")
SUFFIXES = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "k": 10**3, "M": 10**6,
            "G": 10**9, "m": Fraction(1, 1000), "": 1}


def is_for_money(action: Obj) -> bool:
    return ((action["kind"] == "Bind" and "cores" not in action["to"]) or "group" in action
            or action["kind"] == "Release")


def is_answered(plan: Obj, key: str) -> bool:
    """The plan binds the pod for money, or says which limit keeps it."""
    spec = plan["spec"]
    rows = [a["pod"] for a in spec["actions"] if is_for_money(a)]
    rows += [u["pod"] for u in spec["unplaced"] if u["reason"] in UNPLACED]
    return any(f"{r['namespace']}/{r['name']}" == key for r in rows)


def is_elsewhere(plan: Obj, namespace: str) -> bool:
    """The plan does nothing for money there."""
    names = plan["spec"].get("settings", {}).get("optimise", {}).get("namespaces", "")
    return bool(names) and namespace not in [n.strip() for n in names.split(",")]


def parse(time: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(time.replace("Z", "+00:00"))


def quantity(text: Any) -> Fraction:
    text = str(text)
    if text.endswith("n"):
        return Fraction(text[:-1]) / 10**9
    number = text.rstrip("KMGTikm")
    return Fraction(number) * SUFFIXES[text[len(number):]]


def requests(pod: Obj) -> tuple[Fraction, Fraction, int]:
    """Cores, GiB and accelerators of the containers."""
    cpu, memory, gpu = Fraction(), Fraction(), 0
    for container in pod["spec"].get("containers", []):
        resources = container.get("resources", {})
        asked = {**resources.get("limits", {}), **resources.get("requests", {})}
        cpu += quantity(asked.get("cpu", 0))
        memory += quantity(asked.get("memory", 0)) / 2**30
        gpu += int(asked.get("nvidia.com/gpu", 0))
    return cpu, memory, gpu


def worth(cpu: Fraction, memory: Fraction, gpu: int) -> Fraction:
    return cpu * CPU + memory * MEMORY + gpu * ACCELERATOR


def used(row: Obj) -> tuple[Fraction, Fraction]:
    """Cores and GiB of PodMetrics: milli, rounded up, and bytes."""
    cpu = sum(math.ceil(quantity(c["usage"]["cpu"]) * 1000) for c in row["containers"])
    return Fraction(cpu, 1000), sum(quantity(c["usage"]["memory"]) for c in row["containers"]) / 2**30


def share_of(billed: tuple[Fraction, Fraction, int], node: Obj) -> int:
    """Micro-dollars per hour, rounded up; the node has an annotation with its price."""
    price = Fraction(node["metadata"]["annotations"]["mckube.io/price-per-hour"]) * 10**6
    has = node["status"]["capacity"]
    whole = worth(quantity(has["cpu"]), quantity(has["memory"]) / 2**30,
                  int(has.get("nvidia.com/gpu", 0)))
    return math.ceil(price * worth(*billed) / whole)


def share(pod: Obj, node: Obj) -> int:
    return share_of(requests(pod), node)


def power(node: Obj, cores: Fraction) -> int:
    """Milliwatts with so many cores in use, rounded half up."""
    points = [tuple(Fraction(v) for v in p.split(":"))
              for p in node["metadata"]["annotations"]["mckube.io/power-curve"].split(",")]
    use = min(Fraction(1), cores / quantity(node["status"]["capacity"]["cpu"]))
    for (u0, w0), (u1, w1) in zip(points, points[1:]):
        if use <= u1:
            return math.floor((w0 + (w1 - w0) * (use - u0) / (u1 - u0)) * 1000 + Fraction(1, 2))
    raise AssertionError(points)


def optimizer_of(pod: Obj) -> str | None:
    meta = pod["metadata"]
    notes = meta.get("annotations", {})
    return (meta.get("labels", {}).get("workload-optimizer") or notes.get("workload-optimizer")
            or notes.get("kcloud.io/workload-optimizer"))


def can_judge(objects: list[Obj]) -> bool:
    """Every node has a price and a curve that speak for themselves, and can be removed."""
    wanted = {"mckube.io/price-per-hour", "mckube.io/power-curve", "mckube.io/removable"}
    return all(wanted <= o["metadata"].get("annotations", {}).keys()
               for o in objects if o["kind"] == "Node")


class Judge:
    """Of plans without real time, for nodes that all have prices and curves."""

    def __init__(self, objects: list[Obj], plan: Obj):
        self.nodes = {o["metadata"]["name"]: o for o in objects if o["kind"] == "Node"}
        self.pods = {self.key(o["metadata"]): o for o in objects if o["kind"] == "Pod"}
        self.optimizers = {self.key(o["metadata"]): o for o in objects
                           if o["kind"] == "WorkloadOptimizer"}
        self.actions = plan["spec"]["actions"]
        self.economy = plan["spec"]["economy"]
        self.use = self.read_use(objects, plan)
        self.complaints: list[str] = []
        self.at = {k: p["spec"].get("nodeName") for k, p in self.pods.items()}
        self.taken: dict[str, list[Obj]] = {n: [] for n in self.nodes}
        for key, node in self.at.items():
            if node:
                self.taken[node].append(self.pods[key])

    @staticmethod
    def key(meta: Obj) -> str:
        return f"{meta['namespace']}/{meta['name']}"

    def read_use(self, objects: list[Obj], plan: Obj) -> dict[str, tuple[Fraction, Fraction]]:
        """What pods use, where shares are by that."""
        if plan["spec"].get("settings", {}).get("optimise", {}).get("costBasis") != "usage":
            return {}
        now = parse(plan["spec"]["cluster"]["takenAt"]) if "takenAt" in plan["spec"]["cluster"] else None
        return {self.key(o["metadata"]): used(o) for o in objects if o["kind"] == "PodMetrics"
                and not (now and (now - parse(o["timestamp"])).total_seconds() > 300)}

    def billed(self, pod: Obj) -> tuple[Fraction, Fraction, int]:
        """What a bound pod pays for: of each resource the greater of request and use."""
        cpu, memory, gpu = requests(pod)
        more = self.use.get(self.key(pod["metadata"])) if pod["spec"].get("nodeName") else None
        return (max(cpu, more[0]), max(memory, more[1]), gpu) if more else (cpu, memory, gpu)

    def costs(self, optimizer: str) -> int:
        return sum(share_of(self.billed(p), self.nodes[self.at[k]]) for k, p in self.pods.items()
                   if self.at[k] and f"{p['metadata']['namespace']}/{optimizer_of(p)}" == optimizer)

    def totals(self) -> tuple[Fraction, int]:
        """Dollars per hour and milliwatts of all nodes with pods; every node is removable."""
        cost, watts = Fraction(), 0
        for name, node in self.nodes.items():
            here = [p for k, p in self.pods.items() if self.at[k] == name]
            if here:
                cost += Fraction(node["metadata"]["annotations"]["mckube.io/price-per-hour"])
                watts += power(node, sum((requests(p)[0] for p in here), Fraction()))
        return cost, watts

    def check_totals(self, when: str) -> None:
        cost, watts = self.totals()
        if Fraction(str(self.economy["costPerHour"][when])) != cost:
            self.complaints.append(f"costPerHour {when}: {self.economy['costPerHour']}, is {cost}")
        if Fraction(str(self.economy["watts"][when])) * 1000 != watts:
            self.complaints.append(f"watts {when}: {self.economy['watts']}, is {watts} mW")

    def moved(self, action: Obj, pod: Obj, optimizer: str) -> int:
        """What the pod cost, or would now, that this one takes the place of."""
        if "movedAt" not in action:
            return 0
        last = self.optimizers[optimizer]["status"]["lastMove"]
        was = self.nodes.get(last["from"])
        return max(int(Fraction(str(last.get("costPerHour", 0))) * 10**6), share_of(self.billed(pod), was) if was else 0)

    def put(self, action: Obj, key: str, node: str) -> None:
        pod = self.pods[key]
        has = self.nodes[node]["status"]["allocatable"]
        self.taken[node].append(pod)  # where it was, it stays
        used = [requests(p) for p in self.taken[node]]
        if (sum(u[0] for u in used) > quantity(has["cpu"])
                or sum(u[1] for u in used) > quantity(has["memory"]) / 2**30
                or sum(u[2] for u in used) > int(has.get("nvidia.com/gpu", 0))):
            self.complaints.append(f"action {action['id']}: no room on {node}")
        optimizer = f"{pod['metadata']['namespace']}/{optimizer_of(pod)}"
        before = self.costs(optimizer) + self.moved(action, pod, optimizer)
        self.at[key] = node
        limit = self.optimizers.get(optimizer, {}).get("spec", {}).get(
            "costConstraints", {}).get("maxCostPerHour")
        after = self.costs(optimizer)
        if limit is not None and after > Fraction(str(limit)) * 10**6 and after > before:
            self.complaints.append(f"action {action['id']}: {optimizer} would cost {after}")

    def check_share(self, action: Obj, key: str) -> None:
        """What it says of the pod's share is what the pod has of either node."""
        to = action.get("to") or action["replacement"]
        said = action["share"]["costPerHour"]
        was = share_of(self.billed(self.pods[key]), self.nodes[self.at[key]]) if self.at[key] else 0
        wanted = {"before": was, "after": share_of(self.billed(self.pods[key]), self.nodes[to["node"]])}
        for when, micro in wanted.items():
            if Fraction(str(said[when])) * 10**6 != micro:
                self.complaints.append(f"action {action['id']}: share {when} is not {micro}")

    def run(self) -> list[str]:
        self.check_totals("before")
        for action in self.actions:
            if not is_for_money(action):
                continue
            key = self.key(action["pod"])
            if action["kind"] == "Release":
                if self.at[key]:
                    self.complaints.append(f"action {action['id']}: is bound already")
                continue
            self.check_share(action, key)
            if action["kind"] == "Bind":
                if self.at[key]:
                    self.complaints.append(f"action {action['id']}: is bound already")
                self.put(action, key, action["to"]["node"])
                continue
            if action["reason"] not in REASONS or self.at[key] != action["from"]["node"]:
                self.complaints.append(f"action {action['id']}: reason or place is wrong")
            self.put(action, key, action["replacement"]["node"])
        self.check_totals("after")
        return self.complaints
