# SPDX-License-Identifier: Apache-2.0
"""What the helper does to the latency of others: cyclictest (rt-tests) on all CPUs, without the
helper and with it, with 20 pods of which one overruns ten times a second, in turn.
`node_latency.py [SECONDS]`; needs root and cgroup v1 RT groups."""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../kernel"))
from node import Test, skip

PODS, TURNS = 20, 3
SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 else 5

if not shutil.which("cyclictest"):
    skip("needs cyclictest (rt-tests)")
t = Test("latency")


def latency():
    """Minimum, average and maximum over all CPUs, in microseconds."""
    out = subprocess.run(["cyclictest", "--quiet", "--mlockall", "--priority=95", "--threads",
                          "--affinity", "--interval=1000", "--distance=0", f"--duration={SECONDS}"],
                         capture_output=True, text=True, check=True).stdout
    rows = [[int(x) for x in r] for r in
            re.findall(r"Min:\s*(\d+).*Avg:\s*(\d+).*Max:\s*(\d+)", out)]
    return min(r[0] for r in rows), max(r[1] for r in rows), max(r[2] for r in rows)


try:
    t.make("kubepods")
    for i in range(PODS):
        t.make(f"kubepods/c{i}")
    t.pods([(f"p{i}", "High", 100000, 1000, 2000, f"kubepods/c{i}", {}) for i in range(PODS)])
    for _ in range(TURNS):
        print("helper off: min %d  average %d  max %d us" % latency(), flush=True)
        t.start()
        t.wait("the helper has given budgets",
               lambda: t.text().count("RTBudgetApplied") >= PODS)
        spinner = t.fifo("kubepods/c0", 1)
        print("helper on:  min %d  average %d  max %d us" % latency(), flush=True)
        t.end(spinner)
        t.stop()
        open(t.dir + "/log", "w").close()
finally:
    t.finish()
