# SPDX-License-Identifier: Apache-2.0
"""Memory and CPU of the helper with 100 pods when nothing happens, and when one of them overruns in
each of its 1,000 periods a second.
`node_idle.py [SECONDS [OVERRUN-SECONDS]]`; short of a minute the first misses what comes every half
minute. Needs root and cgroup v1 RT groups. With MCKUBE_KUBECONFIG the pods come from that API
server, and Events are counted; without it they come from a file."""
import os
import re
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../kernel"))
from api import Api
from node import Test

PODS, PERIOD, LOW, HI = 100, 1000, 100, 500  # the first pod's; it works 200 us of each ms
IDLE_S = int(sys.argv[1]) if len(sys.argv) > 1 else 60
BUSY_S = int(sys.argv[2]) if len(sys.argv) > 2 else 10
CONFIG = os.environ.get("MCKUBE_KUBECONFIG")


def status(pid, key):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith(key + ":"))


def cpu_seconds(pid):
    total = 0.0
    for tid in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{tid}/schedstat") as f:
            total += int(f.read().split()[0]) / 1e9
    return total


def used(pid, seconds):
    """CPU in per cent of one, and the largest RSS meanwhile, looked at once a second."""
    before, start, rss = cpu_seconds(pid), time.monotonic(), 0
    while time.monotonic() < start + seconds:
        time.sleep(1)
        rss = max(rss, status(pid, "VmRSS"))
    return 100 * (cpu_seconds(pid) - before) / (time.monotonic() - start), rss


def overruns():
    """Since the helper's start, by its own metrics."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(t.dir + "/socket")
        s.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        text = s.makefile().read()
    return int(re.search(r"^mckube_node_overruns_total (\d+)", text, re.MULTILINE)[1])


def budget(i):
    return (PERIOD, LOW, HI) if i == 0 else (1000000, 1000, 2000)


def from_file():
    for i in range(PODS):
        t.make(f"kubepods/pod{i}")
        t.make(f"kubepods/pod{i}/c{i}")
        groups.append(f"kubepods/pod{i}/c{i}")
    t.pods([(f"p{i}", "High", *budget(i), groups[i], {}) for i in range(PODS)])
    t.start(*LISTEN)


def from_server():
    api.make_node(t.name)
    t.start("--node-name", t.name, "--kubeconfig", CONFIG, *LISTEN, static=False)
    for i in range(PODS):
        period, low, hi = budget(i)
        uid, path = api.make_pod(f"{t.name}-{i}", t.name, {
            "rt-period": period, "rt-runtime-low": low, "rt-runtime-hi": hi, "rt-core": i % 2,
            "criticality": "High"})
        t.make(f"kubepods/pod{uid}")
        t.make(f"kubepods/pod{uid}/c{i}")
        groups.append(f"kubepods/pod{uid}/c{i}")
        api.set_container(path, f"containerd://c{i}")


t = Test("bench")
LISTEN = ("--listen", "unix:" + t.dir + "/socket")
api = Api(CONFIG) if CONFIG else None
groups = []
try:
    t.make("kubepods")
    from_server() if api else from_file()
    t.wait("100 pods have their budgets", lambda: t.text().count("RTBudgetApplied") >= PODS, 60)
    pid = t.helper.pid
    time.sleep(10)  # what start-up used is given back after some seconds
    cpu, rss = used(pid, IDLE_S)
    print(f"idle: RSS {rss} kB at most (anonymous {status(pid, 'RssAnon')}), CPU {cpu:.3f} %")
    t.fifo(groups[0], 1 % os.cpu_count(), 2 * LOW / 1e6, 0.6 * PERIOD / 1e6)
    before, start = overruns(), time.monotonic()
    cpu, rss = used(pid, BUSY_S)
    rate = (overruns() - before) / (time.monotonic() - start)
    print(f"overruns: {rate:.0f} a second, RSS {rss} kB, CPU {cpu:.2f} %, "
          f"{t.text().count('RuntimeEscalated')} escalations and "
          f"{t.text().count('RTOverrun pod')} lines of overruns told")
    if api:
        seen = overruns()
        t.stop()  # counts go to the server now and then, and at the end
        told = [e.get("series", {}).get("count", 1) for e in api.events()
                if e["reason"] == "RTOverrun" and e["regarding"]["name"].startswith(t.name)]
        print(f"Events RTOverrun: {len(told)}, counting {sum(told)} of {seen}")
finally:
    try:
        if api:
            api.remove_all()
    finally:
        t.finish()
