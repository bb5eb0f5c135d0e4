# SPDX-License-Identifier: Apache-2.0
"""Deadlines that periodic tasks miss with budgets in software: the task set of test/e2e/test_deadlines.py
in groups of cgroup v2, without budgets, with fixed low ones, and raised by the helper. (The fourth set-up
there writes RT groups through the API server.) Needs root, and a root group of v1 with real-time budget
where there is one. `node_deadlines.py [SECONDS [TURNS]]`."""
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", folder) for folder in ("kernel", "e2e", ".")]
import tasksets
from node import Test, skip
from tries import cpu_times, share_since

MOUNT, CORE, ALIGN = "/sys/fs/cgroup/unified", 1, 2000000
SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 else 8
TURNS = int(sys.argv[2]) if len(sys.argv) > 2 else 1
LOAD = os.path.join(os.path.dirname(os.environ["MCKUBE_NODE"]), "../../test/e2e/load")

if not os.path.exists(MOUNT + "/cgroup.controllers"):
    skip("needs cgroup v2 beside v1")
t = Test("misses", MOUNT)


def group(task):
    return f"kubepods/pod{task.name}/c1"


def pod(task, is_fixed):
    more = {"rt-core": CORE} | ({} if task.criticality == "Low" else {"rt-enforcement": "raise"})
    return (task.name, task.criticality, task.period, task.low, task.low if is_fixed else task.hi,
            group(task), more)


def begin(task):
    def enter():
        with open(t.path(group(task)) + "/cgroup.procs", "w", encoding="ascii") as f:
            f.write("0")
        os.sched_setaffinity(0, {CORE})

    p = subprocess.Popen(
        [LOAD, *(str(a) for a in (
            "--period", task.period, "--work", task.work, "--overrun-work", task.overrun_work,
            "--overrun-every", task.every, "--jobs", SECONDS * 1000000 // task.period,
            "--priority", task.priority, "--align", ALIGN, "--seconds", SECONDS + 30))],
        stdout=subprocess.PIPE, text=True, preexec_fn=enter)
    t.processes.append(p)
    return p


def outcome(tasks):
    """Misses and jobs by criticality, and the share of the core that the host took."""
    processes = [begin(task) for task in tasks]
    time.sleep(0.5)
    time.sleep((ALIGN - time.monotonic() * 1e6 % ALIGN) / 1e6)
    for p in processes:
        p.send_signal(12)  # SIGUSR2
    before = cpu_times(CORE)
    found = {}
    for task, p in zip(tasks, processes):
        said = json.loads(p.communicate(timeout=SECONDS + 40)[0].splitlines()[-1])
        n = found.setdefault(task.criticality, [0, 0])
        n[0] += said["misses"]
        n[1] += said["jobs"]
        t.processes.remove(p)
    return found, share_since(before, CORE)


def run(name, tasks, is_fixed=None):
    if is_fixed is not None:
        t.pods([pod(task, is_fixed) for task in tasks])
        applied = t.text().count("RTBudgetApplied") if os.path.exists(t.dir + "/log") else 0
        t.start("--cgroup-root", MOUNT, "--backend", "soft", "--capacity", "940000")
        t.wait("budgets are there",
               lambda: t.text().count("RTBudgetApplied") == applied + len(tasks))
    found, taken = outcome(tasks)
    if is_fixed is not None:
        t.stop()
    print(f"misses, {name}: " + ", ".join(f"{c} {found[c][0]} of {found[c][1]}"
                                          for c in ("High", "Middle", "Low")) +
          f"; {taken:.4f} taken", flush=True)


try:
    tasks, _ = tasksets.draw_good(1, 0.90)
    t.make("kubepods")
    for task in tasks:
        t.make(os.path.dirname(group(task)))
        t.make(group(task))
    for _ in range(TURNS):
        run("no budgets", tasks)
        run("fixed low budgets", tasks, is_fixed=True)
        run("raised by the helper", tasks, is_fixed=False)
finally:
    t.finish()
