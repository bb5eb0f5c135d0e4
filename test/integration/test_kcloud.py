# SPDX-License-Identifier: Apache-2.0
"""The kinds of kcloud.io on a real API server: three dialects are accepted, nonsense is not."""

import json


V1 = "kcloud.io/v1alpha1"


def kcloud(kind, spec, name="x"):
    return {"apiVersion": V1, "kind": kind, "metadata": {"name": name}, "spec": spec}


def test_three_dialects_are_accepted_and_kept(c):
    """A of the types, B of the documents, C of the installed definition."""
    node_terms = {"nodeSelectorTerms": [{"matchExpressions": [
        {"key": "gpu.nvidia.com/memory", "operator": "Gt", "values": ["24000"]}]}]}
    near = [{"weight": 100, "podAffinityTerm": {
        "labelSelector": {"matchLabels": {"workload-type": "training"}},
        "topologyKey": "kubernetes.io/hostname"}}]
    objects = [
        ("WorkloadOptimizer", {
            "workloadType": "training", "priority": 80,
            "resources": {"cpu": "16", "memory": "64Gi", "gpu": 4, "npu": 0},
            "costConstraints": {"maxCostPerHour": 50.0, "preferSpot": True, "budgetLimit": 1200.0},
            "powerConstraints": {"maxPowerUsage": 2000.0, "preferGreen": True},
            "placementPolicy": {"nodeSelector": {"accelerator": "nvidia-gpu"}, "affinity": [
                {"type": "gpu_workload", "key": "gpu.nvidia.com/class", "value": "compute",
                 "weight": 100}]},
            "autoScaling": {"minReplicas": 1, "maxReplicas": 10, "metrics": [
                {"type": "cost", "threshold": 80}, {"type": "power", "threshold": 1800}]}}),
        ("WorkloadOptimizer", {
            "workloadType": "streaming", "priority": 8,
            "resourceRequirements": {"cpu": "500m", "memory": "128Gi", "gpu": 8},
            "placementPolicy": {
                "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": node_terms},
                "nodeAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": near}},
            "autoScaling": {"enabled": True, "minReplicas": 1, "maxReplicas": 5, "targetCPU": 80,
                            "targetMemory": 85}}),
        ("CostPolicy", {
            "budgetLimit": 10000.0, "monthlyBudget": 500, "costPerHourLimit": 100.0,
            "spotInstancePolicy": {"enabled": True, "maxSpotPercentage": 50,
                                   "interruptionHandling": "drain"},
            "resourceCostPolicy": {"cpuCostPerCorePerHour": 0.05, "memoryCostPerGiPerHour": 0.01},
            "alertThresholds": [{"type": "budget_usage", "value": 80, "action": "pause"}],
            "namespaceSelector": {"matchLabels": {"environment": "production"}}}),
        ("CostPolicy", {
            "budgetLimit": 500.0, "spotInstancePolicy": {"enabled": False, "maxPrice": 0.0},
            "alertThresholds": {"budgetUtilization": 80.0, "costIncrease": 20.0}}),
        ("CostPolicy", {
            "spotInstancePolicy": {"enabled": True, "maxInterruptionRate": 0.1},
            "resourceCostPolicy": {"cpuCostPerCore": 0.05, "memoryCostPerGB": 0.01},
            "alertThresholds": {"budgetUtilization": 0.8, "costSpike": 2.0}}),
        ("PowerPolicy", {
            "maxPowerUsage": 200, "powerEfficiencyTarget": 0.8,
            "greenEnergyPolicy": {"enabled": True, "minGreenEnergyPercentage": 40,
                                  "carbonFootprintTarget": 1.5},
            "powerSchedulingPolicy": {"powerAwareScheduling": True, "peakPowerAvoidance": True,
                                      "peakPowerHours": ["9-17", "09:00-17:00", "14"],
                                      "powerBudgetAllocation": "equal"},
            "powerAlertThresholds": [{"type": "power_usage", "value": 90, "action": "migrate"}]}),
        ("PowerPolicy", {
            "maxPowerUsage": 200.0, "efficiencyTarget": 70.0,
            "greenEnergyPolicy": {"enabled": False, "preference": "any"},
            "alertThresholds": {"powerUsage": 90.0, "efficiency": 60.0}}),
        ("PowerPolicy", {
            "efficiencyTarget": 0.7, "greenEnergyPolicy": {"enabled": True,
                                                           "renewablePercentage": 0.5},
            "powerAwareScheduling": {"enabled": True, "powerThreshold": 100},
            "alertThresholds": {"powerUtilization": 0.9, "efficiencyDrop": 0.2}}),
    ]
    for i, (kind, spec) in enumerate(objects):
        c.create(kcloud(kind, spec, f"x{i}"))
        assert c.get(kind, f"x{i}")["spec"] == spec, (kind, spec)


