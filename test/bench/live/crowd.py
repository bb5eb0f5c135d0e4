# SPDX-License-Identifier: Apache-2.0
"""A real API server with many nodes without kubelets, and pods."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "cluster"), str(HERE.parents[1] / "integration")]

from api import Api
from cluster import Cluster, build_programs


@contextlib.contextmanager
def control_plane(*options, has_kubelets=False):
    """An Api, the Cluster, and the folder of Kubernetes' programs (options of test/cluster/build); without
    kube-scheduler. $KUBECONFIG leads there."""
    programs = build_programs(*options)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with tempfile.TemporaryDirectory(prefix="mckube-") as folder:
        cluster = Cluster(folder)
        try:
            cluster.up(programs, has_kubelets)
            cluster.stop("kube-scheduler")
            os.environ["KUBECONFIG"] = str(cluster.kubeconfig)
            subprocess.run(["kubectl", "apply", "-f", HERE.parents[2] / "manifests" / "crd.yaml"],
                           check=True, stdout=subprocess.DEVNULL)
            config = subprocess.run(["kubectl", "config", "view", "--raw", "--flatten", "-o", "json"],
                                    check=True, stdout=subprocess.PIPE).stdout
            yield Api(json.loads(config)), cluster, programs
        finally:
            cluster.stop_all()


class Kwok:
    """Kubelets for all nodes, which it makes Ready; their pods run, and end, at once. With a port they serve
    metrics there: a pod uses the CPU that its annotation kwok.x-k8s.io/usage-cpu says."""

    STAGES = "stage/node/fast", "stage/node/heartbeat-with-lease", "stage/pod/fast"
    METRICS = "metrics/resource", "metrics/usage"

    def __init__(self, programs, cluster, port=None):
        folder = pathlib.Path(subprocess.run(
            ["go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/kwok"], check=True, text=True,
            cwd=HERE.parents[1] / "cluster/kwok", stdout=subprocess.PIPE).stdout.strip())
        parts = [f.read_text() for part in (*self.STAGES, *(self.METRICS if port else ()))
                 for f in sorted((folder / "kustomize" / part).glob("*.yaml")) if f.name != "kustomization.yaml"]
        options = ("kind: KwokConfiguration\napiVersion: config.kwok.x-k8s.io/v1alpha1\n"
                   "options: {nodeLeaseParallelism: 4, nodePlayStageParallelism: 4, podPlayStageParallelism: 8}\n")
        config = cluster.folder / "kwok.yaml"
        config.write_text("---\n".join([options, *parts]))
        server = [f"--server-address=127.0.0.1:{port}", "--node-ip=127.0.0.1", f"--node-port={port}"] if port else []
        cluster.start("kwok", [pathlib.Path(programs) / "kwok", "--kubeconfig", cluster.kubeconfig,
                               "--config", config, "--manage-all-nodes=true",
                               "--node-lease-duration-seconds=40", *server])


def make_nodes(server, n):
    size = {"cpu": "64", "memory": "256Gi", "pods": "500"}
    notes = {"mckube.io/backend": "hcbs", "mckube.io/capacity-scope": "core",
             "mckube.io/rt-capacity": "950000", "mckube.io/rt-cores": "0-63"}
    merge = "application/merge-patch+json"
    names = [f"n{i}" for i in range(n)]
    server.many([("POST", "/api/v1/nodes", {
        "metadata": {"name": name, "annotations": notes,
                     "labels": {"kubernetes.io/hostname": name}}}) for name in names])
    server.many([("PATCH", f"/api/v1/nodes/{name}/status", {"status": {
        "capacity": size, "allocatable": size,
        "conditions": [{"type": "Ready", "status": "True"}]}}, merge) for name in names])
    server.many([("PATCH", f"/api/v1/nodes/{name}", {"spec": {"taints": None}}, merge)
                 for name in names])


def pod(name, scheduler, asks):
    notes = {"rt-period": "1000000", "rt-runtime-low": "10000", "rt-runtime-hi": "20000",
             "criticality": "High"}
    return {"metadata": {"name": name, "labels": {"sdv.com": name}, "annotations": {
                f"mckube.io/{k}": v for k, v in notes.items() if asks == "annotations"}},
            "spec": {"schedulerName": scheduler, "containers": [
                {"name": "c", "image": "none", "resources": {"requests": {"cpu": "10m"}}}]}}


def mckube(name):
    return {"apiVersion": "mcoperator.sdv.com/v1", "kind": "McKube", "metadata": {"name": name},
            "spec": {"podname": name, "criticality": "High", "rtSettings": {
                "period": 1000000, "runtime_low": 10000, "runtime_hi": 20000}}}


def make_pods(server, ns, n, scheduler, asks=None):
    """Pods p0, p1, ... of a new namespace; `asks` is annotations, mckubes or None."""
    server.call("POST", "/api/v1/namespaces", {"metadata": {"name": ns}})
    names = [f"p{i}" for i in range(n)]
    server.many([("POST", f"/api/v1/namespaces/{ns}/pods", pod(name, scheduler, asks))
                 for name in names])
    if asks == "mckubes":
        server.many([("POST", f"/apis/mcoperator.sdv.com/v1/namespaces/{ns}/mckubes", mckube(name))
                     for name in names])


def remove_pods(server, ns):
    """The pods and McKubes of a namespace are gone when it returns."""
    pods, mckubes = f"/api/v1/namespaces/{ns}/pods", f"/apis/mcoperator.sdv.com/v1/namespaces/{ns}/mckubes"
    held = [m["metadata"]["name"] for m in server.call("GET", mckubes)["items"]]
    server.many([("PATCH", f"{mckubes}/{name}", {"metadata": {"finalizers": None}},
                  "application/merge-patch+json") for name in held])
    server.call("DELETE", mckubes)
    server.many([("DELETE", f"{pods}/{p['metadata']['name']}", {"gracePeriodSeconds": 0})
                 for p in server.call("GET", pods)["items"]])
    assert not server.call("GET", pods)["items"]


def make_running(server, ns, n, n_nodes):
    """Pods that ask for nothing special and are on their nodes already."""
    server.call("POST", "/api/v1/namespaces", {"metadata": {"name": ns}})
    pods = [pod(f"p{i}", "default-scheduler", None) for i in range(n)]
    for i, p in enumerate(pods):
        p["spec"]["nodeName"] = f"n{i % n_nodes}"
    server.many([("POST", f"/api/v1/namespaces/{ns}/pods", p) for p in pods])
