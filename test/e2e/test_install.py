# SPDX-License-Identifier: Apache-2.0
"""Installing by the manifests, with images that no container engine has packed."""

import json
import pathlib

import node
from stage import SYSTEM, TOP, budget_of, read

# CAP_SYS_NICE and CAP_IPC_LOCK: what remains once BPF runs.
KEPT = 1 << 23 | 1 << 14


def test_install(w):
    w.install()
    [pid] = w.helper_pids()
    status = dict(line.split(":\t", 1) for line in
                  read(pathlib.Path(f"/proc/{pid}/status")).splitlines() if ":\t" in line)
    assert int(status["CapEff"], 16) == KEPT, status["CapEff"]
    assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1", status
    note = lambda key: w.annotation("node", node.NAME, f"mckube.io/{key}")
    assert (note("backend"), note("overruns")) == ("cgroup-v1", "bpf"), w.helper_log()
    assert "may be late" not in w.helper_log() and "lock memory" not in w.helper_log()


def test_budget_before_start(w):
    """A pod that asks for SCHED_FIFO in its first instruction gets it."""
    w.create(*w.task("brake", "High", 100000, 10000, 20000, ["--work", 3000, "--period", 100000]))
    assert "1 of 1" in w.apply().out
    w.wait_running("brake")
    w.wait(lambda: w.annotation("pod", "brake", "mckube.io/rt-applied") == "true")
    w.wait(lambda: "ready" in w.kubectl("logs", "-n", w.ns, "brake").out)
    assert w.budget("brake") in (10000, 20000), w.budget("brake")