def test_definitions_are_structural_and_take_a_status(c):
    for plural in "workloadoptimizers", "costpolicies", "powerpolicies":
        crd = json.loads(c.kubectl("get", "crd", f"{plural}.kcloud.io", "-o", "json").out)
        conditions = {x["type"]: x["status"] for x in crd["status"]["conditions"]}
        assert "NonStructuralSchema" not in conditions, conditions
    c.create(kcloud("WorkloadOptimizer", {"workloadType": "batch"}))
    c.kubectl("patch", "wo", "x", "-n", c.ns, "--subresource=status", "--type=merge", "-p", json.dumps(
        {"status": {"phase": "Optimizing", "currentCost": 42.5, "currentPower": 1650.0,
                    "assignedNode": "gpu-node-001", "optimizationScore": 0.87}}))
    head, row = c.kubectl("get", "wo", "-n", c.ns).out.splitlines()
    assert head.split() == ["NAME", "TYPE", "PHASE", "COST", "POWER", "SCORE", "NODE", "AGE"], head
    assert row.split()[:7] == ["x", "batch", "Optimizing", "42.5", "1650", "0.87", "gpu-node-001"], row


def test_definition_refuses_invalid_optimizers_by_field(c):
    metric = {"type": "cpu", "threshold": 80}
    wrong = [
        ({"costConstraints": {"maxCostPerHour": "low"}}, "spec.costConstraints.maxCostPerHour"),
        ({"costConstraints": {"maxCostPerHour": -1}}, "spec.costConstraints.maxCostPerHour"),
        ({"costConstraints": {"maxCostPerHour": 0}}, "maxCostPerHour must be above 0"),
        ({"costConstraints": {"maxCostPerHour": 10, "budgetLimit": 239.9}},
         "budgetLimit must be at least a day"),
        ({"powerConstraints": {"maxPowerUsage": 0}}, "maxPowerUsage must be above 0"),
        ({"autoScaling": {"minReplicas": 3, "maxReplicas": 2}}, "minReplicas exceeds maxReplicas"),
        ({"autoScaling": {"maxReplicas": 1001}}, "spec.autoScaling.maxReplicas"),
        ({"autoScaling": {"metrics": [metric, metric]}}, "Duplicate value"),
        ({"autoScaling": {"metrics": [{**metric, "threshold": 0}]}}, "threshold must be above 0"),
        ({"resources": {}, "resourceRequirements": {}}, "are the same field"),
        ({"workloadType": "game"}, "spec.workloadType"),
        ({"priority": 101}, "spec.priority"),
    ]
    for spec, message in wrong:
        done = c.create(kcloud("WorkloadOptimizer", spec), check=False)
        assert done.code == 1 and message in done.err, (spec, done)
    c.create(kcloud("WorkloadOptimizer", {
        "costConstraints": {"maxCostPerHour": 10, "budgetLimit": 239.9, "budgetPeriod": "Day"}}))


