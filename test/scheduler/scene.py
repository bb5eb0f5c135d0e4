# SPDX-License-Identifier: Apache-2.0
"""Random nodes, running pods and volumes, and random pods to be placed among them."""

import random

import storage
from server import NAMESPACES, PRIORITIES

ZONE, REGION = "topology.kubernetes.io/zone", "topology.kubernetes.io/region"
BETA_ZONE = "failure-domain.beta.kubernetes.io/zone"
HOSTNAME = "kubernetes.io/hostname"
CORDON = "node.kubernetes.io/unschedulable"
GPU = "example.com/gpu"
APPS = ["web", "db", "log"]


class Scene:
    """`steps` are what is to be done with the server to make it: objects, and changes of them."""

    def __init__(self, seed):
        self.rng, self.seed = random.Random(seed), seed
        self.n = 0
        self.nodes = [self.node(i) for i in range(self.rng.choice([1, 1, 2, 2, 3, 4]))]
        self.storage = storage.Storage(self)
        self.running = [self.running_pod() for _ in range(self.rng.randint(0, 9))]

    def chance(self, p):
        return self.rng.random() < p

    def pick(self, *values):
        return self.rng.choice(values)

    def name(self, prefix):
        self.n += 1
        return f"{prefix}-{self.seed}-{self.n}"

    # Nodes.

    def taint(self):
        key = self.pick("gpu", "sla", "tier")
        value = self.pick("", "a", "b") if key == "gpu" else self.pick("10", "20", "007", "x")
        return {"key": key, "value": value,
                "effect": self.pick("NoSchedule", "NoSchedule", "NoExecute", "PreferNoSchedule")}

    def node_labels(self, name):
        labels = {HOSTNAME: name}
        if self.chance(0.7):
            labels[ZONE] = self.pick("z1", "z2")
        if self.chance(0.2):
            labels[REGION] = "r1"
        if self.chance(0.15):
            labels[BETA_ZONE] = labels.get(ZONE, "z1")
        if self.chance(0.6):
            labels["disk"] = self.pick("ssd", "hdd")
        if self.chance(0.5):
            labels["rack"] = self.pick("1", "5", "10", "x")
        return labels

    def node(self, i):
        name = f"node-{self.seed}-{i}"
        have = {"cpu": self.pick("3", "4", "8"), "memory": self.pick("6Gi", "16Gi"),
                "ephemeral-storage": "4Gi", "pods": self.pick("4", "8", "110", "110")}
        if self.chance(0.4):
            have[GPU] = self.pick("1", "4")
        if self.chance(0.1):
            have["hugepages-2Mi"] = "64Mi"
        spec = {}
        if self.chance(0.25):
            taints = [self.taint() for _ in range(self.pick(1, 1, 2))]
            spec["taints"] = list({(t["key"], t["effect"]): t for t in taints}.values())
        if self.chance(0.07):
            spec["unschedulable"] = True
        features = ["RestartAllContainersOnContainerExits"] if self.chance(0.5) else []
        return {"apiVersion": "v1", "kind": "Node", "spec": spec,
                "metadata": {"name": name, "labels": self.node_labels(name), "annotations": {
                    "mckube.io/backend": "hcbs", "mckube.io/capacity-scope": "core",
                    "mckube.io/rt-capacity": "950000", "mckube.io/rt-cores": "0-7"}},
                "status": {"capacity": have, "allocatable": have, "declaredFeatures": features,
                           "conditions": [{"type": "Ready", "status": "True"}]}}

    # What any pod may have.

    def amounts(self):
        return {k: v for k, v in {
            "cpu": self.pick("50m", "100m", "250m", "700m", "1500m"),
            "memory": self.pick("64Mi", "128Mi", "512Mi", "2Gi"),
            "ephemeral-storage": self.pick("500Mi", "2Gi"),
        }.items() if self.chance(0.1 if k == "ephemeral-storage" else 0.7)}

    def container(self, name):
        requests = self.amounts()
        resources = {"requests": requests}
        if self.chance(0.08):
            resources = {"limits": requests}
        if self.chance(0.1):
            resources.setdefault("limits", {})[GPU] = self.pick("1", "2")
        return {"name": name, "image": "none", "resources": resources}

    def ports(self):
        port = {"containerPort": self.pick(80, 81), "protocol": self.pick("TCP", "TCP", "UDP")}
        if self.chance(0.9):
            port["hostPort"] = port["containerPort"]
        if self.chance(0.3):
            port["hostIP"] = self.pick("127.0.0.1", "10.0.0.1", "0.0.0.0")
        return [port]

    def containers(self, spec):
        spec["containers"] = [self.container(f"c{i}") for i in range(self.pick(1, 1, 2))]
        if self.chance(0.15):
            spec["containers"][0]["ports"] = self.ports()
            if self.chance(0.2):
                spec["hostNetwork"] = True
                for p in spec["containers"][0]["ports"]:
                    p["hostPort"] = p["containerPort"]
        if self.chance(0.15):
            spec["initContainers"] = [self.container(f"i{i}") for i in range(self.pick(1, 2, 3))]
            for c in spec["initContainers"]:
                if self.chance(0.4):
                    c["restartPolicy"] = "Always"
        if self.chance(0.06):
            names = [c["resources"].get("requests", c["resources"].get("limits"))
                     for c in spec["containers"] + spec.get("initContainers", [])]
            if all(set(n) <= {"cpu", "memory"} and "limits" not in c["resources"]
                   for n, c in zip(names, spec["containers"] + spec.get("initContainers", []))):
                spec["resources"] = {"requests": {"cpu": "7", "memory": "2Gi"} if self.chance(0.3)
                                     else {"cpu": "4", "memory": "4Gi"}}
        if self.chance(0.1):
            spec["runtimeClassName"] = "heavy"

    def selector(self):
        if self.chance(0.1):
            return {}
        if self.chance(0.4):
            return {"matchExpressions": [{
                "key": "app", "operator": self.pick("In", "NotIn"),
                "values": self.rng.sample(APPS, self.pick(1, 2))}]}
        return {"matchLabels": {"app": self.pick(*APPS)}}

    def term(self):
        term = {"labelSelector": self.selector(), "topologyKey": self.pick(HOSTNAME, ZONE)}
        if self.chance(0.2):
            term["namespaces"] = self.rng.sample(list(NAMESPACES), self.pick(1, 2))
        if self.chance(0.2):
            term["namespaceSelector"] = self.pick(
                {}, {"matchLabels": {"team": "red"}},
                {"matchExpressions": [{"key": "team", "operator": "Exists"}]})
        if self.chance(0.15):
            term[self.pick("matchLabelKeys", "mismatchLabelKeys")] = ["version"]
        return term

    def pod_affinity(self, p):
        required, found = "requiredDuringSchedulingIgnoredDuringExecution", {}
        for kind in ("podAffinity", "podAntiAffinity"):
            if self.chance(p):
                found[kind] = {required: [self.term() for _ in range(self.pick(1, 1, 2))]}
        return found

    def labels(self):
        labels = {"app": self.pick(*APPS)}
        if self.chance(0.5):
            labels["version"] = self.pick("1", "2")
        return labels

    def pod(self, prefix):
        spec = {"terminationGracePeriodSeconds": 0, "automountServiceAccountToken": False}
        self.containers(spec)
        return {"apiVersion": "v1", "kind": "Pod", "spec": spec,
                "metadata": {"name": self.name(prefix), "labels": self.labels(),
                             "namespace": self.pick("red", "red", "blue", "plain")}}

    # Pods that run.

    def running_pod(self):
        pod = self.pod("old")
        spec = pod["spec"]
        spec["nodeName"] = self.pick(*self.nodes)["metadata"]["name"]
        for c in spec["containers"]:
            c["resources"] = {"requests": {"cpu": self.pick("10m", "100m", "500m"),
                                           "memory": self.pick("10Mi", "500Mi")}}
        spec.pop("resources", None)
        affinity = self.pod_affinity(0.03)
        if affinity:
            spec["affinity"] = affinity
        self.storage.give_running(pod)
        if self.chance(0.15):
            pod["metadata"]["finalizers"] = ["example.com/holds"]
        pod["status"] = {"phase": self.pick("Running", "Running", "Running", "Pending")}
        if self.chance(0.2):
            self.resize(pod)
        return pod

    def resize(self, pod):
        """As if it were being resized: what is allocated or actual differs from the spec."""
        status = pod["status"]
        status["containerStatuses"] = []
        for c in pod["spec"]["containers"]:
            told = {"name": c["name"], "image": "none", "imageID": "", "ready": True,
                    "restartCount": 0}
            if self.chance(0.8):
                told["resources"] = {"requests": {"cpu": self.pick("50m", "900m"),
                                                  "memory": self.pick("50Mi", "1Gi")}}
                if self.chance(0.8):
                    told["allocatedResources"] = {"cpu": self.pick("50m", "1"), "memory": "50Mi"}
            status["containerStatuses"].append(told)
        if self.chance(0.5):
            status["conditions"] = [{"type": "PodResizePending", "status": "True",
                                     "reason": self.pick("Infeasible", "Deferred")}]

    # Pods that wait.

    def toleration(self):
        key = self.pick("gpu", "sla", "tier", CORDON, None)
        if key is None:
            return {"operator": "Exists"}
        t = {"key": key, "operator": self.pick("Exists", "Equal", "Gt", "Lt")}
        if t["operator"] == "Equal":
            t["value"] = self.pick("", "a", "b", "10", "20")
        if t["operator"] in ("Gt", "Lt"):
            t["value"] = self.pick("5", "10", "15", "20", "-3")
        if self.chance(0.5):
            t["effect"] = self.pick("NoSchedule", "NoSchedule", "NoExecute")
        return t

    def node_requirement(self):
        key = self.pick("disk", "rack", ZONE, "rack")
        operator = self.pick("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")
        r = {"key": key, "operator": operator}
        if operator in ("In", "NotIn"):
            r["values"] = self.rng.sample(["ssd", "z1", "1", "5"], 2)
        if operator in ("Gt", "Lt"):
            r["values"] = [self.pick("2", "5", "7")]
        return r

    def node_term(self):
        term = {}
        if self.chance(0.8):
            term["matchExpressions"] = [self.node_requirement()]
        if self.chance(0.2):
            term["matchFields"] = [{"key": "metadata.name", "operator": self.pick("In", "NotIn"),
                                    "values": [self.pick(*self.nodes)["metadata"]["name"]]}]
        return term

    def spread(self):
        s = {"maxSkew": self.pick(1, 1, 2), "topologyKey": self.pick(HOSTNAME, ZONE),
             "whenUnsatisfiable": self.pick("DoNotSchedule", "DoNotSchedule", "ScheduleAnyway"),
             "labelSelector": self.selector()}
        if self.chance(0.2) and s["whenUnsatisfiable"] == "DoNotSchedule":
            s["minDomains"] = self.pick(1, 2, 3)
        for key in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            if self.chance(0.3):
                s[key] = self.pick("Honor", "Ignore")
        if self.chance(0.2):
            s["matchLabelKeys"] = ["version"]
        return s

    def restarts_all(self, spec):
        c = spec["containers"][0]
        c["restartPolicy"] = "Never"
        c["restartPolicyRules"] = [{"action": "RestartAllContainers", "exitCodes": {
            "operator": "In", "values": [7]}}]

    def waiting_pod(self):
        """The pod, and the objects that it needs for itself alone."""
        pod = self.pod("new")
        spec = pod["spec"]
        affinity = self.pod_affinity(0.1)
        if self.chance(0.15):
            affinity["nodeAffinity"] = {"requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [self.node_term() for _ in range(self.pick(1, 2))]}}
        if affinity:
            spec["affinity"] = affinity
        if self.chance(0.08):
            spec["nodeSelector"] = {"disk": self.pick("ssd", "hdd")}
        if self.chance(0.35):
            spec["tolerations"] = [self.toleration() for _ in range(self.pick(1, 2))]
        if self.chance(0.2):
            spreads = [self.spread() for _ in range(self.pick(1, 1, 2))]
            spec["topologySpreadConstraints"] = list(
                {(s["topologyKey"], s["whenUnsatisfiable"]): s for s in spreads}.values())
        if self.chance(0.06):
            self.restarts_all(spec)
        if self.chance(0.3):
            spec["priorityClassName"] = self.pick(*PRIORITIES)
        if self.chance(0.02):
            spec["schedulingGates"] = [{"name": "example.com/waits"}]
        return pod, self.storage.give_waiting(pod)
