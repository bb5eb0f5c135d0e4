# SPDX-License-Identifier: Apache-2.0
"""Faults while a plan is applied."""

import os
import re
import signal
import subprocess

from proxy import Proxy
from tries import Skip


def create_pairs(c, n, prefix="p"):
    c.create(*[o for i in range(n) for o in c.pair(f"{prefix}{i}", 10000)])


def bound(c):
    return {p["metadata"]["name"]: (p["spec"].get("nodeName"), c.annotation_of(p, "mckube.io/rt-core"))
            for p in c.get("pods") if p["spec"].get("nodeName")}


def wait_until_some_are_bound(c, least):
    c.wait(lambda: len(bound(c)) >= least)


def test_sigterm_finishes_running_actions_and_reports_the_rest(c):
    c.nodes("n1", "n2")
    create_pairs(c, 40)
    apply = c.start_mckube("apply", "--qps=10", "--burst=12", "--parallel=2")
    wait_until_some_are_bound(c, 3)
    apply.send_signal(signal.SIGTERM)
    out, err = apply.communicate(timeout=20)
    assert apply.returncode == 4, (out, err)
    assert "terminated (SIGTERM)" in out, out
    done = out.count("bind: Done")
    assert 0 < done < 40 and len(bound(c)) == done, (done, bound(c))
    assert c.get("lease", "mckube", "kube-system")["spec"]["holderIdentity"] == ""
    c.mckube("apply")
    assert len(bound(c)) == 40


def test_apply_whose_server_dies_is_completed_by_the_next(c):
    if os.environ.get("MCKUBE_EXISTING_CLUSTER"):
        return
    c.nodes("n1", "n2")
    create_pairs(c, 60)
    apply = c.start_mckube("apply", "--qps=20", "--burst=12")
    wait_until_some_are_bound(c, 3)
    c.cluster.stop("kube-apiserver", signal.SIGKILL)
    out, err = apply.communicate(timeout=60)
    assert apply.returncode == 4, (out, err)
    assert "is unreachable" in out, out
    refused = c.mckube("plan", check=False)
    assert refused.code == 1 and "was refused" in refused.err, refused
    c.start_api_server()
    c.mckube("apply", "--lock-timeout=60s")
    assert len(bound(c)) == 60


def test_lost_lease_stops_the_pass(c):
    c.nodes("n1")
    create_pairs(c, 40)
    apply = c.start_mckube("apply", "--qps=2", "--burst=12", "--parallel=1")
    wait_until_some_are_bound(c, 1)
    c.kubectl("patch", "lease", "mckube", "-n", "kube-system", "--type=merge", "-p",
              '{"spec":{"holderIdentity":"thief","leaseDurationSeconds":1}}')
    out, err = apply.communicate(timeout=30)
    assert apply.returncode == 4 and "the Lease was lost" in out, (out, err)
    c.mckube("apply", "--lock-timeout=20s")


def test_concurrent_writes_to_the_same_objects_conflict_with_nothing(c):
    """As the node helper does: just before each write of ours on a McKube or a node, another client
    writes to it."""
    c.nodes("n1")
    c.create(*c.pair("stays", 200000), *c.pair("goes", 200000), c.request("orphan", 1000))
    c.mckube("apply")
    c.set_running("stays")
    c.kubectl("taint", "node", "n1", "McKubeRTDeadlinePressure=True:NoSchedule")
    c.kubectl("patch", "mckube", "orphan", "-n", c.ns, "--type=merge", "-p",
              '{"metadata":{"finalizers":["mckube.mcoperator.sdv.com/finalizer"]}}')
    c.kubectl("delete", "mckube", "orphan", "-n", c.ns, "--wait=false")
    c.kubectl("patch", "mckube", "stays", "-n", c.ns, "--subresource=status", "--type=merge", "-p",
              '{"status":{"allocatedCore":"3","podUID":"another"}}')
    c.create(*c.pair("comes", 200000))
    disturbed = []

    def disturb(method, path):
        subject = path.split("?")[0].removesuffix("/status")
        if method == "PATCH" and ("/mckubes/" in subject or "/nodes/" in subject) and \
                disturbed.count(subject) < 2:
            disturbed.append(subject)
            c.api.merge(subject, {"metadata": {"annotations": {"n": str(len(disturbed))}}})

    proxy = Proxy(c.api, c.folder)
    proxy.before_request = disturb
    try:
        passes = [proxy.run([c.program, "apply"]) for _ in range(2)]  # the first takes the taint off
    finally:
        proxy.stop()
    out = passes[0][1] + passes[1][1]
    assert [code for code, _ in passes] == [0, 0] and not re.search("Failed|Skipped", out), out
    for done in ("n1 untaint", "orphan remove finalizer", "comes add finalizer", "stays set status",
                 "comes bind"):
        assert f"{done}: Done" in out, (done, out)
    # The node and the orphan twice; comes has a condition until the taint is off.
    assert len(disturbed) == 2 + 2 + 1 + 2, disturbed


def test_full_disk_leaves_the_old_plan(c):
    """A disk of 16 kB, of our own, with a plan on it."""
    disk = c.folder / "disk"
    disk.mkdir()
    c.nodes("n1")
    create_pairs(c, 60)
    script = f"""mount -t tmpfs -o size=16k none {disk} || exit 77
        echo old >{disk}/plan.json
        {c.program} plan --out {disk}/plan.json; code=$?
        {c.program} snapshot --out {disk}/plan.json
        ls -A {disk}; cat {disk}/plan.json; exit $code"""
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    if "Operation not permitted" in done.stderr or done.returncode == 77:
        raise Skip("file systems cannot be mounted here")
    assert done.returncode == 1 and done.stdout == "plan.json\nold\n", done
    assert done.stderr.count("No space left on device") == 2, done


def test_limit_of_files_leaves_the_old_plan(c):
    path = c.folder / "kept.json"
    path.write_text("old")
    c.nodes("n1")
    create_pairs(c, 30)
    done = subprocess.run(["bash", "-c", f"ulimit -f 8; trap '' XFSZ; exec {c.program} plan --out {path}"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and path.read_text() == "old", done
    assert len(list(path.parent.glob("*kept*"))) == 1


def test_plan_into_a_closed_pipe_is_quiet(c):
    c.nodes("n1")
    create_pairs(c, 50)
    done = subprocess.run(["bash", "-c", f"{c.program} plan -o json | head -1; exit ${{PIPESTATUS[0]}}"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.stderr == "", done
