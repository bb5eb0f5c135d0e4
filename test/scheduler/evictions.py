# SPDX-License-Identifier: Apache-2.0
"""Pods under PodDisruptionBudgets: the Eviction API's answer to a dry run beside our plan's.

Each pod is asked for alone: it fills a node, and a more critical pod waits for that node.
"""

import copy
import json
import random

from ours import PERIOD, RUNTIME, request

NS, NODE = "red", "full"
PODS_PER_SCENE = 12
APPS = ["web", "db"]
ASSIGNED = {"mckube.io/rt-core": "0", "mckube.io/rt-period": str(PERIOD),
            "mckube.io/rt-runtime-low": str(RUNTIME), "mckube.io/rt-runtime-hi": str(RUNTIME),
            "mckube.io/criticality": "Low", "mckube.io/rt-source": "mckube",
            "mckube.io/rt-current": "low"}


class Evictions:
    def __init__(self, server, ours, tell):
        self.server, self.ours, self.tell = server, ours, tell
        self.n_pods = self.n_allowed = self.n_different = 0
        self.n_documented = {}

    # Objects.

    @staticmethod
    def _node():
        have = {"cpu": "4", "memory": "8Gi", "pods": "110"}
        return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE, "annotations": {
            "mckube.io/backend": "hcbs", "mckube.io/capacity-scope": "core",
            "mckube.io/rt-capacity": "950000", "mckube.io/rt-cores": "0-3"}},
            "status": {"capacity": have, "allocatable": have}}

    @staticmethod
    def _pod(name, cpu, **meta):
        return {"apiVersion": "v1", "kind": "Pod", "metadata": {
            "name": name, "namespace": NS, **meta}, "spec": {
            "automountServiceAccountToken": False, "containers": [
                {"name": "c", "image": "none", "resources": {"requests": {"cpu": cpu}}}]}}

    def _running(self, rng, name):
        pod = self._pod(name, "3", annotations=dict(ASSIGNED), labels={"app": rng.choice(APPS)},
                        uid=f"uid-{name}")
        pod["spec"]["nodeName"] = NODE
        if rng.random() < 0.4:
            pod["metadata"]["labels"]["tier"] = rng.choice(["front", "back"])
        status = {"phase": rng.choice(["Running"] * 8 + ["Pending", "Failed", "Unknown"])}
        ready = rng.choice(["True", "True", "False", "Unknown", None])
        if ready:
            status["conditions"] = [{"type": "Ready", "status": ready}]
        pod["status"] = status
        if rng.random() < 0.05:
            pod["metadata"]["finalizers"] = ["example.com/holds"]
        return pod

    @staticmethod
    def _budget(rng, name):
        spec = {rng.choice(["minAvailable", "maxUnavailable"]): rng.choice([0, 1, "50%"])}
        selector = rng.choice([
            {"matchLabels": {"app": rng.choice(APPS)}}, {"matchLabels": {"tier": "front"}},
            {"matchExpressions": [{"key": "tier", "operator": rng.choice(
                ["Exists", "DoesNotExist"])}]},
            {"matchExpressions": [{"key": "app", "operator": rng.choice(["In", "NotIn"]),
                                   "values": ["db"]}]}, {}, None])
        if selector is not None:
            spec["selector"] = selector
        policy = rng.choice([None, "IfHealthyBudget", "AlwaysAllow"])
        if policy:
            spec["unhealthyPodEvictionPolicy"] = policy
        return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "spec": spec,
                "metadata": {"name": name, "namespace": NS}}

    def _make_budget(self, rng, name):
        """Its status is about the first generation, and sometimes there is a second."""
        budget = self._budget(rng, name)
        self.server.create(budget)
        self.server.change(budget, {"status": {
            "observedGeneration": rng.choice([0, 1, 1, 1, 1]), "expectedPods": 3,
            "disruptionsAllowed": rng.choice([0, 0, 0, 1]),
            "currentHealthy": rng.randint(0, 2), "desiredHealthy": rng.randint(0, 2)}}, "/status")
        if rng.random() < 0.1:
            self.server.change(budget, {"spec": {"minAvailable": 2, "maxUnavailable": None}})

    def _make_pod(self, pod):
        self.server.create({**pod, "metadata": {k: v for k, v in pod["metadata"].items()
                                                if k != "uid"}})
        self.server.change(pod, {"status": pod["status"]}, "/status")
        if "finalizers" in pod["metadata"]:
            self.server.delete(pod)

    # Answers.

    def _api_allows(self, pod):
        meta = {k: pod["metadata"][k] for k in ("name", "namespace")}
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": meta,
                "deleteOptions": {"dryRun": ["All"]}}
        status, _, reply = self.server.api.raw(
            "POST", self.server.path(pod) + "/eviction", json.dumps(body),
            {"Content-Type": "application/json"})
        return status < 300, f"{status}: {json.loads(reply).get('message', '')}"

    def _ours_evicts(self, pod, budgets):
        new = self._pod("new", "2", uid="uid-new")
        new["spec"]["schedulerName"] = "mckube"
        new["status"] = {"phase": "Pending"}
        objects = [self._node(), pod, request(pod, "Low"), new, request(new, "High"), *budgets]
        actions = self.ours.plan(objects)["actions"]
        return any(a["kind"] == "Evict" and a["pod"]["name"] == pod["metadata"]["name"]
                   for a in actions), objects

    def _compare(self, scene, pod, budgets):
        self.n_pods += 1
        is_allowed, why = self._api_allows(pod)
        is_evicted, objects = self._ours_evicts(copy.deepcopy(pod), budgets)
        self.n_allowed += is_allowed
        if is_allowed == is_evicted:
            return
        name = None
        if is_allowed and "deletionTimestamp" in pod["metadata"]:
            name = "terminating pod"
        elif is_allowed and pod["status"]["phase"] in ("Succeeded", "Failed"):
            name = "ended pod"
        if name:
            self.n_documented[name] = self.n_documented.get(name, 0) + 1
            return
        self.n_different += 1
        self.tell(f"evictions {scene}, pod {pod['metadata']['name']}\n  Eviction API: {why}\n"
                  f"  ours: {'evicted' if is_evicted else 'not evicted'}", objects)

    def scene(self, seed, n_pods):
        rng, s = random.Random(f"evictions {seed}"), self.server
        for i in range(rng.randint(1, 4)):
            self._make_budget(rng, f"budget-{i}")
        for i in range(n_pods):
            self._make_pod(self._running(rng, f"low-{i}"))
        budgets = s.list("PodDisruptionBudget")
        try:
            for pod in s.list("Pod"):
                self._compare(seed, pod, budgets)
        finally:
            for o in [*s.list("Pod"), *budgets]:
                if o["metadata"].get("finalizers"):
                    s.change(o, {"metadata": {"finalizers": None}})
                s.delete(o)

    def run(self, seed, n_pods):
        while n_pods > 0:
            self.scene(seed, min(n_pods, PODS_PER_SCENE))
            n_pods -= PODS_PER_SCENE
            seed += 1