def install_admission(c):
    """Policies take effect a moment after they are there."""
    c.kubectl("apply", "-f", c.manifests_folder / "admission-mutating.yaml",
              "-f", c.manifests_folder / "admission-kcloud.yaml")
    c.create(kcloud("WorkloadOptimizer", {}, "probe"))
    metric = {"type": "cpu", "threshold": 1}
    wrong = [kcloud("CostPolicy", {"alertThresholds": [{"type": "none"}]}),
             kcloud("WorkloadOptimizer", {"autoScaling": {"targetCPU": 1, "metrics": [metric]}})]
    c.wait(lambda: gates(send(c, pod("probe", "probe"))[1]) and all(refusal(c, o) for o in wrong)
           and hint(c, "training"))


PLURALS = {"Pod": "/api/v1/namespaces/{}/pods", **{
    kind: f"/apis/{V1}/namespaces/{{}}/{plural}" for kind, plural in (
        ("WorkloadOptimizer", "workloadoptimizers"), ("CostPolicy", "costpolicies"),
        ("PowerPolicy", "powerpolicies"))}}


def send(c, obj, query="?dryRun=All", ns=None):
    """Status, object and warnings of a creation that only a dry run makes."""
    status, headers, body = c.api.raw("POST", PLURALS[obj["kind"]].format(ns or c.ns) + query,
                                      json.dumps(obj), {"Content-Type": "application/json"})
    return status, json.loads(body), [v for k, v in headers if k.lower() == "warning"]


def refusal(c, obj):
    """Why it is refused; None: it is not."""
    status, answer, _ = send(c, obj)
    return answer["message"] if status >= 400 else None


def hint(c, workload, **more):
    """What the server warns of when such an optimizer is made."""
    return " ".join(send(c, kcloud("WorkloadOptimizer", {"workloadType": workload, **more}))[2])


def pod(name, optimizer, labels=None, notes=None, **spec):
    meta = {"name": name, "labels": {"workload-optimizer": optimizer} if labels is None else labels,
            "annotations": notes or {}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {
        "containers": [{"name": "c", "image": "none"}], "terminationGracePeriodSeconds": 0, **spec}}


def gates(obj):
    return [g["name"] for g in obj["spec"].get("schedulingGates", [])]


def test_pods_of_optimizers_wait_at_our_gate(c):
    install_admission(c)
    c.create(kcloud("WorkloadOptimizer", {"workloadType": "training", "placementPolicy": {
        "nodeSelector": {"example.com/pool": "gpu", "zone": "a"}}}, "train"),
        kcloud("WorkloadOptimizer", {}, "web"))
    ours = ["mckube.io/placement"]
    kind = {"kcloud.io/workload-type": "training"}
    taken = {**kind, "kcloud.io/optimized": "true"}
    both = {"example.com/pool": "gpu", "zone": "a"}
    owner = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "d", "uid": "0"}
    of_daemon_set = pod("daemon", "train")
    of_daemon_set["metadata"]["ownerReferences"] = [owner]
    rows = [  # a pod, its gates, annotations and node selector
        (pod("plain", "train"), ours, taken, both),
        (pod("own", "train", nodeSelector={"zone": "b"}), ours, taken, {"example.com/pool": "gpu", "zone": "b"}),
        (pod("gated", "train", schedulingGates=[{"name": ours[0]}]), ours, taken, both),
        (pod("default", "web"), ours, {"kcloud.io/workload-type": "serving", "kcloud.io/optimized": "true"}, {}),
        (pod("theirs", "train", schedulerName="theirs"), [], kind, {}),
        (pod("other-gate", "train", schedulingGates=[{"name": "other.io/gate"}]), ["other.io/gate"], kind, {}),
        (pod("bound", "train", nodeName="somewhere"), [], {}, {}),
        (pod("off", "train", notes={"kcloud.io/optimization-disabled": "true"}), [],
         {"kcloud.io/optimization-disabled": "true"}, {}),
        (pod("unknown", "none"), [], {}, {}),
        (pod("unlabelled", "train", labels={"app": "x"}), [], {}, {}),
        (of_daemon_set, [], {}, {}),
    ]
    for obj, wanted, notes, selector in rows:
        status, made, _ = send(c, obj, "")
        assert status == 201 and gates(made) == wanted, made
        assert made["metadata"].get("annotations", {}) == notes, made
        assert made["spec"].get("nodeSelector", {}) == selector, made
        assert made["spec"]["schedulerName"] == obj["spec"].get("schedulerName", "default-scheduler"), made
    send(c, kcloud("WorkloadOptimizer", {}, "web"), "", "kube-system")
    try:
        assert not gates(send(c, pod("system", "web"), ns="kube-system")[1])
    finally:
        c.kubectl("delete", "wo", "web", "-n", "kube-system")


