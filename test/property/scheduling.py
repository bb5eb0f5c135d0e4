# SPDX-License-Identifier: Apache-2.0
"""What else kube-scheduler asks of a random cluster: zones, limits and states of volumes, devices,
nominated pods, preemptionPolicy, and pods that PodDisruptionBudgets do not protect."""

from __future__ import annotations

import random

from kube import Obj

ZONE = "topology.kubernetes.io/zone"
DRIVER = "disk.example.com"


class Scheduling:
    def __init__(self, seed: int, items: list[Obj]):
        self.rng, self.items = random.Random(f"scheduling {seed}"), items

    def chance(self, p: float) -> bool:
        return self.rng.random() < p

    def of(self, kind: str) -> list[Obj]:
        return [o for o in self.items if o["kind"] == kind]

    def add(self) -> None:
        for node in self.of("Node"):
            self.node(node)
        for volume in self.of("PersistentVolume"):
            self.volume(volume)
        for claim in self.of("PersistentVolumeClaim"):
            self.claim(claim)
        for name, allocation in (("dev-a", True), ("dev-b", self.chance(0.5))):
            self.device(name, allocation)
        for pod in self.of("Pod"):
            self.pod(pod)
        for budget in self.of("PodDisruptionBudget"):
            self.budget(budget)
        if self.chance(0.5):
            self.nominate()

    def node(self, node: Obj) -> None:
        labels = node["metadata"].setdefault("labels", {})
        if self.chance(0.7):
            labels[ZONE] = labels.get("zone", "a")
        if self.chance(0.6):
            self.items.append({
                "apiVersion": "storage.k8s.io/v1", "kind": "CSINode",
                "metadata": {"name": node["metadata"]["name"]},
                "spec": {"drivers": [{"name": DRIVER, "nodeID": "x",
                                      "allocatable": {"count": self.rng.randint(0, 2)}}]}})

    def volume(self, volume: Obj) -> None:
        if self.chance(0.5):
            volume["metadata"].setdefault("labels", {})[ZONE] = self.rng.choice(["a", "b", "a__c"])
        if self.chance(0.7):
            volume["spec"]["csi"] = {"driver": DRIVER, "volumeHandle": volume["metadata"]["name"]}

    def claim(self, claim: Obj) -> None:
        if self.chance(0.4):
            claim["spec"]["accessModes"] = ["ReadWriteOncePod"]
        if self.chance(0.15):
            claim["status"] = {"phase": self.rng.choice(["Pending", "Lost"])}

    def device(self, name: str, allocation: bool) -> None:
        status: Obj = {}
        if allocation:
            status["allocation"] = {}
            if self.chance(0.5):
                status["allocation"]["nodeSelector"] = {"nodeSelectorTerms": [{
                    "matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}]}
        self.items.append({"apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaim",
                           "metadata": {"name": name, "namespace": "default"}, "status": status})

    def pod(self, pod: Obj) -> None:
        spec = pod["spec"]
        if "nodeName" not in spec:
            if self.chance(0.3):
                spec["preemptionPolicy"] = self.rng.choice(["Never", "PreemptLowerPriority"])
            if self.chance(0.15):
                spec["resourceClaims"] = [{"name": "d", "resourceClaimName": self.rng.choice(
                    ["dev-a", "dev-b", "dev-c"])}]
        elif self.chance(0.3):
            pod["status"]["conditions"] = [{"type": "Ready", "status": "True"}]

    def budget(self, budget: Obj) -> None:
        if self.chance(0.4):
            budget["spec"]["unhealthyPodEvictionPolicy"] = self.rng.choice(
                ["AlwaysAllow", "IfHealthyBudget"])
        budget["status"].update(currentHealthy=self.rng.randint(0, 2),
                                desiredHealthy=self.rng.randint(0, 2))
        if self.chance(0.1):
            budget["metadata"]["generation"] = 2
            budget["status"]["observedGeneration"] = 1

    def nominate(self) -> None:
        node = self.rng.choice(self.of("Node"))["metadata"]["name"]
        self.items.append({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "nominated", "namespace": "default", "uid": "uid-nominated",
                         "resourceVersion": "1", "labels": {"app": "other"}},
            "spec": {"schedulerName": "default-scheduler", "priority": self.rng.choice([0, 1000]),
                     "containers": [{"name": "main", "resources": {"requests": {
                         "cpu": self.rng.choice(["100m", "1"])}}}]},
            "status": {"phase": "Pending", "nominatedNodeName": node}})
