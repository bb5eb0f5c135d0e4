# SPDX-License-Identifier: Apache-2.0
"""FIFO for pods without any privilege: the node gives their threads what their McKube or annotations
ask for, from the first thread on, and what they had back when the McKube is gone."""

import os

import node

PERIOD = 100000
SLEEPER = ["sh", "-c", "while :; do sleep 1; done"]
UNPRIVILEGED = {"runAsUser": 65534, "runAsNonRoot": True, "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]}}


def pod(c, name, **more):
    container = {"name": "app", "image": node.BUSYBOX, "imagePullPolicy": "Never", "command": SLEEPER,
                 "securityContext": more.pop("security", UNPRIVILEGED)}
    return c.pod(name, spec={"containers": [container], "terminationGracePeriodSeconds": 1,
                             "automountServiceAccountToken": False}, **more)


def request(c, name, **settings):
    asked = c.request(name, 5000, criticality="High", core="1", **settings)
    asked["spec"]["rtSettings"]["period"] = PERIOD
    return asked


def threads(c, name):
    return [int(t) for t in (c.group(name) / "tasks").read_text().split()]


def classes(c, name):
    """Of all threads that are still there."""
    found = set()
    for tid in threads(c, name):
        try:
            found.add((os.sched_getscheduler(tid) & ~os.SCHED_RESET_ON_FORK,
                       os.sched_getparam(tid).sched_priority))
        except ProcessLookupError:
            pass
    return found


def condition(c, name, kind="RTApplied"):
    found = c.get("mckubes", name).get("status", {}).get("conditions", [])
    return next((x for x in found if x["type"] == kind), {"status": None, "message": ""})


def reasons(c, name):
    return {e["reason"] for e in c.get("events") if e["regarding"]["name"] == name}


def test_policy(c):
    c.create(pod(c, "brake"), request(c, "brake", policy="FIFO", priority=25),
             pod(c, "noted", annotations={
                 "mckube.io/rt-period": str(PERIOD), "mckube.io/rt-runtime-low": "5000",
                 "mckube.io/rt-runtime-hi": "5000", "mckube.io/rt-policy": "RR",
                 "mckube.io/criticality": "Low"}),
             pod(c, "plain"), request(c, "plain"))
    c.apply()
    c.wait_running("brake", "noted", "plain")
    c.wait(lambda: classes(c, "brake") == {(os.SCHED_FIFO, 25)})
    c.wait(lambda: classes(c, "noted") == {(os.SCHED_RR, 10)})
    assert classes(c, "plain") == {(os.SCHED_OTHER, 0)}
    c.wait(lambda: condition(c, "brake")["message"] == f"5000 us of every {PERIOD} us, threads FIFO 25")
    assert condition(c, "brake")["status"] == "True"
    c.wait(lambda: "RTPolicyApplied" in reasons(c, "brake"))
    shown = c.kubectl("mckube", "status", "pod/brake", "-n", c.ns).out
    assert "FIFO 25" in shown, shown

    entered = c.kubectl("exec", "-n", c.ns, "brake", "--", "sh", "-c",
                        "sleep 1; chrt -p $$; chrt -f -p 60 $$ || echo refused").out
    assert "SCHED_FIFO" in entered and "refused" in entered, entered

    c.kubectl("patch", "mckube", "brake", "-n", c.ns, "--type=merge", "-p",
              '{"spec": {"rtSettings": {"priority": 30}}}')
    c.apply()
    c.wait(lambda: classes(c, "brake") == {(os.SCHED_FIFO, 30)})
    c.kubectl("delete", "mckube", "brake", "-n", c.ns, "--wait=false")
    c.apply()
    c.wait(lambda: classes(c, "brake") == {(os.SCHED_OTHER, 0)})
    c.wait(lambda: int((c.group("brake") / "cpu.rt_runtime_us").read_text()) == 0)
    assert "CanOutrank" not in reasons(c, "brake"), reasons(c, "brake")


def test_containers_that_can_outrank_are_reported(c):
    c.create(pod(c, "capable", security={"capabilities": {"add": ["SYS_NICE"]}}),
             request(c, "capable", policy="FIFO"))
    c.apply()
    c.wait_running("capable")
    c.wait(lambda: "CanOutrank" in reasons(c, "capable"), 30)
    c.wait(lambda: "CAP_SYS_NICE" in condition(c, "capable")["message"], 30)
