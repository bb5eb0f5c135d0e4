# SPDX-License-Identifier: Apache-2.0
"""Clusters with prices and power curves: nodes of instance types of AWS, us-east-1, on-demand.

Prices: the generated table of the Karpenter AWS provider of 2026-07-20 (Apache-2.0). Watts at 0, 10,
50 and 100 % of the instance: the Teads data set as in cloud-carbon-coefficients, 2023-05 (Apache-2.0).
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

Obj = dict[str, Any]
USES = (0, 10, 50, 100)  # per cent of the CPUs
POD_SHAPES = ((250, 512), (250, 1024), (500, 1024), (500, 2048), (1000, 2048), (1000, 4096),
              (2000, 4096), (2000, 8192))  # milli-CPU, MiB
REPLICAS = 10
NAMESPACE = "shop"
CREATED = "2026-11-01T00:00:00Z"


@dataclass(frozen=True)
class InstanceType:
    name: str
    cpus: int
    gib: int
    price: str  # $/h
    watts: tuple[float, ...]
    arch: str = "amd64"


TYPES = (
    InstanceType("m5.xlarge", 4, 16, "0.192", (8.8, 14.0, 28.2, 39.9)),
    InstanceType("m5.2xlarge", 8, 32, "0.384", (17.6, 27.9, 56.5, 79.8)),
    InstanceType("m5.4xlarge", 16, 64, "0.768", (35.3, 55.8, 113.0, 159.6)),
    InstanceType("m5a.4xlarge", 16, 64, "0.688", (33.9, 53.8, 89.1, 119.6)),
    InstanceType("m6i.2xlarge", 8, 32, "0.384", (18.3, 29.0, 48.5, 64.9)),
    InstanceType("m6i.4xlarge", 16, 64, "0.768", (36.5, 58.1, 97.0, 129.8)),
    InstanceType("c5.2xlarge", 8, 16, "0.340", (19.4, 31.3, 53.1, 71.9)),
    InstanceType("c5.4xlarge", 16, 32, "0.680", (38.8, 62.5, 106.2, 143.7)),
    InstanceType("c5a.4xlarge", 16, 32, "0.616", (21.2, 33.8, 57.2, 76.1)),
    InstanceType("r5.xlarge", 4, 32, "0.252", (11.2, 17.8, 38.2, 55.9)),
    InstanceType("r5.4xlarge", 16, 128, "1.008", (44.9, 71.2, 152.7, 223.6)),
)


def node(name: str, kind: InstanceType, zone: str) -> Obj:
    has = {"cpu": str(kind.cpus), "memory": f"{kind.gib}Gi", "pods": "110",
           "ephemeral-storage": "100Gi"}
    curve = ",".join(f"{use / 100:g}:{watt}" for use, watt in zip(USES, kind.watts))
    return {
        "apiVersion": "v1", "kind": "Node",
        "metadata": {
            "name": name, "creationTimestamp": CREATED,
            "labels": {
                "kubernetes.io/hostname": name, "kubernetes.io/arch": kind.arch,
                "kubernetes.io/os": "linux", "node.kubernetes.io/instance-type": kind.name,
                "topology.kubernetes.io/zone": zone, "eks.amazonaws.com/nodegroup": kind.name,
            },
            "annotations": {"mckube.io/price-per-hour": kind.price,
                            "mckube.io/power-curve": curve, "mckube.io/removable": "true"},
        },
        "spec": {},
        "status": {"capacity": has, "allocatable": has,
                   "conditions": [{"type": "Ready", "status": "True"}]},
    }


def pod(name: str, workload: str, cpu: int, mib: int, node_name: str | None) -> Obj:
    spec: Obj = {"containers": [{"name": "main", "image": "registry.example/main:1",
                                 "resources": {"requests": {"cpu": f"{cpu}m",
                                                            "memory": f"{mib}Mi"}}}]}
    if node_name:
        spec["nodeName"] = node_name
    else:
        spec["schedulingGates"] = [{"name": "mckube.io/placement"}]
    return {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": name, "namespace": NAMESPACE, "uid": f"uid-{name}",
            "creationTimestamp": CREATED, "labels": {"workload-optimizer": workload},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": workload,
                                 "uid": f"rs-{workload}", "controller": True}],
        },
        "spec": spec,
        "status": {"phase": "Running", "startTime": CREATED,
                   "conditions": [{"type": "Ready", "status": "True"}]} if node_name
                  else {"phase": "Pending"},
    }


def optimizer(name: str, cpu: int, mib: int) -> Obj:
    return {"apiVersion": "kcloud.io/v1alpha1", "kind": "WorkloadOptimizer",
            "metadata": {"name": name, "namespace": NAMESPACE, "uid": f"wo-{name}",
                         "creationTimestamp": CREATED},
            "spec": {"workloadType": "serving",
                     "resources": {"cpu": f"{cpu}m", "memory": f"{mib}Mi"}}}


def cluster(n_nodes: int, n_pods: int, seed: int, is_placed: bool) -> list[Obj]:
    """Nodes of all types, and workloads of ten replicas. Placed ones are where there was most room of
    a few nodes that were looked at, as a scheduler leaves them that spreads."""
    rng = random.Random(seed)
    kinds = [rng.choice(TYPES) for _ in range(n_nodes)]
    nodes = [node(f"n{i:05d}", kind, f"zone-{i % 3}") for i, kind in enumerate(kinds)]
    free = [[kind.cpus * 1000, kind.gib * 1024, 110] for kind in kinds]
    pods, optimizers = [], []
    for i in range(n_pods):
        workload = f"w{i // REPLICAS:05d}"
        if i % REPLICAS == 0:
            cpu, mib = rng.choice(POD_SHAPES)
            optimizers.append(optimizer(workload, cpu, mib))
        at = None
        if is_placed:
            fits = [n for n in rng.sample(range(n_nodes), min(8, n_nodes))
                    if free[n][0] >= cpu and free[n][1] >= mib]
            if not fits:
                continue
            at = max(fits, key=lambda n: free[n][0] * 1000 // kinds[n].cpus)
            free[at][0] -= cpu
            free[at][1] -= mib
        pods.append(pod(f"p{i:06d}", workload, cpu, mib, None if at is None else f"n{at:05d}"))
    return [*nodes, *optimizers, *pods]
