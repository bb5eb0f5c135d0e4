# SPDX-License-Identifier: Apache-2.0
"""The helper is killed again and again while overruns go on: budgets are never lower than wanted,
levels survive, nothing is left in the kernel, and the end still restores what was found first."""
import json
import os
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from node import Test

PERIOD, LOW, HI, KILLS = 50000, 5000, 15000, 100

def programs():
    """Those of a helper that no process holds; other helpers may run on this machine."""
    text = subprocess.run(["bpftool", "-j", "prog"], capture_output=True, text=True,
                          check=False).stdout
    return {p["id"] for p in json.loads(text or "[]")
            if p.get("name") == "rt_switch" and not p.get("pids")}


t = Test("restart")
before = programs()
try:
    for group in ("kubepods", "kubepods/podbrake", "kubepods/podbrake/a1"):
        t.make(group)
    brake = "kubepods/podbrake/a1"
    t.write_runtime("", 400000)
    t.write_runtime("kubepods", 30000)
    t.pods([("brake", "High", PERIOD, LOW, HI, brake, {"rt-enforcement": "raise"})])
    t.start("--dwell", "60s")
    t.wait("budgets are there", lambda: t.runtime(brake) == LOW)
    spinner = t.fifo(brake, 1)
    t.wait("the first overrun raises", lambda: t.runtime(brake) == HI)
    t.wait("and is saved", lambda: '"hi"' in open(t.dir + "/state.json").read())

    lowest = HI
    random.seed(3)
    for i in range(KILLS):
        t.stop(signal.SIGKILL)
        t.start("--dwell", "60s")
        end = time.monotonic() + random.uniform(0, 0.06)
        while time.monotonic() < end:
            lowest = min(lowest, t.runtime(brake))
    t.check(f"killed {KILLS} times, the budget was never lower", lowest == HI)
    time.sleep(0.5)
    t.check("it runs after the last kill", t.helper.poll() is None)
    t.end(spinner)
    t.check("it ends well", t.stop() == 0)
    t.check("what was found at first is back",
            t.runtime(brake) == 0 and t.runtime("kubepods") == 30000)
    t.wait("no BPF program is left", lambda: not programs() - before)

    t.start("--keep")
    t.wait("budgets are there again", lambda: t.runtime(brake) == LOW)
    t.stop()
    t.check("--keep leaves them", t.runtime(brake) == LOW)

    t.start()
    spinner = t.fifo(brake, 1)
    t.stop()
    t.check("a task that runs keeps its budget", t.runtime(brake) >= LOW)
    t.start()
    t.wait("budgets are there once more", lambda: t.runtime("kubepods") > 30000)
    t.end(spinner)
    t.check("it ends well again", t.stop() == 0)
    t.check("what was found at first is not forgotten",
            t.runtime(brake) == 0 and t.runtime("kubepods") == 30000)

    t.start()
    t.wait("budgets are there a last time", lambda: t.runtime(brake) == LOW)
    t.wait("and saved once more", lambda: os.path.exists(t.dir + "/state.json"))
    t.stop(signal.SIGKILL)
    os.unlink(t.dir + "/state.json")
    t.start()
    t.wait("without a state file, too", lambda: t.text().count("RTBudgetApplied") >= 2)
    t.remove(brake)
    t.wait("what a helper wrote to groups above does not stay", lambda: t.runtime("kubepods") == 0, 15)
finally:
    t.finish()
