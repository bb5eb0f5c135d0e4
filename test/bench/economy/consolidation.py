#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Consolidation beside Karpenter's (sigs.k8s.io/karpenter, its kwok provider), from the same cluster.

    consolidation.py [--workloads N] [--seed N] [--write]

Karpenter buys nodes for workloads of ten replicas, with the instance types and prices of fleet.py; then
each workload shrinks to 2 to 10 replicas. From this state Karpenter consolidates on the API server until
nothing has changed for two minutes, and our plans are played pass by pass on a snapshot of it, until one moves
nothing. Both may disrupt a tenth of the nodes at a time. Karpenter may also buy smaller nodes, which we
never do; we empty a node only where that saves more than it disrupts, and leave nodes of Karpenter's
alone unless optimise.consolidate is all, as here. Needs Go, which builds Karpenter (ten minutes). --write writes the table between the <!--
bench-consolidation --> lines of RESULTS.md.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
TEST = HERE.parents[1]
sys.path[:0] = [str(TEST / folder) for folder in ("bench", "bench/live", "property")]
# pylint: disable=wrong-import-position
import fleet
from crowd import Kwok, control_plane
from economy import Obj
from peers import bill, build
from table import TOP, Row, machine, markdown, write_results

NS = "shop"
QUIET_SECONDS, MOST_SECONDS = 120, 1800
MERGE = "application/merge-patch+json"
POOL = "/apis/karpenter.sh/v1/nodepools"
ZONES = ("zone-0", "zone-1", "zone-2")


def go(*args: str) -> str:
    env = {**os.environ, "GOTOOLCHAIN": "auto", "CGO_ENABLED": "0"}
    return subprocess.run(["go", *args], cwd=HERE / "karpenter", env=env, check=True, text=True,
                          stdout=subprocess.PIPE).stdout.strip()


