# SPDX-License-Identifier: Apache-2.0
"""No pod is throttled because groups above it used, in a second that is not over, more than they
need from now on: neither one that comes down again, nor one that is cut, nor its neighbours."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from node import Test

PERIOD = 10000
# Not whole seconds: how much of its second a group used then shall differ.
SLICE_S, SLICES = 0.1, 26
GROUPS = ("kubepods", "kubepods/burstable", "kubepods/podbrake", "kubepods/burstable/podlogger",
          "kubepods/burstable/podmonitor")
BRAKE, LOGGER, MONITOR = (f"{GROUPS[2]}/a", f"{GROUPS[3]}/b", f"{GROUPS[4]}/c")
WORK_S, PAUSE_S = 0.0005, 0.0095

t = Test("debt")


def seconds_used(process):
    with open(f"/proc/{process.pid}/schedstat", encoding="ascii") as f:
        return int(f.read().split()[0]) / 1e9


def least_share(processes):
    """Of a CPU, in the worst slice of each one."""
    least, before = [1.0] * len(processes), [seconds_used(p) for p in processes]
    for _ in range(SLICES):
        time.sleep(SLICE_S)
        now = [seconds_used(p) for p in processes]
        least = [min(a, (y - x) / SLICE_S) for a, x, y in zip(least, before, now)]
        before = now
    return least


try:
    for group in (*GROUPS, BRAKE, LOGGER, MONITOR):
        t.make(group)
    cpu = {"rt-core": "1"}
    t.pods([("brake", "High", PERIOD, 2000, 5000, BRAKE, {**cpu, "rt-enforcement": "raise"}),
            ("monitor", "Middle", PERIOD, 1000, 1000, MONITOR, cpu),
            ("logger", "Low", PERIOD, 4000, 4000, LOGGER, {**cpu, "rt-runtime-floor": "1000"})])
    t.start("--dwell", "1s", "--calm-periods", "5")
    t.wait("budgets are there", lambda: t.runtime(LOGGER) == 4000 and t.runtime(MONITOR) == 1000)
    logger, monitor = t.fifo(LOGGER, 1), t.fifo(MONITOR, 1, WORK_S, PAUSE_S)
    time.sleep(1.5)
    t.check("the class holds what its pods need", t.runtime(GROUPS[1]) == 500000)

    brake, spinner = t.fifo(BRAKE, 1, WORK_S, PAUSE_S), t.fifo(BRAKE, 1)
    t.wait("an overrun raises the brake", lambda: t.runtime(BRAKE) == 5000)
    t.check("and cuts the logger", t.runtime(LOGGER) == 1000)
    shares = least_share([logger, monitor])
    print(f"# after the cut, in the worst {SLICE_S} s: logger {shares[0]:.3f}, monitor {shares[1]:.3f}")
    t.check("the logger has some of its floor all the time", shares[0] > 0.01)
    t.check("its neighbour goes on", shares[1] > 0.025)

    for _ in range(3):
        t.end(spinner)
        t.wait("calm, the brake comes down", lambda: t.runtime(BRAKE) == 2000)
        [share] = least_share([brake])
        print(f"# after it came down: brake {share:.3f}")
        t.check("and runs on", share > 0.025)
        spinner = t.fifo(BRAKE, 1)
        t.wait("and goes up again", lambda: t.runtime(BRAKE) == 5000)
    for process in (spinner, brake, logger):
        t.end(process)
    t.wait("groups above shrink then", lambda: t.runtime("kubepods") == 700000, 15)
    t.check("it ends well", t.stop() == 0)
finally:
    t.finish()
