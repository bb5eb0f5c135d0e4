# SPDX-License-Identifier: Apache-2.0
"""Moves to other nodes by Restart on a real API server; the nodes have no kubelet."""


def plain(c, name, node="n1", **more):
    """A running pod without real-time request."""
    pod = c.pod(name, **more)
    pod["metadata"]["labels"] = {"app": name}
    pod["spec"] = {**pod["spec"], "schedulerName": "default-scheduler", "nodeName": node}
    c.create(pod)
    c.set_running(name)


def names(c):
    return {p["metadata"]["name"]: p["spec"].get("nodeName") for p in c.get("pods")}


def test_bare_pod_moves_by_a_copy(c):
    c.nodes("n1", "n2")
    plain(c, "tool", annotations={"team": "x"})
    shown = c.mckube("migrate", "pod/tool", "-n", c.ns, "--dry-run")
    assert "Copy, Evict, Bind" in shown.out and names(c) == {"tool": "n1"}, shown
    done = c.mckube("migrate", "pod/tool", "-n", c.ns)
    assert "tool migrate: Done" in done.out, done
    (pod,) = c.get("pods")
    assert pod["metadata"]["name"].startswith("tool-m") and pod["spec"]["nodeName"] == "n2"
    assert pod["metadata"]["annotations"] == {"team": "x"}, pod["metadata"]
    c.set_running(pod["metadata"]["name"])
    c.mckube("migrate", f"pod/{pod['metadata']['name']}", "-n", c.ns, "--to", "n1")
    (back,) = c.get("pods")  # its name does not grow
    assert len(back["metadata"]["name"]) == len(pod["metadata"]["name"])
    assert back["spec"]["nodeName"] == "n1"


def test_move_that_was_begun_is_gone_on_with(c):
    c.nodes("n1", "n2")
    plain(c, "tool")
    uid = c.get("pod", "tool")["metadata"]["uid"]
    copy = c.pod("tool-copy", annotations={"mckube.io/migrate-to": "n2",
                                           "mckube.io/migrate-from": f"n1/{uid}"})
    copy["metadata"]["labels"] = {"app": "tool"}
    c.create(copy)
    c.kubectl("delete", "pod", "tool", "-n", c.ns, "--force", "--grace-period=0")
    done = c.mckube("apply")
    assert "tool-copy migrate: Done" in done.out, done
    assert names(c) == {"tool-copy": "n2"}


def test_real_time_pod_moves_with_its_budget(c):
    c.nodes("n1", "n2", cores=2)
    request = c.request("web", 300000)
    request["spec"]["selector"] = {"matchLabels": {"sdv.com": "web"}}
    del request["spec"]["podname"]
    pod = c.pod("web")
    labels = pod["metadata"]["labels"]
    c.create(request, {
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web"},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels},
                 "template": {"metadata": {"labels": labels}, "spec": {
                     "terminationGracePeriodSeconds": 0, **pod["spec"]}}}})
    c.wait(lambda: c.get("pods"))
    c.mckube("apply")
    ((old, source),) = names(c).items()
    target = {"n1": "n2", "n2": "n1"}[source]
    c.set_running(old)
    done = c.mckube("migrate", f"pod/{old}", "-n", c.ns, "--eviction-timeout=20")
    assert "migrate: Done: web-" in done.out, done
    new = next(p for p in c.get("pods") if p["metadata"]["name"] != old)
    assert new["spec"]["nodeName"] == target
    assert c.annotation_of(new, "mckube.io/rt-runtime-low") == "300000"


def test_drain_keeps_a_disruption_budget(c):
    c.nodes("n1", "n2")
    plain(c, "free")
    plain(c, "kept")
    c.create({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
              "metadata": {"name": "kept"},
              "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "kept"}}}})
    done = c.mckube("drain", "n1", "--timeout", "1s", check=False)
    assert done.code == 4 and "kept: stays: its PodDisruptionBudget" in done.out, done
    assert c.get("node", "n1")["spec"]["unschedulable"]
    left = names(c)
    assert left["kept"] == "n1" and sorted(left.values()) == ["n1", "n2"], left
