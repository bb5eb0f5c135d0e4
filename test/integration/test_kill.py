# SPDX-License-Identifier: Apache-2.0
"""kill -9 of `apply` at every request that it makes: before the server sees it, and after the
server has done it but before the answer comes. A second `apply` always ends where an undisturbed
one does."""

import collections
import json
import re

from api import Refused
from proxy import Proxy

NODE = "n1"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/mckube"


class Scene:
    """A plan with every kind of action that a pass makes by itself: Bind (also by the gate), Assign,
    Move, Evict, Status, Finalizer. No core depends on the order in which requests were served,
    so that states can be compared word by word."""

    def __init__(self, c):
        self.c, self.api = c, c.api
        self.pods = f"/api/v1/namespaces/{c.ns}/pods"
        self.mckubes = f"/apis/mcoperator.sdv.com/v1/namespaces/{c.ns}/mckubes"

    def put(self, path, obj):
        return self.api.call("POST", path, obj)

    def request(self, name, *args, **settings):
        self.put(self.mckubes, self.c.request(name, *args, **settings))

    def pending(self, name, *args, spec=None, **settings):
        self.put(self.pods, self.c.pod(name, spec=spec or {}))
        self.request(name, *args, **settings)

    def running(self, name, low, at=None, asks=True, **settings):
        notes = {"rt-core": at, "rt-period": "1000000", "rt-runtime-low": str(low),
                 "rt-runtime-hi": str(low), "rt-current": "low", "criticality": "Low",
                 "rt-source": "mckube"} if at else {}
        self.put(self.pods, self.c.pod(name, spec={"nodeName": NODE}, annotations={
            f"mckube.io/{key}": value for key, value in notes.items()}))
        self.api.merge(f"{self.pods}/{name}/status", {"status": {"phase": "Running"}})
        if asks:
            self.request(name, low, **settings)

    def build(self):
        self.running("low0", 600000, "0")
        self.running("low1", 600000, "1")
        self.running("moved", 20000, "0", core="2")
        self.running("assigned", 20000)
        self.running("stale", 20000, "2", asks=False)
        self.pending("high0", 600000, 800000, "High", core="0")
        self.pending("high1", 600000, 800000, "High", core="1")
        self.pending("small", 20000)
        self.pending("gated", 20000, spec={"schedulerName": "default-scheduler",
                                           "schedulingGates": [{"name": "mckube.io/placement"}]})
        orphan = self.c.request("orphan", 1000)
        orphan["metadata"]["finalizers"] = ["mckube.mcoperator.sdv.com/finalizer"]
        self.put(self.mckubes, orphan)
        self.api.call("DELETE", f"{self.mckubes}/orphan")

    def clear(self):
        self.c.drop_finalizers()
        for path in (self.mckubes, self.pods):
            self.api.call("DELETE", path, {"gracePeriodSeconds": 0})
        self.c.wait(lambda: not self.api.call("GET", self.pods)["items"])

    def drop_lease(self):
        """What waiting for 15 seconds does: the dead pass no longer has it."""
        try:
            self.api.call("DELETE", LEASE)
        except Refused:
            pass

    def state(self):
        """Where each pod is, with its uid, and which McKubes there are."""
        pods = {p["metadata"]["name"]: (p["spec"].get("nodeName"), notes(p), p["metadata"]["uid"])
                for p in self.api.call("GET", self.pods)["items"]}
        return pods, sorted(m["metadata"]["name"] for m in self.api.call("GET", self.mckubes)["items"])


def notes(pod):
    return tuple(sorted((k, v) for k, v in pod["metadata"].get("annotations", {}).items()
                        if k.startswith("mckube.io/")))


def without_uid(state):
    return {name: where[:2] for name, where in state[0].items()}, state[1]


def is_settled(state):
    return all(node for node, _, _ in state[0].values())


def bindings(proxy):
    """How often the server has bound each pod."""
    return collections.Counter(re.search("/pods/([^/]+)/binding", path)[1]
                               for method, path, status in proxy.answers
                               if method == "POST" and "/binding" in path and status == 201)


def end(c, scene, proxy):
    """A whole pass, until kube-scheduler has taken the gated pod too."""
    code, out = proxy.run([c.program, "apply", "--force"])
    assert code == 0, out
    c.wait(lambda: is_settled(scene.state()))
    return scene.state()


def check(c, scene, proxy, kill_at, expected):
    scene.build()
    proxy.forget()
    code, out = proxy.run([c.program, "apply", "--force"], kill_at)
    assert code == -9, (kill_at, code, out)
    between = scene.state()[0]
    scene.drop_lease()
    after = end(c, scene, proxy)
    assert without_uid(after) == expected, (kill_at, without_uid(after), expected)
    for name, (node, _, uid) in after[0].items():
        assert between[name][2] == uid, (kill_at, name, "was lost and made again")
        assert between[name][0] in (None, node), (kill_at, name, "changed its node")
    assert all(n == 1 for n in bindings(proxy).values()), (kill_at, bindings(proxy))
    scene.clear()


def test_killed_at_every_request_a_second_apply_ends_the_same(c):
    c.nodes(NODE, cores=3)
    scene, proxy = Scene(c), Proxy(c.api, c.folder)
    try:
        scene.build()
        plan = json.loads(c.mckube("plan", "-o", "json").out)["spec"]
        kinds = {a["kind"] for a in plan["actions"]}
        assert kinds >= {"Bind", "Assign", "Move", "Evict", "Status", "Finalizer"}, kinds
        expected = without_uid(end(c, scene, proxy))
        moments = [(where, n) for where, total in proxy.seen.items() for n in range(1, total + 1)]
        assert len(moments) > 2 * len(plan["actions"]) + 8, moments
        scene.clear()
        for kill_at in moments:
            check(c, scene, proxy, kill_at, expected)
    finally:
        proxy.stop()
