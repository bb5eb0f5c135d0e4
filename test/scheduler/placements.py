# SPDX-License-Identifier: Apache-2.0
"""Pods that wait, one after the other: kube-scheduler's answer beside our plan's."""

import time

import documented
from scene import Scene
from server import Refused

KINDS = ["Node", "Pod", "PersistentVolume", "PersistentVolumeClaim", "StorageClass", "CSINode",
         "PriorityClass", "Namespace", "ResourceClaim"]
PODS_PER_SCENE = 12
GROUPS = 0.5	# of the scenes end with one
STAYS = 0.35	# of the pods that were placed: the next ones meet them


class Placements:
    def __init__(self, server, ours, tell, says_all=False):
        self.server, self.ours, self.tell, self.says_all = server, ours, tell, says_all
        self.n_pods = self.n_placed = self.n_different = self.n_in_groups = 0
        self.n_documented = {}

    # Scenes.

    def _make(self, o):
        """Creates an object with its status, and what the API server would otherwise add."""
        o = dict(o)
        status, kind = o.pop("status", None), o["kind"]
        if kind == "Node":
            self.server.create({**o, "status": status})
            self.server.change(o, {"spec": {"taints": o["spec"].get("taints")}})
            return
        self.server.create(o)
        if status:
            self.server.change(o, {"status": status}, "/status")

    def _make_all(self, scene):
        s = self.server
        for o in [*scene.nodes, *scene.storage.csi_nodes, *scene.storage.volumes,
                  *scene.storage.claims]:
            self._make(o)
        for pod in scene.running:
            self._make(pod)
            if "example.com/holds" in pod["metadata"].get("finalizers", []):
                s.delete(pod)
        self._wait_for_claims()
        if scene.chance(0.15):
            self._nominate(scene)

    def _wait_for_claims(self):
        """Until the volume controller has said of each what it is."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            waiting = [c for c in self.server.list("PersistentVolumeClaim")
                       if c["spec"].get("volumeName") and
                       c["status"].get("phase") not in ("Bound", "Lost")]
            if not waiting:
                return
            time.sleep(0.05)

    def _nominate(self, scene):
        """A pod for which kube-scheduler evicts others, which do not go yet."""
        node = scene.nodes[0]["metadata"]["name"]
        free = {"apiVersion": "v1", "kind": "Pod", "spec": {
            "nodeName": node, "terminationGracePeriodSeconds": 3600,
            "automountServiceAccountToken": False, "containers": [
                {"name": "c", "image": "none", "resources": {"requests": {"cpu": "600m"}}}]},
            "metadata": {"namespace": "plain", "name": scene.name("victim"),
                         "finalizers": ["example.com/holds"]}, "status": {"phase": "Running"}}
        self._make(free)
        wants = {"apiVersion": "v1", "kind": "Pod", "spec": {
            "priorityClassName": "preempts", "automountServiceAccountToken": False,
            "nodeSelector": {"kubernetes.io/hostname": node},
            "tolerations": [{"operator": "Exists"}], "containers": [
                {"name": "c", "image": "none", "resources": {
                    "requests": {"cpu": scene.nodes[0]["status"]["allocatable"]["cpu"]}}}]},
            "metadata": {"namespace": "plain", "name": scene.name("nominated"),
                         "labels": scene.labels()}}
        made = self.server.create(wants)
        self.server.wait_for(made["metadata"]["uid"],
                             lambda p: p["status"].get("nominatedNodeName"), 1)
        time.sleep(0.1)

    def _clear(self):
        s = self.server
        for kind in ("Pod", "ResourceClaim", "PersistentVolumeClaim", "PersistentVolume",
                     "CSINode", "Node"):
            for o in s.list(kind):
                if o["metadata"].get("finalizers"):
                    s.change(o, {"metadata": {"finalizers": None}})
                s.delete(o)

    # Pods.

    def _make_for(self, objects):
        for o in objects:
            leaves = "example.com/holds" in o["metadata"].get("finalizers", [])
            self._make(o)
            if o["kind"] == "PersistentVolumeClaim" and o["spec"].get("volumeName"):
                self._wait_for_claims()
            if leaves:
                self.server.delete(o)

    def _drop(self, objects):
        for o in reversed(objects):
            if o["kind"] in ("PersistentVolumeClaim", "PersistentVolume"):
                self.server.change(o, {"metadata": {"finalizers": None}})
            self.server.delete(o)

    def _compare(self, pod, objects):
        """kube-scheduler's answer, ours, and what differs; the pod is left with the server."""
        made, (node, why) = self.server.ask(pod)
        our_node, our_why = self.ours.place(made, objects)
        difference = None
        if (node is None) != (our_node is None):
            difference = f"kube-scheduler: {node or why}\n  ours: {our_node or our_why}"
        elif node and node != our_node and not self.ours.takes(made, node, objects):
            difference = f"kube-scheduler: {node}\n  ours: {our_node}, and not that one"
        return made, node, why, our_why, difference

    def _try(self, scene, pod, objects):
        """Once more where there is a difference: kube-scheduler may not have seen it all yet."""
        for pause in (0.3, 1, None):
            made, node, why, our_why, difference = self._compare(pod, objects)
            if not difference or pause is None:
                break
            self.server.delete(pod)
            time.sleep(pause)
        if self.says_all:
            print(f"{pod['metadata']['name']}: {node} {why}; ours: {our_why}")
        self.n_pods += 1
        self.n_placed += node is not None
        name = difference and documented.why(made, objects, node, our_why)
        if name:
            self.n_documented[name] = self.n_documented.get(name, 0) + 1
        elif difference:
            self.n_different += 1
            self.tell(f"scene {scene.seed}, pod {pod['metadata']['name']}\n  {difference}",
                      [*objects, made])
        return node

    # Groups: one plan for several pods, each of which kube-scheduler is to find possible in turn.

    def _only(self, scene, node):
        """Cordons all other nodes, which changes nothing for another filter."""
        for n in scene.nodes:
            is_closed = n["metadata"]["name"] != node or n["spec"].get("unschedulable", False)
            self.server.change(n, {"spec": {"unschedulable": is_closed}})

    def _agrees(self, scene, pod, node):
        """None: kube-scheduler found another node, so that there is no answer."""
        for pause in (0.1, 0.5, 1.5, None):
            self._only(scene, node)
            time.sleep(0.02)
            made, (chosen, why) = self.server.ask(pod)
            if chosen == node or pause is None:
                return (chosen == node or (None if chosen else False)), why, made
            self.server.delete(pod)
            time.sleep(pause)

    def _group(self, scene):
        objects, drafts = self.server.list(*KINDS), []
        while len(drafts) < 3:
            pod, needs = scene.waiting_pod()
            if not needs and "resources" not in pod["spec"]:
                drafts.append({**pod, "spec": {**pod["spec"], "schedulerName": "none"}})
        pods = [self.server.create(p) for p in drafts]
        for pod, node in self.ours.place_group(pods, objects):
            draft = next(d for d in drafts if d["metadata"]["name"] == pod["metadata"]["name"])
            self.server.delete(draft)
            again = {**draft, "spec": {k: v for k, v in draft["spec"].items()
                                       if k != "schedulerName"}}
            agrees, why, made = self._agrees(scene, again, node)
            if agrees is None:
                return
            self.n_in_groups += 1
            if not agrees:
                self.n_different += 1
                self.tell(f"scene {scene.seed}, group, pod {pod['metadata']['name']}\n"
                          f"  kube-scheduler: {why}\n  ours: {node}",
                          [*self.server.list(*KINDS), *pods])
                return

    def scene(self, seed, n_pods):
        scene = Scene(seed)
        try:
            self._make_all(scene)
            objects = self.server.list(*KINDS)
            for _ in range(n_pods):
                pod, needs = scene.waiting_pod()
                self._make_for(needs)
                seen = objects + self.server.list("PersistentVolume", "PersistentVolumeClaim",
                                                "ResourceClaim") if needs else objects
                try:
                    node = self._try(scene, pod, seen)
                except Refused as e:  # the containers ask for more than the pod
                    if '"code":422' not in str(e):
                        raise
                    self._drop(needs)
                    continue
                if node and not needs and scene.chance(STAYS):
                    objects = self.server.list(*KINDS)
                    continue
                self.server.delete(pod)
                self._drop(needs)
            if scene.chance(GROUPS):
                self._group(scene)
        finally:
            self._clear()

    def run(self, seed, n_pods):
        while n_pods > 0:
            self.scene(seed, min(n_pods, PODS_PER_SCENE))
            n_pods -= PODS_PER_SCENE
            seed += 1
