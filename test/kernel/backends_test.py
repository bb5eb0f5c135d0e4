# SPDX-License-Identifier: Apache-2.0
"""The backends that this kernel offers beside RT groups: the bandwidth cap and SCHED_DEADLINE, with
the overruns that each can show."""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from node import LIFE_S, Test

LOOP = f"""
import signal
signal.alarm({LIFE_S})
while True:
    pass
"""

t = Test("backends")


def read(group, file):
    with open(f"{t.path(group)}/{file}") as f:
        return int(f.read())


def start_loop(cpus=None):
    loop = subprocess.Popen([sys.executable, "-c", LOOP])
    t.processes.append(loop)
    if cpus:
        os.sched_setaffinity(loop.pid, cpus)
    with open(t.path("app") + "/cgroup.procs", "w") as f:
        f.write(str(loop.pid))
    return loop


def policy(pid):
    return os.sched_getscheduler(pid) & 0xff  # without SCHED_RESET_ON_FORK


try:
    t.make("app")
    t.pods([("brake", "High", 100000, 20000, 50000, "app", {"rt-enforcement": "raise"})])
    loop = start_loop()

    t.start("--backend", "cap-v1", "--dwell", "60s")
    t.wait("the cap names its guarantee", lambda: "no real-time guarantee" in t.text())
    # A budget on each of the CPUs: the quota is for all of them together.
    cpus = os.cpu_count()
    t.wait("an overrun raises the cap",
           lambda: read("app", "cpu.cfs_quota_us") == 50000 * cpus, 15)
    t.check("it ends well", t.stop() == 0)
    t.check("the cap is gone", read("app", "cpu.cfs_quota_us") in (-1, 0))

    t.start("--backend", "deadline", "--dwell", "60s")
    t.wait("the thread runs with SCHED_DEADLINE", lambda: policy(loop.pid) == 6)
    t.wait("an overrun is seen", lambda: t.text().count("RuntimeEscalated") == 2)
    t.end(loop)
    loop = start_loop()
    t.wait("so does one that comes later", lambda: policy(loop.pid) == 6, 5)
    t.check("which is no external write", "RTBudgetRewritten" not in t.text())
    t.end(loop)
    loop = start_loop({0})
    t.wait("one that may not run on every CPU is refused with the reason",
           lambda: f"thread {loop.pid}: SCHED_DEADLINE: Operation not permitted (it must be "
           "allowed on every CPU" in t.text(), 15)
    t.check("it is an ordinary one", policy(loop.pid) == os.SCHED_OTHER)
    t.end(loop)
    loop = start_loop()
    t.wait("the next one has it again", lambda: policy(loop.pid) == 6, 5)
    t.check("it ends well", t.stop() == 0)
    t.check("nothing is kept", "keep their budgets" not in t.text())
    t.check("the thread is an ordinary one again", policy(loop.pid) == os.SCHED_OTHER)

    t.start("--backend", "noop")
    t.wait("noop enforces nothing", lambda: "nothing is written" in t.text())
    time.sleep(0.2)
    t.check("and writes nothing", t.runtime("app") == 0)
    t.check("it ends well", t.stop() == 0)

    t.start("--backend", "hcbs-max")
    t.check("what is not offered is refused", t.helper.wait(10) == 1 and
            "needs a kernel with the HCBS patches" in t.text())
    t.helper = None
finally:
    t.finish()
