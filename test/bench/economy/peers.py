#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Places the same waiting pods on the same priced nodes by `apply` and by kube-scheduler, and says what
the nodes that are in use then cost and draw.

    peers.py [--sizes 100:500,100:1000,1000:10000] [--write]

On a real API server whose nodes have no kubelet. kube-scheduler runs as it is, and with MostAllocated, which
packs. Cost and power are counted from the API's objects by test/property/economy.py, not by the
program. --write writes the table between the <!-- bench-peers --> lines of RESULTS.md.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

TEST = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TEST / folder) for folder in ("bench", "bench/live", "property")]
# pylint: disable=wrong-import-position
import fleet
from crowd import control_plane, remove_pods
from economy import Obj, power, requests
from table import TOP, Row, are_met, build_release, machine, markdown, write_results
from usage import Usage, measure

SEED = 1
MERGE = "application/merge-patch+json"
PACKING = {
    "apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration",
    "profiles": [{"schedulerName": "default-scheduler", "pluginConfig": [
        {"name": "NodeResourcesFit", "args": {"scoringStrategy": {
            "type": "MostAllocated",
            "resources": [{"name": "cpu", "weight": 1}, {"name": "memory", "weight": 1}]}}}]}],
}


def build(folder: Path) -> Path:
    build_release(folder, "kubectl-mckube")
    return folder / "kubectl-mckube"


def bill(objects: list[Obj]) -> tuple[int, Fraction, Fraction]:
    """Nodes that have a pod, what they cost in $/h and draw in W by their pods' requests."""
    cores: dict[str, Fraction] = defaultdict(Fraction)
    for pod in objects:
        if pod["kind"] == "Pod":
            cores[pod["spec"]["nodeName"]] += requests(pod)[0]
    nodes = [o for o in objects if o["kind"] == "Node" and o["metadata"]["name"] in cores]
    dollars = sum((Fraction(n["metadata"]["annotations"]["mckube.io/price-per-hour"]) for n in nodes), Fraction())
    watts = sum((Fraction(power(n, cores[n["metadata"]["name"]]), 1000) for n in nodes), Fraction())
    return len(nodes), dollars, watts


class Scene:
    """Nodes of a fleet on an API server, and its pods, made again for each program that places them."""

    def __init__(self, server: Any, n_nodes: int, n_pods: int):
        self.server, self.n_pods, self.n_spaces = server, n_pods, 0
        objects = fleet.cluster(n_nodes, n_pods, SEED, is_placed=False)
        self.nodes, self.pods, self.optimizers = ([o for o in objects if o["kind"] == kind] for kind in
                                                  ("Node", "Pod", "WorkloadOptimizer"))
        server.many([("POST", "/api/v1/nodes", {k: n[k] for k in ("metadata",)}) for n in self.nodes])
        for n in self.nodes:
            path = f"/api/v1/nodes/{n['metadata']['name']}"
            server.call("PATCH", f"{path}/status", {"status": n["status"]}, MERGE)
            server.call("PATCH", path, {"spec": {"taints": None}}, MERGE)

    def remove_nodes(self) -> None:
        self.server.many([("DELETE", f"/api/v1/nodes/{n['metadata']['name']}") for n in self.nodes])

    def fill(self, has_optimizers: bool) -> str:
        """The namespace of the new pods, which wait for us when they have optimizers."""
        self.n_spaces += 1
        ns = f"r{len(self.nodes)}-{self.n_pods}-{self.n_spaces}"
        self.server.call("POST", "/api/v1/namespaces", {"metadata": {"name": ns}})
        calls = []
        for made in self.optimizers if has_optimizers else []:
            meta = {"name": made["metadata"]["name"]}
            calls.append(("POST", f"/apis/kcloud.io/v1alpha1/namespaces/{ns}/workloadoptimizers",
                          {**made, "metadata": meta}))
        for made in self.pods:
            meta = {k: made["metadata"][k] for k in ("name", "labels")}
            spec = {"containers": made["spec"]["containers"],
                    "schedulerName": "mckube" if has_optimizers else "default-scheduler"}
            calls.append(("POST", f"/api/v1/namespaces/{ns}/pods", {"metadata": meta, "spec": spec}))
        self.server.many(calls)
        return ns

    def n_waiting(self, ns: str) -> int:
        path = f"/api/v1/namespaces/{ns}/pods?fieldSelector=spec.nodeName%3D"
        return len(self.server.call("GET", path)["items"])

    def row(self, program: str, has_optimizers: bool, place: Callable[[Callable[[], bool]], Usage]) -> tuple[Row, Fraction]:
        ns = self.fill(has_optimizers)
        usage = place(lambda: self.n_waiting(ns) == 0)
        items = self.server.call("GET", f"/api/v1/namespaces/{ns}/pods")["items"]
        waiting = [p for p in items if "nodeName" not in p["spec"]]
        bound = [{"kind": "Pod", **p} for p in items if "nodeName" in p["spec"]]
        n_nodes, dollars, watts = bill([*self.nodes, *bound])
        remove_pods(self.server, ns)
        if has_optimizers:
            self.server.call("DELETE", f"/apis/kcloud.io/v1alpha1/namespaces/{ns}/workloadoptimizers")
        value = (f"{n_nodes} nodes, {float(dollars):.3f} $/h, {float(watts):,.0f} W; {len(waiting)} without a node; "
                 f"{usage.wall:.1f} s, {usage.cpu:.1f} s CPU, {usage.memory:.0f} MB")
        return Row(f"{len(self.nodes):,} nodes, {self.n_pods:,} pods: {program}", value), dollars


