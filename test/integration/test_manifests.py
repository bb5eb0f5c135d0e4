# SPDX-License-Identifier: Apache-2.0
"""manifests/ on a real API server: accepted, and each rule refuses and allows."""

import json
import re

from fixture import TOP

V1 = "mcoperator.sdv.com/v1"
RBAC = "rbac.authorization.k8s.io/v1"
KUBECTL = "tests-with-kubectl"


def setup(c):
    c.install()
    c.kubectl("delete", "daemonsets,deployments", "--all", "-n", "mckube-system", "--wait=false")
    forged = c.pod("probe", annotations={"mckube.io/rt-core": "0"})
    env = c.as_account("mckube-planner")
    c.kubectl("create", "rolebinding", "edit", "--clusterrole=edit", "-n", c.ns,
              "--serviceaccount=mckube-system:mckube-planner")

    def is_enforced():
        done = create(c, env, forged, "--dry-run=server")
        return done.code != 0 and "they need the verb assign" in done.err

    c.wait(is_enforced)
    # kubectl reads what it patches, which the programs do not.
    c.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": RBAC, "kind": "ClusterRole", "metadata": {"name": KUBECTL},
         "rules": [{"apiGroups": ["", "mcoperator.sdv.com"], "verbs": ["get"],
                    "resources": ["pods", "nodes", "mckubes", "mckubes/status"]}]},
        {"apiVersion": RBAC, "kind": "ClusterRoleBinding", "metadata": {"name": KUBECTL},
         "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": KUBECTL},
         "subjects": [{"kind": "ServiceAccount", "name": f"mckube-{name}",
                       "namespace": "mckube-system"} for name in ("planner", "applier", "node")]}]}))


def create(c, env, obj, *args):
    return c.run("kubectl", "create", "-n", c.ns, "-f", "-", *args, stdin=json.dumps(obj),
                 check=False, env=env)


def patch(c, env, kind, name, change, *args):
    return c.run("kubectl", "patch", kind, name, "-n", c.ns, "--type=merge", "-p",
                 json.dumps(change), *args, check=False, env=env)


def notes(**values):
    return {"metadata": {"annotations": {f"mckube.io/{k.replace('_', '-')}": v
                                         for k, v in values.items()}}}


def mckube(spec):
    return {"apiVersion": V1, "kind": "McKube", "metadata": {"name": "x"}, "spec": spec}


def test_crd_accepts_both_spellings(c):
    old = [
        {"podname": "p", "criticality": "High",
         "rtSettings": {"period": 1000000, "runtime_low": 300000, "runtime_hi": 500000}},
        {"podname": "p", "criticality": "LOW", "node": "n",
         "rtSettings": {"period": 1000000, "budget_lo": 300000, "budget_hi": 300000, "core": "2-3"}},
        {"criticality": "B", "pressuredDeadlinesTotal": 5, "pressuredDeadlinesPeriod": 3},
    ]
    for spec in old:
        c.create(mckube(spec))
        assert c.get("mckube", "x")["spec"] == spec
        c.kubectl("delete", "mckube", "x", "-n", c.ns)


def test_crd_refuses_invalid_specs_by_field(c):
    good = {"period": 1000000, "runtime_low": 3000, "runtime_hi": 5000}
    wrong = [
        ({"rtSettings": {**good, "runtime_hi": 2000}}, "runtime_low exceeds runtime_hi"),
        ({"rtSettings": {**good, "period": 4000}}, "runtime_hi exceeds period"),
        ({"rtSettings": {**good, "runtime_medium": 6000}}, "runtime_medium must be between"),
        ({"rtSettings": {**good, "budget_lo": 1}}, "runtime_low and budget_lo are the same"),
        ({"rtSettings": {"period": 1000000, "runtime_low": 1}}, "runtime_hi is required"),
        ({"rtSettings": {**good, "period": 50}}, "period"),
        ({"rtSettings": {**good, "policy": "BATCH"}}, "must be FIFO, RR, or one for each"),
        ({"rtSettings": {**good, "policy": "app=FIFO,RR"}}, "must be FIFO, RR, or one for each"),
        ({"rtSettings": {**good, "priority": 20}}, "priority needs policy"),
        ({"rtSettings": {**good, "policy": "FIFO", "priority": 90}}, "must be from 1 to 89"),
        ({"rtSettings": {**good, "policy": "FIFO", "priority": "app=0"}}, "must be from 1 to 89"),
        ({"criticality": "Hihg"}, "must be Low, Middle or High"),
        ({"podname": "p", "selector": {"matchLabels": {}}}, "mutually exclusive"),
    ]
    for spec, message in wrong:
        done = c.create(mckube(spec), check=False)
        assert done.code == 1 and message in done.err, (spec, done)


