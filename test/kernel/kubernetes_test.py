# SPDX-License-Identifier: Apache-2.0
"""The helper against a real API server: pods that are bound to its node get their budgets when their
cgroups appear, and status and Events follow. Cgroups and processes are real, the kubelet is this test.
MCKUBE_KUBECONFIG names the kubeconfig of a cluster that runs already."""
import datetime
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from api import MCKUBES, PODS, Api, start_cluster
from node import Test, skip

t = Test("kubernetes")
config = os.environ.get("MCKUBE_KUBECONFIG") or start_cluster()
if not config:
    skip("needs MCKUBE_KUBECONFIG, or a run of test/cluster/build")
api = Api(config)
NODE, NAME = t.name, t.name + "-brake"
POD = f"{PODS}/{NAME}"
HOG = f"../{t.name}-hog"


def pressure():
    """Missed time, us per second, as the node tells it."""
    return int(api.annotations(f"/api/v1/nodes/{NODE}")["mckube.io/rt-pressure"])


def reasons(pod=NAME):
    return {e["reason"]: e for e in api.events() if e["regarding"].get("name") == pod}


def status():
    return api.get(f"{MCKUBES}/{NAME}").get("status", {})


def condition(kind):
    found = [c for c in status().get("conditions", []) if c["type"] == kind]
    return found[0] if found else {"status": "", "reason": ""}


def make_mckube():
    api.make(MCKUBES, {
        "apiVersion": "mcoperator.sdv.com/v1", "kind": "McKube", "metadata": {"name": NAME},
        "spec": {"podname": NAME, "criticality": "High",
                 "rtSettings": {"period": 100000, "runtime_low": 10000, "runtime_hi": 30000}}})
    api.patch(f"{MCKUBES}/{NAME}/status", {"status": {"conditions": [
        {"type": "Other", "status": "True", "reason": "Mine", "message": "",
         "lastTransitionTime": "2026-01-01T00:00:00Z"}]}})


