# SPDX-License-Identifier: Apache-2.0
"""Random clusters of which some nodes use too much: the same for the same seed, and what time does to them."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta, timezone
from pathlib import Path

import planner
from generate import Generator, Profile
from kube import Obj, resources
from model import NOTE

PROFILE = Profile(nodes=(3, 6), cores=(2, 6), pods=(12, 36), low_share=(3, 20), pending=0.04, plain=0.6,
                  filters=0.08, odd=0, pdbs=0.7, coreless=0, inter_pod=False, changes=0, core_pin=0.03)
CAN = "criu=4.2,restore=true"
KINDS = ("cpu", "memory")


def stamp(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def name_of(obj: Obj) -> str:
    return f"{obj['metadata'].get('namespace', '')}/{obj['metadata']['name']}"


class Scene:
    def __init__(self, seed: int):
        self.rng = random.Random(f"moves {seed}")
        cluster = Generator(seed, PROFILE).cluster()
        self.items: list[Obj] = cluster["items"]
        self.now = datetime(2026, 11, 21, 9, tzinfo=timezone.utc)
        self.settings = {
            "ENABLED": "true", "THRESHOLD": self.rng.choice(["0.85", "0.7"]),
            "HYSTERESIS": self.rng.choice(["0.05", "0.1"]), "CHECK_SECONDS": self.rng.choice(["5", "30"]),
            "COOLDOWN_SECONDS": self.rng.choice(["60", "600"]), "PER_PASS": self.rng.choice(["1", "3", "9"])}
        self.limits = self.rng.choice([{}, {}, {"PER_PASS": "1"}, {"PER_NODE": "1"}])
        self.base: dict[str, dict[str, int]] = {}
        self.factor: dict[str, float] = {}
        self.unmeasured: set[str] = set()
        can_checkpoint = self.rng.random() < 0.5
        for node in self.of_kind("Node"):
            self.set_up_node(node, can_checkpoint)
        for pod in self.of_kind("Pod"):
            self.set_up_pod(pod)
        self.scale()
        self.allowed = {name_of(p): p["status"]["disruptionsAllowed"]
                        for p in self.of_kind("PodDisruptionBudget")}

    def of_kind(self, kind: str) -> list[Obj]:
        return [o for o in self.items if o["kind"] == kind]

    def scale(self) -> None:
        """All that is used together is about as much as there is."""
        have = [resources(n["status"]["allocatable"]) for n in self.of_kind("Node")]
        for kind in KINDS:
            share = self.rng.choice([0.3, 0.5, 0.7, 0.9])
            whole = share * sum(h[kind] for h in have) / max(1, sum(b[kind] for b in self.base.values()))
            for base in self.base.values():
                base[kind] = int(base[kind] * whole)

    def set_up_node(self, node: Obj, can_checkpoint: bool) -> None:
        if can_checkpoint and self.rng.random() < 0.8:
            node["metadata"]["annotations"].update({
                NOTE + "checkpoint": CAN, NOTE + "cpu-flags": self.rng.choice(["aa", "aa", "bb"])})
        if self.rng.random() < 0.15:
            self.unmeasured.add(node["metadata"]["name"])

    def set_up_pod(self, pod: Obj) -> None:
        meta, spec, rng = pod["metadata"], pod["spec"], self.rng
        is_plain = "sdv.com" not in meta["labels"]
        choice = rng.random()
        if is_plain:
            kinds = ["ReplicaSet"] * 6 + ["StatefulSet", "DaemonSet", "Job", "Node", ""]
            kind = rng.choice(kinds)
            meta["ownerReferences"] = [{"apiVersion": "v1", "kind": kind, "name": meta["name"],
                                        "uid": f"own-{meta['name']}", "controller": True}] if kind else []
            if kind == "Node":
                meta["annotations"]["kubernetes.io/config.mirror"] = "x"
            spec["priority"] = rng.choice([0, 0, 0, -5, 100, 2_000_000_500])
            if choice < 0.06:
                meta["namespace"] = "kube-system"
        if 0.1 < choice < 0.13:
            meta["deletionTimestamp"] = "2026-11-21T08:59:59Z"
        if rng.random() < 0.3:
            meta["annotations"][NOTE + "migration"] = rng.choice(["Never", "Restart", "Checkpoint", "restart", "?"])
        if rng.random() < 0.05:
            meta["annotations"][NOTE + "do-not-evict"] = "true"
        self.base[meta["name"]] = {"cpu": rng.choice([1, 5, 10, 30]), "memory": rng.choice([1, 5, 10, 30])}
        self.factor[meta["name"]] = rng.choice([0.5, 1, 1, 2])

    # Time goes on

    def pass_by(self, is_calm: bool) -> None:
        least = int(self.settings["COOLDOWN_SECONDS"]) if is_calm else 0
        self.now += timedelta(seconds=self.rng.choice([10, 31, 45, 90]) + least)
        for name in self.factor:
            if not is_calm and self.rng.random() < 0.25:
                self.factor[name] = self.rng.choice([0.1, 0.5, 1, 2, 4])
        self.measure()

    def measure(self) -> None:
        for pdb in self.of_kind("PodDisruptionBudget"):
            pdb["status"]["disruptionsAllowed"] = self.allowed[name_of(pdb)]
        self.items = [o for o in self.items if not o["kind"].endswith("Metrics")]
        self.items += self.metrics()

    def use_of(self, pod: Obj) -> dict[str, int]:
        name = pod["metadata"]["name"]
        return {k: int(v * self.factor[name]) for k, v in self.base[name].items()}

    def metrics(self) -> list[Obj]:
        found, when = [], stamp(self.now - timedelta(seconds=1))
        on: dict[str, dict[str, int]] = {}
        for pod in self.of_kind("Pod"):
            if not pod["spec"].get("nodeName"):
                continue
            use = self.use_of(pod)
            total = on.setdefault(pod["spec"]["nodeName"], {"cpu": 40, "memory": 64 << 20})
            for k in KINDS:
                total[k] += use[k]
            found.append({"apiVersion": "metrics.k8s.io/v1beta1", "kind": "PodMetrics", "timestamp": when,
                          "metadata": {"name": pod["metadata"]["name"],
                                       "namespace": pod["metadata"]["namespace"]},
                          "containers": [{"name": "main", "usage": self.amounts(use)}]})
        for node in self.of_kind("Node"):
            name = node["metadata"]["name"]
            if name not in self.unmeasured:
                found.append({"apiVersion": "metrics.k8s.io/v1beta1", "kind": "NodeMetrics",
                              "timestamp": when, "metadata": {"name": name}, "window": "5s",
                              "usage": self.amounts(on.get(name, {"cpu": 40, "memory": 64 << 20}))})
        return found

    @staticmethod
    def amounts(use: dict[str, int]) -> dict[str, str]:
        return {"cpu": f"{use['cpu']}m", "memory": str(use["memory"])}

    def write(self, path: Path, items: list[Obj]) -> Path:
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "List", "items": items,
            "metadata": {"annotations": {NOTE + "taken-at": stamp(self.now)}}}))
        return path

    def configure(self) -> None:
        planner.settings = {"MCKUBE_MIGRATION_" + k: v for k, v in self.settings.items()}
        planner.settings |= {"MCKUBE_EVICTIONS_" + k: v for k, v in self.limits.items()}
