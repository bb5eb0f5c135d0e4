# SPDX-License-Identifier: Apache-2.0
"""Cost and power on a real API server: pods of WorkloadOptimizers are placed, moved and refused."""

import json
import os
import time
from datetime import datetime, timedelta, timezone
from fractions import Fraction

from proxy import Proxy
from test_watch import watching

V1 = "kcloud.io/v1alpha1"
SHARED = {"a": "0.40", "b": "0.20"}  # $/h by node


def priced(c, /, **prices):
    """Nodes with 4 CPUs, by name; removed when they are empty."""
    c.nodes(*prices)
    for name, price in prices.items():
        c.kubectl("annotate", "node", name, f"mckube.io/price-per-hour={price}",
                  "mckube.io/removable=true")


def optimizer(name, **spec):
    return {"apiVersion": V1, "kind": "WorkloadOptimizer", "metadata": {"name": name},
            "spec": {"workloadType": "serving", **spec}}


def worker(name, of, cpu="1", gates=True):
    spec = {"containers": [{"name": "c", "image": "none", "resources": {"requests": {"cpu": cpu}}}],
            "terminationGracePeriodSeconds": 0}
    if gates:
        spec["schedulingGates"] = [{"name": "mckube.io/placement"}]
    meta = {"name": name, "labels": {"workload-optimizer": of}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def pinned_to(c, name):
    """Where the gate's pin sends it; None while it waits."""
    spec = c.get("pod", name)["spec"]
    if spec.get("schedulingGates"):
        return None
    return spec.get("nodeName") or spec["nodeSelector"]["kubernetes.io/hostname"]


def test_pods_of_optimizers_go_where_they_cost_least_and_no_further_than_their_limit(c):
    """Of the 0.20 $/h that b costs, the share of a CPU of 4 is 0.016 $/h: memory, of which no pod asks
    for any, has most of it."""
    priced(c, **SHARED)
    c.create(optimizer("web", costConstraints={"maxCostPerHour": 0.02}), worker("w1", "web"),
             worker("w2", "web"))
    plan = json.loads(c.mckube("plan", "-o", "json").out)["spec"]
    assert [(a["kind"], a["pod"]["name"], a["to"]) for a in plan["actions"] if "pod" in a] == [
        ("Bind", "w1", {"node": "b"})], plan["actions"]
    assert [(u["pod"]["name"], u["reason"]) for u in plan["unplaced"]] == [
        ("w2", "OverHourlyLimit")], plan["unplaced"]
    c.mckube("apply")
    assert pinned_to(c, "w1") == "b" and pinned_to(c, "w2") is None


def test_prices_come_from_the_table_that_is_named(c):
    c.nodes("a", "b")
    for node, kind in ("a", "large"), ("b", "small"):
        c.kubectl("label", "node", node, f"node.kubernetes.io/instance-type={kind}")
        c.kubectl("annotate", "node", node, "mckube.io/removable=true")
    table = "instanceType,pricePerHour\nlarge,0.1\nsmall,0.3\n"
    c.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mckube-prices"},
              "data": {"table": table}}, optimizer("web"), worker("w1", "web"))
    path = c.folder / f"{c.ns}.json"
    path.write_text(json.dumps({"apiVersion": "mckube.io/v1alpha1", "kind": "Configuration",
                                "optimise": {"prices": f"{c.ns}/mckube-prices"}}))
    c.mckube("apply", f"--config={path}")
    assert pinned_to(c, "w1") == "a"


def replicas(name, of, n):
    """A ReplicaSet whose pods this scheduler binds."""
    pod = worker(name, of, gates=False)
    pod["spec"]["schedulerName"] = "mckube"
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": name}, "spec": {
        "replicas": n, "selector": {"matchLabels": {"workload-optimizer": of}},
        "template": {"metadata": {"labels": pod["metadata"]["labels"]}, "spec": pod["spec"]}}}


def places(c):
    """Of the pods that are not on their way out; the kubelets' part is done here."""
    nodes = []
    for pod in c.get("pods"):
        node = pod["spec"].get("nodeName")
        if node and pod["status"]["phase"] == "Pending":
            c.set_running(pod["metadata"]["name"])
        if not pod["metadata"].get("deletionTimestamp"):
            nodes.append(node)
    return nodes


