# SPDX-License-Identifier: Apache-2.0
"""The real kube-scheduler: a control plane without a node, and what it says of a pod."""

import base64
import json
import pathlib
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "cluster"), str(HERE.parent / "integration")]

from api import Api, Refused  # noqa: E402
from cluster import Cluster, build_programs  # noqa: E402

GATES = "--feature-gates=TaintTolerationComparisonOperators=true"
# What would change objects of the test: Node conditions, NoExecute taints, claims of pods that are
# gone, and the status of PodDisruptionBudgets, which the test writes.
SILENT = ["node-lifecycle-controller", "taint-eviction-controller", "resourceclaim-controller",
          "disruption-controller", "pod-garbage-collector-controller",
          "garbage-collector-controller"]
NAMESPACES = {"red": {"team": "red", "floor": "1"}, "blue": {"team": "blue"}, "plain": {}}
PRIORITIES = {"p500": 500, "p1000": 1000, "p2000": 2000}
ANSWER_SECONDS = 2

LISTS = {
    "Node": "/api/v1/nodes", "PersistentVolume": "/api/v1/persistentvolumes",
    "Namespace": "/api/v1/namespaces",
    "StorageClass": "/apis/storage.k8s.io/v1/storageclasses",
    "CSINode": "/apis/storage.k8s.io/v1/csinodes",
    "PriorityClass": "/apis/scheduling.k8s.io/v1/priorityclasses",
    "RuntimeClass": "/apis/node.k8s.io/v1/runtimeclasses",
}
NAMESPACED = {
    "Pod": "/api/v1/namespaces/{}/pods",
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "ResourceClaim": "/apis/resource.k8s.io/v1/namespaces/{}/resourceclaims",
    "PodDisruptionBudget": "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
}


class FastCluster(Cluster):
    """With Gt and Lt in tolerations, and without limits on requests."""

    def start(self, name, argv=None):
        more = {
            "kube-apiserver": [GATES, "--max-requests-inflight=0",
                               "--max-mutating-requests-inflight=0",
                               "--enable-priority-and-fairness=false"],
            "kube-scheduler": [GATES, "--kube-api-qps=5000", "--kube-api-burst=5000"],
            "kube-controller-manager": ["--controllers=*," + ",".join(f"-{c}" for c in SILENT)],
        }
        super().start(name, argv and [*argv, *more.get(name, [])])


def path_of(o):
    meta = o["metadata"]
    lists = LISTS.get(o["kind"]) or NAMESPACED[o["kind"]].format(meta.get("namespace"))
    return lists


class Server:
    def __init__(self, folder):
        self.cluster = FastCluster(folder)
        self.pods, self.changed = {}, threading.Condition()

    def up(self):
        self.cluster.up(build_programs())
        config = json.loads(self.cluster.kubeconfig.read_text())
        cluster = config["clusters"][0]["cluster"]
        ca = pathlib.Path(cluster.pop("certificate-authority")).read_bytes()
        cluster["certificate-authority-data"] = base64.b64encode(ca).decode()
        self.api = Api(config)
        self._prepare()
        threading.Thread(target=self._follow_pods, daemon=True).start()

    def _prepare(self):
        for name, labels in NAMESPACES.items():
            self.create({"apiVersion": "v1", "kind": "Namespace",
                         "metadata": {"name": name, "labels": labels}})
        for name, value in PRIORITIES.items():
            self.create({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
                         "metadata": {"name": name}, "value": value,
                         "preemptionPolicy": "Never"})
        self.create({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
                     "metadata": {"name": "preempts"}, "value": 1000})
        self.create({"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "handler": "none",
                     "metadata": {"name": "heavy"},
                     "overhead": {"podFixed": {"cpu": "300m", "memory": "200Mi"}}})
        for mode in ("Immediate", "WaitForFirstConsumer"):
            self.create({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
                         "metadata": {"name": mode.lower()}, "volumeBindingMode": mode,
                         "provisioner": "kubernetes.io/no-provisioner"})
        for name in NAMESPACES:
            self._wait_for_account(name)

    def _wait_for_account(self, ns):
        while True:
            try:
                return self.api.call("GET", f"/api/v1/namespaces/{ns}/serviceaccounts/default")
            except Refused:
                time.sleep(0.1)

    # Objects.

    def create(self, o):
        return self.api.call("POST", path_of(o), o)

    def path(self, o):
        return f"{path_of(o)}/{o['metadata']['name']}"

    def get(self, o):
        return {"apiVersion": o["apiVersion"], "kind": o["kind"],
                **self.api.call("GET", self.path(o))}

    def change(self, o, change, subresource=""):
        """Returns the object as it is then."""
        return self.api.call("PATCH", self.path(o) + subresource, change,
                             "application/merge-patch+json")

    def delete(self, o, seconds=0):
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": seconds}
        try:
            self.api.call("DELETE", self.path(o), body if o["kind"] == "Pod" else None)
        except Refused as e:
            if '"code":404' not in str(e):
                raise

    def list(self, *kinds):
        found = []
        for kind in kinds:
            path = LISTS.get(kind) or NAMESPACED[kind].replace("/namespaces/{}", "")
            reply = self.api.call("GET", path)
            found += [{"apiVersion": reply["apiVersion"], "kind": kind, **o}
                      for o in reply["items"]]
        return found

    # kube-scheduler's answers.

    def _follow_pods(self):
        while True:
            try:
                for pod in self.api.follow("/api/v1/pods?watch=1"):
                    if pod.get("kind") != "Pod":
                        break
                    with self.changed:
                        self.pods[pod["metadata"]["uid"]] = pod
                        self.changed.notify_all()
            except (OSError, ValueError):
                time.sleep(0.2)

    def wait_for(self, uid, condition, seconds=ANSWER_SECONDS):
        """What condition() says of the pod when it says something; None after some seconds."""
        deadline = time.monotonic() + seconds
        with self.changed:
            while True:
                pod = self.pods.get(uid)
                answer = condition(pod) if pod else None
                if answer or not self.changed.wait(max(0, deadline - time.monotonic())):
                    return answer

    def ask(self, pod):
        """The node that kube-scheduler chooses for a new pod, or why there is none. Returns the
        pod as the server made it too."""
        made = self.create(pod)
        answer = self.wait_for(made["metadata"]["uid"], answer_of)
        return made, answer or (None, "held back before the queue")


def answer_of(pod):
    if pod["spec"].get("nodeName"):
        return pod["spec"]["nodeName"], ""
    for condition in pod["status"].get("conditions", []):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return None, f"{condition['reason']}: {condition.get('message', '')}"
    return None
