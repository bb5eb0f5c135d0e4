# SPDX-License-Identifier: Apache-2.0
"""The commands against a real API server."""

import base64
import json
import os
import pathlib
import pty
import time
import urllib.parse

from fixture import TOP
from tries import Skip
from proxy import Proxy


def test_plan_apply_and_nothing_left(c):
    c.nodes("n1", "n2")
    c.create(*c.pair("brake", 300000, 500000, "High"), *c.pair("log", 200000))
    plan = c.mckube("plan")
    assert "Plan: 2 to bind, 2 finalizers to add." in plan.out, plan
    assert c.mckube("plan", "--detailed-exitcode", check=False).code == 2
    done = c.mckube("apply")
    assert done.out.count("bind: Done") == 2, done
    pod = c.get("pod", "brake")
    assert pod["spec"]["nodeName"] in ("n1", "n2")
    assert c.annotation_of(pod, "mckube.io/rt-core") == "0"
    assert c.annotation_of(pod, "mckube.io/rt-runtime-hi") == "500000"
    assert c.annotation_of(pod, "mckube.io/rt-source") == "mckube"
    assert "nothing to do" in c.mckube("plan").out
    assert "brake" in c.mckube("status").out


def test_through_kubectl(c):
    c.nodes("n1")
    c.create(*c.pair("a", 100000))
    assert "1 to bind" in c.kubectl("mckube", "plan", "-n", c.ns).out
    assert c.kubectl("mckube", "plan", "--bad", check=False).code == 1
    assert "bind" in c.kubectl("mckube", "plan", "--context=test", "-o", "json").out.lower()


def test_gated_pod_is_pinned_and_released(c):
    c.nodes("n1", "n2")
    pod = c.pod("g", spec={"schedulerName": "default-scheduler",
                           "schedulingGates": [{"name": "mckube.io/placement"}]})
    c.create(pod, c.request("g", 300000))
    c.mckube("apply")
    c.wait(lambda: c.get("pod", "g")["spec"].get("nodeName"))
    pod = c.get("pod", "g")
    assert "schedulingGates" not in pod["spec"]
    assert c.annotation_of(pod, "mckube.io/rt-core")


def test_gated_pod_with_affinity_is_pinned_by_label(c):
    c.nodes("n1", "n2")
    terms = [{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In",
                                    "values": ["n2"]}]}]
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": terms}}}
    c.create(c.pod("g", spec={"schedulerName": "default-scheduler", "affinity": affinity,
                              "schedulingGates": [{"name": "mckube.io/placement"}]}),
             c.request("g", 300000))
    c.mckube("apply")
    c.wait(lambda: c.get("pod", "g")["spec"].get("nodeName") == "n2")


def test_dry_run_server_stores_nothing(c):
    c.nodes("n1")
    c.create(*c.pair("a", 300000))
    done = c.mckube("plan", "--dry-run=server")
    assert "bind: Done" in done.out and "stored nothing" in done.out, done
    assert "nodeName" not in c.get("pod", "a")["spec"]
    done = c.mckube("apply", "--dry-run=server")
    assert "nodeName" not in c.get("pod", "a")["spec"]


def test_preemption_evicts_and_then_binds(c):
    c.nodes("n1", cores=1)
    c.create(*c.pair("low", 800000))
    c.mckube("apply")
    c.set_running("low")
    c.create(*c.pair("high", 800000, 900000, "High"))
    kept = c.mckube("apply", check=False)  # no controller recreates it
    assert kept.code == 4 and "low evict: Skipped: no controller" in kept.out, kept
    assert "high bind: Skipped: it waits for action" in kept.out, kept
    assert "nodeName" in c.get("pod", "low")["spec"] and "nodeName" not in c.get("pod", "high")["spec"]
    done = c.mckube("apply", "--force")
    assert "evict: Done" in done.out and "high bind: Done" in done.out, done
    assert [p["metadata"]["name"] for p in c.get("pods")] == ["high"]
    assert c.get("pod", "high")["spec"]["nodeName"] == "n1"


