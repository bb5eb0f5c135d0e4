# SPDX-License-Identifier: Apache-2.0
"""Containers come and go all the time, beside ten thousand other cgroups: each gets its budget, none
is missed, nothing leaks, and sums above them stay right. How soon is measured by test/bench/node."""
import os
import random
import statistics
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from node import Test

PODS, ROUNDS, OTHERS = 10, 200, 10000

t = Test("churn")
try:
    t.make("kubepods")
    for i in range(OTHERS):
        t.make(f"kubepods/other{i}")
    for i in range(PODS):
        t.make(f"kubepods/pod{i}")
    t.pods([(f"p{i}", "Low", 100000, 1000 + i, 1000 + i, f"kubepods/pod{i}/c", {})
            for i in range(PODS)])
    t.start()
    t.wait("it runs", lambda: "overruns from" in t.text())

    random.seed(2)
    there, took = set(), []
    for _ in range(ROUNDS):
        i = random.randrange(PODS)
        group = f"kubepods/pod{i}/c"
        if i in there:
            os.rmdir(t.path(group))
            there.remove(i)
            continue
        os.mkdir(t.path(group))
        start = time.monotonic()
        while t.runtime(group) != 1000 + i and time.monotonic() < start + 30:
            time.sleep(0.0005)
        took.append(time.monotonic() - start)
        there.add(i)
    print(f"# budget {statistics.median(took) * 1e3:.1f} ms after mkdir, {max(took) * 1e3:.1f} at most")
    t.check("every container got its budget", max(took) < 30)
    want = sum(1000 + i for i in there)
    t.wait("the sum above is right", lambda: t.runtime("kubepods") == 10 * want, 15)
    t.check("it still runs", t.helper.poll() is None)
    fds = len(os.listdir(f"/proc/{t.helper.pid}/fd"))
    t.check(f"descriptors do not pile up ({fds})", fds < 40 + 3 * (2 * PODS + 3))
    for i in there:
        os.rmdir(t.path(f"kubepods/pod{i}/c"))
    t.check("it ends well", t.stop() == 0)
finally:
    for i in range(PODS):
        if os.path.exists(t.path(f"kubepods/pod{i}/c")):
            t.remove(f"kubepods/pod{i}/c")
    t.finish()
