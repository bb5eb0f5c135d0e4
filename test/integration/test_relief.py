# SPDX-License-Identifier: Apache-2.0
"""Budgets that change under running pods, and nodes under pressure, on a real API server."""

import json

TAINT = "McKubeRTDeadlinePressure"
DEGRADED = "mckube.io/rt-degraded"
FINALIZER = "mckube.mcoperator.sdv.com/finalizer"


def taints(c, node):
    return c.get("node", node)["spec"].get("taints", [])


def test_changed_budget_is_granted(c):
    c.nodes("n1")
    c.create(*c.pair("brake", 300000, 500000, "High"))
    c.mckube("apply")
    assert c.get("mckube", "brake")["metadata"]["finalizers"] == [FINALIZER]
    c.kubectl("patch", "mckube", "brake", "-n", c.ns, "--type=merge", "-p", json.dumps(
        {"spec": {"rtSettings": {"runtime_low": 200000, "runtime_floor": 30000}}}))
    done = c.mckube("apply")
    assert "brake update: Done" in done.out, done
    pod = c.get("pod", "brake")
    assert c.annotation_of(pod, "mckube.io/rt-runtime-low") == "200000"
    assert c.annotation_of(pod, "mckube.io/rt-runtime-floor") == "30000"
    assert c.annotation_of(pod, "mckube.io/rt-enforcement") == "watch"
    assert "Nothing to do" in c.mckube("apply").out


def test_pressure_degrades_restores_and_evicts(c):
    c.nodes("n1", cores=2)
    c.create(*c.pair("low", 200000), *c.pair("high", 300000, 300000, "High"))
    c.mckube("apply")
    c.set_running("low")
    c.set_running("high")
    c.report_usage("n1", 97)

    done = c.mckube("apply", c.pressure())
    assert "low degrade: Done" in done.out, done
    assert c.annotation_of(c.get("pod", "low"), DEGRADED).endswith("Z")
    assert c.annotation_of(c.get("pod", "low"), "mckube.io/rt-runtime-low") == "200000"
    assert not taints(c, "n1")

    c.report_usage("n1", 60)
    done = c.mckube("apply", c.pressure())
    assert "low restore: Done" in done.out, done
    assert c.annotation_of(c.get("pod", "low"), DEGRADED) is None

    c.report_usage("n1", 97)
    c.mckube("apply", c.pressure())
    assert "low" not in c.mckube("plan", c.pressure(evict="none"), "-o", "name").out
    done = c.mckube("apply", "--force", c.pressure(evict="all"))
    assert "n1 taint: Done" in done.out and "low evict: Done" in done.out, done
    assert [(t["key"], t["value"], t["effect"]) for t in taints(c, "n1")] == [
        (TAINT, "True", "NoSchedule")]
    assert [p["metadata"]["name"] for p in c.get("pods")] == ["high"]


def test_untaint_keeps_foreign_taints(c):
    c.nodes("n1", cores=1)
    other = {"key": "dedicated", "value": "x", "effect": "NoSchedule"}
    ours = {"key": TAINT, "value": "True", "effect": "NoSchedule"}
    c.kubectl("patch", "node", "n1", "--type=merge", "-p",
              json.dumps({"spec": {"taints": [ours, other]}}))
    done = c.mckube("apply")
    assert "n1 untaint: Done" in done.out, done
    assert taints(c, "n1") == [other]
    assert "Nothing to do" in c.mckube("apply").out


def test_refused_budget_taints_its_node(c):
    c.nodes("n1", "n2", cores=1)
    c.create(*c.pair("brake", 300000, 500000, "High"))
    c.mckube("apply")
    c.set_running("brake")
    node = c.get("pod", "brake")["spec"]["nodeName"]
    c.kubectl("annotate", "pod", "brake", "-n", c.ns, "mckube.io/rt-applied=false")
    done = c.mckube("apply")
    assert f"{node} taint: Done" in done.out, done
    c.kubectl("annotate", "pod", "brake", "-n", c.ns, "--overwrite", "mckube.io/rt-applied=true")
    done = c.mckube("apply", c.pressure())
    assert f"{node} untaint: Done" in done.out, done


def test_recreated_pod_inherits_nothing(c):
    c.nodes("n1", cores=2)
    c.create(*c.pair("brake", 300000, 500000, "High"))
    c.mckube("apply")
    old = c.get("pod", "brake")
    c.kubectl("patch", "mckube", "brake", "-n", c.ns, "--subresource=status", "--type=merge", "-p",
              json.dumps({"status": {"allocatedCore": "1", "currentRuntime": "hi",
                                     "podUID": old["metadata"]["uid"]}}))
    c.kubectl("delete", "pod", "brake", "-n", c.ns, "--force", "--grace-period=0")
    c.create(c.pod("brake", spec={"nodeName": "n1"}))
    done = c.mckube("apply")
    assert "brake assign: Done" in done.out, done
    pod, status = c.get("pod", "brake"), c.get("mckube", "brake")["status"]
    assert c.annotation_of(pod, "mckube.io/rt-core") == "0"
    assert c.annotation_of(pod, "mckube.io/rt-current") == "low"
    assert status["podUID"] == pod["metadata"]["uid"]
    assert (status["allocatedCore"], status["currentRuntime"]) == ("0", "low")


def test_deleted_request_is_cleaned_up_and_released(c):
    c.nodes("n1")
    c.create(*c.pair("brake", 300000, 500000, "High"))
    c.mckube("apply")
    c.kubectl("delete", "mckube", "brake", "-n", c.ns, "--wait=false")
    assert c.get("mckube", "brake")["metadata"]["deletionTimestamp"]
    done = c.mckube("apply")
    assert "brake unassign: Done" in done.out and "brake remove finalizer: Done" in done.out, done
    assert c.kubectl("get", "mckube", "brake", "-n", c.ns, check=False).code == 1
    notes = c.get("pod", "brake")["metadata"].get("annotations", {})
    assert not [key for key in notes if key.startswith("mckube.io/")], notes
