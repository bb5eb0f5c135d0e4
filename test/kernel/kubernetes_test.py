# SPDX-License-Identifier: Apache-2.0
"""The helper against a real API server: pods that are bound to its node get their budgets when their
cgroups appear, and what happens is told. Cgroups and processes are real, the kubelet is this test.
MCKUBE_KUBECONFIG names the kubeconfig of a cluster that runs already."""
import atexit
import datetime
import json
import os
import pathlib
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import yaml

sys.path.insert(0, os.path.dirname(__file__))
from node import Test, skip

TOP = pathlib.Path(__file__).resolve().parents[2]
CONFIG = os.environ.get("MCKUBE_KUBECONFIG")


def start_cluster():
    """One of our own, where Kubernetes was built already: that takes minutes."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))
    if not list(cache.glob("mckube/kubernetes/*/bin/kube-apiserver")):
        skip("needs MCKUBE_KUBECONFIG, or a run of test/cluster/build")
    folder = tempfile.mkdtemp(prefix="mckube-")
    atexit.register(lambda: (subprocess.run([TOP / "test/cluster/down", folder], check=False),
                             shutil.rmtree(folder, ignore_errors=True)))
    up = subprocess.run([TOP / "test/cluster/up", folder], stdout=subprocess.PIPE, text=True,
                        check=True)
    return up.stdout.strip()


t = Test("kubernetes")
if not CONFIG:
    CONFIG = start_cluster()
with open(CONFIG) as f:
    config = yaml.safe_load(f)
server = config["clusters"][0]["cluster"]["server"]
token = config["users"][0]["user"]["token"]
context = ssl._create_unverified_context()


def api(method, path, body=None, kind="application/json"):
    request = urllib.request.Request(
        server + path, method=method, data=json.dumps(body).encode() if body else None,
        headers={"Authorization": "Bearer " + token, "Content-Type": kind})
    with urllib.request.urlopen(request, context=context, timeout=10) as reply:
        return json.load(reply)


NODE, NAME = t.name, t.name + "-brake"
POD = f"/api/v1/namespaces/default/pods/{NAME}"
MCKUBES = "/apis/mcoperator.sdv.com/v1/namespaces/default/mckubes"
MERGE = "application/merge-patch+json"


def notes(path):
    return api("GET", path)["metadata"].get("annotations", {})


def reasons():
    events = api("GET", "/apis/events.k8s.io/v1/namespaces/default/events")["items"]
    return {e["reason"]: e for e in events if e["regarding"].get("name") == NAME}


def status():
    return api("GET", f"{MCKUBES}/{NAME}").get("status", {})


def condition(kind):
    found = [c for c in status().get("conditions", []) if c["type"] == kind]
    return found[0] if found else {"status": "", "reason": ""}


def annotate(notes):
    api("PATCH", POD, {"metadata": {"annotations": {"mckube.io/" + k: v for k, v in notes.items()}}},
        MERGE)


def make_definition():
    with open(TOP / "manifests/crd.yaml") as f:
        definition = yaml.safe_load(f)
    try:
        api("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)
    except urllib.error.HTTPError as e:
        if e.code != 409:
            raise
    t.wait("the server knows McKubes", lambda: answers(MCKUBES))


def answers(path):
    try:
        return bool(api("GET", path))
    except urllib.error.HTTPError:
        return False


def make_mckube():
    api("POST", MCKUBES, {
        "apiVersion": "mcoperator.sdv.com/v1", "kind": "McKube", "metadata": {"name": NAME},
        "spec": {"podname": NAME, "criticality": "High",
                 "rtSettings": {"period": 100000, "runtime_low": 10000, "runtime_hi": 30000}}})
    api("PATCH", f"{MCKUBES}/{NAME}/status", {"status": {"conditions": [
        {"type": "Other", "status": "True", "reason": "Mine", "message": "",
         "lastTransitionTime": "2026-01-01T00:00:00Z"}]}}, MERGE)


try:
    make_definition()
    make_mckube()
    api("POST", "/api/v1/nodes", {"metadata": {"name": NODE}})
    try:
        api("POST", "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "default"}})
    except urllib.error.HTTPError:
        pass
    t.make("kubepods")
    t.start("--node-name", NODE, "--kubeconfig", CONFIG, "--bundle-dir", t.dir, "--dwell", "500ms",
            static=False)
    t.wait("the node is described",
           lambda: notes(f"/api/v1/nodes/{NODE}").get("mckube.io/backend") == "cgroup-v1")
    described = notes(f"/api/v1/nodes/{NODE}")
    t.check("with scope and capacity", described["mckube.io/capacity-scope"] == "node" and
            described["mckube.io/rt-capacity"] == "950000")
    t.wait("and how busy it is",
           lambda: "mckube.sdv.com/isCpuBusy" in notes(f"/api/v1/nodes/{NODE}"))

    assigned = {"rt-period": "100000", "rt-runtime-low": "10000", "rt-runtime-hi": "30000",
                "rt-core": "1", "rt-current": "low", "criticality": "High",
                "rt-enforcement": "raise"}
    pod = api("POST", "/api/v1/namespaces/default/pods", {
        "metadata": {"name": NAME,
                     "annotations": {"mckube.io/" + k: v for k, v in assigned.items()}},
        "spec": {"nodeName": NODE, "automountServiceAccountToken": False,
                 "containers": [{"name": "app", "image": "none"}]}})
    uid = pod["metadata"]["uid"]
    t.wait("its McKube says that it waits", lambda: condition("RTApplied")["reason"] == "Waiting", 3)
    t.check("placed, not ready", condition("Placed")["status"] == "True" and
            condition("Ready")["status"] == "False" and status()["allocatedCore"] == "1")
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
    t.wait("rt-applied is set", lambda: notes(POD).get("mckube.io/rt-applied") == "true")

    t.wait("so the McKube is ready", lambda: condition("Ready")["status"] == "True", 2)
    t.check("at its low level, about this pod", status()["currentRuntime"] == "low" and
            status()["podUID"] == uid and status()["observedGeneration"] == 1)
    t.check("what others say stays", condition("Other")["reason"] == "Mine")
    ready_since = condition("Ready")["lastTransitionTime"]

    spinner = t.fifo(app, 1)
    t.wait("rt-current follows an overrun", lambda: notes(POD)["mckube.io/rt-current"] == "hi")
    t.wait("and the McKube within a second", lambda: status()["currentRuntime"] == "hi", 1)
    t.check("which says that it overruns", condition("Overrunning")["status"] == "True")
    t.check("and since when", abs(time.time() - datetime.datetime.fromisoformat(
        status()["lastOverrunTime"].replace("Z", "+00:00")).timestamp()) < 5)
    t.check("it is ready all the while", condition("Ready")["lastTransitionTime"] == ready_since)
    t.wait("Events tell it", lambda: {"RTOverrun", "RuntimeEscalated"} <= set(reasons()))
    t.check("with the kernel's time", reasons()["RTOverrun"]["eventTime"] <=
            reasons()["RuntimeEscalated"]["eventTime"])

    annotate({"rt-current": "low"})
    t.wait("an order to go low is obeyed, and the overrun that goes on is the truth",
           lambda: t.text().count("mckube.io/rt-current was set") == 1 and
           notes(POD)["mckube.io/rt-current"] == "hi")
    t.end(spinner)
    t.wait("rt-current comes down", lambda: notes(POD)["mckube.io/rt-current"] == "low")
    t.wait("so does the McKube", lambda: condition("Overrunning")["status"] == "False", 2)
    annotate({"rt-current": "hi"})
    t.wait("an order to go up is obeyed", lambda: t.runtime(app) == 30000)
    t.wait("and forgotten when it is calm", lambda: t.runtime(app) == 10000)
    t.wait("which is told", lambda: notes(POD)["mckube.io/rt-current"] == "low")
    annotate({"rt-current": "sideways"})
    t.wait("a word that is none is put right", lambda: notes(POD)["mckube.io/rt-current"] == "low")

    api("PATCH", f"{MCKUBES}/{NAME}/status", {"status": {"currentRuntime": "hi"}}, MERGE)
    t.wait("so is a wrong status", lambda: status()["currentRuntime"] == "low", 3)
    api("PATCH", f"{MCKUBES}/{NAME}", {"spec": {"criticality": "Middle"}}, MERGE)
    t.wait("a new generation is observed", lambda: status()["observedGeneration"] == 2, 3)
    t.wait("an Event tells that, too", lambda: "RuntimeRecovered" in reasons())
    for _ in range(3):
        spinner = t.fifo(app, 1)
        time.sleep(0.3)
        t.end(spinner)
        time.sleep(2)
    t.wait("more of the same is one Event in series",
           lambda: reasons()["RuntimeEscalated"].get("series", {}).get("count", 0) >= 2, 30)

    api("PATCH", POD, {"metadata": {"annotations": {"mckube.io/rt-runtime-hi": "990000"}}},
        "application/merge-patch+json")
    t.wait("nonsense in an annotation is refused aloud",
           lambda: "more than the period" in condition("RTApplied").get("message", ""))
    t.check("in an Event, too", "RTBudgetRefused" in reasons())
    t.check("and the budget stays", t.runtime(app) >= 10000)
    t.wait("the McKube is not ready", lambda: condition("Ready")["reason"] == "RTBudgetRefused", 3)
    t.check("which is on the pod, too", notes(POD)["mckube.io/rt-applied"] == "false")
    api("DELETE", POD + "?gracePeriodSeconds=0")
    t.remove(app)
    t.remove(group + "/5a5a")
    t.remove(group)
    t.wait("a deleted pod frees its budget", lambda: t.runtime("kubepods") == 0)
    t.wait("its McKube is nowhere", lambda: condition("Placed")["reason"] == "PodGone", 3)
    t.check("and has no core", "allocatedCore" not in status() and "podUID" not in status())
    t.check("it ends well", t.stop() == 0)
finally:
    if os.path.exists(t.dir + "/c0ffee"):
        os.unlink(t.dir + "/c0ffee/config.json")
        os.rmdir(t.dir + "/c0ffee")
    for path in (POD + "?gracePeriodSeconds=0", f"/api/v1/nodes/{NODE}", f"{MCKUBES}/{NAME}"):
        try:
            api("DELETE", path)
        except urllib.error.HTTPError:
            pass
    t.finish()