def build_karpenter() -> tuple[Path, Path]:
    """The program, which is kept, and the folder of its module."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    program = cache / "mckube/karpenter"
    module = Path(go("list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/karpenter"))
    if not program.exists():
        go("build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", str(program),
           "sigs.k8s.io/karpenter/kwok")
    return program, module


def offering(price: str, zone: str) -> Obj:
    labels = {"karpenter.sh/capacity-type": "on-demand", "topology.kubernetes.io/zone": zone}
    return {"Price": float(price), "Available": True, "Requirements": [
        {"key": k, "operator": "In", "values": [v]} for k, v in labels.items()]}


def instance_types() -> list[Obj]:
    return [{"name": t.name, "architecture": t.arch, "operatingSystems": ["linux"],
             "offerings": [offering(t.price, zone) for zone in ZONES],
             "resources": {"cpu": str(t.cpus), "memory": f"{t.gib}Gi", "pods": "110",
                           "ephemeral-storage": "100Gi"}} for t in fleet.TYPES]


def node_pool(disrupted: str) -> Obj:
    """At most so many of its nodes are disrupted at a time."""
    return {"apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": {"name": "default"}, "spec": {
        "template": {"spec": {
            "nodeClassRef": {"group": "karpenter.kwok.sh", "kind": "KWOKNodeClass", "name": "default"},
            "expireAfter": "Never",
            "requirements": [{"key": "karpenter.sh/capacity-type", "operator": "In",
                              "values": ["on-demand"]}]}},
        "disruption": {"consolidationPolicy": "WhenEmptyOrUnderutilized", "consolidateAfter": "5s",
                       "budgets": [{"nodes": disrupted}]}}}


def deployment(name: str, cpu: int, mib: int) -> Obj:
    labels = {"workload-optimizer": name}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": {
        "replicas": fleet.REPLICAS, "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {
            "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "main", "image": "registry.example/main:1", "resources": {
                "requests": {"cpu": f"{cpu}m", "memory": f"{mib}Mi"}}}]}}}}


class Cluster:
    """Karpenter's, with kwok for kubelets."""

    def __init__(self, server: Any, cluster: Any, programs: Path, folder: Path):
        self.server = server
        program, module = build_karpenter()
        for crds in ("pkg/apis/crds", "kwok/apis/crds"):
            subprocess.run(["kubectl", "apply", "--server-side", "-f", module / crds], check=True,
                           stdout=subprocess.DEVNULL)
        server.call("POST", "/api/v1/namespaces", {"metadata": {"name": NS}})
        Kwok(programs, cluster)
        cluster.start("kube-scheduler", [programs / "kube-scheduler", "--kubeconfig", cluster.kubeconfig,
                                         "--leader-elect=false", "--secure-port=0"])
        types = folder / "types.json"
        types.write_text(json.dumps(instance_types()))
        cluster.start("karpenter", [
            "env", f"KUBECONFIG={cluster.kubeconfig}", "SYSTEM_NAMESPACE=kube-system",
            "KARPENTER_SERVICE=karpenter", program, "--disable-leader-election=true", "--metrics-port=0",
            "--health-probe-port=0", "--log-level=error", f"--instance-types-file-path={types}"])

    def objects(self) -> list[Obj]:
        """What a snapshot has, with the prices and curves of the nodes' types."""
        kinds = {t.name: t for t in fleet.TYPES}
        found = []
        for path, version, kind in (("/api/v1/nodes", "v1", "Node"), ("/api/v1/pods", "v1", "Pod"),
                                    ("/apis/apps/v1/deployments", "apps/v1", "Deployment")):
            items = self.server.call("GET", path)["items"]
            found += [{"apiVersion": version, "kind": kind, **o} for o in items]
        for node in (o for o in found if o["kind"] == "Node"):
            kind = kinds[node["metadata"]["labels"]["node.kubernetes.io/instance-type"]]
            instance = fleet.node(node["metadata"]["name"], kind, ZONES[0])
            node["metadata"]["annotations"] = {**node["metadata"].get("annotations", {}),
                                               **instance["metadata"]["annotations"]}
            node["status"]["capacity"] = instance["status"]["capacity"]
        return found

    def pods(self) -> dict[str, str]:
        """Of those that do not end: uid and node, "" for none."""
        items = self.server.call("GET", f"/api/v1/namespaces/{NS}/pods")["items"]
        return {p["metadata"]["uid"]: p["spec"].get("nodeName", "") for p in items
                if "deletionTimestamp" not in p["metadata"]}

    def wait_bound(self, n_pods: int) -> None:
        deadline = time.monotonic() + MOST_SECONDS
        while True:
            pods = self.pods()
            if len(pods) == n_pods and all(pods.values()):
                return
            if time.monotonic() > deadline:
                raise SystemExit(f"error: {len(pods)} of {n_pods} pods, {list(pods.values()).count('')} "
                                 "without a node")
            time.sleep(1)

    def set_up(self, workloads: int, seed: int) -> list[Obj]:
        """A cluster that has too many nodes."""
        rng = random.Random(seed)
        self.server.call("POST", "/apis/karpenter.kwok.sh/v1alpha1/kwoknodeclasses", {
            "apiVersion": "karpenter.kwok.sh/v1alpha1", "kind": "KWOKNodeClass", "metadata": {"name": "default"}})
        self.server.call("POST", POOL, node_pool("0"))
        shapes = {f"w{i:05d}": rng.choice(fleet.POD_SHAPES) for i in range(workloads)}
        path = f"/apis/apps/v1/namespaces/{NS}/deployments"
        self.server.many([("POST", path, deployment(name, *shape)) for name, shape in shapes.items()])
        self.wait_bound(workloads * fleet.REPLICAS)
        counts = {name: rng.randint(2, fleet.REPLICAS) for name in shapes}
        self.server.many([("PATCH", f"{path}/{name}", {"spec": {"replicas": n}}, MERGE)
                          for name, n in counts.items()])
        self.wait_bound(sum(counts.values()))
        time.sleep(10)
        return self.objects() + [fleet.optimizer(name, *shape) for name, shape in shapes.items()]

    def consolidate(self) -> tuple[int, int, float]:
        """Karpenter's: pods that were evicted, nodes that were bought, and the seconds until it ended."""
        self.server.call("PATCH", f"{POOL}/default", node_pool("10%"), MERGE)
        began = changed = time.monotonic()
        nodes, pods = self.nodes(), self.pods()
        all_nodes, n_nodes, evicted = set(nodes), len(nodes), 0
        while time.monotonic() - changed < QUIET_SECONDS and time.monotonic() - began < MOST_SECONDS:
            time.sleep(1)
            now_nodes, now_pods = self.nodes(), self.pods()
            evicted += len(pods.keys() - now_pods.keys())
            if now_nodes != nodes or now_pods != pods:
                changed = time.monotonic()
            all_nodes |= now_nodes
            nodes, pods = now_nodes, now_pods
        return evicted, len(all_nodes) - n_nodes, changed - began

    def nodes(self) -> set[str]:
        return {n["metadata"]["name"] for n in self.server.call("GET", "/api/v1/nodes")["items"]}