try:
    api.make_definition()
    t.wait("the server knows McKubes", lambda: api.answers(MCKUBES))
    make_mckube()
    api.make_node(NODE)
    t.make("kubepods")
    t.start("--node-name", NODE, "--kubeconfig", config, "--bundle-dir", t.dir, "--dwell", "500ms",
            static=False)
    t.wait("the node is described",
           lambda: api.annotations(f"/api/v1/nodes/{NODE}").get("mckube.io/backend") == "cgroup-v1")
    described = api.annotations(f"/api/v1/nodes/{NODE}")
    t.check("with scope and capacity", described["mckube.io/capacity-scope"] == "node" and
            described["mckube.io/rt-capacity"] == "950000")
    t.wait("and how busy it is",
           lambda: "mckube.sdv.com/isCpuBusy" in api.annotations(f"/api/v1/nodes/{NODE}"))

    assigned = {"rt-period": "100000", "rt-runtime-low": "10000", "rt-runtime-hi": "30000",
                "rt-core": "1", "rt-current": "low", "criticality": "High",
                "rt-enforcement": "raise", "rt-source": "mckube"}
    uid, _ = api.make_pod(NAME, NODE, assigned)
    t.wait("its McKube is Waiting", lambda: condition("RTApplied")["reason"] == "Waiting", 3)
    t.check("placed, not ready", condition("Placed")["status"] == "True" and
            condition("Ready")["status"] == "False" and status()["allocatedCore"] == "1")
    t.check("and not refused", "mckube.io/rt-applied" not in api.annotations(POD))
    time.sleep(1)  # the pod is known before its cgroup is made, as with a kubelet
    group = f"kubepods/pod{uid}"
    t.make(group)
    # The sandbox has no name, the container's bundle is written before its cgroup is made.
    t.make(group + "/5a5a")
    os.mkdir(t.dir + "/c0ffee")
    with open(t.dir + "/c0ffee/config.json", "w") as f:
        json.dump({"annotations": {"io.kubernetes.cri.container-name": "app"}}, f)
    start = time.monotonic()
    t.make(group + "/c0ffee")
    app = group + "/c0ffee"
    while t.runtime(app) == 0 and time.monotonic() < start + 5:
        pass
    print(f"# budget {1e3 * (time.monotonic() - start):.1f} ms after mkdir")
    t.check("the budget comes with the cgroup", t.runtime(app) in (10000, 30000))
    t.check("the sandbox has none", t.runtime(group + "/5a5a") == 0)
    t.wait("rt-applied is set", lambda: api.annotations(POD).get("mckube.io/rt-applied") == "true")

    t.wait("so the McKube is ready", lambda: condition("Ready")["status"] == "True", 2)
    t.check("at its low level, about this pod", status()["currentRuntime"] == "low" and
            status()["podUID"] == uid and status()["node"] == NODE and
            status()["observedGeneration"] == 1)
    t.check("conditions of other types are kept", condition("Other")["reason"] == "Mine")
    ready_since = condition("Ready")["lastTransitionTime"]

    spinner = t.fifo(app, 1)
    t.wait("rt-current follows an overrun", lambda: api.annotations(POD)["mckube.io/rt-current"] == "hi")
    t.wait("and the McKube within a second", lambda: status()["currentRuntime"] == "hi", 1)
    t.check("with the condition Overrunning", condition("Overrunning")["status"] == "True")
    t.check("and the time of the overrun", abs(time.time() - datetime.datetime.fromisoformat(
        status()["lastOverrunTime"].replace("Z", "+00:00")).timestamp()) < 5)
    t.check("it is ready all the while", condition("Ready")["lastTransitionTime"] == ready_since)
    t.wait("Events report it", lambda: {"RTOverrun", "RuntimeEscalated"} <= set(reasons()))
    t.check("with the kernel's time", reasons()["RTOverrun"]["eventTime"] <=
            reasons()["RuntimeEscalated"]["eventTime"])

    api.annotate(POD, {"rt-current": "low"})
    t.wait("a request for low is applied, and the overrun that goes on raises it again",
           lambda: t.text().count("mckube.io/rt-current was set") == 1 and
           api.annotations(POD)["mckube.io/rt-current"] == "hi")
    t.end(spinner)
    t.wait("rt-current comes down", lambda: api.annotations(POD)["mckube.io/rt-current"] == "low")
    t.wait("so does the McKube", lambda: condition("Overrunning")["status"] == "False", 2)
    api.annotate(POD, {"rt-current": "hi"})
    t.wait("a request for hi is applied", lambda: t.runtime(app) == 30000)
    t.wait("and forgotten when it is calm", lambda: t.runtime(app) == 10000)
    t.wait("which rt-current shows", lambda: api.annotations(POD)["mckube.io/rt-current"] == "low")
    api.annotate(POD, {"rt-current": "sideways"})
    t.wait("an unknown level is overwritten", lambda: api.annotations(POD)["mckube.io/rt-current"] == "low")

    api.patch(f"{MCKUBES}/{NAME}/status", {"status": {"currentRuntime": "hi"}})
    t.wait("so is a wrong status", lambda: status()["currentRuntime"] == "low", 3)
    api.patch(f"{MCKUBES}/{NAME}", {"spec": {"criticality": "Middle"}})
    t.wait("a new generation is observed", lambda: status()["observedGeneration"] == 2, 3)
    t.wait("an Event reports that, too", lambda: "RuntimeRecovered" in reasons())
    for _ in range(3):
        spinner = t.fifo(app, 1)
        time.sleep(0.3)
        t.end(spinner)
        time.sleep(2)
    t.check("nothing that was granted is missed", lambda: pressure() == 0)
    t.make(HOG)
    t.write_runtime(HOG, 400000)
    victim, hog = t.fifo(app, 1), t.fifo(HOG, 1)
    os.sched_setscheduler(hog.pid, os.SCHED_FIFO, os.sched_param(50))
    # 30000 us of each 100000, four of ten periods.
    t.wait("what a more important process takes is", lambda: 50000 < pressure() < 160000, 15)
    t.end(hog)
    t.wait("until it no longer does", lambda: pressure() == 0, 20)
    t.end(victim)
    t.wait("calm again", lambda: t.runtime(app) == 10000)
    t.wait("more of the same is one Event in series",
           lambda: reasons()["RuntimeEscalated"].get("series", {}).get("count", 0) >= 2, 30)

    api.annotate(POD, {"rt-runtime-hi": "990000"})
    t.wait("an invalid annotation is refused in the condition",
           lambda: "more than the period" in condition("RTApplied").get("message", ""))
    t.check("in an Event, too", "RTBudgetRefused" in reasons())
    for more in range(1, 5):
        api.annotate(POD, {"rt-runtime-hi": str(990000 + more)})
        t.wait("each time again", lambda more=more: t.text().count(f": {990000 + more} is more") >= 1)
    api.annotate(POD, {"note": "another change", "rt-runtime-hi": "990099"})
    api.annotate(POD, {"note": "and one more"})
    api.annotate(POD, {"rt-runtime-hi": "990005"})
    t.wait("and not again when something else changes",
           lambda: ": 990005 is more" in t.text() and t.text().count(": 990099 is more") == 1)
    t.check("and the budget stays", t.runtime(app) >= 10000)
    t.wait("the McKube is not ready", lambda: condition("Ready")["reason"] == "RTBudgetRefused", 3)
    t.check("as on the pod", api.annotations(POD)["mckube.io/rt-applied"] == "false")

    greedy, path = api.make_pod(NAME + "-greedy", NODE, {**assigned, "rt-runtime-low": "99000",
                                                         "rt-runtime-hi": "100000"})
    for group_of_greedy in (f"kubepods/pod{greedy}", f"kubepods/pod{greedy}/dead"):
        t.make(group_of_greedy)
    api.set_container(path, "containerd://dead")
    t.wait("a pod that asks for more than is left is refused in an Event with the figures",
           lambda: "us of 100" in reasons(NAME + "-greedy").get("RTBudgetRefused", {}).get("note", ""))
    t.check("it gets nothing", t.runtime(f"kubepods/pod{greedy}/dead") == 0)
    t.wait("which is missed", lambda: pressure() > 500000, 15)
    t.check("and no other pod loses", t.runtime(app) >= 10000)
    api.ask("DELETE", path + "?gracePeriodSeconds=0")
    t.remove(f"kubepods/pod{greedy}/dead")
    t.remove(f"kubepods/pod{greedy}")
    api.ask("DELETE", POD + "?gracePeriodSeconds=0")
    t.remove(app)
    t.remove(group + "/5a5a")
    t.remove(group)
    t.wait("a deleted pod frees its budget", lambda: t.runtime("kubepods") == 0, 20)
    t.wait("its McKube is not placed", lambda: condition("Placed")["reason"] == "PodGone", 3)
    t.check("and has no core", not {"allocatedCore", "podUID", "node"} & set(status()))
    t.check("it ends well", t.stop() == 0)
    t.check("and has posted all counts",
            reasons()["RTBudgetRefused"]["series"]["count"] >= 5)
finally:
    if os.path.exists(t.dir + "/c0ffee"):
        os.unlink(t.dir + "/c0ffee/config.json")
        os.rmdir(t.dir + "/c0ffee")
    try:
        api.remove_all()
    finally:
        t.finish()
