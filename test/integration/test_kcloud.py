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
