# SPDX-License-Identifier: Apache-2.0
"""Installing by the manifests, with images that no container engine has packed."""

import os
import pathlib

import yaml

import node
from node_fixture import CLI_IMAGE, NODE_IMAGE, SYSTEM, TOP, read

# CAP_SYS_NICE and CAP_IPC_LOCK: what remains once BPF runs.
KEPT = 1 << 23 | 1 << 14
LEASE = ("lease", "mckube", "-n", "kube-system", "-o", "jsonpath={.spec.holderIdentity}")


def status_of(pid):
    lines = read(pathlib.Path(f"/proc/{pid}/status")).splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def test_install(c):
    [pid] = c.helper_pids()
    status = status_of(pid)
    assert int(status["CapEff"], 16) == KEPT, status["CapEff"]
    assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1", status
    note = lambda key: c.annotation("nodes", node.NAME, f"mckube.io/{key}")
    assert (note("backend"), note("overruns")) == ("cgroup-v1", "bpf"), c.helper_log()
    assert "may be late" not in c.helper_log() and "lock memory" not in c.helper_log()


def objects(text):
    return {(o["kind"], o["metadata"]["name"]): o for o in yaml.safe_load_all(text)}


def test_kustomization_is_the_same(c):
    """`kubectl apply -k manifests/` installs what `kubectl mckube manifests` prints."""
    folder = c.folder / "kustomization"
    folder.mkdir()
    (folder / "kustomization.yaml").write_text(yaml.safe_dump({
        "resources": [os.path.relpath(TOP / "manifests", folder)],
        "images": [{"name": name, "newName": image.split(":")[0], "newTag": image.split(":")[1]}
                   for name, image in (("mckube", CLI_IMAGE), ("mckube-node", NODE_IMAGE))]}))
    printed = c.kubectl("mckube", "manifests", f"--image={CLI_IMAGE}",
                        f"--node-image={NODE_IMAGE}").out
    assert objects(c.kubectl("kustomize", folder).out) == objects(printed)
    c.kubectl("apply", "--dry-run=server", "-k", folder)


def brake(c):
    return c.task("brake", "High", 100000, 10000, 20000, ["--work", 3000, "--period", 100000])


def wait_ready(c):
    c.wait_running("brake")
    c.wait(lambda: c.annotation("pods", "brake", "mckube.io/rt-applied") == "true")
    c.wait(lambda: "ready" in c.kubectl("logs", "-n", c.ns, "brake").out)
    assert c.budget("brake") in (10000, 20000), c.budget("brake")


def test_budget_before_start(c):
    """A pod that asks for SCHED_FIFO in its first instruction gets it."""
    c.create(*brake(c))
    assert "brake bind: Done" in c.apply().out
    wait_ready(c)


def test_watch(c):
    """The Deployment binds what comes, and when the leader is gone the other one does."""
    c.install(n_watchers=2)
    try:
        c.create(*brake(c))
        wait_ready(c)
        leader = c.kubectl("get", *LEASE).out
        watchers = [p["metadata"]["name"] for p in c.get("pods", ns=SYSTEM)
                    if p["metadata"]["name"].startswith("mckube-watch-")]
        [name] = [n for n in watchers if n in leader]
        c.kubectl("delete", "pod", name, "-n", SYSTEM, "--force", "--grace-period=0")
        c.kubectl("delete", "pod", "brake", "-n", c.ns)
        c.create(brake(c)[0])
        wait_ready(c)
        assert c.kubectl("get", *LEASE).out != leader
    finally:
        c.install()
        c.wait(lambda: not c.kubectl("get", *LEASE).out, 40)