def play(mckube: Path, objects: list[Obj], folder: Path) -> tuple[list[Obj], int, int]:
    """Our plans, each on what the one before has left: the objects in the end, the pods that were evicted,
    and the passes. A pod that was moved is not looked at again: its cooldown is longer than all of it."""
    by_key = {(o["metadata"]["namespace"], o["metadata"]["name"]): o for o in objects if o["kind"] == "Pod"}
    evicted = passes = 0
    path, config = folder / "cluster.json", folder / "config.json"
    config.write_text(json.dumps({"apiVersion": "mckube.io/v1alpha1", "kind": "Configuration",
                                  "optimise": {"consolidate": "all"}}))
    while True:
        path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
        done = subprocess.run([mckube, "plan", "--config", config, "--snapshot", path, "-o", "json"], check=True,
                              text=True, stdout=subprocess.PIPE)
        actions = [a for a in json.loads(done.stdout)["spec"]["actions"] if a["kind"] == "Evict"]
        if not actions:
            return objects, evicted, passes
        passes, evicted = passes + 1, evicted + len(actions)
        for a in actions:
            pod = by_key[a["pod"]["namespace"], a["pod"]["name"]]
            pod["spec"]["nodeName"] = a["replacement"]["node"]
            pod["metadata"].setdefault("annotations", {})["kcloud.io/moved-at"] = time.strftime(
                "%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def told(objects: list[Obj]) -> str:
    n_nodes, dollars, watts = bill(objects)
    return f"{n_nodes} nodes, {float(dollars):.3f} $/h, {float(watts):,.0f} W"


def bench(mckube: Path, workloads: int, seed: int) -> list[Row]:
    with control_plane("--kwok", has_kubelets=True) as (server, cluster, programs), tempfile.TemporaryDirectory() as temp:
        folder = Path(temp)
        theirs = Cluster(server, cluster, Path(programs), folder)
        start = theirs.set_up(workloads, seed)
        rows = [Row(f"{sum(o['kind'] == 'Pod' for o in start)} pods of {workloads} workloads before", told(start))]
        ours, evicted, passes = play(mckube, json.loads(json.dumps(start)), folder)
        rows.append(Row("our plans, until one moves nothing", f"{told(ours)}; {evicted} evicted, {passes} passes"))
        n_evicted, n_bought, seconds = theirs.consolidate()
        end = theirs.objects()
    difference = float(bill(end)[1] / bill(ours)[1] - 1)
    rows.append(Row("Karpenter, which may buy other nodes",
                    f"{told(end)}; {n_evicted} evicted, {n_bought} nodes bought, {seconds:.0f} s",
                    f"{difference:+.1%} of our cost, {n_evicted - evicted:+} evicted"))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", type=Path, default=TOP / "build-bench")
    parser.add_argument("--workloads", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    rows = bench(build(args.build), args.workloads, args.seed)
    text = markdown("test/bench/economy/consolidation.py", machine(), rows)
    print(text)
    if args.write:
        write_results("bench-consolidation", text)


if __name__ == "__main__":
    main()
