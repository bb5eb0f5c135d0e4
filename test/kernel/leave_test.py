# SPDX-License-Identifier: Apache-2.0
"""Pods that are no longer assigned while their real-time tasks still run: the kernel refuses to take
their budget, so it is taken when they are gone, and nothing of it stays in the groups above."""
import os
import re
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from node import Test

PERIOD, LOW, HI = 100000, 20000, 40000

t = Test("leave")


def gone(process, *groups):
    t.end(process)
    for group in groups:
        t.groups.remove(group)
        os.rmdir(t.path(group))


try:
    for group in ("kubepods", "kubepods/poda", "kubepods/poda/a1", "kubepods/podb",
                  "kubepods/podb/b1", "kubepods/podc", "kubepods/podc/c1"):
        t.make(group)
    first = ("a", "High", PERIOD, LOW, HI, "kubepods/poda/a1", {"rt-enforcement": "raise"})
    second = ("b", "High", PERIOD, LOW, HI, "kubepods/podb/b1", {"rt-enforcement": "raise"})
    large = ("c", "High", PERIOD, 70000, 70000, "kubepods/podc/c1", {})
    t.pods([first, second])
    t.start("--dwell", "60s")
    t.wait("budgets are there", lambda: t.runtime("kubepods") == 400000)
    spinner = t.fifo("kubepods/poda/a1", 1)
    t.wait("an overrun raises the first", lambda: t.runtime("kubepods/poda/a1") == HI)

    t.pods([second])
    t.helper.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    t.check("while its task runs it keeps its budget", t.runtime("kubepods/poda/a1") == HI)
    t.check("which counts above", t.runtime("kubepods") == 600000)
    t.wait("which status shows", lambda: re.search(
        r"kubepods/poda/a1 .* retained\n", t.status()))
    gone(spinner, "kubepods/poda/a1", "kubepods/poda")
    t.wait("when it is gone, nothing stays above", lambda: t.runtime("kubepods") == 200000, 15)

    # The other order: the task ends, its cgroup stays for a while.
    spinner = t.fifo("kubepods/podb/b1", 1)
    t.wait("an overrun raises the second", lambda: t.runtime("kubepods/podb/b1") == HI)
    t.pods([large])
    t.helper.send_signal(signal.SIGHUP)
    t.wait("room is missing for a third", lambda: "RTBudgetRefused pod default/c" in t.text())
    t.end(spinner)
    t.wait("until the task ends", lambda: t.runtime("kubepods/podc/c1") == 70000, 15)
    t.check("the second has nothing left", t.runtime("kubepods/podb/b1") == 0)
    t.wait("nor the groups above it", lambda: t.runtime("kubepods/podb") == 0 and
           t.runtime("kubepods") == 700000, 15)

    # Unmanaged groups beside ours that vanish.
    t.make("kubepods/other")
    t.write_runtime("", 800000)
    t.write_runtime("kubepods", 800000)
    t.write_runtime("kubepods/other", 100000)
    t.pods([large, ("b", "High", PERIOD, LOW, LOW, "kubepods/podb/b1", {})])
    t.helper.send_signal(signal.SIGHUP)
    t.wait("what others hold beside ours leaves no room",
           lambda: "RTBudgetRefused pod default/b" in t.text())
    t.groups.remove("kubepods/other")
    os.rmdir(t.path("kubepods/other"))
    t.wait("when they are gone there is some", lambda: t.runtime("kubepods/podb/b1") == LOW, 15)
    t.check("it ends well", t.stop() == 0)
    t.check("nothing is kept", t.runtime("kubepods/podb/b1") == 0 == t.runtime("kubepods/podc/c1"))
finally:
    t.finish()