def test_policies_and_priorities_of_threads(c):
    setup(c)
    good = {"period": 1000000, "runtime_low": 3000, "runtime_hi": 5000}
    for i, more in enumerate([{"policy": "FIFO"}, {"policy": "rr", "priority": 80},
                              {"policy": "app=FIFO,logger=RR", "priority": "app=20,logger=5"}]):
        c.create({**mckube({"podname": f"p{i}", "rtSettings": {**good, **more}}),
                  "metadata": {"name": f"x{i}"}})
    for priority in (81, "app=20,logger=85"):
        high = mckube({"rtSettings": {**good, "policy": "FIFO", "priority": priority}})
        c.wait(lambda: "the highest that may be requested is 80" in create(c, None, high,
                                                                           "--dry-run=server").err)
    explained = c.kubectl("explain", "mckube.spec.rtSettings.priority").out
    assert "1 to 89" in explained and "default 10, 20 or 30" in explained, explained

    def annotated(name, **values):
        return c.pod(name, annotations={f"mckube.io/rt-{k}": v for k, v in values.items()})

    c.create(annotated("good", policy="FIFO", priority="80"),
             annotated("list", policy="app=FIFO,logger=RR", priority="app=20"))
    for values, message in [
            ({"policy": "FIFO", "priority": "81"}, "the highest that may be requested is 80"),
            ({"policy": "FIFO", "priority": "app=99"}, "the highest that may be requested is 80"),
            ({"policy": "FIFO", "priority": "0"}, "is not a priority such as 20"),
            ({"policy": "FIFO", "priority": "99999999999999999999"}, "is not a priority such as 20"),
            ({"policy": "DEADLINE"}, "is not FIFO, RR")]:
        done = c.create(annotated("bad", **values), check=False)
        assert done.code == 1 and message in done.err, (values, done)
    raised = c.kubectl("annotate", "pod", "good", "-n", c.ns, "--overwrite",
                       "mckube.io/rt-priority=85", check=False)
    assert raised.code == 1 and "the highest that may be requested is 80" in raised.err, raised
    c.kubectl("annotate", "pod", "good", "-n", c.ns, "other=value")


def test_crd_shows_columns_and_selects_by_field(c):
    c.create(c.request("a", 1000), c.request("b", 1000))
    out = c.kubectl("get", "mck", "-n", c.ns, "--field-selector=spec.podname=b").out
    assert out.splitlines()[0].split()[:3] == ["NAME", "POD", "CRITICALITY"], out
    assert len(out.splitlines()) == 2, out