def test_watch_moves_pods_off_the_dearer_node(c):
    """What replaces an evicted pod lands where the eviction meant it to, and does not go back when the
    prices change places."""
    priced(c, **SHARED)
    bare = worker("bare", "other", gates=False)
    bare["spec"]["nodeName"] = "b"
    c.create(bare, optimizer("web"))
    c.kubectl("cordon", "b")
    watch = c.start_mckube("watch", "--interval", "2s")
    try:
        c.create(replicas("web", "web", 1))
        c.wait(lambda: places(c) == ["b", "a"])
        c.kubectl("uncordon", "b")
        began = time.monotonic()
        c.wait(lambda: places(c) == ["b", "b"], 90)
        assert time.monotonic() - began > 14, "a move is wanted by plans that are 15 s apart"
        status = c.get("wo", "web")["status"]
        assert status["moves"] == 1, status
        moved = [p for p in c.get("pods") if p["metadata"]["labels"]["workload-optimizer"] == "web"
                 and not p["metadata"].get("deletionTimestamp")]
        assert [c.annotation_of(p, "kcloud.io/moved-at") for p in moved] == [status["lastMoveTime"]], moved
        # Its share was that of a CPU of a, and is that of one of b: no node's power is known.
        notes = [c.annotation_of(moved[0], f"kcloud.io/baseline-{of}") for of in ("cost-per-hour", "watts")]
        assert notes == ["0.031801", None] and status["lastMove"]["costPerHour"] == 0.031801, (notes, status)
        c.wait(lambda: c.get("wo", "web")["status"]["savings"]["costPerHour"] == 0.0159)
        bare = worker("other", "other", gates=False)
        bare["spec"]["nodeName"] = "a"
        c.create(bare)
        c.kubectl("annotate", "node", "b", "--overwrite", "mckube.io/price-per-hour=0.9")
        c.kubectl("delete", "pod", "bare", "-n", c.ns, "--force", "--grace-period=0")
        c.stays(lambda: places(c) == ["a", "b"], 5)
    finally:
        watch.terminate()
        watch.communicate()
        c.kubectl("delete", "replicaset", "web", "-n", c.ns)


def test_an_alert_moves_pods_while_a_window_is_open(c):
    """To where they draw less, though the node costs more."""
    priced(c, **SHARED)
    for node, curve in ("a", "0:10,1:50"), ("b", "0:20,1:100"):
        c.kubectl("annotate", "node", node, f"mckube.io/power-curve={curve}")
        bare = worker(f"bare-{node}", "other", gates=False)
        bare["spec"]["nodeName"] = node
        c.create(bare)
    c.create(optimizer("web"), policy("PowerPolicy", "watts", maxPowerUsage=30, powerAlertThresholds=[
        {"type": "power_usage", "value": 0.5, "action": "migrate"}]))
    c.kubectl("cordon", "a")
    c.create(replicas("web", "web", 1))
    c.wait(lambda: len(places(c)) == 3)
    c.mckube("apply")
    c.wait(lambda: places(c) == ["a", "b", "b"])
    c.kubectl("uncordon", "a")
    try:
        c.wait(lambda: all(p["status"]["phase"] == "Running" for p in c.get("pods")))
        elsewhen = (datetime.now(timezone.utc) + timedelta(days=3)).strftime("%a")
        closed = {**os.environ, "MCKUBE_EVICTIONS_WINDOWS": elsewhen}
        out = c.mckube("plan", env=closed).out
        assert "evict" not in out.split("Until")[0] and "Until evictions.windows opens at" in out, out
        c.mckube("apply", env=closed)
        assert places(c) == ["a", "b", "b"]
        out = c.mckube("apply").out
        assert "evict: Done" in out, out
        c.wait(lambda: len(places(c)) == 3)
        c.mckube("apply")
        c.wait(lambda: places(c) == ["a", "b", "a"])
        assert not c.get("powerpolicy", "watts")["status"].get("alerts"), "it is still on"
    finally:
        c.kubectl("delete", "replicaset", "web", "-n", c.ns, "--cascade=orphan")


