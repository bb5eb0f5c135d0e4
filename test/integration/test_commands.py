# SPDX-License-Identifier: Apache-2.0
"""The commands, as a user meets them."""

import base64
import json
import os
import pathlib
import time
import urllib.parse

from world import TOP, Skip


def test_plan_apply_and_nothing_left(w):
    w.nodes("n1", "n2")
    w.create(*w.pair("brake", 300000, 500000, "High"), *w.pair("log", 200000))
    plan = w.mckube("plan")
    assert "Plan: 2 to bind, 2 finalizers to add." in plan.out, plan
    assert w.mckube("plan", "--detailed-exitcode", check=False).code == 2
    done = w.mckube("apply")
    assert done.out.count("bind: Done") == 2, done
    pod = w.get("pod", "brake")
    assert pod["spec"]["nodeName"] in ("n1", "n2")
    assert w.note(pod, "mckube.io/rt-core") == "0"
    assert w.note(pod, "mckube.io/rt-runtime-hi") == "500000"
    assert w.note(pod, "mckube.io/rt-source") == "mckube"
    assert "nothing to do" in w.mckube("plan").out
    assert "brake" in w.mckube("status").out


def test_through_kubectl(w):
    w.nodes("n1")
    w.create(*w.pair("a", 100000))
    assert "1 to bind" in w.kubectl("mckube", "plan", "-n", w.ns).out
    assert w.kubectl("mckube", "plan", "--bad", check=False).code == 1
    assert "bind" in w.kubectl("mckube", "plan", "--context=test", "-o", "json").out.lower()


def test_gated_pod_is_pinned_and_released(w):
    w.nodes("n1", "n2")
    pod = w.pod("g", spec={"schedulerName": "default-scheduler",
                           "schedulingGates": [{"name": "mckube.io/placement"}]})
    w.create(pod, w.request("g", 300000))
    w.mckube("apply")
    w.wait(lambda: w.get("pod", "g")["spec"].get("nodeName"))
    pod = w.get("pod", "g")
    assert "schedulingGates" not in pod["spec"]
    assert w.note(pod, "mckube.io/rt-core")


def test_gated_pod_with_affinity_is_pinned_by_label(w):
    w.nodes("n1", "n2")
    terms = [{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In",
                                    "values": ["n2"]}]}]
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": terms}}}
    w.create(w.pod("g", spec={"schedulerName": "default-scheduler", "affinity": affinity,
                              "schedulingGates": [{"name": "mckube.io/placement"}]}),
             w.request("g", 300000))
    w.mckube("apply")
    w.wait(lambda: w.get("pod", "g")["spec"].get("nodeName") == "n2")


def test_dry_run_server_stores_nothing(w):
    w.nodes("n1")
    w.create(*w.pair("a", 300000))
    done = w.mckube("plan", "--dry-run=server")
    assert "bind: Done" in done.out and "stored nothing" in done.out, done
    assert "nodeName" not in w.get("pod", "a")["spec"]
    done = w.mckube("apply", "--dry-run=server")
    assert "nodeName" not in w.get("pod", "a")["spec"]


def test_preemption_evicts_and_then_binds(w):
    w.nodes("n1", cores=1)
    w.create(*w.pair("low", 800000))
    w.mckube("apply")
    w.run_pod("low")
    w.create(*w.pair("high", 800000, 900000, "High"))
    done = w.mckube("apply")
    assert "evict: Done" in done.out and "high bind: Done" in done.out, done
    assert [p["metadata"]["name"] for p in w.get("pods")] == ["high"]
    assert w.get("pod", "high")["spec"]["nodeName"] == "n1"


def test_disruption_budget_is_kept(w):
    w.nodes("n1", cores=1)
    w.create({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
              "metadata": {"name": "b"},
              "spec": {"minAvailable": 1, "selector": {"matchLabels": {"keep": "1"}}}},
             *w.pair("low", 800000, labels={"keep": "1"}))
    w.mckube("apply")
    w.run_pod("low")
    w.create(*w.pair("high", 800000, 900000, "High"))
    plan = w.mckube("plan", "--detailed-exitcode", check=False)
    assert plan.code == 3, plan
    assert w.mckube("apply").code == 0
    assert len(w.get("pods")) == 2


def test_saved_plan_is_applied_or_refused(w):
    w.nodes("n1")
    w.create(*w.pair("a", 300000), *w.pair("b", 300000))
    path = w.folder / "plan.json"
    w.mckube("plan", "--out", path)
    w.kubectl("label", "pod", "b", "-n", w.ns, "x=y")
    refused = w.mckube("apply", path, check=False)
    assert refused.code == 1 and f"Pod {w.ns}/b: resourceVersion" in refused.err, refused
    assert "nodeName" not in w.get("pod", "a")["spec"]
    assert w.mckube("apply", path, "--replan").out.count("bind: Done") == 2


def test_snapshot_plans_the_same(w):
    w.nodes("n1", "n2")
    w.create(*w.pair("a", 300000), *w.pair("b", 300000, 400000, "High"))
    path = w.folder / "cluster.yaml"
    w.mckube("snapshot", "--out", path)
    live = json.loads(w.mckube("plan", "-o", "json").out)["spec"]
    saved = json.loads(w.mckube("plan", "--snapshot", path, "-o", "json").out)["spec"]
    assert live["actions"] == saved["actions"]
    assert live["cluster"]["digest"] == saved["cluster"]["digest"]
    assert saved["cluster"]["server"] == live["cluster"]["server"]


