# SPDX-License-Identifier: Apache-2.0
"""The helper against a real API server: pods that are bound to its node get their budgets when their
cgroups appear, and what happens is told. Cgroups and processes are real, the kubelet is this test.
Runs where test/cluster/up has been run: MCKUBE_KUBECONFIG names its kubeconfig."""
import json
import os
import ssl
import sys
import time
import urllib.error
import urllib.request

import yaml

sys.path.insert(0, os.path.dirname(__file__))
from node import Test, skip

CONFIG = os.environ.get("MCKUBE_KUBECONFIG")
if not CONFIG or not os.path.exists(CONFIG):
    skip("MCKUBE_KUBECONFIG does not name a cluster's kubeconfig")
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


t = Test("kubernetes")
NODE, NAME = t.name, t.name + "-brake"
POD = f"/api/v1/namespaces/default/pods/{NAME}"


def notes(path):
    return api("GET", path)["metadata"].get("annotations", {})


def reasons():
    events = api("GET", "/apis/events.k8s.io/v1/namespaces/default/events")["items"]
    return {e["reason"]: e for e in events if e["regarding"].get("name") == NAME}


try:
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
                "rt-core": "1", "rt-current": "low", "criticality": "High"}
    pod = api("POST", "/api/v1/namespaces/default/pods", {
        "metadata": {"name": NAME,
                     "annotations": {"mckube.io/" + k: v for k, v in assigned.items()}},
        "spec": {"nodeName": NODE, "automountServiceAccountToken": False,
                 "containers": [{"name": "app", "image": "none"}]}})
    uid = pod["metadata"]["uid"]
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

    spinner = t.fifo(app, 1)
    t.wait("rt-current follows an overrun", lambda: notes(POD)["mckube.io/rt-current"] == "hi")
    t.wait("an Event tells it", lambda: "RuntimeEscalated" in reasons())
    t.end(spinner)
    t.wait("rt-current comes down", lambda: notes(POD)["mckube.io/rt-current"] == "low")
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
           lambda: "more than the period" in reasons().get("RTBudgetRefused", {}).get("note", ""))
    t.check("and the budget stays", t.runtime(app) >= 10000)
    api("DELETE", POD + "?gracePeriodSeconds=0")
    t.remove(app)
    t.remove(group + "/5a5a")
    t.remove(group)
    t.wait("a deleted pod frees its budget", lambda: t.runtime("kubepods") == 0)
    t.check("it ends well", t.stop() == 0)
finally:
    if os.path.exists(t.dir + "/c0ffee"):
        os.unlink(t.dir + "/c0ffee/config.json")
        os.rmdir(t.dir + "/c0ffee")
    for path in (POD + "?gracePeriodSeconds=0", f"/api/v1/nodes/{NODE}"):
        try:
            api("DELETE", path)
        except urllib.error.HTTPError:
            pass
    t.finish()