def on_terminal(c, *args, answer, check=None):
    """The command on a terminal of its own: exit code and what was printed. `check` is called while the
    question is open."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(c.program, [str(c.program), *args, "--color=never"])
    text, asked = b"", False
    while True:
        try:
            more = os.read(terminal, 65536)
        except OSError:  # its end is closed
            break
        if not more:
            break
        text += more
        if not asked and b"[y/N] " in text:
            asked = True
            if check:
                check()
            os.write(terminal, answer)
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), text.decode()


def controlled(c, pod):
    """Of a controller; one that exists, since the garbage collector deletes orphans, and that does nothing."""
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "kube-root-ca.crt"}
    c.wait(lambda: c.kubectl("get", "configmap", owner["name"], "-n", c.ns, check=False).code == 0)
    owner["uid"] = c.get("configmap", owner["name"])["metadata"]["uid"]
    pod["metadata"]["ownerReferences"] = [{**owner, "controller": True}]
    return pod


def test_apply_asks_before_it_evicts(c):
    c.nodes("n1", cores=1)
    low, request = c.pair("low", 800000)
    c.create(controlled(c, low), request)
    code, text = on_terminal(c, "apply", answer=b"")  # no pod is evicted: nothing is asked
    assert code == 0 and "[y/N]" not in text, text
    c.set_running("low")
    c.create(*c.pair("high", 800000, 900000, "High"))
    for answer in b"n\n", b"\n", b"\x04":
        code, text = on_terminal(c, "apply", answer=answer)
        assert code == 1 and "Evict 1 pod? [y/N]" in text and "cancelled: nothing was changed" in text, text
        assert f"evict   {c.ns}/low" in text, text
        assert "nodeName" not in c.get("pod", "high")["spec"]

    code, text = on_terminal(c, "apply", answer=b"yes\n", check=lambda: c.wait(
        lambda: not c.get("lease", "mckube", "kube-system")["spec"]["holderIdentity"]))
    assert code == 0 and "high bind: Done" in text, text
    assert c.get("pod", "high")["spec"]["nodeName"] == "n1"


def test_yes_answers_and_force_counts_bare_pods(c):
    c.nodes("n1", "n2", cores=1)
    low, request = c.pair("low", 800000)
    c.create(controlled(c, low), request, *c.pair("bare", 800000))
    c.mckube("apply")
    c.set_running("low")
    c.set_running("bare")
    c.create(*c.pair("brake", 800000, 900000, "High"), *c.pair("radar", 800000, 900000, "High"))
    code, text = on_terminal(c, "apply", answer=b"n\n")
    assert "1 pod without a controller is not evicted without --force" in text, text
    code, text = on_terminal(c, "apply", "--force", answer=b"n\n")
    assert code == 1 and "Evict 2 pods, 1 of them without a controller" in text, text
    code, text = on_terminal(c, "apply", "--yes", answer=b"")
    assert code == 4 and "[y/N]" not in text and "bare evict: Skipped" in text and "low evict: Done" in text, text
    assert {"bare"} < {p["metadata"]["name"] for p in c.get("pods")}
    code, text = on_terminal(c, "apply", "-y", "--force", answer=b"")
    assert code == 0 and "bare evict: Done" in text, text


def test_connections_are_used_again(c):
    """Each costs both sides a TLS handshake, as much as many requests; so it is for Events, too."""
    c.nodes("n1")
    c.create(*[o for i in range(100) for o in c.pair(f"p{i}", 1000)])
    proxy = Proxy(c.api, c.folder)
    try:
        code, out = proxy.run([c.program, "apply"])
        assert code == 0 and out.count("bind: Done") == 100, out
        assert sum("/events" in path for _, path, _ in proxy.answers) == 100, proxy.answers
        assert proxy.n_connections <= 20, proxy.n_connections  # 16 writers, the lock and the lists
    finally:
        proxy.stop()


def test_disruption_budget_is_kept(c):
    c.nodes("n1", cores=1)
    c.create({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
              "metadata": {"name": "b"},
              "spec": {"minAvailable": 1, "selector": {"matchLabels": {"keep": "1"}}}},
             *c.pair("low", 800000, labels={"keep": "1"}))
    c.mckube("apply")
    c.set_running("low")
    c.create(*c.pair("high", 800000, 900000, "High"))
    plan = c.mckube("plan", "--detailed-exitcode", check=False)
    assert plan.code == 3, plan
    assert c.mckube("apply").code == 0
    assert len(c.get("pods")) == 2


def test_saved_plan_is_applied_or_refused(c):
    c.nodes("n1")
    c.create(*c.pair("a", 300000), *c.pair("b", 300000))
    path = c.folder / "plan.json"
    c.mckube("plan", "--out", path)
    c.kubectl("label", "pod", "b", "-n", c.ns, "x=y")
    refused = c.mckube("apply", path, check=False)
    assert refused.code == 1 and f"Pod {c.ns}/b: resourceVersion" in refused.err, refused
    assert "nodeName" not in c.get("pod", "a")["spec"]
    assert c.mckube("apply", path, "--replan").out.count("bind: Done") == 2


def test_snapshot_plans_the_same(c):
    c.nodes("n1", "n2")
    c.create(*c.pair("a", 300000), *c.pair("b", 300000, 400000, "High"))
    path = c.folder / "cluster.yaml"
    c.mckube("snapshot", "--out", path)
    live = json.loads(c.mckube("plan", "-o", "json").out)["spec"]
    saved = json.loads(c.mckube("plan", "--snapshot", path, "-o", "json").out)["spec"]
    assert live["actions"] == saved["actions"]
    assert live["cluster"]["digest"] == saved["cluster"]["digest"]
    assert saved["cluster"]["server"] == live["cluster"]["server"]


def test_lists_come_in_pages(c):
    c.nodes("n1")
    c.create(*[o for i in range(12) for o in c.pair(f"p{i}", 1000)])
    done = c.mckube("plan", "--chunk-size=5", "-v=4")
    assert "list mckubes: 12 items on 3 pages" in done.err, done
    assert "12 to bind" in done.out


def test_lease_keeps_two_passes_apart(c):
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
             "metadata": {"name": "other", "namespace": "kube-system"},
             "spec": {"holderIdentity": "another", "leaseDurationSeconds": 4,
                      "acquireTime": now, "renewTime": now}}
    c.kubectl("apply", "-f", "-", stdin=json.dumps(lease))
    busy = c.mckube("apply", "--lease=kube-system/other", "--lock-timeout=1s", check=False)
    assert busy.code == 1 and "held by another" in busy.err, busy
    c.mckube("apply", "--lease=kube-system/other", "--lock-timeout=20s")
    spec = c.get("lease", "other", "kube-system")["spec"]
    assert spec["holderIdentity"] == "" and spec["leaseDurationSeconds"] == 1, spec


def test_many_passes_at_once_bind_each_pod_once(c):
    c.nodes("n1", "n2")
    c.create(*[o for i in range(20) for o in c.pair(f"p{i}", 10000)])
    passes = [c.start_mckube("apply", "--lock-timeout=60s") for _ in range(4)]
    outs = [p.communicate() for p in passes]
    assert [p.returncode for p in passes] == [0] * 4, outs
    assert all("nodeName" in p["spec"] for p in c.get("pods"))
    assert "nothing to do" in c.mckube("plan").out


def test_completion_with_live_names(c):
    c.nodes("n1")
    done = c.run("kubectl_complete-mckube", "status", "--context", "")
    assert "test" in done.out.split("\n")[0] and done.err == "", done
    c.create(c.pod("a"))
    assert "node/n1" in c.kubectl("__complete", "mckube", "status", "node/").out.splitlines()
    done = c.kubectl("__complete", "mckube", "explain", "-n", c.ns, "pod/")
    assert done.out.splitlines()[0] == "pod/a", done


def test_in_its_own_cluster(c):
    """As a pod runs it: no kubeconfig, the token and the authority where a kubelet mounts them."""
    c.kubectl("apply", "-f", TOP / "manifests" / "namespace.yaml", "-f",
              TOP / "manifests" / "rbac.yaml")
    c.nodes("n1")
    c.create(*c.pair("a", 300000))
    server = urllib.parse.urlsplit(c.config["clusters"][0]["cluster"]["server"])
    account = pathlib.Path("/var/run/secrets/kubernetes.io/serviceaccount")
    given = c.folder / "account"
    given.mkdir()
    (given / "token").write_text(c.kubectl("create", "token", "mckube-applier", "-n",
                                           "mckube-system").out)
    (given / "ca.crt").write_bytes(base64.b64decode(
        c.config["clusters"][0]["cluster"]["certificate-authority-data"]))
    (given / "namespace").write_text(c.ns)
    script = f"""mount -t tmpfs none /run || exit 77
        mkdir -p {account}; cp {given}/* {account}/; exec {c.program} "$@" """
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent",
           "KUBERNETES_SERVICE_HOST": server.hostname, "KUBERNETES_SERVICE_PORT": str(server.port)}

    def inside(*args):
        done = c.run("unshare", "-m", "sh", "-c", script, "sh", *args, env=env, check=False)
        if "Operation not permitted" in done.err or done.code == 77:
            raise Skip("file systems cannot be mounted here")
        return done

    done = inside("apply")
    assert done.code == 0 and "a bind: Done" in done.out, done
    assert "pod/a" in inside("status", "pod/a", "-o", "name").out
    (given / "token").write_text("worthless")
    done = inside("plan")
    assert done.code == 1 and "You must be logged in to the server" in done.err, done


def test_events_come_in_series(c):
    client = c.program.parent / "test" / "http" / "kube_client"
    if not client.exists():
        raise Skip("kube_client was not built")
    c.run(client, "event", "7")
    events = [e for e in c.get("events.events.k8s.io", ns="default")
              if e.get("reportingController") == "mckube.io/test"]
    assert len(events) == 1 and events[0]["series"]["count"] == 7, events
    assert events[0]["regarding"]["name"] == "a" and events[0]["type"] == "Warning"


def test_escape_sequences_do_not_get_through(c):
    c.nodes("n1")
    c.create(c.pod("a", annotations={"mckube.io/rt-period": "\x1b[31mred",
                                     "mckube.io/criticality": "\x1b]0;title\x07"}))
    for command in ("plan", "status", "explain"):
        done = c.mckube(command, *(["pod/a", "-n", c.ns] if command == "explain" else []))
        assert "\x1b" not in done.out + done.err and "\x07" not in done.out + done.err, done
    assert "?]0;title?" in c.mckube("plan").out
