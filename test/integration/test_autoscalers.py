# SPDX-License-Identifier: Apache-2.0
"""`watch` and Kubernetes' own autoscaler side by side, on what a real metrics-server measures: two Deployments
with the same load get the same replicas."""

import contextlib
import json
import os
import time
from dataclasses import dataclass, field

import fleet
from cluster import Cluster, build_programs
from crowd import Kwok
from fixture import Fixture
from pod_metrics import GROUP, register
from ports import free_ports
from test_economy import optimizer
from test_watch import watching

MERGE = "application/merge-patch+json"
USAGE = "kwok.x-k8s.io/usage-cpu"
TARGET, REQUEST, FEWEST, MOST = 50, 500, 2, 30  # per cent of milli-cores; replicas
OURS, THEIRS = "ours", "theirs"
# Milli-cores of each Deployment, and for how many seconds. Wanted are 3.6, 9.6, 10.6 (which 10 replicas may
# tolerate), 12.6, 3.6, 7.6 and 3.6 replicas, so that what is measured may be some per cent off. It goes up by
# what is twice as much at most, and down to the most that was wanted in five minutes.
LOADS = (900, 60), (2400, 75), (2650, 45), (3150, 60), (900, 45), (1900, 75), (900, 0)
SEQUENCE = [4, 8, 10, 13, 8, 4]
LATEST = 720  # seconds until the last of them
APART = 90  # seconds between one autoscaler and the other, which each look every 15


@dataclass
class Scaled:
    """A Deployment whose running pods share its load."""
    name: str
    scheduler: str
    counts: list = field(default_factory=list)  # (seconds, replicas) at each change

    def deployment(self):
        labels = {"app": self.name, **({"workload-optimizer": self.name} if self.name == OURS else {})}
        container = {"name": "main", "image": "none", "resources": {
            "requests": {"cpu": f"{REQUEST}m", "memory": "64Mi"}}}
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": self.name}, "spec": {
            "replicas": SEQUENCE[0], "selector": {"matchLabels": {"app": self.name}}, "template": {
                "metadata": {"labels": labels}, "spec": {
                    "schedulerName": self.scheduler, "containers": [container], "terminationGracePeriodSeconds": 0}}}}

    def note(self, seconds, n):
        if not self.counts or self.counts[-1][1] != n:
            self.counts.append((round(seconds), n))


