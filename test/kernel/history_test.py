# SPDX-License-Identifier: Apache-2.0
"""A helper records real overruns, and `kubectl mckube replay` finds the budget that they needed."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from node import LIFE_S, MOUNT, Test

PERIOD, LOW, HI = 20000, 4000, 12000
# What the task uses of a period: little in most, in each sixth more than it has at level low.
USUAL, MUCH, EVERY = 1500, 7000, 6
PERIODS = 240
# The steps of the count (budget/use_count.h), and two turns of the task in a period of the kernel.
SLACK = 1.6

TASK = """
import ctypes, os, signal, sys, time
ctypes.CDLL(None).prctl(1, 9)
signal.alarm(%d)
path, cpu = sys.argv[1], int(sys.argv[2])
open(path + "/cgroup.procs", "w").write(str(os.getpid()))
os.sched_setaffinity(0, {cpu})
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
print("ready", flush=True)
n = 0
while n < %d:
    n += 1
    end = time.thread_time_ns() + (%d if n %% %d == 0 else %d) * 1000
    while time.thread_time_ns() < end:
        pass
    time.sleep(%d / 1e6)
print("done", flush=True)
time.sleep(%d)
""" % (LIFE_S, PERIODS, MUCH, EVERY, USUAL, PERIOD, LIFE_S)


def judge(t, history):
    text = open(history).read()
    kinds = {json.loads(line)["kind"] for line in text.splitlines()}
    t.check("overruns, levels and use are recorded", {"overrun", "level", "use"} <= kinds)
    program = os.path.join(os.path.dirname(t.node), "../../kubectl-mckube")
    replay = subprocess.run([program, "replay", history, "--within", "0.95", "-o", "json"], stdout=subprocess.PIPE,
                            text=True, check=True)
    [pod] = json.loads(replay.stdout)["pods"]
    t.check(f"its periods are counted ({pod['periods']})", PERIODS / 2 <= pod["periods"] <= PERIODS * 3)
    t.check(f"it overran and came up ({pod['overruns']})",
            pod["overruns"] >= 1 and pod["recorded"]["hi"]["times"] >= 1)
    enough = {e["withinPpm"]: e["budgetUs"] for e in pod["enough"]}
    t.check(f"what was enough for all is what it used ({enough})", MUCH * 0.9 <= enough[1000000] <= MUCH * SLACK)
    suggested = pod["suggestion"].get("lowUs", 0)
    t.check(f"a budget above the overruns is suggested ({suggested} us)", LOW < suggested <= MUCH * SLACK)


def run(name, mount, *options):
    t = Test(name, mount)
    try:
        for group in ("kubepods", "kubepods/podbrake", "kubepods/podbrake/a1"):
            t.make(group)
        brake, history = "kubepods/podbrake/a1", t.dir + "/history"
        t.pods([("brake", "High", PERIOD, LOW, HI, brake, {"rt-core": 1, "rt-enforcement": "raise"})])
        t.start("--history-file", history, "--capacity", "800000", "--dwell", "300ms", "--calm-periods", "3", *options)
        t.wait("its budget is there", lambda: t.runtime(brake) == LOW if mount == MOUNT else
               "RTBudgetApplied" in t.text())
        t.wait("the record begins", lambda: '"kind":"pod"' in open(history).read())
        task = subprocess.Popen([sys.executable, "-c", TASK, t.path(brake), "1"], stdout=subprocess.PIPE, text=True)
        t.processes.append(task)
        t.check("a task runs", task.stdout.readline() == "ready\n")
        t.check("to its end", task.stdout.readline() == "done\n")
        t.check("the helper ends well", t.stop() == 0)
        judge(t, history)
    finally:
        t.finish()


if __name__ == "__main__":
    run("history", MOUNT)
