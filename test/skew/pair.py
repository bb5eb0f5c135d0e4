#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Programs of two versions together on a real API server: pods are placed, have their budgets, overrun and
recover; helper and watch are each replaced by the other version's at the worst moment, during an overrun.

    test/skew/pair.py WATCH HELPER NEXT-WATCH NEXT-HELPER [FOLDER]

The first two are the programs that run at first, the others those that take over. The definitions are
this tree's, since they are upgraded first. Cgroups and processes are real, the kubelet is this test. With
FOLDER, what the first two have written is recorded there: see test/skew/record."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys

import yaml

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "test/kernel"))

from api import MCKUBES, PODS, Api, start_cluster
from node import Test, skip

WATCH, HELPER, NEXT_WATCH, NEXT_HELPER = sys.argv[1:5]
t = Test("skew")
config = start_cluster()
if not config:
    skip("no Kubernetes; run test/cluster/build")
api = Api(config)
NODE = t.name
NODE_PATH = f"/api/v1/nodes/{NODE}"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/mckube-system/leases"
LOCK = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/mckube"
LIMIT = 60  # seconds that a step may take; none needs more than a few
watches = []


def mckube(program, *args):
    """Its exit code and all that it printed."""
    done = subprocess.run([program, *args, "--kubeconfig", config], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT)
    return done.returncode, done.stdout


def start_watch(program):
    log = open(f"{t.dir}/watch-{len(watches)}.log", "w")
    watches.append(subprocess.Popen(
        [program, "watch", "--kubeconfig", config, "--metrics-bind-address=0"], stderr=log, stdout=log,
        env={**os.environ, "MCKUBE_PRESSURE_DELAY_SECONDS": "86400"}))
    return watches[-1]


def stop_watch(process):
    process.terminate()
    return process.wait(LIMIT)


def start_helper(program):
    t.node = program
    t.start("--node-name", NODE, "--kubeconfig", config, "--dwell", "500ms", static=False)


def pod(name):
    return f"{PODS}/{name}"


def annotation(name, key):
    return api.annotations(pod(name)).get("mckube.io/" + key)


def status(name):
    return api.get(f"{MCKUBES}/{name}").get("status", {})


def is_ready(name):
    return any(c["type"] == "Ready" and c["status"] == "True" for c in status(name).get("conditions", []))


def heartbeat():
    [lease] = api.get(LEASES)["items"]
    return lease["spec"]["renewTime"]


def make_node():
    api.make("/api/v1/namespaces", {"metadata": {"name": "mckube-system"}})
    api.make_node(NODE)
    quantities = {"cpu": "2", "memory": "4Gi", "pods": "10"}
    api.patch(f"{NODE_PATH}/status", {"status": {
        "allocatable": quantities, "capacity": quantities,
        "conditions": [{"type": "Ready", "status": "True", "reason": "Test", "message": ""}]}})
    api.patch(NODE_PATH, {"spec": {"taints": None}})


def make_task(name, criticality, low, hi):
    api.make(MCKUBES, {
        "apiVersion": "mcoperator.sdv.com/v1", "kind": "McKube", "metadata": {"name": name},
        "spec": {"podname": name, "criticality": criticality,
                 "rtSettings": {"period": 100000, "runtime_low": low, "runtime_hi": hi}}})
    api.make(PODS, {
        "metadata": {"name": name, "labels": {"sdv.com": name}},
        "spec": {"schedulerName": "mckube", "automountServiceAccountToken": False,
                 "containers": [{"name": "app", "image": "none"}]}})


def start_container(name, container):
    """As a kubelet does once the pod is bound. Returns its cgroup."""
    group = f"kubepods/pod{api.get(pod(name))['metadata']['uid']}"
    t.make(group)
    t.make(f"{group}/{container}")
    api.set_container(pod(name), f"containerd://{container}")
    return f"{group}/{container}"


def says(what, is_good, text):
    if not t.check(what, is_good):
        print(text)


