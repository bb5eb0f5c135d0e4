# SPDX-License-Identifier: Apache-2.0
"""A High pod uses more than its low budget: what the kernel, the helper and the API show, and when."""

import os
import re
import signal
import time

from stage import CORE, GRACE, budget_of, shares
from timeline import Timeline

PERIOD = 100000
LOW, HI, LOGGER = 10000, 60000, 45000
HELD = LOW + GRACE
# All of it stands in the API within this time.
API_SECONDS = 1.0
# A twentieth of its budget is what a Low pod keeps.
FLOOR = LOGGER // 20


def make_pair(w):
    """Together they fit at their low budgets; at its hi the brake leaves the logger its floor."""
    w.create(*w.task("brake", "High", PERIOD, LOW, HI,
                     ["--period", PERIOD, "--work", 4000, "--overrun-work", 50000]),
             *w.task("logger", "Low", PERIOD, LOGGER, LOGGER,
                     ["--period", PERIOD, "--work", 40000]))
    w.apply()
    w.wait_running("brake", "logger")
    brake, logger = w.group("brake"), w.group("logger")
    w.wait(lambda: budget_of(brake) == HELD and budget_of(logger) == LOGGER)
    for name in ("brake", "logger"):
        w.wait(lambda: w.annotation("pods", name, "mckube.io/rt-applied") == "true")
    return brake, logger


def conditions(mckube):
    """What the status says, and about which generation."""
    return {c["type"]: (c["status"], c.get("observedGeneration"))
            for c in mckube.get("status", {}).get("conditions", [])}


def told_reaction(w):
    """From the overrun in the kernel to the new budgets, in seconds, as the Event says."""
    [note] = [e["note"] for e in w.get("events")
              if (e["regarding"]["name"], e["reason"]) == ("brake", "RuntimeEscalated")]
    return int(re.search(r"written (\d+) us", note)[1]) / 1e6


def follow(w, brake, logger, brake_is, logger_is, level, reason):
    pods, requests, events = (w.path(kind) for kind in ("pods", "mckubes", "events"))
    is_brake, is_over = lambda o: o["metadata"]["name"] == "brake", str(level != "low")
    about = lambda o, name: o["regarding"].get("name") == name
    return Timeline(w, {
        f"kernel: brake has {brake_is} us": lambda: budget_of(brake) == brake_is,
        f"kernel: logger has {logger_is} us": lambda: budget_of(logger) == logger_is,
    }, {
        f"API: pod annotation rt-current is {level}": (pods, lambda o: is_brake(o) and (
            o["metadata"]["annotations"].get("mckube.io/rt-current") == level)),
        f"API: McKube status.currentRuntime is {level}": (requests, lambda o: is_brake(o) and (
            o.get("status", {}).get("currentRuntime") == level)),
        f"API: McKube condition Overrunning is {is_over}": (requests, lambda o: is_brake(o) and (
            conditions(o).get("Overrunning") == (is_over, o["metadata"]["generation"]))),
        f"API: Event {reason}": (events, lambda o: about(o, "brake") and o["reason"] == reason),
    })


def test_overrun(w):
    brake, logger = make_pair(w)
    pid, other = w.pid_of("brake"), w.pid_of("logger")
    before = w.metrics()
    with follow(w, brake, logger, HI, FLOOR, "hi", "RTOverrun") as up:
        time.sleep(0.5)
        os.kill(pid, signal.SIGUSR1)
    after = w.metrics()
    reaction = told_reaction(w)
    start = up.seen[f"kernel: brake has {HI} us"] - reaction
    up.print(f"after the overrun of brake was seen in the kernel (reaction {reaction * 1e6:.0f} us):",
             start)
    assert after["mckube_node_escalations_total"] == before["mckube_node_escalations_total"] + 1
    assert len(up.seen) == 6, up.seen
    late = {name: at - start for name, at in up.seen.items() if at - start > API_SECONDS}
    assert not late, late
    busy, cut = shares([pid, other])
    print(f"#   brake uses {busy:.3f} of the core, logger {cut:.3f}")
    assert 0.45 < busy < 0.60 and cut < 0.05, (busy, cut)
    mckube = w.get("mckubes", "brake")
    generation = mckube["metadata"]["generation"]
    assert mckube["status"]["lastOverrunTime"] and mckube["status"]["allocatedCore"] == CORE
    assert conditions(mckube) == {c: ("True", generation) for c in (
        "Placed", "RTApplied", "Overrunning", "Ready")}, mckube["status"]

    with follow(w, brake, logger, HELD, LOGGER, "low", "RuntimeRecovered") as down:
        os.kill(pid, signal.SIGUSR2)
    down.print("after the brake has become calm:", min(down.seen.values()))
    assert len(down.seen) == 6, down.seen
    assert shares([pid])[0] < 0.10
    w.wait(lambda: shares([other])[0] > 0.35)
    reasons = {(e["regarding"]["name"], e["reason"]) for e in w.get("events")}
    assert {("logger", "Degraded"), ("logger", "Restored"), ("brake", "RuntimeEscalated")} <= reasons