def test_doctor_names_missing_policies_of_optimizers_and_what_they_do(c):
    def found():
        done = c.mckube("doctor", "-o", "json", check=False)
        return {f["check"]: (f["state"], f["detail"]) for f in json.loads(done.out)}["optimizers"]

    install_admission(c)
    assert found()[0] == "ok"
    c.kubectl("delete", "mutatingadmissionpolicy", "mckube-optimizer")
    state, detail = found()
    assert state == "note" and "mckube-optimizer (pods of" in detail and "mckube-alerts" not in detail, detail


def test_optimizers_and_policies_are_refused_by_field(c):
    """With the definition of this project, and with one that checks nothing, as another operator's."""
    install_admission(c)
    metric = {"type": "cpu", "threshold": 50}
    rows = [  # a spec that is allowed, and one that is not, with the reason
        ({"autoScaling": {"metrics": [metric, {"type": "memory", "threshold": 1}]}},
         {"autoScaling": {"metrics": [metric, metric]}}, "two metrics have the same type"),
        ({"autoScaling": {"metrics": [metric], "targetMemory": 80}},
         {"autoScaling": {"metrics": [metric], "targetCPU": 80}}, "of which there is one already"),
        ({"autoScaling": {"metrics": [{"type": "latency", "threshold": 0.5}]}},
         {"autoScaling": {"metrics": [{"type": "latency", "threshold": 0}]}}, "threshold must be above 0"),
        ({"autoScaling": {"minReplicas": 3, "maxReplicas": 3}},
         {"autoScaling": {"minReplicas": 4, "maxReplicas": 3}}, "minReplicas"),
        ({"autoScaling": {"maxReplicas": 1000}}, {"autoScaling": {"maxReplicas": 1001}}, "maxReplicas"),
        ({"costConstraints": {"maxCostPerHour": 0.01}}, {"costConstraints": {"maxCostPerHour": 0}}, "must be above 0"),
        ({"powerConstraints": {"maxPowerUsage": 1}}, {"powerConstraints": {"maxPowerUsage": 0}}, "must be above 0"),
        ({"costConstraints": {"maxCostPerHour": 10, "budgetLimit": 240}},
         {"costConstraints": {"maxCostPerHour": 10, "budgetLimit": 239.9}}, "24 * maxCostPerHour"),
        ({"costConstraints": {"maxCostPerHour": 10, "budgetLimit": 1, "budgetPeriod": "Day"}}, None, ""),
    ]

    def check():
        for good, bad, why in rows:
            assert refusal(c, kcloud("WorkloadOptimizer", good)) is None, good
            said = bad and refusal(c, kcloud("WorkloadOptimizer", bad))
            assert not bad or (said and (why in said or "Duplicate value" in said)), (bad, said)

    check()
    crd = json.loads(c.kubectl("get", "crd", "workloadoptimizers.kcloud.io", "-o", "json").out)
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    loose = {**schema, "properties": {**schema["properties"], "spec": {
        "type": "object", "x-kubernetes-preserve-unknown-fields": True}}}
    patch = [{"op": "replace", "path": "/spec/versions/0/schema/openAPIV3Schema", "value": loose}]
    c.kubectl("patch", "crd", crd["metadata"]["name"], "--type=json", "-p", json.dumps(patch))
    try:
        c.wait(lambda: rows[0][2] in refusal(c, kcloud("WorkloadOptimizer", rows[0][1])))
        check()
    finally:
        c.install_definitions()


