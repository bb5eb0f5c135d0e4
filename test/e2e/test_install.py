# SPDX-License-Identifier: Apache-2.0
"""Installing by the manifests, with images that no container engine has packed."""

import os
import pathlib

import yaml

import node
from stage import CLI_IMAGE, NODE_IMAGE, SYSTEM, TOP, read

# CAP_SYS_NICE and CAP_IPC_LOCK: what remains once BPF runs.
KEPT = 1 << 23 | 1 << 14
LEASE = ("lease", "mckube", "-n", "kube-system", "-o", "jsonpath={.spec.holderIdentity}")


def status_of(pid):
    lines = read(pathlib.Path(f"/proc/{pid}/status")).splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def test_install(w):
    [pid] = w.helper_pids()
    status = status_of(pid)
    assert int(status["CapEff"], 16) == KEPT, status["CapEff"]
    assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1", status
    note = lambda key: w.annotation("nodes", node.NAME, f"mckube.io/{key}")
    assert (note("backend"), note("overruns")) == ("cgroup-v1", "bpf"), w.helper_log()
    assert "may be late" not in w.helper_log() and "lock memory" not in w.helper_log()


def objects(text):
    return {(o["kind"], o["metadata"]["name"]): o for o in yaml.safe_load_all(text)}


def test_kustomization_is_the_same(w):
    """`kubectl apply -k manifests/` installs what `kubectl mckube manifests` prints."""
    folder = w.folder / "kustomization"
    folder.mkdir()
    (folder / "kustomization.yaml").write_text(yaml.safe_dump({
        "resources": [os.path.relpath(TOP / "manifests", folder)],
        "images": [{"name": name, "newName": image.split(":")[0], "newTag": image.split(":")[1]}
                   for name, image in (("mckube", CLI_IMAGE), ("mckube-node", NODE_IMAGE))]}))
    printed = w.kubectl("mckube", "manifests", f"--image={CLI_IMAGE}",
                        f"--node-image={NODE_IMAGE}").out
    assert objects(w.kubectl("kustomize", folder).out) == objects(printed)
    w.kubectl("apply", "--dry-run=server", "-k", folder)


def brake(w):
    return w.task("brake", "High", 100000, 10000, 20000, ["--work", 3000, "--period", 100000])


def wait_ready(w):
    w.wait_running("brake")
    w.wait(lambda: w.annotation("pods", "brake", "mckube.io/rt-applied") == "true")
    w.wait(lambda: "ready" in w.kubectl("logs", "-n", w.ns, "brake").out)
    assert w.budget("brake") in (10000, 20000), w.budget("brake")


def test_budget_before_start(w):
    """A pod that asks for SCHED_FIFO in its first instruction gets it."""
    w.create(*brake(w))
    assert "brake bind: Done" in w.apply().out
    wait_ready(w)


def test_watch(w):
    """The Deployment binds what comes, and when the leader is gone the other one does."""
    w.install(n_watchers=2)
    try:
        w.create(*brake(w))
        wait_ready(w)
        leader = w.kubectl("get", *LEASE).out
        watchers = [p["metadata"]["name"] for p in w.get("pods", ns=SYSTEM)
                    if p["metadata"]["name"].startswith("mckube-watch-")]
        [name] = [n for n in watchers if n in leader]
        w.kubectl("delete", "pod", name, "-n", SYSTEM, "--force", "--grace-period=0")
        w.kubectl("delete", "pod", "brake", "-n", w.ns)
        w.create(brake(w)[0])
        wait_ready(w)
        assert w.kubectl("get", *LEASE).out != leader
    finally:
        w.install()
        w.wait(lambda: not w.kubectl("get", *LEASE).out, 40)