def test_lists_come_in_pages(w):
    w.nodes("n1")
    w.create(*[o for i in range(12) for o in w.pair(f"p{i}", 1000)])
    done = w.mckube("plan", "--chunk-size=5", "-v=4")
    assert "list mckubes: 12 items on 3 pages" in done.err, done
    assert "12 to bind" in done.out


def test_lease_keeps_two_passes_apart(w):
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
             "metadata": {"name": "other", "namespace": "kube-system"},
             "spec": {"holderIdentity": "somebody", "leaseDurationSeconds": 4,
                      "acquireTime": now, "renewTime": now}}
    w.kubectl("apply", "-f", "-", stdin=json.dumps(lease))
    busy = w.mckube("apply", "--lease=kube-system/other", "--lock-timeout=1s", check=False)
    assert busy.code == 1 and "is held by somebody" in busy.err, busy
    w.mckube("apply", "--lease=kube-system/other", "--lock-timeout=20s")
    spec = w.get("lease", "other", "kube-system")["spec"]
    assert spec["holderIdentity"] == "" and spec["leaseDurationSeconds"] == 1, spec


def test_many_passes_at_once_bind_each_pod_once(w):
    w.nodes("n1", "n2")
    w.create(*[o for i in range(20) for o in w.pair(f"p{i}", 10000)])
    passes = [w.start_mckube("apply", "--lock-timeout=60s") for _ in range(4)]
    outs = [p.communicate() for p in passes]
    assert [p.returncode for p in passes] == [0] * 4, outs
    assert all("nodeName" in p["spec"] for p in w.get("pods"))
    assert "nothing to do" in w.mckube("plan").out


def test_completion_with_live_names(w):
    w.nodes("n1")
    done = w.run("kubectl_complete-mckube", "status", "--context", "")
    assert "test" in done.out.split("\n")[0] and done.err == "", done
    w.create(w.pod("a"))
    assert "node/n1" in w.kubectl("__complete", "mckube", "status", "node/").out.splitlines()
    done = w.kubectl("__complete", "mckube", "explain", "-n", w.ns, "pod/")
    assert done.out.splitlines()[0] == "pod/a", done


def test_in_its_own_cluster(w):
    """As a pod runs it: no kubeconfig, the token and the authority where a kubelet mounts them."""
    w.kubectl("apply", "-f", TOP / "manifests" / "namespace.yaml", "-f",
              TOP / "manifests" / "rbac.yaml")
    w.nodes("n1")
    w.create(*w.pair("a", 300000))
    server = urllib.parse.urlsplit(w.config["clusters"][0]["cluster"]["server"])
    account = pathlib.Path("/var/run/secrets/kubernetes.io/serviceaccount")
    given = w.folder / "account"
    given.mkdir()
    (given / "token").write_text(w.kubectl("create", "token", "mckube-applier", "-n",
                                           "mckube-system").out)
    (given / "ca.crt").write_bytes(base64.b64decode(
        w.config["clusters"][0]["cluster"]["certificate-authority-data"]))
    (given / "namespace").write_text(w.ns)
    script = f"""mount -t tmpfs none /run || exit 77
        mkdir -p {account}; cp {given}/* {account}/; exec {w.program} "$@" """
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent",
           "KUBERNETES_SERVICE_HOST": server.hostname, "KUBERNETES_SERVICE_PORT": str(server.port)}

    def inside(*args):
        done = w.run("unshare", "-m", "sh", "-c", script, "sh", *args, env=env, check=False)
        if "Operation not permitted" in done.err or done.code == 77:
            raise Skip("file systems cannot be mounted here")
        return done

    done = inside("apply")
    assert done.code == 0 and "a bind: Done" in done.out, done
    assert "pod/a" in inside("status", "pod/a", "-o", "name").out
    (given / "token").write_text("worthless")
    done = inside("plan")
    assert done.code == 1 and "You must be logged in to the server" in done.err, done


def test_events_come_in_series(w):
    client = w.program.parent / "test" / "http" / "kube_client"
    if not client.exists():
        raise Skip("kube_client was not built")
    w.run(client, "event", "7")
    events = [e for e in w.get("events.events.k8s.io", ns="default")
              if e.get("reportingController") == "mckube.io/test"]
    assert len(events) == 1 and events[0]["series"]["count"] == 7, events
    assert events[0]["regarding"]["name"] == "a" and events[0]["type"] == "Warning"


def test_escape_sequences_do_not_get_through(w):
    w.nodes("n1")
    w.create(w.pod("a", annotations={"mckube.io/rt-period": "\x1b[31mred",
                                     "mckube.io/criticality": "\x1b]0;title\x07"}))
    for command in ("plan", "status", "explain"):
        done = w.mckube(command, *(["pod/a", "-n", w.ns] if command == "explain" else []))
        assert "\x1b" not in done.out + done.err and "\x07" not in done.out + done.err, done
    assert "?]0;title?" in w.mckube("plan").out