def test_alerts_that_cannot_be_read_are_refused_and_hints_are_given(c):
    install_admission(c)
    good = [
        ("CostPolicy", {"alertThresholds": [{"type": "budget_usage", "value": 80, "action": "terminate"},
                                            {"type": "anomaly"}, {"type": "cost_increase", "value": 1.5}]}),
        ("CostPolicy", {"alertThresholds": {"budgetUtilization": 0.8, "costSpike": 2}}),
        ("CostPolicy", {"budgetLimit": 5}),
        ("PowerPolicy", {"powerAlertThresholds": [{"type": "power_usage", "value": 90, "action": "migrate"}]}),
        ("PowerPolicy", {"alertThresholds": {"powerUsage": 90.0}}),
    ]
    bad = [
        ("CostPolicy", {"alertThresholds": [{"type": "power_usage", "value": 80}]}, "type must be one of budget_usage"),
        ("CostPolicy", {"alertThresholds": [{"value": 80}]}, "type must be one of"),
        ("CostPolicy", {"alertThresholds": [{"type": "anomaly", "value": 0}]}, "must be a number above 0"),
        ("CostPolicy", {"alertThresholds": [{"type": "budget_usage"}]}, "must be a number above 0"),
        ("CostPolicy", {"alertThresholds": [{"type": "budget_usage", "value": 80, "action": "paus"}]},
         "action must be one of notify"),
        ("CostPolicy", {"alertThresholds": {"budgetUtilization": "high"}}, "must be a number above 0"),
        ("CostPolicy", {"alertThresholds": "80%"}, "must be a list or an object"),
        ("PowerPolicy", {"powerAlertThresholds": [{"type": "power_usage", "value": 90, "action": "terminate"}]},
         "action must be one of notify"),
        ("PowerPolicy", {"powerAlertThresholds": [{"type": "anomaly", "value": 3}]}, "type must be one of power_usage"),
    ]
    for kind, spec in good:
        assert refusal(c, kcloud(kind, spec)) is None, (kind, spec)
    for kind, spec, why in bad:
        said = refusal(c, kcloud(kind, spec))
        assert said and why in said, (kind, spec, said)
    assert "training without gpu or npu" in hint(c, "training")
    assert "inference without gpu or npu" in hint(c, "inference", resourceRequirements={"cpu": "1"})
    assert not hint(c, "training", resources={"npu": 1}) and not hint(c, "serving")
    far = kcloud("PowerPolicy", {"namespaceSelector": {"matchLabels": {"team": "x"}}})
    near = kcloud("PowerPolicy", {"workloadSelector": {"matchLabels": {"team": "x"}}})
    warned = [send(c, o)[2] for o in (far, near)]
    assert "counts there alone" in warned[0][0] and not warned[1], warned


def test_pods_are_made_where_the_policy_has_outlived_the_definitions(c):
    """Of a server that starts then, the policy names a kind that it does not know."""
    install_admission(c)
    c.kubectl("delete", "crd", *[f"{kind}.kcloud.io" for kind in
                                 ("workloadoptimizers", "costpolicies", "powerpolicies")])
    try:
        c.wait(lambda: c.kubectl("get", "wo", check=False).code != 0)
        c.cluster.stop("kube-apiserver")
        c.start_api_server()
        c.wait(lambda: send(c, pod("late", "probe"))[0] == 201, 60)
    finally:
        c.install_definitions()
    c.kubectl("wait", "--for=condition=Established", "crd/workloadoptimizers.kcloud.io")
    c.create(kcloud("WorkloadOptimizer", {}, "probe"))
    c.wait(lambda: gates(send(c, pod("late", "probe"))[1]), 60)