def definition_of_an_older_operator():
    """What MC-Kube's operator installs: the kind MCKube, budgets by their newer names, no status
    conditions, and nothing kept that it does not name."""
    integer = {"type": "integer"}
    settings = {"type": "object", "required": ["period", "budget_lo", "budget_hi"], "properties": {
        "period": integer, "budget_lo": integer, "budget_hi": integer, "core": {"type": "string"}}}
    spec = {"type": "object", "properties": {
        "node": {"type": "string"}, "podname": {"type": "string"},
        "criticality": {"type": "string", "enum": ["LOW", "MIDDLE", "HIGH"]},
        "pressuredDeadlinesTotal": integer, "pressuredDeadlinesPeriod": integer,
        "rtSettings": settings}}
    status = {"type": "object", "properties": {
        "currentRuntime": {"type": "string"}, "allocatedCore": {"type": "string"},
        "lastOverrunTime": {"type": "string", "format": "date-time"}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "mckubes.mcoperator.sdv.com"},
        "spec": {"group": "mcoperator.sdv.com", "scope": "Namespaced",
                 "names": {"kind": "MCKube", "listKind": "MCKubeList", "plural": "mckubes",
                           "singular": "mckube"},
                 "versions": [{"name": "v1", "served": True, "storage": True,
                               "subresources": {"status": {}},
                               "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                                   "spec": spec, "status": status}}}}]}}


def install(c, text):
    c.kubectl("apply", "-f", "-", stdin=text)
    c.wait(lambda: c.kubectl("get", "mckubes", "-A", check=False).code == 0)


def test_definition_of_the_other_kind_is_served(c):
    """A definition has one kind, for ever: a cluster of MCKubes stays one, with our definition in that
    spelling laid over the operator's, and every command serves it as it does McKubes."""
    old = {"apiVersion": V1, "kind": "MCKube", "metadata": {"name": "a"},
           "spec": {"podname": "a", "criticality": "HIGH", "pressuredDeadlinesTotal": 5,
                    "rtSettings": {"period": 1000000, "budget_lo": 300000, "budget_hi": 500000}}}
    refused = c.create(old, check=False)
    assert refused.code == 1 and 'no matches for kind "MCKube"' in refused.err, refused
    c.kubectl("apply", "-n", c.ns, "-f", "-",
              stdin=json.dumps(old).replace('"kind": "MCKube"', '"kind": "McKube"'))
    assert c.get("mckube", "a")["spec"] == old["spec"]
    c.kubectl("delete", "crd", "mckubes.mcoperator.sdv.com")
    try:
        install(c, json.dumps(definition_of_an_older_operator()))
        serve_mckubes_of_the_other_spelling(c, old)
    finally:
        c.drop_finalizers()
        c.kubectl("delete", "crd", "mckubes.mcoperator.sdv.com")
        install(c, (TOP / "manifests" / "crd.yaml").read_text())


def serve_mckubes_of_the_other_spelling(c, old):
    c.nodes("n1")
    c.create(old, c.pod("a"))
    doctor = c.mckube("doctor", check=False).out
    assert re.search("definition +note +MCKube of an older operator", doctor), doctor
    assert "bind: Done" in c.mckube("apply").out
    assert c.annotation_of(c.get("pod", "a"), "mckube.io/rt-runtime-hi") == "500000"
    ours = c.kubectl("apply", "-f", TOP / "manifests" / "crd.yaml", check=False)
    assert ours.code == 1 and "spec.names.kind" in ours.err and "immutable" in ours.err, ours
    install(c, c.mckube("crd", "--kind=MCKube").out)
    assert c.get("mckube", "a")["spec"] == old["spec"]
    assert re.search("definition +ok +MCKube", c.mckube("doctor", check=False).out)
    assert "nothing to do" in c.mckube("plan").out
    c.create({**old, "metadata": {"name": "b"}, "spec": {
        "selector": {"matchLabels": {"sdv.com": "b"}}, "criticality": "Low",
        "rtSettings": {"period": 1000000, "runtime_low": 1000, "runtime_hi": 1000}}}, c.pod("b"))
    assert "bind: Done" in c.mckube("apply").out
    c.kubectl("delete", "mckube", "b", "-n", c.ns, "--wait=false")
    c.mckube("apply")
    assert [m["metadata"]["name"] for m in c.get("mckubes")] == ["a"]


def test_labelled_pods_get_our_scheduler(c):
    setup(c)
    plain = c.pod("plain")
    del plain["spec"]["schedulerName"], plain["metadata"]["labels"]["sdv.com"]
    marked = c.pod("marked")
    del marked["spec"]["schedulerName"]
    named = c.pod("named", spec={"schedulerName": "theirs"})
    gated = c.pod("gated", spec={"schedulingGates": [{"name": "mckube.io/placement"}]})
    placed = c.pod("placed", spec={"nodeName": "somewhere"})
    del gated["spec"]["schedulerName"], placed["spec"]["schedulerName"]
    c.create(plain, marked, named, gated, placed)
    names = {p["metadata"]["name"]: p["spec"]["schedulerName"] for p in c.get("pods")}
    assert names == {"plain": "default-scheduler", "marked": "mckube", "named": "theirs",
                     "gated": "default-scheduler", "placed": "default-scheduler"}, names


def test_assignments_need_the_verb_assign(c):
    setup(c)
    c.nodes("n1")
    user = c.as_account("mckube-planner")
    c.create(c.pod("a"))
    for change in (notes(rt_core="1"), notes(rt_source="mckube"), notes(rt_applied="x"),
                   notes(rt_current="hi")):
        done = patch(c, user, "pod", "a", change)
        assert done.code == 1 and "verb" in done.err, done
    assert patch(c, user, "pod", "a", notes(rt_period="1000000")).code == 0
    binding = {"apiVersion": "v1", "kind": "Binding", "target": {"kind": "Node", "name": "n1"},
               "metadata": {"name": "a", **notes(rt_core="1")["metadata"]}}
    path = f"/api/v1/namespaces/{c.ns}/pods/a/binding"
    c.kubectl("create", "role", "bind", "-n", c.ns, "--verb=create", "--resource=pods/binding")
    c.kubectl("create", "rolebinding", "bind", "-n", c.ns, "--role=bind",
              "--serviceaccount=mckube-system:mckube-planner")
    done = c.run("kubectl", "create", "--raw", path, "-f", "-", stdin=json.dumps(binding),
                 env=user, check=False)
    assert done.code == 1 and "verb assign" in done.err, done
    applier = c.as_account("mckube-applier")
    c.run("kubectl", "create", "--raw", path, "-f", "-", stdin=json.dumps(binding), env=applier)
    done = patch(c, user, "pod", "a", notes(rt_period="2000000"))
    assert done.code == 1 and "the budget of a pod that has its cores" in done.err, done
    assert patch(c, applier, "pod", "a", notes(rt_period="2000000")).code == 0


def test_node_helper_may_write_its_own_node_only(c):
    setup(c)
    c.nodes("n1", "n2")
    c.kubectl("create", "-f", "-", stdin=json.dumps({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": f"helper-{c.ns}", "namespace": "mckube-system"},
        "spec": {"nodeName": "n1", "serviceAccountName": "mckube-node",
                 "terminationGracePeriodSeconds": 0,
                 "containers": [{"name": "c", "image": "none"}]}}))
    helper = c.as_account("mckube-node", "--bound-object-kind=Pod",
                          f"--bound-object-name=helper-{c.ns}")
    c.create(c.pod("here", spec={"nodeName": "n1"}), c.pod("there", spec={"nodeName": "n2"}))
    done = patch(c, helper, "pod", "here", notes(rt_applied="x"))
    assert done.code == 0, done
    assert patch(c, helper, "node", "n1", notes(backend="v1")).code == 0
    for kind, name, change in (("pod", "there", notes(rt_applied="x")),
                               ("node", "n2", notes(backend="v1"))):
        done = patch(c, helper, kind, name, change)
        assert done.code == 1 and "only touches its own node, n1" in done.err, done
    done = patch(c, helper, "node", "n1", {"spec": {"unschedulable": True}})
    assert done.code == 1 and "neither spec nor labels" in done.err, done
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "0"}
    for kind, name in (("pod", "here"), ("node", "n1")):
        for change in ({"finalizers": ["example.com/hold"]}, {"ownerReferences": [owner]}):
            done = patch(c, helper, kind, name, {"metadata": change})
            assert done.code == 1 and "no metadata but annotations" in done.err, done
    elsewhere = c.request("elsewhere", 1000)
    elsewhere["spec"]["node"] = "n2"
    c.create(c.request("here", 1000), c.request("there", 1000), elsewhere)
    status = {"status": {"currentRuntime": "hi"}}
    assert patch(c, helper, "mckube", "here", status, "--subresource=status").code == 0
    done = patch(c, helper, "mckube", "elsewhere", status, "--subresource=status")
    assert done.code == 1 and "McKubes of its own node" in done.err, done
    status_of_its_node(c, helper)
    for name, is_own in (("mckube-node-n1", True), ("mckube-node-n2", False), ("mckube", False)):
        done = create(c, helper, lease(name), "-n", "mckube-system", "--dry-run=server")
        assert (done.code == 0) == is_own, done
        assert is_own or "only writes its own Lease" in done.err, done
    done = patch(c, helper, "pod", "here", notes(rt_core="3"))
    assert done.code == 1 and "verb assign" in done.err, done
    unbound = c.as_account("mckube-node")
    done = patch(c, unbound, "pod", "here", notes(rt_applied="y"))
    assert done.code == 1 and "must be bound to a node" in done.err, done
    c.kubectl("delete", "pod", f"helper-{c.ns}", "-n", "mckube-system", "--force")


def status_of_its_node(c, helper):
    """The status names the node of the pod: its helper writes it, and lets it go when the pod is gone."""
    as_admin = None
    for name, account, node, is_allowed in (
            ("here", helper, "n2", False), ("here", helper, "n1", True), ("here", helper, "n1", True),
            ("here", helper, None, True), ("there", as_admin, "n2", True),
            ("there", helper, "n1", False), ("there", helper, None, False)):
        done = patch(c, account, "mckube", name, {"status": {"node": node}}, "--subresource=status")
        assert (done.code == 0) == is_allowed, done
        assert is_allowed or "whose status names its own node, n1" in done.err, done
    done = patch(c, helper, "mckube", "there", {"status": {"currentRuntime": "hi"}},
                 "--subresource=status")
    assert done.code == 1 and "whose status names its own node, n1" in done.err, done


def test_annotations_of_rt_operator_are_set_before_a_pod_has_a_node(c):
    setup(c)
    c.nodes("n1")
    user = c.as_account("mckube-planner")
    granted = {"realtime": "true", "rt_runtime_us": "700000"}
    bound = c.pod("bound", spec={"nodeName": "n1"})
    for pod in ({**bound, "metadata": {**bound["metadata"], "annotations": granted}},):
        done = create(c, user, pod)
        assert done.code == 1 and "set before a pod has a node" in done.err, done
    c.create(bound)
    done = patch(c, user, "pod", "bound", {"metadata": {"annotations": granted}})
    assert done.code == 1 and "set before a pod has a node" in done.err, done
    waiting = c.pod("waiting")
    waiting["metadata"]["annotations"] = granted
    assert create(c, user, waiting).code == 0


def test_request_of_an_assigned_pod_cannot_change(c):
    setup(c)
    c.nodes("n1")
    user, applier = c.as_account("mckube-planner"), c.as_account("mckube-applier")
    c.create(c.pod("a"))
    assert patch(c, applier, "pod", "a", notes(rt_core="1")).code == 0
    for change in (notes(rt_recovery="nodeCpu"), notes(rt_containers="x=1"), notes(rt_core_request="1"),
                   notes(criticality="High"), {"metadata": {"labels": {"sdv.com": "other"}}}):
        done = patch(c, user, "pod", "a", change)
        assert done.code == 1 and "the budget of a pod that has its cores" in done.err, done
    done = patch(c, user, "pod", "a", notes(rt_degraded=""))
    assert done.code == 1 and "verb assign" in done.err, done


def test_account_with_every_verb_passes_no_assignment_on(c):
    """As a controller that is cluster-admin and makes pods of its users' templates."""
    setup(c)
    c.kubectl("create", "serviceaccount", "deployer", "-n", "mckube-system")
    c.kubectl("create", "clusterrolebinding", "deployer", "--clusterrole=cluster-admin",
              "--serviceaccount=mckube-system:deployer")
    try:
        deployer = c.as_account("deployer")
        for annotation, verb in (("rt-core", "assign"), ("rt-applied", "report")):
            forged = c.pod("forged", annotations={f"mckube.io/{annotation}": "1"})
            done = create(c, deployer, forged, "--dry-run=server")
            assert done.code == 1 and f"the verb {verb} on mckubes, a service account by a role that names it" in done.err, done
        assert create(c, deployer, c.pod("plain", annotations={"mckube.io/rt-period": "100000"})).code == 0
        assert c.kubectl("annotate", "pod", "plain", "-n", c.ns, "mckube.io/rt-core=1").code == 0
    finally:
        c.kubectl("delete", "clusterrolebinding", "deployer")
        c.kubectl("delete", "serviceaccount", "deployer", "-n", "mckube-system")


def test_applier_changes_only_what_plans_are_made_of(c):
    setup(c)
    c.nodes("n1")
    applier = c.as_account("mckube-applier")
    c.create(c.pod("a"), c.request("a", 1000))
    container = {"name": c.pod("a")["spec"]["containers"][0]["name"], "image": "evil"}
    done = c.run("kubectl", "patch", "pod", "a", "-n", c.ns, "-p",
                 json.dumps({"spec": {"containers": [container]}}), check=False, env=applier)
    assert done.code == 1 and "changes the spec of pods with the gate" in done.err, done
    for kind, name, change, why in (
            ("pod", "a", {"metadata": {"labels": {"x": "y"}}}, "no other metadata"),
            ("pod", "a", {"metadata": {"finalizers": ["example.com/x"]}}, "no other metadata"),
            ("node", "n1", {"metadata": {"labels": {"x": "y"}}}, "no other metadata"),
            ("node", "n1", {"metadata": {"annotations": {"x": "y"}}}, "no other metadata"),
            ("node", "n1", {"spec": {"unschedulable": True}}, "no part of a node"),
            ("node", "n1", {"spec": {"taints": [{"key": "x", "effect": "NoSchedule"}]}},
             "no part of a node"),
            ("mckube", "a", {"spec": {"criticality": "High"}}, "no spec of a McKube")):
        done = patch(c, applier, kind, name, change)
        assert done.code == 1 and why in done.err, (change, done)
    taint = {"key": "McKubeRTDeadlinePressure", "value": "True", "effect": "NoSchedule"}
    assert patch(c, applier, "node", "n1", {"spec": {"taints": [taint]}}).code == 0
    gated = c.pod("gated", spec={"schedulingGates": [{"name": "mckube.io/placement"}]})
    del gated["spec"]["schedulerName"]
    c.create(gated)
    open_gate = {"spec": {"schedulingGates": [], "nodeSelector": {"kubernetes.io/hostname": "n1"}}}
    assert patch(c, applier, "pod", "gated", open_gate).code == 0
    done = create(c, applier, lease("other"), "-n", "kube-system", "--dry-run=server")
    assert done.code == 1 and "only its own Lease" in done.err, done


def test_applier_says_of_a_pod_only_why_it_waits(c):
    setup(c)
    c.nodes("n1", cores=1)
    applier = c.as_account("mckube-applier")
    c.create(*c.pair("a", 300000), *c.pair("big", 960000))
    c.mckube("apply", env=applier)
    said = {k: [x for x in c.get(k, "big")["status"]["conditions"] if x["type"] == type][0]
            for k, type in (("pod", "PodScheduled"), ("mckube", "Placed"))}
    assert said["pod"]["reason"] == "Unschedulable" and said["mckube"]["reason"] == "NoRoom", said
    c.kubectl("create", "role", "see", "-n", c.ns, "--verb=get", "--resource=pods/status")
    c.kubectl("create", "rolebinding", "see", "-n", c.ns, "--role=see",
              "--serviceaccount=mckube-system:mckube-applier")  # kubectl reads before it patches
    only = "no status of a pod but the condition PodScheduled"
    why = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    ready = {"type": "Ready", "status": "True"}
    for name, status, allowed in (("big", {"conditions": [why]}, True),
                                  ("big", {"conditions": [ready]}, False),
                                  ("big", {"phase": "Failed"}, False),
                                  ("a", {"conditions": [why]}, False)):
        done = c.run("kubectl", "patch", "pod", name, "-n", c.ns, "--subresource=status",
                     "--type=strategic", "-p", json.dumps({"status": status}), env=applier, check=False)
        assert done.code == 0 if allowed else only in done.err, (name, status, done)


def lease(name):
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name}}


# What the programs send, verb by verb: lib/state/watched_kinds.c and lib/kube/lease.c (plan, watch),
# lib/execute/api_request.c and lib/signal (apply), lib/agent (mckube-node). "assign" and "report" are checked by
# admission.yaml.
READS = {(r, v) for r in ("nodes", "pods", "namespaces", "persistentvolumes",
                          "persistentvolumeclaims", "poddisruptionbudgets.policy",
                          "priorityclasses.scheduling.k8s.io", "csinodes.storage.k8s.io",
                          "resourceclaims.resource.k8s.io", "leases.coordination.k8s.io",
                          "mckubes.mcoperator.sdv.com", "workloadoptimizers.kcloud.io",
                          "costpolicies.kcloud.io", "powerpolicies.kcloud.io",
                          "deployments.apps", "statefulsets.apps",
                          "horizontalpodautoscalers.autoscaling", "scaledobjects.keda.sh", "configmaps mckube-prices")
         for v in ("list", "watch")} | {(f"{kind}.metrics.k8s.io", "list") for kind in ("nodes", "pods")} | {
    ("*.custom.metrics.k8s.io", "get"), ("*.external.metrics.k8s.io", "list")}
WRITES = {("pods", "get"), ("pods", "patch"), ("nodes", "get"), ("nodes", "patch"),
          ("pods/binding", "create"), ("pods/eviction", "create"), ("pods/status", "patch"),
          ("mckubes.mcoperator.sdv.com", "get"), ("mckubes.mcoperator.sdv.com", "patch"),
          ("mckubes.mcoperator.sdv.com", "assign"), ("mckubes.mcoperator.sdv.com", "report"),
          ("mckubes.mcoperator.sdv.com/status", "patch"),
          ("workloadoptimizers.kcloud.io", "get"), ("workloadoptimizers.kcloud.io", "patch"),
          ("workloadoptimizers.kcloud.io/status", "patch"),
          ("deployments.apps/scale", "patch"), ("statefulsets.apps/scale", "patch"),
          ("replicasets.apps/scale", "get"), ("replicasets.apps/scale", "patch"),
          ("costpolicies.kcloud.io/status", "patch"), ("powerpolicies.kcloud.io/status", "patch"),
          ("events.events.k8s.io", "create"), ("events.events.k8s.io", "patch")}
LEASE = {("leases.coordination.k8s.io", "create"),
         *((f"leases.coordination.k8s.io {name}", verb) for name in ("mckube", "kcloud-operator")
           for verb in ("get", "update"))}
HELPER = {("pods", "list"), ("pods", "watch"), ("pods", "patch"), ("nodes", "patch"),
          ("mckubes.mcoperator.sdv.com", "list"), ("mckubes.mcoperator.sdv.com", "watch"),
          ("mckubes.mcoperator.sdv.com", "report"), ("mckubes.mcoperator.sdv.com/status", "patch"),
          ("events.events.k8s.io", "create"), ("events.events.k8s.io", "patch")}
HELPER_HOME = {("daemonsets.apps mckube-node", "get")} | {
    ("leases.coordination.k8s.io", v) for v in ("create", "patch")}


def rights(c, account, namespace):
    """What the server allows, without what it allows to every account."""
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview",
              "spec": {"namespace": namespace}}
    done = c.run("kubectl", "create", "--validate=false", "-f", "-", "-o", "json",
                 stdin=json.dumps(review), env=c.as_account(account))
    found = set()
    for rule in json.loads(done.out)["status"]["resourceRules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                kind, _, sub = resource.partition("/")
                name = kind + (f".{group}" if group else "") + (f"/{sub}" if sub else "")
                for only in rule.get("resourceNames") or [""]:
                    found |= {(f"{name} {only}".strip(), verb) for verb in rule["verbs"]}
    return {(name, verb) for name, verb in found if not name.startswith("selfsubject")}


def test_roles_allow_only_what_the_programs_do(c):
    setup(c)
    c.kubectl("delete", "clusterrolebinding", KUBECTL)
    for account, everywhere, kube_system, home in (
            ("mckube-planner", READS, set(), set()),
            ("mckube-applier", READS | WRITES, LEASE, set()),
            ("mckube-node", HELPER, set(), HELPER_HOME)):
        assert rights(c, account, "default") == everywhere, account
        assert rights(c, account, "kube-system") == everywhere | kube_system, account
        assert rights(c, account, "mckube-system") == everywhere | home, account


def test_planner_plans_and_cannot_write(c):
    setup(c)
    c.nodes("n1")
    c.create(*c.pair("a", 300000))
    planner = c.as_account("mckube-planner")
    c.kubectl("delete", "rolebinding", "edit", "-n", c.ns)
    assert "1 to bind" in c.mckube("plan", env=planner).out
    done = c.mckube("apply", env=planner, check=False)
    assert done.code == 1 and "Forbidden" in done.err, done
    applier = c.as_account("mckube-applier")
    assert "bind: Done" in c.mckube("apply", env=applier).out
    c.kubectl("taint", "node", "n1", "McKubeRTDeadlinePressure=True:NoSchedule")
    assert "n1 untaint: Done" in c.mckube("apply", env=applier).out


def test_doctor_names_missing_permissions(c):
    setup(c)
    c.kubectl("delete", "rolebinding", "edit", "-n", c.ns)
    c.nodes("n1")
    done = c.mckube("doctor")
    assert done.code == 0 and "kubernetes" in done.out.lower(), done
    assert "finalizers" not in done.out
    c.create(*c.pair("a", 300000), c.request("unused", 300000))
    c.mckube("apply")
    held = c.mckube("doctor").out
    assert re.search("finalizers +ok +on 1 of 2 McKubes, taken off by .kubectl mckube uninstall", held), held
    planner = c.mckube("doctor", env=c.as_account("mckube-planner"), check=False)
    assert planner.code == 1 and "create pods/binding" in planner.out, planner


def test_a_namespace_limits_criticality_and_priority(c):
    setup(c)
    kubectl = None  # no account is exempt
    c.kubectl("annotate", "namespace", c.ns, "mckube.io/max-criticality=Middle",
              "mckube.io/max-priority=100")
    settings = {"period": 100000, "runtime_low": 10000, "runtime_hi": 10000}

    def ask(criticality):
        return create(c, kubectl, mckube({"podname": "p", "criticality": criticality,
                                          "rtSettings": settings}), "--dry-run=server")

    c.wait(lambda: ask("High").code != 0)
    assert "the namespace allows up to Middle" in ask("High").err, ask("High").err
    assert ask("MIDDLE").code == 0, ask("MIDDLE").err
    done = create(c, kubectl, c.pod("a", annotations={"mckube.io/criticality": "High"}),
                  "--dry-run=server")
    assert done.code != 0 and "criticality High" in done.err, done.err
    done = create(c, kubectl, c.pod("b", annotations={"mckube.io/criticality": "Low"}),
                  "--dry-run=server")
    assert done.code == 0, done.err
    critical = c.pod("d")
    critical["spec"]["priorityClassName"] = "system-cluster-critical"
    done = create(c, kubectl, critical, "--dry-run=server")
    assert done.code != 0 and "the namespace allows up to 100" in done.err, done.err


def test_krew_entry_follows_krews_rules(c):
    tool, entry = TOP / "manifests" / "krew-release", TOP / "manifests" / "krew.yaml"
    c.run(tool, "--check", entry)
    bad = c.folder / "bad.yaml"
    bad.write_text(entry.read_text().replace("version: v0.1.0", "version: latest")
                   .replace("os: linux", "system: linux"))
    done = c.run(tool, "--check", bad, check=False)
    assert done.code == 1 and "version is not" in done.err and "is not os or arch" in done.err, done


def test_applied_again_nothing_is_configured(c):
    """What the server fills in is written out where lists are replaced as a whole."""
    setup(c)
    checkpoints = TOP / "manifests" / "checkpoints.yaml"
    try:
        c.kubectl("apply", "-f", checkpoints)
        again = c.kubectl("apply", "-f", checkpoints).out + c.install().out
        # setup() has deleted the programs.
        assert not [line for line in again.splitlines()
                    if not line.endswith((" unchanged", " created")) and "poddisruptionbudget" not in line], again
    finally:
        c.kubectl("delete", "-f", checkpoints, "--wait=false")
        c.kubectl("delete", "daemonsets,deployments", "--all", "-n", "mckube-system", "--wait=false")


def test_manifests_can_be_printed_and_installed(c):
    text = c.mckube("manifests", "--image=r.example/m:1", "--install-namespace=elsewhere", *c.manifest_options).out
    assert "mckube-system" not in text and "image: r.example/m:1" in text
    c.kubectl("apply", "--dry-run=client", "-f", "-", stdin=text)
    setup(c)
    for more in (["--migration"], [], ["--cron"]):
        out = c.kubectl("apply", "--dry-run=server", "-f", "-", stdin=c.mckube("manifests", *more, *c.manifest_options).out)
        assert ("cronjob.batch/mckube-apply" in out.out) == ("--cron" in more), out
        assert ("deployment.apps/mckube-watch" in out.out) != ("--cron" in more), out
        assert ("configmap/mckube-migration" in out.out) == ("--migration" in more), out
