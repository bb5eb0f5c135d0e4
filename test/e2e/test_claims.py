# SPDX-License-Identifier: Apache-2.0
"""What the API says of a budget is so in the kernel, and what cannot be granted costs nothing."""

import re

import node
from node_fixture import CPU, budget_of
from test_pressure import settings

PERIOD = 100000
CALM = ["--period", PERIOD, "--work", 2000]


def condition(c, name, kind):
    found = c.get("mckubes", name).get("status", {}).get("conditions", [])
    return next((x for x in found if x["type"] == kind), {"status": None, "reason": None})


def set_budgets(c, name, low, hi):
    c.api.merge(c.path("mckubes", name), {"spec": {"rtSettings": {"runtime_low": low, "runtime_hi": hi}}})


def test_budget_beyond_the_room_is_not_granted(c):
    """The pod keeps running with what it was granted; plans say NoRoom until there is room."""
    c.create(*c.task("brake", "High", PERIOD, 10000, 20000, CALM),
             *c.task("logger", "High", PERIOD, 22000, 22000, CALM))
    c.apply()
    c.wait_running("brake", "logger")
    c.wait(lambda: all(c.annotation("pods", n, "mckube.io/rt-applied") == "true"
                       for n in ("brake", "logger")))
    uid, group = c.get("pods", "brake")["metadata"]["uid"], c.group("brake")
    budget = budget_of(group)

    set_budgets(c, "brake", 90000, 93000)
    for _ in range(2):
        assert "evict" not in c.apply().out
    assert re.search("brake +NoRoom", c.kubectl("mckube", "plan", check=False).out)
    pod = c.get("pods", "brake")
    assert (pod["metadata"]["uid"], pod["status"]["phase"]) == (uid, "Running")
    assert budget_of(group) == budget
    assert pod["metadata"]["annotations"]["mckube.io/rt-runtime-low"] == "10000"
    refused = condition(c, "brake", "Accepted")
    assert (refused["status"], refused["reason"]) == ("False", "NoRoom"), refused
    assert "90000" in refused["message"] or "93000" in refused["message"], refused
    assert "0.9" in refused["message"], refused
    c.wait(lambda: c.kubectl("get", "events", "-n", c.ns, "--field-selector", "reason=NoRoom", "-o", "name").out)

    set_budgets(c, "brake", 12000, 20000)
    c.apply()
    c.wait(lambda: c.annotation("pods", "brake", "mckube.io/rt-runtime-low") == "12000")
    c.wait(lambda: condition(c, "brake", "Ready")["status"] == "True")
    c.wait(lambda: condition(c, "brake", "Accepted")["status"] != "False")


def test_backend_noop_claims_nothing(c):
    with c.service("--backend", "noop"):
        c.wait(lambda: c.annotation("nodes", node.NAME, "mckube.io/backend") == "noop")
        pod, request = c.task("brake", "High", PERIOD, 10000, 20000, [])
        pod["spec"]["containers"][0].update(image=node.BUSYBOX, args=None, command=["sleep", "60"])
        c.create(pod, request)
        c.apply()
        c.wait(lambda: condition(c, "brake", "RTApplied")["reason"] == "NoEnforcement")
        assert condition(c, "brake", "RTApplied")["status"] == "False"
        assert condition(c, "brake", "Ready")["status"] != "True"
        assert budget_of(CPU / "kubepods") == 0


def test_readings_of_a_silent_helper_are_ignored(c):
    """Its Lease has expired: the node's CPU use of then is no reason for anything."""
    c.create(*c.task("brake", "High", PERIOD, 10000, 20000, CALM),
             *c.task("logger", "Low", PERIOD, 20000, 20000, CALM))
    c.apply()
    c.wait_running("brake", "logger")
    c.uninstall_helper()
    try:
        c.report_usage(node.NAME, 97, 60)
        c.wait(lambda: "Leases have expired" in c.kubectl("mckube", "doctor", check=False).out, 90)
        with settings():
            c.apply()
        assert c.annotation("pods", "logger", "mckube.io/rt-degraded") is None
        assert not [t for t in c.get("nodes", node.NAME)["spec"].get("taints", [])
                    if t["key"] == "McKubeRTDeadlinePressure"]
    finally:
        c.install()