def scheduler(programs: Path, kubeconfig: Path, *options: Any) -> Callable[[Callable[[], bool]], Usage]:
    argv = [programs / "kube-scheduler", "--kubeconfig", kubeconfig, "--leader-elect=false", "--secure-port=0",
            "--kube-api-qps=100000", "--kube-api-burst=100000", *options]
    return lambda is_done: measure(argv, is_done=is_done)


def bench(mckube: Path, sizes: list[tuple[int, int]]) -> list[Row]:
    rows = []
    with control_plane() as (server, cluster, programs), tempfile.TemporaryDirectory() as temp:
        subprocess.run(["kubectl", "apply", "-f", TOP / "manifests/kcloud-crd.yaml"], check=True,
                       stdout=subprocess.DEVNULL)
        config = {**PACKING, "clientConnection": {"kubeconfig": str(cluster.kubeconfig), "qps": 100000,
                                                  "burst": 100000},
                  "leaderElection": {"leaderElect": False}}
        packing = Path(temp) / "packing.json"
        packing.write_text(json.dumps(config))
        programs = Path(programs)
        for n_nodes, n_pods in sizes:
            scene = Scene(server, n_nodes, n_pods)
            ours, cost = scene.row("`apply`, with a WorkloadOptimizer for each ten", True,
                                   lambda _: measure([mckube, "apply", "--qps=0"]))
            rows.append(ours)
            for program, place in (("kube-scheduler", scheduler(programs, cluster.kubeconfig)),
                               ("kube-scheduler with MostAllocated",
                                scheduler(programs, cluster.kubeconfig, f"--config={packing}"))):
                row, theirs = scene.row(program, False, place)
                rows.append(Row(row.what, row.value, f"dearer than ours: {float(theirs / cost - 1):+.1%}",
                                cost <= theirs))
            scene.remove_nodes()
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", type=Path, default=TOP / "build-bench")
    parser.add_argument("--sizes", default="100:500,100:1000,1000:10000")
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    sizes = [(int(nodes), int(pods)) for nodes, pods in (s.split(":") for s in args.sizes.split(","))]
    rows = bench(build(args.build), sizes)
    text = markdown("test/bench/economy/peers.py", machine(), rows)
    print(text)
    if args.write:
        write_results("bench-peers", text)
    return 0 if are_met(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