class Pair:
    def __init__(self, c):
        self.c, self.both = c, (Scaled(OURS, "mckube"), Scaled(THEIRS, "default-scheduler"))
        self.pods_path = f"/api/v1/namespaces/{c.ns}/pods"
        self.began = time.monotonic()

    def make(self):
        scale = {"minReplicas": FEWEST, "maxReplicas": MOST}
        self.c.create(
            optimizer(OURS, autoScaling={**scale, "metrics": [{"type": "cpu", "threshold": TARGET}]}),
            {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": THEIRS}, "spec": {
                **scale, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": THEIRS},
                "metrics": [{"type": "Resource", "resource": {
                    "name": "cpu", "target": {"type": "Utilization", "averageUtilization": TARGET}}}]}},
            *(d.deployment() for d in self.both))

    def share(self, load):
        """Each pod that runs uses its part of its Deployment's load."""
        pods = [p for p in self.c.api.call("GET", self.pods_path)["items"]
                if p["status"]["phase"] == "Running" and "deletionTimestamp" not in p["metadata"]]
        changes = []
        for d in self.both:
            own = [p for p in pods if p["metadata"]["labels"]["app"] == d.name]
            usage = {USAGE: f"{load // len(own)}m"} if own else {}
            changes += [("PATCH", f"{self.pods_path}/{p['metadata']['name']}", {"metadata": {"annotations": usage}}, MERGE)
                        for p in own if p["metadata"].get("annotations", {}).get(USAGE) != usage[USAGE]]
        with contextlib.suppress(Exception):  # one that has gone meanwhile
            self.c.api.many(changes)

    def look(self):
        for d in self.both:
            found = self.c.api.call("GET", f"/apis/apps/v1/namespaces/{self.c.ns}/deployments/{d.name}")
            d.note(time.monotonic() - self.began, found["spec"]["replicas"])

    def live(self, load, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.share(load)
            self.look()
            time.sleep(0.5)

    def has_come_down(self):
        return all(d.counts[-1][1] == SEQUENCE[-1] for d in self.both)

    def run(self):
        for load, seconds in LOADS:
            self.live(load, seconds)
        while not self.has_come_down() and time.monotonic() < self.began + LATEST + APART:
            self.live(LOADS[-1][0], 1)
        for d in self.both:
            print(f"{d.name}: {d.counts}")


@contextlib.contextmanager
def metrics_server(c, programs, port):
    config = c.cluster.kubeconfig
    c.cluster.start("metrics-server", [
        f"{programs}/metrics-server", f"--kubeconfig={config}", f"--authentication-kubeconfig={config}",
        f"--authorization-kubeconfig={config}", f"--cert-dir={c.folder / 'metrics-server'}", f"--secure-port={port}",
        "--bind-address=127.0.0.1", "--kubelet-insecure-tls", "--kubelet-use-node-status-port",
        "--kubelet-preferred-address-types=InternalIP", "--metric-resolution=15s", "--kubelet-request-timeout=5s"])
    try:
        register(c, port)
        yield
    finally:
        c.cluster.stop("metrics-server")


@contextlib.contextmanager
def measured_cluster(program, folder):
    """A control plane of its own, whose nodes' kubelets tell what pods use."""
    programs, outer = build_programs("--kwok", "--metrics-server"), dict(os.environ)
    cluster = Cluster(folder)
    try:
        cluster.up(programs, has_kubelets=True, has_api_servers=True)
        os.environ["KUBECONFIG"] = str(cluster.kubeconfig)
        own = Fixture(program, cluster, folder)
        kubelets, port = free_ports(2)
        Kwok(programs, cluster, kubelets)
        make_nodes(own, 4, kubelets)
        with metrics_server(own, programs, port), own.namespace():
            yield own
    finally:
        cluster.stop_all()
        os.environ.clear()
        os.environ.update(outer)


def make_nodes(c, n, port):
    made = [fleet.node(f"n{i}", fleet.TYPES[2], f"zone-{i}") for i in range(n)]
    for node in made:
        path = f"/metrics/nodes/{node['metadata']['name']}/metrics/resource"
        node["metadata"]["annotations"]["metrics.k8s.io/resource-metrics-path"] = path
        node["status"] |= {"addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
                           "daemonEndpoints": {"kubeletEndpoint": {"Port": port}}}
    c.create(*made)
    c.wait(lambda: not any(node["spec"].get("taints") for node in c.get("nodes")))


def check_snapshot(c):
    """It has what the metrics-server says of pods."""
    path = c.folder / "snapshot.json"
    c.mckube("snapshot", "-o", "json", "--out", path)
    found = [o for o in json.loads(path.read_text())["items"] if o["kind"] == "PodMetrics"]
    told = c.api.call("GET", f"/apis/{GROUP}/pods")["items"]
    names = lambda objects: sorted(o["metadata"]["name"] for o in objects)
    assert told and names(found) == names(told), (found, told)


if os.environ.get("FULL"):
    def test_replicas_are_those_of_kubernetes_own_autoscaler(c):
        """Takes ten minutes: what was wanted counts for five."""
        with measured_cluster(c.program, c.folder / "autoscalers") as own:
            pair = Pair(own)
            with watching(own, "autoscalers", "--interval=5m"):
                pair.make()
                pair.run()
                check_snapshot(own)
                reasons = {x["type"]: x["reason"] for x in own.get("wo", OURS)["status"]["conditions"]}
            assert reasons["ScalingActive"] == "ValidMetricFound", reasons
            ours, theirs = (d.counts for d in pair.both)
            assert [n for _, n in ours] == [n for _, n in theirs] == SEQUENCE, (ours, theirs)
            assert all(abs(a - b) <= APART for (a, _), (b, _) in zip(ours, theirs)), (ours, theirs)
