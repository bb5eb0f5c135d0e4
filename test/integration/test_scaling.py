# SPDX-License-Identifier: Apache-2.0
"""Deployments of WorkloadOptimizers on a real API server get the replicas that their pods' use asks for."""

import json
import time

from proxy import Proxy
from test_economy import optimizer, policy, priced
from test_watch import watching

# metrics.k8s.io without a metrics-server: objects of a definition, which are listed in the same way.
METRICS = {
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
    "metadata": {"name": "pods.metrics.k8s.io",
                 "annotations": {"api-approved.kubernetes.io": "unapproved, of a test"}},
    "spec": {"group": "metrics.k8s.io", "scope": "Namespaced",
             "names": {"kind": "PodMetrics", "plural": "pods"},
             "versions": [{"name": "v1beta1", "served": True, "storage": True, "schema": {
                 "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}]}}
LIST = "/apis/metrics.k8s.io/v1beta1/namespaces/{}/pods"


def now(before=0):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - before))


class Metrics:
    def __init__(self, c):
        self.c = c

    def __enter__(self):
        self.c.kubectl("create", "-f", "-", stdin=json.dumps(METRICS))
        self.c.wait(lambda: self.c.kubectl("get", "--raw", LIST.format(self.c.ns),
                                           check=False).code == 0)
        return self

    def __exit__(self, *_):
        self.c.kubectl("delete", "crd", "pods.metrics.k8s.io")

    def put(self, memory):
        """Each pod of the namespace uses so much, and is running."""
        for pod in self.c.get("pods"):
            name = pod["metadata"]["name"]
            if pod["status"]["phase"] != "Running":
                self.c.set_running(name)
            self.c.kubectl("apply", "-n", self.c.ns, "-f", "-", stdin=json.dumps({
                "apiVersion": "metrics.k8s.io/v1beta1", "kind": "PodMetrics", "metadata": {"name": name},
                "timestamp": now(), "window": "15s",
                "containers": [{"name": "c", "usage": {"cpu": "1m", "memory": memory}}]}))


def deployment(name, n, node):
    labels = {"app": name, "workload-optimizer": name}
    container = {"name": "c", "image": "none", "resources": {"requests": {"memory": "100Mi"}}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": {
        "replicas": n, "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": labels}, "spec": {
            "nodeName": node, "containers": [container], "terminationGracePeriodSeconds": 0}}}}


def scales(plan):
    return [(a["object"]["name"], a["from"]["replicas"], a["to"]["replicas"], a["reason"])
            for a in plan["spec"]["actions"] if a["kind"] == "Scale"]


def plan_of(c, *args):
    return json.loads(c.mckube("plan", "-o", "json", *args).out)


def condition(c, name, kind):
    return {x["type"]: x["reason"] for x in c.get("wo", name)["status"]["conditions"]}.get(kind)


def start(c):
    priced(c, a="0.40")
    c.create(optimizer("web", autoScaling={"minReplicas": 1, "maxReplicas": 6, "metrics": [
        {"type": "memory", "threshold": 50}]}), deployment("web", 2, "a"))
    c.wait(lambda: len(c.get("pods")) == 2)


def replicas(c):
    return c.get("deployment", "web")["spec"]["replicas"]


def end(c):
    c.kubectl("delete", "deployment", "web", "-n", c.ns)