def test_watch_keeps_to_its_namespaces(c):
    """Of another one nothing is placed or written, and no metric tells of it."""
    priced(c, **SHARED)
    other = f"{c.ns}-other"
    objects = [optimizer("web", costConstraints={"budgetLimit": 5}), worker("w1", "web")]
    c.create_namespace(other)
    try:
        c.kubectl("create", "-n", other, "-f", "-", stdin=json.dumps(
            {"apiVersion": "v1", "kind": "List", "items": objects}))
        with watching(c, "watch", "--interval=1s", env={**os.environ, "WATCH_NAMESPACE": f"none,{c.ns}"}) as watcher:
            c.create(*objects)
            c.wait(lambda: c.get("wo", "web").get("status", {}).get("assignedNode") == "b")
            cost = "kcloud_workloadoptimizer_current_cost{namespace="
            c.wait(lambda: f'{cost}"{c.ns}",name="web"}}' in watcher.get("/metrics"))
            assert f'namespace="{other}",name="web"' not in watcher.get("/metrics")
        pod = c.get("pod", "w1", other)
        assert pod["spec"]["schedulingGates"], pod
        held = c.get("wo", "web", other)
        assert "status" not in held and "finalizers" not in held["metadata"], held
        c.mckube("apply")  # of all namespaces
        assert c.get("wo", "web", other)["status"]["assignedNode"] == "b"
    finally:
        c.kubectl("delete", "pods", "--all", "-n", other, "--force", "--grace-period=0")
        c.kubectl("patch", "wo", "web", "-n", other, "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
        c.kubectl("delete", "namespace", other, "--wait=false")


def seconds(text):
    return int(datetime.fromisoformat(text).timestamp())


def check_account(budgets):
    """Each is the one before and its rate for the time since, rounded half up."""
    for was, now in zip(budgets, budgets[1:]):
        spent = Fraction(str(was["spent"])) * 10**6
        spent += Fraction(was["rateMicroUSD"] *
                          (seconds(now["accountedAt"]) - seconds(was["accountedAt"])), 3600)
        assert Fraction(str(now["spent"])) * 10**6 == (2 * spent + 1) // 2, (was, now)


def test_status_says_what_a_workload_costs_and_is(c):
    priced(c, **SHARED)
    c.create(optimizer("web", costConstraints={"maxCostPerHour": 0.02}), worker("w1", "web"),
             worker("w2", "web"))
    c.mckube("apply")
    status = c.get("wo", "web")["status"]
    assert (status["phase"], status["assignedNode"], status["replicas"]) == ("Failed", "b", 2), status
    assert (status["currentCost"], status["budget"]["rateMicroUSD"]) == (0.02, 15901), status
    conditions = {x["type"]: (x["status"], x["reason"]) for x in status["conditions"]}
    assert conditions["CostOptimized"] == ("True", "WithinBudget"), conditions
    assert conditions["Degraded"] == ("True", "LimitRefuses"), conditions
    row = c.kubectl("get", "wo", "-n", c.ns).out.splitlines()[1].split()
    assert row[:4] == ["web", "serving", "Failed", "0.02"] and row[6] == "b", row
    events = json.loads(c.kubectl("get", "events", "-n", c.ns, "--field-selector",
                                  "reason=WorkloadOptimized", "-o", "json").out)["items"]
    assert [e["involvedObject"]["name"] for e in events] == ["web"], events
    again = c.mckube("plan", check=False).out
    assert "set status" not in again, again


def policy(kind, name, **spec):
    return {"apiVersion": V1, "kind": kind, "metadata": {"name": name}, "spec": spec}


def now():
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def alert_events(c):
    """(kind, name) of the policy, for each Event of an alert."""
    return sorted((e["regarding"]["kind"], e["regarding"]["name"])
                  for e in c.get("events.events.k8s.io") if e["reason"] == "ThresholdReached")


def test_policies_say_what_is_spent_and_drawn_and_tell_once_of_an_alert(c):
    """The budget is nearly spent, which is known from the start; what is drawn, after the pod is there."""
    priced(c, **SHARED)
    c.create(optimizer("web"), worker("w1", "web"),
             policy("CostPolicy", "cap", budgetLimit=100, costPerHourLimit=0.01,
                    alertThresholds=[{"type": "budget_usage", "value": 80, "action": "notify"}]),
             policy("PowerPolicy", "watts", maxPowerUsage=1000, powerAlertThresholds=[
                 {"type": "power_usage", "value": 0.01, "action": "notify"}]))
    c.kubectl("patch", "costpolicy", "cap", "-n", c.ns, "--subresource=status", "--type=merge", "-p",
              json.dumps({"status": {"budget": {"spent": 90, "rateMicroUSD": 0, "accountedAt": now()}}}))
    c.mckube("apply", check=False)
    status = c.get("costpolicy", "cap")["status"]
    assert (status["phase"], status["currentSpend"], status["budgetUtilization"]) == (
        "Active", 90, 90), status
    assert [(a["type"], a["action"], a["value"]) for a in status["alerts"]] == [
        ("budget_usage", "notify", 0.8)], status
    c.wait(lambda: alert_events(c) == [("CostPolicy", "cap")])

    c.kubectl("patch", "costpolicy", "cap", "-n", c.ns, "--type=merge", "-p",
              json.dumps({"spec": {"costPerHourLimit": 0.02}}))
    c.mckube("apply")
    assert pinned_to(c, "w1") == "b"
    c.mckube("apply")
    status = c.get("powerpolicy", "watts")["status"]
    assert status["phase"] == "Active" and status["currentPowerUsage"] > 1, status
    assert status["alerts"][0]["type"] == "power_usage", status
    c.wait(lambda: alert_events(c) == [("CostPolicy", "cap"), ("PowerPolicy", "watts")])
    row = c.kubectl("get", "pp", "-n", c.ns).out.splitlines()[1].split()
    assert row[:2] == ["watts", "1000"] and row[3] == "Active", row
    assert "set status" not in c.mckube("plan").out


def test_budget_ends_and_is_counted_once_whatever_is_killed(c):
    """Seconds cost dollars here. Passes are killed at each of their requests; what was spent stays
    what the rates and times add up to, until the budget ends: then nothing more is placed."""
    priced(c, a="100000", b="100000")
    c.create(optimizer("web", costConstraints={"budgetLimit": 6}), worker("w0", "web"))
    proxy, budgets = Proxy(c.api, c.folder), []

    def look():
        budget = c.get("wo", "web").get("status", {}).get("budget")
        if budget and budget not in budgets[-1:]:
            budgets.append(budget)

    try:
        for when, n in [("before", n) for n in (20, 22)] + [("after", n) for n in (2, 3)]:
            proxy.run([c.program, "apply"], (when, n))
            look()
            c.kubectl("delete", "lease", "mckube", "-n", "kube-system", check=False)
            c.mckube("apply", check=False)
            look()
            c.create(worker(f"w{len(budgets)}", "web"), check=False)
    finally:
        proxy.stop()
    c.wait(lambda: c.mckube("apply", check=False) and look() is None and
           budgets[-1]["spent"] >= 6)
    check_account(budgets)
    c.create(worker("late", "web"))
    plan = json.loads(c.mckube("plan", "-o", "json").out)["spec"]
    assert ("late", "BudgetExhausted") in [(u["pod"]["name"], u["reason"])
                                           for u in plan["unplaced"]], plan
    reasons = {x["type"]: x["reason"] for x in c.get("wo", "web")["status"]["conditions"]}
    assert reasons["CostOptimized"] == "BudgetExhausted", reasons


def test_a_deleted_optimizer_lets_its_waiting_pods_go(c):
    """Its pods wait behind our gate, since they would cost too much; without it they are another
    scheduler's. apply alone does that, and a pass that is cut off is made up for by the next one."""
    priced(c, **SHARED)
    c.create(optimizer("web", costConstraints={"maxCostPerHour": 0.02}), worker("w1", "web"),
             worker("w2", "web"), worker("w3", "web"))
    c.mckube("apply")
    assert c.get("wo", "web")["metadata"]["finalizers"] == ["workloadoptimizer.kcloud.io/finalizer"]
    assert [bool(pinned_to(c, p)) for p in ("w1", "w2", "w3")] == [True, False, False]
    again = json.loads(c.mckube("plan", "-o", "json").out)["spec"]["actions"]
    assert not [a for a in again if a.get("object", {}).get("namespace") == c.ns], again
    c.kubectl("delete", "wo", "web", "-n", c.ns, "--wait=false")
    proxy = Proxy(c.api, c.folder)
    try:
        for _ in range(2):  # the first write of each is the Lease
            proxy.run([c.program, "apply"], ("after", 2))
            c.kubectl("delete", "lease", "mckube", "-n", "kube-system", check=False)
    finally:
        proxy.stop()
    c.mckube("apply")
    for pod in "w2", "w3":
        assert not c.get("pod", pod)["spec"].get("schedulingGates"), pod
    assert c.kubectl("get", "wo", "web", "-n", c.ns, check=False).code != 0
    assert pinned_to(c, "w1") == "b"


def test_without_the_definitions_there_are_no_optimizers(c):
    """As before they are installed: the kinds are not served, which is no error."""
    c.nodes("n1")
    c.create(*c.pair("a", 300000))
    c.kubectl("delete", "crd", *[f"{kind}.kcloud.io" for kind in
                                 ("workloadoptimizers", "costpolicies", "powerpolicies")])
    try:
        c.wait(lambda: c.kubectl("get", "wo", check=False).code != 0)
        assert "1 to bind" in c.mckube("plan").out
    finally:
        c.install_definitions()