def understands(program, level):
    """A command line of that version reads what the others wrote, and would change nothing."""
    version = subprocess.run([program, "version"], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()[0]
    code, text = mckube(program, "status", "pod/brake", "-o", "json")
    says(f"status of {version} has the level {level}", code == 0 and f'"{level}"' in text, text)
    code, text = mckube(program, "top", "pods", "--once", "-o", "json")
    says("so has top", code == 0 and f'"{level}"' in text, text)
    code, text = mckube(program, "explain", "pod/brake")
    says("explain reads it", code == 0, text)
    code, text = mckube(program, "plan", "--detailed-exitcode")
    says("plan changes nothing", code == 0 and "warning" not in text.lower(), text)


def use():
    [lease] = api.get(LEASES)["items"]
    return {p["uid"]: p for p in json.loads(lease["metadata"]["annotations"]["mckube.io/use"])["pods"]}


def is_use_told(name):
    told = use().get(api.get(pod(name))["metadata"]["uid"], {})
    return told.get("overruns", 0) > 0 and told["containers"][0].get("usedUs", 0) > 0


def record(name):
    """As its own command line reads the cluster."""
    if not sys.argv[5:]:
        return
    code, text = mckube(WATCH, "snapshot", "-o", "json")
    t.check(f"{name} is recorded", code == 0)
    found = json.loads(text)
    for o in found["items"]:
        o["metadata"].pop("managedFields", None)
    with open(pathlib.Path(sys.argv[5]) / name, "w", encoding="utf-8") as f:
        yaml.safe_dump(found, f, sort_keys=False)


def record_state():
    if sys.argv[5:]:
        shutil.copy(t.dir + "/state.json", pathlib.Path(sys.argv[5]) / "state.json")


def written():
    """What a takeover must leave as it is."""
    return {name: {k: v for k, v in api.annotations(pod(name)).items() if k.startswith("mckube.io/rt-")}
            for name in ("brake", "logger")}


try:
    api.make_definition()
    t.wait("the server knows McKubes", lambda: api.answers(MCKUBES), LIMIT)
    make_node()
    t.make("kubepods")
    start_helper(HELPER)
    t.wait("the helper describes the node",
           lambda: api.annotations(NODE_PATH).get("mckube.io/backend") == "cgroup-v1", LIMIT)
    t.wait("it has a heartbeat", lambda: api.get(LEASES)["items"], LIMIT)
    make_task("brake", "High", 20000, 60000)
    make_task("logger", "Low", 45000, 45000)
    record("before.yaml")
    first = start_watch(WATCH)
    t.wait("watch places both pods", lambda: all(
        api.get(pod(n))["spec"].get("nodeName") == NODE for n in ("brake", "logger")), LIMIT)
    brake, logger = start_container("brake", "c0ffee"), start_container("logger", "beef")
    t.wait("the helper applies their budgets",
           lambda: (t.runtime(brake), t.runtime(logger)) == (20000, 45000), LIMIT)
    t.wait("and says so", lambda: annotation("brake", "rt-applied") == annotation("logger", "rt-applied") == "true",
           LIMIT)
    t.wait("their McKubes are ready", lambda: is_ready("brake") and is_ready("logger"), LIMIT)
    for program in dict.fromkeys((WATCH, NEXT_WATCH)):
        understands(program, "low")

    api.patch(f"{MCKUBES}/brake", {"spec": {"rtSettings": {"runtime_low": 21000}}})
    t.wait("a budget that is raised arrives", lambda: t.runtime(brake) == 21000, LIMIT)
    spinner = t.fifo(brake, 1)
    t.wait("an overrun raises it further", lambda: t.runtime(brake) == 60000, LIMIT)
    t.wait("the other has its floor", lambda: t.runtime(logger) < 45000, LIMIT)
    floor = t.runtime(logger)
    t.wait("the levels are told", lambda: annotation("brake", "rt-current") == "hi" and
           status("brake").get("currentRuntime") == "hi", LIMIT)
    t.wait("they are saved", lambda: '"hi"' in open(t.dir + "/state.json").read(), LIMIT)
    for program in dict.fromkeys((WATCH, NEXT_WATCH)):
        understands(program, "hi")
    t.wait("what it uses is told", lambda: is_use_told("brake"), LIMIT)
    record("during.yaml")
    record_state()

    beat = heartbeat()
    t.stop(signal.SIGKILL)
    start_helper(NEXT_HELPER)
    t.wait("the next helper takes over", lambda: heartbeat() > beat, LIMIT)
    t.check("the overrun keeps its budget", t.runtime(brake) == 60000 and t.runtime(logger) == floor)
    before = written()
    holder = api.get(LOCK)["spec"]["holderIdentity"]
    second = start_watch(NEXT_WATCH)
    t.check("watch ends well", stop_watch(first) == 0)
    t.wait("the next watch takes the Lease",
           lambda: api.get(LOCK)["spec"].get("holderIdentity", holder) not in (holder, ""), LIMIT)
    understands(NEXT_WATCH, "hi")
    t.check("and changes no assignment", written() == before)
    t.end(spinner)
    t.wait("the levels come down", lambda: annotation("brake", "rt-current") == "low" and
           (t.runtime(brake), t.runtime(logger)) == (21000, 45000), LIMIT)
    api.patch(f"{MCKUBES}/brake", {"spec": {"rtSettings": {"runtime_low": 22000}}})
    t.wait("a budget is raised again", lambda: t.runtime(brake) == 22000, LIMIT)
    for name in ("brake", "logger"):
        api.ask("DELETE", f"{MCKUBES}/{name}")
    t.wait("deleted McKubes are gone", lambda: not api.get(MCKUBES)["items"], LIMIT)
    t.wait("and their budgets", lambda: t.runtime(brake) == t.runtime(logger) == 0, LIMIT)
    t.check("the next watch ends well", stop_watch(second) == 0)
    t.check("and the next helper", t.stop() == 0)
    t.check("what was found in the kernel is back", t.runtime("kubepods") == 0)
finally:
    for process in watches:
        process.kill()
        process.wait()
    if t.failed:
        for path in sorted(pathlib.Path(t.dir).glob("watch-*.log")):
            print(path.read_text(), file=sys.stderr)
    try:
        api.remove_all()
    finally:
        t.finish()
