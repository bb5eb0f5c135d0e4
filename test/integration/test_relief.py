# SPDX-License-Identifier: Apache-2.0
"""Budgets that change under running pods, and nodes under pressure, on a real API server."""

import json

TAINT = "McKubeRTDeadlinePressure"
DEGRADED = "mckube.io/rt-degraded"
FINALIZER = "mckube.mcoperator.sdv.com/finalizer"


def taints(w, node):
    return w.get("node", node)["spec"].get("taints", [])


def test_a_changed_budget_is_granted(w):
    w.nodes("n1")
    w.create(*w.pair("brake", 300000, 500000, "High"))
    w.mckube("apply")
    assert w.get("mckube", "brake")["metadata"]["finalizers"] == [FINALIZER]
    w.kubectl("patch", "mckube", "brake", "-n", w.ns, "--type=merge", "-p", json.dumps(
        {"spec": {"rtSettings": {"runtime_low": 200000, "runtime_floor": 30000}}}))
    done = w.mckube("apply")
    assert "brake update: Done" in done.out, done
    pod = w.get("pod", "brake")
    assert w.note(pod, "mckube.io/rt-runtime-low") == "200000"
    assert w.note(pod, "mckube.io/rt-runtime-floor") == "30000"
    assert w.note(pod, "mckube.io/rt-enforcement") == "watch"
    assert "Nothing to do" in w.mckube("apply").out


def test_pressure_degrades_then_evicts_and_is_taken_back(w):
    w.nodes("n1", cores=2)
    w.create(*w.pair("low", 200000), *w.pair("high", 300000, 300000, "High"))
    w.mckube("apply")
    w.run_pod("low")
    w.run_pod("high")
    w.say_usage("n1", 97)

    done = w.mckube("apply", w.pressure())
    assert "low degrade: Done" in done.out, done
    assert w.note(w.get("pod", "low"), DEGRADED).endswith("Z")
    assert w.note(w.get("pod", "low"), "mckube.io/rt-runtime-low") == "200000"
    assert not taints(w, "n1")

    w.say_usage("n1", 60)
    done = w.mckube("apply", w.pressure())
    assert "low restore: Done" in done.out, done
    assert w.note(w.get("pod", "low"), DEGRADED) is None

    w.say_usage("n1", 97)
    w.mckube("apply", w.pressure())
    assert "low" not in w.mckube("plan", w.pressure(evict="none"), "-o", "name").out
    done = w.mckube("apply", w.pressure(evict="all"))
    assert "n1 taint: Done" in done.out and "low evict: Done" in done.out, done
    assert [(t["key"], t["value"], t["effect"]) for t in taints(w, "n1")] == [
        (TAINT, "True", "NoSchedule")]
    assert [p["metadata"]["name"] for p in w.get("pods")] == ["high"]


def test_the_taint_leaves_others_alone(w):
    w.nodes("n1", cores=1)
    other = {"key": "dedicated", "value": "x", "effect": "NoSchedule"}
    ours = {"key": TAINT, "value": "True", "effect": "NoSchedule"}
    w.kubectl("patch", "node", "n1", "--type=merge", "-p",
              json.dumps({"spec": {"taints": [ours, other]}}))
    done = w.mckube("apply")
    assert "n1 untaint: Done" in done.out, done
    assert taints(w, "n1") == [other]
    assert "Nothing to do" in w.mckube("apply").out


def test_a_refused_budget_taints_its_node(w):
    w.nodes("n1", "n2", cores=1)
    w.create(*w.pair("brake", 300000, 500000, "High"))
    w.mckube("apply")
    w.run_pod("brake")
    node = w.get("pod", "brake")["spec"]["nodeName"]
    w.kubectl("annotate", "pod", "brake", "-n", w.ns, "mckube.io/rt-applied=false")
    done = w.mckube("apply")
    assert f"{node} taint: Done" in done.out, done
    w.kubectl("annotate", "pod", "brake", "-n", w.ns, "--overwrite", "mckube.io/rt-applied=true")
    done = w.mckube("apply", w.pressure())
    assert f"{node} untaint: Done" in done.out, done


def test_a_pod_made_again_inherits_nothing(w):
    w.nodes("n1", cores=2)
    w.create(*w.pair("brake", 300000, 500000, "High"))
    w.mckube("apply")
    old = w.get("pod", "brake")
    w.kubectl("patch", "mckube", "brake", "-n", w.ns, "--subresource=status", "--type=merge", "-p",
              json.dumps({"status": {"allocatedCore": "1", "currentRuntime": "hi",
                                     "podUID": old["metadata"]["uid"]}}))
    w.kubectl("delete", "pod", "brake", "-n", w.ns, "--force", "--grace-period=0")
    w.create(w.pod("brake", spec={"nodeName": "n1"}))
    done = w.mckube("apply")
    assert "brake assign: Done" in done.out, done
    pod, status = w.get("pod", "brake"), w.get("mckube", "brake")["status"]
    assert w.note(pod, "mckube.io/rt-core") == "0"
    assert w.note(pod, "mckube.io/rt-current") == "low"
    assert status["podUID"] == pod["metadata"]["uid"]
    assert (status["allocatedCore"], status["currentRuntime"]) == ("0", "low")


def test_a_deleted_request_is_cleaned_up_and_released(w):
    w.nodes("n1")
    w.create(*w.pair("brake", 300000, 500000, "High"))
    w.mckube("apply")
    w.kubectl("delete", "mckube", "brake", "-n", w.ns, "--wait=false")
    assert w.get("mckube", "brake")["metadata"]["deletionTimestamp"]
    done = w.mckube("apply")
    assert "brake unassign: Done" in done.out and "brake remove finalizer: Done" in done.out, done
    assert w.kubectl("get", "mckube", "brake", "-n", w.ns, check=False).code == 1
    notes = w.get("pod", "brake")["metadata"].get("annotations", {})
    assert not [key for key in notes if key.startswith("mckube.io/")], notes
