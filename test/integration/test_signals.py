# SPDX-License-Identifier: Apache-2.0
"""What a real API server is told of rounds: conditions, Events, the status of McKubes."""

import json
import time


def events(c, name):
    """Reasons of the Events about an object of any kind, with their notes."""
    found = json.loads(c.kubectl("get", "events.events.k8s.io", "-A", "-o", "json").out)["items"]
    return {e["reason"]: e["note"] for e in found if e["regarding"]["name"] == name}


def condition(thing, kind):
    found = [x for x in thing.get("status", {}).get("conditions", []) if x["type"] == kind]
    return found[0] if found else {}


def test_unplaced_pod_is_unschedulable(c):
    c.nodes("n1", cores=1)
    c.create(*c.pair("big", 880000, 940000, "High"), *c.pair("more", 500000))
    c.mckube("apply")
    said = condition(c.get("pod", "more"), "PodScheduled")
    assert (said["status"], said["reason"]) == ("False", "Unschedulable"), said
    assert said["message"] == "0/1 nodes are available: 1 insufficient core budget", said
    assert events(c, "more")["FailedScheduling"] == said["message"]
    assert "core 0" in events(c, "big")["Scheduled"], events(c, "big")
    placed = condition(c.get("mckube", "more"), "Placed")
    assert (placed["status"], placed["reason"]) == ("False", "NoRoom"), placed

    # The same again is not written again; a place ends it.
    before = c.get("pod", "more")["metadata"]["resourceVersion"]
    mckube = c.get("mckube", "more")["metadata"]["resourceVersion"]
    c.mckube("apply")
    assert c.get("pod", "more")["metadata"]["resourceVersion"] == before
    assert c.get("mckube", "more")["metadata"]["resourceVersion"] == mckube
    c.kubectl("delete", "pod", "big", "-n", c.ns, "--force", "--grace-period=0")
    c.mckube("apply")
    assert condition(c.get("pod", "more"), "PodScheduled")["status"] == "True"
    assert not condition(c.get("mckube", "more"), "Placed")


def test_bad_request_asks_for_no_node(c):
    c.nodes("n1")
    pod = c.pod("typo", annotations={"mckube.io/rt-period": "20ms", "mckube.io/rt-runtime-low": "1"})
    c.create(pod)
    c.mckube("apply")
    assert condition(c.get("pod", "typo"), "PodScheduled")["reason"] == "SchedulerError"


def test_victims_are_told_for_which_pod(c):
    c.nodes("n1", cores=1)
    c.create(*c.pair("small", 500000))
    c.mckube("apply")
    c.create(*c.pair("big", 800000, 900000, "High"))
    c.mckube("apply", "--force")
    note = events(c, "small")["Preempted"]
    assert f"by {c.ns}/big on node n1" in note, note
    assert "small" in events(c, "n1")["Preempted"]


def test_raised_budget_without_room_is_told(c):
    c.nodes("n1", cores=1)
    c.create(*c.pair("a", 400000), *c.pair("b", 400000, criticality="High"))
    c.mckube("apply")
    for value, status, refused in ((940001, "False", "NoRoom"), (400000, None, ""),
                                   (940001, "False", "NoRoom")):
        c.kubectl("patch", "mckube", "a", "-n", c.ns, "--type=merge", "-p", json.dumps(
            {"spec": {"rtSettings": {"runtime_low": value, "runtime_hi": value}}}))
        c.mckube("apply")
        said = condition(c.get("mckube", "a"), "Accepted")
        assert said.get("status") == status, said
        assert c.annotation_of(c.get("pod", "a"), "mckube.io/rt-runtime-low") == "400000"
        assert refused in c.kubectl("get", "mckube", "a", "-n", c.ns).out
        shown = json.loads(c.mckube("status", "pod/a", "-n", c.ns, "-o", "json").out)[0]
        assert (shown["lowUs"], shown["refused"]) == (400000, refused), shown
    assert "it keeps 400000" in events(c, "a")["NoRoom"]
    assert "NoRoom: raised budget" in c.mckube("explain", "pod/a", "-n", c.ns).out
    c.kubectl("delete", "pod", "b", "-n", c.ns, "--force", "--grace-period=0")
    c.kubectl("patch", "mckube", "a", "-n", c.ns, "--type=merge", "-p",
              '{"spec":{"rtSettings":{"runtime_low":800000,"runtime_hi":800000}}}')
    c.mckube("apply")
    c.mckube("apply")
    assert not condition(c.get("mckube", "a"), "Accepted"), "there is room now"
    assert c.annotation_of(c.get("pod", "a"), "mckube.io/rt-runtime-low") == "800000"


def test_a_selector_has_a_status(c):
    c.nodes("n1")
    pods = [c.pod(f"w{i}", labels={"app": "w"}) for i in range(3)]
    c.create(*pods, {"apiVersion": "mcoperator.sdv.com/v1", "kind": "McKube",
                     "metadata": {"name": "w"},
                     "spec": {"selector": {"matchLabels": {"app": "w"}}, "criticality": "Low",
                              "rtSettings": {"period": 1000000, "runtime_low": 100000,
                                             "runtime_hi": 100000}}})
    c.mckube("apply")
    for name, level in (("w0", "low"), ("w1", "hi")):
        c.kubectl("annotate", "pod", name, "-n", c.ns, "--overwrite", "mckube.io/rt-applied=true",
                  f"mckube.io/rt-current={level}")
    c.mckube("apply")
    status = c.get("mckube", "w")["status"]
    assert (status["pods"], status["currentRuntime"]) == ("2/3", "hi"), status
    assert condition(c.get("mckube", "w"), "Placed")["status"] == "True", status
    assert condition(c.get("mckube", "w"), "Ready")["reason"] == "PodsNotReady", status
    version = c.get("mckube", "w")["metadata"]["resourceVersion"]
    c.mckube("apply")
    assert c.get("mckube", "w")["metadata"]["resourceVersion"] == version


def test_watch_tells_of_500_within_its_rate(c):
    c.nodes("n1", cores=1)
    notes = {"mckube.io/rt-period": "1000000", "mckube.io/rt-runtime-low": "960000",
             "mckube.io/rt-runtime-hi": "960000"}
    path = f"/api/v1/namespaces/{c.ns}/pods"
    c.api.many([("POST", path, c.pod(f"p{i}", annotations=notes)) for i in range(500)])
    watch = c.start_mckube("watch", "--metrics-bind-address=0", "--interval=2s")
    try:
        def told():
            pods = c.api.call("GET", path)["items"]
            return sum(condition(p, "PodScheduled").get("reason") == "Unschedulable" for p in pods)

        began = time.monotonic()
        c.wait(lambda: told() > 0)
        c.wait(lambda: told() == 500, seconds=90)
        assert time.monotonic() - began > 10, "faster than its limit"
    finally:
        watch.terminate()
        watch.communicate()
