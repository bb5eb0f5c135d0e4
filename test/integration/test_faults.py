# SPDX-License-Identifier: Apache-2.0
"""What goes wrong while a plan is carried out."""

import os
import re
import signal
import subprocess
import time

from proxy import Proxy
from world import Skip


def crowd(w, n, prefix="p"):
    w.create(*[o for i in range(n) for o in w.pair(f"{prefix}{i}", 10000)])


def bound(w):
    return {p["metadata"]["name"]: (p["spec"].get("nodeName"), w.note(p, "mckube.io/rt-core"))
            for p in w.get("pods") if p["spec"].get("nodeName")}


def wait_until_some_are_bound(w, least):
    w.wait(lambda: len(bound(w)) >= least)


def test_sigterm_ends_what_runs_and_reports_the_rest(w):
    w.nodes("n1", "n2")
    crowd(w, 40)
    apply = w.start_mckube("apply", "--qps=10", "--burst=12", "--parallel=2")
    wait_until_some_are_bound(w, 3)
    apply.send_signal(signal.SIGTERM)
    out, err = apply.communicate(timeout=20)
    assert apply.returncode == 4, (out, err)
    assert "terminated (SIGTERM)" in out, out
    done = out.count("bind: Done")
    assert 0 < done < 40 and len(bound(w)) == done, (done, bound(w))
    assert w.get("lease", "mckube", "kube-system")["spec"]["holderIdentity"] == ""
    w.mckube("apply")
    assert len(bound(w)) == 40


def test_server_killed_during_apply(w):
    if os.environ.get("MCKUBE_EXISTING_CLUSTER"):
        return
    w.nodes("n1", "n2")
    crowd(w, 60)
    apply = w.start_mckube("apply", "--qps=20", "--burst=12")
    wait_until_some_are_bound(w, 3)
    w.cluster.stop("kube-apiserver", signal.SIGKILL)
    out, err = apply.communicate(timeout=60)
    assert apply.returncode == 4, (out, err)
    assert "cannot be reached" in out, out
    refused = w.mckube("plan", check=False)
    assert refused.code == 1 and "was refused" in refused.err, refused
    w.cluster.start("kube-apiserver")
    w.wait(lambda: w.kubectl("get", "--raw", "/readyz", check=False).code == 0, 60)
    w.mckube("apply", "--lock-timeout=60s")
    assert len(bound(w)) == 60


def test_lost_lease_stops_the_pass(w):
    w.nodes("n1")
    crowd(w, 40)
    apply = w.start_mckube("apply", "--qps=2", "--burst=12", "--parallel=1")
    wait_until_some_are_bound(w, 1)
    w.kubectl("patch", "lease", "mckube", "-n", "kube-system", "--type=merge", "-p",
              '{"spec":{"holderIdentity":"thief","leaseDurationSeconds":1}}')
    out, err = apply.communicate(timeout=30)
    assert apply.returncode == 4 and "the Lease was lost" in out, (out, err)
    w.mckube("apply", "--lock-timeout=20s")


def test_others_write_the_same_objects(w):
    """As the node helper does: just before each write of ours on a McKube or a node, somebody else
    writes to it."""
    w.nodes("n1")
    w.create(*w.pair("stays", 200000), *w.pair("goes", 200000), w.request("orphan", 1000))
    w.mckube("apply")
    w.run_pod("stays")
    w.kubectl("taint", "node", "n1", "McKubeRTDeadlinePressure=True:NoSchedule")
    w.kubectl("patch", "mckube", "orphan", "-n", w.ns, "--type=merge", "-p",
              '{"metadata":{"finalizers":["mckube.mcoperator.sdv.com/finalizer"]}}')
    w.kubectl("delete", "mckube", "orphan", "-n", w.ns, "--wait=false")
    w.kubectl("patch", "mckube", "stays", "-n", w.ns, "--subresource=status", "--type=merge", "-p",
              '{"status":{"allocatedCore":"3","podUID":"another"}}')
    w.create(*w.pair("comes", 200000))
    meddled = []

    def meddle(method, path):
        subject = path.split("?")[0].removesuffix("/status")
        if method == "PATCH" and ("/mckubes/" in subject or "/nodes/" in subject) and \
                meddled.count(subject) < 2:
            meddled.append(subject)
            w.api.merge(subject, {"metadata": {"annotations": {"n": str(len(meddled))}}})

    proxy = Proxy(w.api, w.folder)
    proxy.meddle = meddle
    try:
        passes = [proxy.run([w.program, "apply"]) for _ in range(2)]  # the first takes the taint off
    finally:
        proxy.stop()
    out = passes[0][1] + passes[1][1]
    assert [code for code, _ in passes] == [0, 0] and not re.search("Failed|Skipped", out), out
    for done in ("n1 untaint", "orphan remove finalizer", "comes add finalizer", "stays set status",
                 "comes bind"):
        assert f"{done}: Done" in out, (done, out)
    assert len(meddled) == 2 + 2 + 1 + 1, meddled


def test_full_disk_leaves_the_old_plan(w):
    """A disk of 16 kB, of our own, with a plan on it."""
    disk = w.folder / "disk"
    disk.mkdir()
    w.nodes("n1")
    crowd(w, 60)
    script = f"""mount -t tmpfs -o size=16k none {disk} || exit 77
        echo old >{disk}/plan.json
        {w.program} plan --out {disk}/plan.json; code=$?
        {w.program} snapshot --out {disk}/plan.json
        ls -A {disk}; cat {disk}/plan.json; exit $code"""
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    if "Operation not permitted" in done.stderr or done.returncode == 77:
        raise Skip("file systems cannot be mounted here")
    assert done.returncode == 1 and done.stdout == "plan.json\nold\n", done
    assert done.stderr.count("No space left on device") == 2, done


def test_limit_of_files_leaves_the_old_plan(w):
    path = w.folder / "kept.json"
    path.write_text("old")
    w.nodes("n1")
    crowd(w, 30)
    done = subprocess.run(["bash", "-c", f"ulimit -f 8; trap '' XFSZ; exec {w.program} plan --out {path}"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and path.read_text() == "old", done
    assert len(list(path.parent.glob("*kept*"))) == 1


def test_pipe_that_nobody_reads(w):
    w.nodes("n1")
    crowd(w, 50)
    done = subprocess.run(["bash", "-c", f"{w.program} plan -o json | head -1; exit ${{PIPESTATUS[0]}}"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.stderr == "", done
