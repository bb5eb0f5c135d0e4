# SPDX-License-Identifier: Apache-2.0
"""Memory and CPU of the helper with 100 pods when nothing happens, and with many overruns a second.
`node_idle.py [SECONDS]`; needs root and cgroup v1 RT groups."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../kernel"))
from node import Test

PODS, SPINNERS, PERIOD = 100, 2, 2000
SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 else 10


def status(pid, key):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith(key + ":"))


def cpu_seconds(pid):
    total = 0.0
    for tid in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{tid}/schedstat") as f:
            total += int(f.read().split()[0]) / 1e9
    return total


def used(pid):
    before, start = cpu_seconds(pid), time.monotonic()
    time.sleep(SECONDS)
    return 100 * (cpu_seconds(pid) - before) / (time.monotonic() - start)


t = Test("bench")
try:
    t.make("kubepods")
    pods = []
    for i in range(PODS):
        t.make(f"kubepods/pod{i}")
        t.make(f"kubepods/pod{i}/c{i}")
        period, low, hi = (PERIOD, 200, 400) if i < SPINNERS else (1000000, 1000, 2000)
        pods.append((f"p{i}", "High", period, low, hi, f"kubepods/pod{i}/c{i}", {}))
    t.pods(pods)
    t.start()
    t.wait("100 pods have their budgets", lambda: t.text().count("RTBudgetApplied") == PODS, 30)
    pid = t.helper.pid
    print(f"RSS {status(pid, 'VmRSS')} kB (files {status(pid, 'RssFile')}), idle CPU {used(pid):.3f} %")
    for i in range(SPINNERS):
        t.fifo(f"kubepods/pod{i}/c{i}", i % os.cpu_count())
    print(f"with about {SPINNERS * 1000000 // PERIOD} overruns a second: CPU {used(pid):.2f} %, "
          f"{t.text().count('RuntimeEscalated')} escalations told")
finally:
    t.finish()
