# SPDX-License-Identifier: Apache-2.0
"""The race at the start of a container: how long after its cgroup was made, and after how many tries,
a program may become FIFO. Ours beside the ways of the older agents, which learn of a container from
the API server: by polling its pod every five seconds, or by watching it. The kubelet, played by this
program, tells the API server of a container a second after its start, as its once-a-second look at
the runtime does. `node_start.py [ROUNDS]`; needs root, RT groups and MCKUBE_KUBECONFIG."""
import json
import os
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../kernel"))
from api import Api, start_cluster
from node import LIFE_S, Test, skip

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 5
KUBELET_S, POLL_S = 1.0, 5.0
PERIOD, RUNTIME = 1000000, 5000

# Told a cgroup, it enters and tries to become FIFO every 100 us.
PROGRAM = f"""
import os, signal, sys, time
signal.alarm({LIFE_S})
path, made = sys.stdin.readline().split()
with open(path + "/cgroup.procs", "w") as f:
    f.write(str(os.getpid()))
tries = 0
while True:
    tries += 1
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        break
    except PermissionError:
        time.sleep(0.0001)
print(time.monotonic() - float(made), tries)
"""

t = Test("start")
config = os.environ.get("MCKUBE_KUBECONFIG") or start_cluster()
if not config:
    skip("needs MCKUBE_KUBECONFIG, or a run of test/cluster/build")
api = Api(config)


def has_container(pod):
    return "containerStatuses" in api.get(pod).get("status", {})


def poll(pod, group):
    while not has_container(pod):
        time.sleep(POLL_S)
    give(group)


def watch(pod, group):
    """Without even the time that a watch event takes."""
    while not has_container(pod):
        time.sleep(0.01)
    give(group)


def give(group):
    t.write_runtime(os.path.dirname(group), RUNTIME)
    t.write_runtime(group, RUNTIME)


def start_container(number, agent):
    """Returns the seconds until it may be FIFO, and the number of tries."""
    name = f"{t.name}-{number}"
    uid, pod = api.make_pod(name, t.name, {
        "rt-period": PERIOD, "rt-runtime-low": RUNTIME, "rt-runtime-hi": RUNTIME, "rt-core": 0,
        "criticality": "High"})
    if agent:
        threading.Thread(target=agent, args=(pod, f"kubepods/pod{uid}/c{number}"),
                         daemon=True).start()
    program = subprocess.Popen([sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    t.processes.append(program)
    time.sleep(0.5)  # images are pulled, sandboxes made
    os.mkdir(f"{t.dir}/c{number}")
    with open(f"{t.dir}/c{number}/config.json", "w") as f:
        json.dump({"annotations": {"io.kubernetes.cri.container-name": "app"}}, f)
    t.make(f"kubepods/pod{uid}")
    made = time.monotonic()
    t.make(f"kubepods/pod{uid}/c{number}")
    program.stdin.write(f"{t.path(f'kubepods/pod{uid}/c{number}')} {made}\n")
    program.stdin.flush()
    kubelet = threading.Timer(KUBELET_S, api.set_container, (pod, f"containerd://c{number}"))
    kubelet.start()
    seconds, tries = program.stdout.readline().split()
    kubelet.cancel()
    kubelet.join()
    t.end(program)
    return float(seconds), int(tries)


def clean():
    for group in reversed(t.groups[2:]):
        t.remove(group)
    del t.groups[2:]
    for folder in [f for f in os.listdir(t.dir) if os.path.isdir(f"{t.dir}/{f}")]:
        os.unlink(f"{t.dir}/{folder}/config.json")
        os.rmdir(f"{t.dir}/{folder}")


def measure(what, first, agent):
    runs = [start_container(first + i, agent) for i in range(ROUNDS)]
    times = sorted(1e3 * r[0] for r in runs)
    at_once = sum(r[1] == 1 for r in runs)
    print(f"{what:32} n {ROUNDS}  min {times[0]:8.1f}  median {statistics.median(times):8.1f}  "
          f"max {times[-1]:8.1f} ms after mkdir; at the first try {at_once}", flush=True)
    clean()


try:
    api.make_node(t.name)
    t.make("kubepods")
    for group in ("", "kubepods"):
        t.write_runtime(group, 20 * RUNTIME)
    measure("polling the API server, 5 s", 0, poll)
    measure("watching the API server", 100, watch)
    for group in ("kubepods", ""):
        t.write_runtime(group, 0)
    t.start("--node-name", t.name, "--kubeconfig", config, "--bundle-dir", t.dir, static=False)
    t.wait("the helper runs", lambda: "overruns from bpf" in t.text())
    time.sleep(1)
    measure("mckube-node", 200, None)
    t.stop()
finally:
    api.remove_all()
    clean()
    t.finish()
