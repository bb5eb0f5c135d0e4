# SPDX-License-Identifier: Apache-2.0
"""The same as history_test.py with budgets in software, in groups of cgroup v2."""
import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
import history_test
from node import skip

MOUNT = "/sys/fs/cgroup/unified"

if not os.path.exists(MOUNT + "/cgroup.controllers"):
    skip("needs cgroup v2 beside v1")
with open("/proc/self/status") as f:
    if not int(next(line for line in f if line.startswith("CapEff")).split()[1], 16) >> 5 & 1:
        skip("needs CAP_KILL")
history_test.run("history-soft", MOUNT, "--cgroup-root", MOUNT, "--backend", "soft")
