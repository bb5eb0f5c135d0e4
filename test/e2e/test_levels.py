# SPDX-License-Identifier: Apache-2.0
"""Levels: three of them, how a pod comes down as its McKube says, and what follows from overruns
that come back again and again."""

import os
import signal
import time

from timeline import Timeline
from tries import UNDISTURBED, cpu_times, share_since

PERIOD = 100000
# A pod without further overruns comes down after 10 periods, and a second at the least.
USUAL_SECONDS = 1
# The helper looks every 100 ms, and this machine has other load.
LATE_SECONDS = 3


def is_at(level):
    return lambda o: o["metadata"].get("annotations", {}).get("mckube.io/rt-current") == level


def wait_applied(c, *names):
    c.wait_running(*names)
    for name in names:
        c.wait(lambda: c.annotation("pods", name, "mckube.io/rt-applied") == "true")


def level(c, name):
    return c.annotation("pods", name, "mckube.io/rt-current")


def test_three_levels(c):
    """More than low is medium, more than medium is hi; down again one by one."""
    pod, request = c.task("brake", "High", PERIOD, 10000, 50000,
                          ["--period", PERIOD, "--work", 4000, "--overrun-work", 18000])
    request["spec"]["rtSettings"]["runtime_medium"] = 32000
    c.create(pod, request)
    c.apply()
    wait_applied(c, "brake")
    pid, pods = c.pid_of("brake"), c.path("pods")

    os.kill(pid, signal.SIGUSR1)
    c.wait(lambda: level(c, "brake") == "medium", 5)
    c.wait(lambda: c.get("mckubes", "brake")["status"]["currentRuntime"] == "medium", 5)
    c.stays(lambda: level(c, "brake") == "medium", 0.5)
    os.kill(pid, signal.SIGUSR1)
    c.wait(lambda: level(c, "brake") == "hi", 5)

    with Timeline(c, {}, {l: (pods, is_at(l)) for l in ("medium", "low")}) as down:
        os.kill(pid, signal.SIGUSR2)
    down.print("down from hi:", min(down.seen.values()))
    assert down.seen["medium"] + USUAL_SECONDS / 2 < down.seen["low"]


# What a McKube may say, and how long the pod stays up at least; None: for ever.
RECOVERIES = {
    "usual": ({}, USUAL_SECONDS),
    "delayed": ({"delaySeconds": 5}, 5),
    "calm": ({"mode": "nodeCpu", "delaySeconds": 3, "threshold": 100}, 3),
    "busy": ({"mode": "nodeCpu", "delaySeconds": 1, "threshold": 0}, None),
}


def make_recovering(c):
    for name, (recovery, _) in RECOVERIES.items():
        pod, request = c.task(name, "High", PERIOD, 10000, 20000,
                              ["--period", PERIOD, "--work", 2000, "--overrun-work", 12000])
        request["spec"]["recovery"] = recovery
        c.create(pod, request)
    c.apply()
    wait_applied(c, *RECOVERIES)
    return {name: c.pid_of(name) for name in RECOVERIES}


def test_recovery(c):
    """By consumption or by the node's CPU time, each with the delay that the McKube says."""
    pids = make_recovering(c)
    start, before = time.time(), cpu_times()
    for pid in pids.values():
        os.kill(pid, signal.SIGUSR1)
    c.wait(lambda: all(level(c, n) == "hi" for n in RECOVERIES), 5)
    named = lambda name: lambda o: o["metadata"]["name"] == name and is_at("low")(o)
    with Timeline(c, {}, {n: (c.path("pods"), named(n)) for n in RECOVERIES}, 10) as down:
        for pid in pids.values():
            os.kill(pid, signal.SIGUSR2)
    down.print("overrun once, and back at low:", start)
    taken = share_since(before)
    print(f"# {taken:.3f} was taken")
    for name, (_, seconds) in RECOVERIES.items():
        if seconds is None:
            continue
        took = down.seen.get(name, float("inf")) - start
        # Where the host took the CPU a calm job overran, too, and the time began again.
        latest = seconds + LATE_SECONDS if taken <= UNDISTURBED else float("inf")
        assert seconds <= took <= latest, (name, took, taken)
    assert "busy" not in down.seen

    c.api.merge(c.path("mckubes", "busy"), {"spec": {"recovery": {"threshold": 100}}})
    plan = c.kubectl("mckube", "plan").out
    assert "1 to update" in plan and "recovery changed" in plan, plan
    c.apply()
    c.wait(lambda: level(c, "busy") == "low", 5)


def test_overruns_that_come_back(c):
    """Each time the pod stays up longer; explain says which runtime_low would do."""
    c.create(*c.task("brake", "High", PERIOD, 10000, 20000,
                     ["--period", PERIOD, "--work", 2000, "--overrun-work", 15000]))
    c.apply()
    wait_applied(c, "brake")
    pid, stays = c.pid_of("brake"), []
    for _ in range(3):
        os.kill(pid, signal.SIGUSR1)
        c.wait(lambda: level(c, "brake") == "hi", 5)
        start = time.monotonic()
        os.kill(pid, signal.SIGUSR2)
        c.wait(lambda: level(c, "brake") == "low", 20)
        stays.append(time.monotonic() - start)
    print("# at hi for " + ", ".join(f"{s:.1f} s" for s in stays))
    assert stays[1] > stays[0] + 0.5 and stays[2] > stays[1] + 1, stays
    advice = c.kubectl("mckube", "explain", "pod/brake", "-n", c.ns).out
    assert "Raise runtime_low in McKube" in advice and "up to 20000" in advice, advice