def test_deployments_get_the_replicas_that_use_asks_for(c):
    """Up at once; a HorizontalPodAutoscaler on the same target is left alone; down after what was wanted
    meanwhile is too old to count. A snapshot has what was measured, so its plan is the same."""
    start(c)
    with Metrics(c) as metrics:
        metrics.put("90Mi")
        path = c.folder / f"{c.ns}-snapshot.json"
        c.mckube("snapshot", "--out", path)
        wanted = [("web", 2, 4, "Demand")]
        assert scales(plan_of(c)) == scales(plan_of(c, "--snapshot", path)) == wanted
        assert plan_of(c, "--snapshot", path) == plan_of(c, "--snapshot", path)
        c.mckube("apply")
        assert replicas(c) == 4 and condition(c, "web", "ScalingActive") == "ValidMetricFound"
        c.wait(lambda: len(c.get("pods")) == 4)
        c.wait(lambda: any(e["reason"] == "ScaledByOptimizer" for e in c.get("events.events.k8s.io")))

        c.create({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
                  "metadata": {"name": "web"}, "spec": {"maxReplicas": 9, "scaleTargetRef": {
                      "apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}})
        metrics.put("10Mi")
        c.mckube("apply")
        assert replicas(c) == 4 and condition(c, "web", "ScalingActive") == "ConflictingAutoscaler"
        c.kubectl("delete", "hpa", "web", "-n", c.ns)

        metrics.put("10Mi")
        c.mckube("apply")
        history = c.get("wo", "web")["status"]["history"]
        assert replicas(c) == 4 and [h.split(":")[1] for h in history] == ["4", "1"], history
        old = f"{int(time.time()) - 250}:1"
        c.kubectl("patch", "wo", "web", "-n", c.ns, "--subresource=status", "--type=merge", "-p",
                  json.dumps({"status": {"history": [old]}}))
        metrics.put("10Mi")
        c.mckube("apply")
        assert replicas(c) == 1
        end(c)


def rate(c):
    """Micro-dollars per hour, as the status accounts for them."""
    return c.get("wo", "web").get("status", {}).get("budget", {}).get("rateMicroUSD")


def test_costs_are_of_what_pods_use_where_that_is_configured(c):
    """No workload scales, so use is read for that alone: by apply and by watch."""
    priced(c, a="0.40")
    c.create(optimizer("web"), deployment("web", 2, "a"))
    c.wait(lambda: len(c.get("pods")) == 2)
    config = c.folder / f"{c.ns}-usage.json"
    config.write_text(json.dumps({"apiVersion": "mckube.io/v1alpha1", "kind": "Configuration",
                                  "optimise": {"costBasis": "usage"}, "metrics": {"intervalSeconds": 1}}))
    with Metrics(c) as metrics:
        metrics.put("400Mi")
        c.mckube("apply")
        by_requests = rate(c)
        c.mckube("apply", f"--config={config}")
        assert 4 * by_requests - 2 <= rate(c) < 4.2 * by_requests, (by_requests, rate(c))
        with watching(c, "usage", f"--config={config}"):
            metrics.put("800Mi")
            c.wait(lambda: 8 * by_requests - 2 <= rate(c) < 8.2 * by_requests)
        end(c)


def test_an_alert_ends_replicas_only_where_that_is_allowed(c):
    priced(c, a="0.40")
    c.create(optimizer("web"), deployment("web", 2, "a"), policy(
        "CostPolicy", "cap", budgetLimit=100, alertThresholds=[
            {"type": "budget_usage", "value": 80, "action": "terminate"}]))
    c.kubectl("patch", "costpolicy", "cap", "-n", c.ns, "--subresource=status", "--type=merge", "-p",
              json.dumps({"status": {"budget": {"spent": 90, "rateMicroUSD": 0, "accountedAt": now()}}}))
    c.wait(lambda: len(c.get("pods")) == 2)
    done = c.mckube("apply")
    assert "TerminateNotAllowed" in c.mckube("plan").out, done
    assert replicas(c) == 2 and c.get("wo", "web")["status"]["phase"] == "Suspended"
    allowed = c.folder / f"{c.ns}-allowed.yaml"
    allowed.write_text("apiVersion: mckube.io/v1alpha1\nkind: Configuration\n"
                       "optimise: { allowTerminate: true }\n")
    c.mckube("apply", "--config", allowed)
    assert replicas(c) == 0
    status = c.get("wo", "web")["status"]
    assert (status["lastScaleFrom"], status["lastScaleTo"]) == (2, 0), status
    end(c)


def by_gitops(c, n):
    """Applies the Deployment as it stands in a repository."""
    c.kubectl("apply", "--server-side", "--field-manager=gitops", "--force-conflicts", "-n", c.ns, "-f", "-",
              stdin=json.dumps(deployment("web", n, "a")))


def test_replicas_that_are_set_back_each_time_are_left_alone(c):
    """The field manager that applies them is named before; after three times the number stays."""
    priced(c, a="0.40")
    by_gitops(c, 2)
    c.create(optimizer("web", autoScaling={"minReplicas": 3, "maxReplicas": 6}))
    for undone in range(2):
        plan = plan_of(c)
        warnings = {w["reason"]: w["message"] for w in plan["spec"]["warnings"]}
        assert "field manager gitops" in warnings["ReplicasApplied"], warnings
        assert scales(plan) == [("web", 2, 3, "Bounds")], undone
        c.mckube("apply")
        assert replicas(c) == 3 and "ReplicasApplied" not in c.mckube("plan").out
        assert c.get("wo", "web")["status"].get("scalesUndone", 0) == undone
        by_gitops(c, 2)
        c.kubectl("patch", "wo", "web", "-n", c.ns, "--subresource=status", "--type=merge", "-p",
                  json.dumps({"status": {"lastScaleTime": now(60)}}))
    c.kubectl("patch", "wo", "web", "-n", c.ns, "--subresource=status", "--type=merge", "-p",
              '{"status":{"scalesUndone":3}}')
    c.mckube("apply")
    assert replicas(c) == 2 and condition(c, "web", "ScalingActive") == "ConflictingManager"
    assert "ReplicasSetBack" in c.mckube("plan").out
    end(c)


SCALED_OBJECTS = {
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
    "metadata": {"name": "scaledobjects.keda.sh"},
    "spec": {"group": "keda.sh", "scope": "Namespaced", "names": {"kind": "ScaledObject", "plural": "scaledobjects"},
             "versions": [{"name": "v1alpha1", "served": True, "storage": True, "schema": {
                 "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}]}}


def test_what_a_paused_scaled_object_names_is_left_alone(c):
    priced(c, a="0.40")
    c.create(optimizer("web", autoScaling={"minReplicas": 3, "maxReplicas": 6}), deployment("web", 2, "a"))
    c.kubectl("create", "-f", "-", stdin=json.dumps(SCALED_OBJECTS))
    try:
        c.wait(lambda: c.kubectl("get", "scaledobjects", "-n", c.ns, check=False).code == 0)
        c.create({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject",
                  "metadata": {"name": "keda", "annotations": {"autoscaling.keda.sh/paused": "true"}},
                  "spec": {"scaleTargetRef": {"name": "web"}}})
        c.mckube("apply")
        assert replicas(c) == 2 and condition(c, "web", "ScalingActive") == "ConflictingAutoscaler"
    finally:
        c.kubectl("delete", "crd", "scaledobjects.keda.sh")
    c.wait(lambda: scales(plan_of(c)) == [("web", 2, 3, "Bounds")])
    end(c)


def test_a_pass_that_is_killed_scales_once(c):
    """Before the server sees a request of it, and after the server has done it."""
    start(c)
    proxy = Proxy(c.api, c.folder)
    with Metrics(c) as metrics:
        metrics.put("90Mi")
        try:
            for n in range(1, 5):
                proxy.run([c.program, "apply"], ("after", n))
                assert replicas(c) in (2, 4), n
                c.kubectl("delete", "lease", "mckube", "-n", "kube-system", check=False)
        finally:
            proxy.stop()
        c.mckube("apply")
        assert replicas(c) == 4
        end(c)


def game_kind(name, **subresources):
    """A kind of custom resources, with the subresource scale or without."""
    number = {"type": "object", "properties": {"replicas": {"type": "integer"}, "selector": {"type": "string"}}}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{name.lower()}s.example.com"},
            "spec": {"group": "example.com", "scope": "Namespaced",
                     "names": {"kind": name, "plural": f"{name.lower()}s"},
                     "versions": [{"name": "v1", "served": True, "storage": True,
                                   "subresources": {"status": {}, **subresources},
                                   "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                                       "spec": number, "status": number}}}}]}}


SCALE = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas",
         "labelSelectorPath": ".status.selector"}


class Games:
    """Custom resources, one kind of which can be scaled; their pods are made by hand."""

    def __init__(self, c):
        self.c = c

    def __enter__(self):
        for kind in (game_kind("Game", scale=SCALE), game_kind("Toy")):
            self.c.kubectl("create", "-f", "-", stdin=json.dumps(kind))
        self.c.wait(lambda: self.c.kubectl("get", "games,toys", "-n", self.c.ns, check=False).code == 0)
        self.c.create(*({"apiVersion": "example.com/v1", "kind": kind, "metadata": {"name": "chess"},
                         "spec": {"replicas": 2}} for kind in ("Game", "Toy")))
        self.set_status(replicas=2, selector="app in (chess)")
        for i in range(2):
            pod = deployment("chess", 1, "a")["spec"]["template"]
            self.c.create({"apiVersion": "v1", "kind": "Pod", **pod,
                           "metadata": {**pod["metadata"], "name": f"chess-{i}"}})
        return self

    def __exit__(self, *_):
        self.c.kubectl("delete", "crd", "games.example.com", "toys.example.com")

    def set_status(self, **status):
        self.c.kubectl("patch", "game", "chess", "-n", self.c.ns, "--subresource=status", "--type=merge", "-p",
                       json.dumps({"status": status}))

    def replicas(self):
        return self.c.get("game", "chess")["spec"]["replicas"]


def game_optimizer(kind, **scaling):
    return optimizer("chess", targetRef={"apiVersion": "example.com/v1", "kind": kind, "name": "chess"},
                     autoScaling=scaling or {"maxReplicas": 6, "metrics": [{"type": "memory", "threshold": 50}]})


def warnings_of(plan):
    return [(w["object"].split("/")[-1], w["reason"], w["message"]) for w in plan["spec"].get("warnings", [])
            if w["reason"] in ("FailedGetScale", "InvalidSelector")]


def test_custom_resources_are_scaled_by_their_subresource(c):
    """By the pods that it selects; not against a version that has changed, nor without the right to."""
    priced(c, a="0.40")
    with Games(c) as games, Metrics(c) as metrics:
        c.create(game_optimizer("Game"))
        metrics.put("90Mi")
        path, plan = c.folder / f"{c.ns}-games.json", c.folder / f"{c.ns}-plan.json"
        c.mckube("snapshot", "--out", path)
        wanted = [("chess", 2, 4, "Demand")]
        assert scales(plan_of(c)) == scales(plan_of(c, "--snapshot", path)) == wanted
        c.mckube("plan", "--out", plan)

        games.set_status(replicas=1)
        refused = c.mckube("apply", plan, check=False)
        assert refused.code == 1 and "Game" in refused.err and games.replicas() == 2, refused

        right = {"apiGroups": ["example.com"], "resources": ["games/scale"], "verbs": ["get", "patch"]}
        c.install()
        user = c.as_account("mckube-applier")
        denied = json.loads(c.mckube("plan", "-o", "json", env=user).out)
        assert not scales(denied) and warnings_of(denied) == [(
            "chess", "FailedGetScale",
            "spec.targetRef: example.com/v1 Game chess: its subresource scale may not be read; it is not scaled")]
        c.kubectl("patch", "clusterrole", "mckube-scale-targets", "--type=json", "-p",
                  json.dumps([{"op": "add", "path": "/rules/-", "value": right}]))
        c.wait(lambda: scales(json.loads(c.mckube("plan", "-o", "json", env=user).out)) == wanted)
        c.mckube("apply", env=user)
        assert games.replicas() == 4 and condition(c, "chess", "ScalingActive") == "ValidMetricFound"
        target = c.get("wo", "chess")["status"]["targetRef"]
        assert (target["kind"], target["name"]) == ("Game", "chess"), target


def test_targets_without_a_scale_are_told_of(c):
    priced(c, a="0.40")
    with Games(c):
        for ref, why in (({"kind": "Toy"}, "the kind has no subresource scale"),
                         ({"kind": "Puzzle"}, "the server does not know the kind"),
                         ({"kind": "Game", "name": "go"}, "not found"),
                         ({"kind": "Node", "apiVersion": "v1", "name": "a"}, "the kind is not namespaced")):
            named = {"apiVersion": "example.com/v1", "name": "chess", **ref}
            c.create(optimizer("chess", targetRef=named, autoScaling={"minReplicas": 3}))
            text = f"spec.targetRef: {named['apiVersion']} {named['kind']} {named['name']}: {why}; it is not scaled"
            assert warnings_of(plan_of(c)) == [("chess", "FailedGetScale", text)]
            c.mckube("apply")
            assert condition(c, "chess", "ScalingActive") == "FailedGetScale"
            c.kubectl("delete", "wo", "chess", "-n", c.ns)


def test_watch_scales_custom_resources_once_for_each_change(c):
    priced(c, a="0.40")
    with Games(c) as games:
        c.create(game_optimizer("Game", minReplicas=3))
        watch = c.start_mckube("watch", "--metrics-bind-address=0", "--interval=1s")
        try:
            c.wait(lambda: games.replicas() == 3)
            c.kubectl("patch", "wo", "chess", "-n", c.ns, "--type=merge", "-p",
                      json.dumps({"spec": {"autoScaling": {"minReplicas": 5}}}))
            c.wait(lambda: games.replicas() == 5)
            c.stays(lambda: games.replicas() == 5, 3)
        finally:
            watch.terminate()
            told = watch.communicate()[1]
        assert "Failed" not in told and "onflict" not in told, told
