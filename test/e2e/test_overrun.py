# SPDX-License-Identifier: Apache-2.0
"""A High pod uses more than its low budget: what the kernel, the helper and the API show, and when."""

import json
import os
import re
import signal

from node_fixture import CORE, GRACE, budget_of, shares
from timeline import Timeline

PERIOD = 100000
LOW, HI, LOGGER = 10000, 60000, 45000
HELD = LOW + GRACE
# All of it stands in the API within this time.
API_SECONDS = 1.0
# A twentieth of its budget is what a Low pod keeps.
FLOOR = LOGGER // 20


def make_pair(c, recovery=None):
    """Together they fit at their low budgets; at its hi the brake leaves the logger its floor."""
    pod, request = c.task("brake", "High", PERIOD, LOW, HI,
                          ["--period", PERIOD, "--work", 4000, "--overrun-work", 50000])
    request["spec"].update({"recovery": recovery} if recovery else {})
    c.create(pod, request,
             *c.task("logger", "Low", PERIOD, LOGGER, LOGGER,
                     ["--period", PERIOD, "--work", 40000]))
    c.apply()
    c.wait_running("brake", "logger")
    brake, logger = c.group("brake"), c.group("logger")
    c.wait(lambda: budget_of(brake) == HELD and budget_of(logger) == LOGGER)
    for name in ("brake", "logger"):
        c.wait(lambda: c.annotation("pods", name, "mckube.io/rt-applied") == "true")
    return brake, logger


def conditions(mckube):
    """What the status says, and about which generation."""
    return {c["type"]: (c["status"], c.get("observedGeneration"))
            for c in mckube.get("status", {}).get("conditions", [])}


def reported_reaction(c):
    """From the overrun in the kernel to the new budgets, in seconds, as the Event says."""
    [note] = [e["note"] for e in c.get("events")
              if (e["regarding"]["name"], e["reason"]) == ("brake", "RuntimeEscalated")]
    return int(re.search(r"written (\d+) us", note)[1]) / 1e6


def follow(c, brake, logger, brake_is, logger_is, level, reason):
    pods, requests, events = (c.path(kind) for kind in ("pods", "mckubes", "events"))
    is_brake, is_over = lambda o: o["metadata"]["name"] == "brake", str(level != "low")
    about = lambda o, name: o["regarding"].get("name") == name
    return Timeline(c, {
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


def used_in_top(c):
    """What the helper counts comes to `top` by its Lease: a mean of the last minute, so it only must grow."""
    def rows():
        text = c.kubectl("mckube", "top", "pods", "--once", "-n", c.ns, "-o", "json").out
        return {row["name"]: row for row in json.loads(text)}
    c.wait(lambda: (rows()["brake"]["usedUs"] or 0) > LOW, 120, found=rows)
    brake, logger = rows()["brake"], rows()["logger"]
    assert (brake["level"], logger["level"]) == ("hi", "floor") and brake["overruns"] >= 1, (brake, logger)
    assert LOW < brake["usedUs"] <= HI and 0 < logger["usedUs"] <= LOGGER, (brake, logger)
    assert brake["p99Us"] >= brake["usedUs"], brake


def test_overrun(c):
    brake, logger = make_pair(c)
    pid, other = c.pid_of("brake"), c.pid_of("logger")
    before = c.metrics()
    with follow(c, brake, logger, HI, FLOOR, "hi", "RTOverrun") as up:
        os.kill(pid, signal.SIGUSR1)
    after = c.metrics()
    reaction = reported_reaction(c)
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
    used_in_top(c)
    mckube = c.get("mckubes", "brake")
    generation = mckube["metadata"]["generation"]
    assert mckube["status"]["lastOverrunTime"] and mckube["status"]["allocatedCore"] == CORE
    assert conditions(mckube) == {c: ("True", generation) for c in (
        "Placed", "RTApplied", "Overrunning", "Ready")}, mckube["status"]

    with follow(c, brake, logger, HELD, LOGGER, "low", "RuntimeRecovered") as down:
        os.kill(pid, signal.SIGUSR2)
    down.print("after the brake stopped overrunning:", min(down.seen.values()))
    assert len(down.seen) == 6, down.seen
    assert shares([pid])[0] < 0.10
    c.wait(lambda: shares([other])[0] > 0.35)
    reasons = {(e["regarding"]["name"], e["reason"]) for e in c.get("events")}
    assert {("logger", "Degraded"), ("logger", "Restored"), ("brake", "RuntimeEscalated")} <= reasons
