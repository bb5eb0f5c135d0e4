# SPDX-License-Identifier: Apache-2.0
"""The helper with real FIFO processes: budgets, escalation with a cut, recovery, leaving."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from node import Test

PERIOD = 100000

t = Test("escalation")
try:
    for group in ("kubepods", "kubepods/podbrake", "kubepods/podbrake/a1", "kubepods/podlogger",
                  "kubepods/podlogger/b1"):
        t.make(group)
    brake, logger = "kubepods/podbrake/a1", "kubepods/podlogger/b1"
    # 30 % + 40 % fit; the brake at 50 % does not fit beside the logger under the capacity of 80 %.
    t.pods([("brake", "High", PERIOD, 20000, 50000, brake, {"rt-enforcement": "raise"}),
            ("logger", "Low", PERIOD, 40000, 40000, logger, {})])
    t.start("--capacity", "800000", "--dwell", "500ms", "--calm-periods", "3", "--headroom", "500")
    t.wait("budgets are there", lambda: t.runtime(brake) == 20500 and t.runtime(logger) == 40000)
    t.check("groups above are sums", t.runtime("kubepods/podbrake") == 205000 and
            t.runtime("kubepods") == 605000)

    spinner = t.fifo(brake, 1)
    t.wait("an overrun raises the brake", lambda: t.runtime(brake) == 50000)
    t.check("and cuts the logger to its floor", t.runtime(logger) == 2000)
    t.check("kubepods stays within its capacity", t.runtime("kubepods") <= 800000)
    time.sleep(1)
    t.check("it stays up while overruns go on", t.runtime(brake) == 50000)
    t.end(spinner)
    t.wait("calm, it comes down", lambda: t.runtime(brake) == 20500)
    t.wait("and the logger has its own again", lambda: t.runtime(logger) == 40000)
    t.check("one escalation is reported, not one for each period",
            t.text().count("RuntimeEscalated pod default/brake") == 1)
    t.check("the cut and its end are reported", "Degraded pod default/logger" in t.text() and
            "Restored pod default/logger" in t.text())

    t.write_runtime(logger, 30000)
    t.wait("an external write is corrected", lambda: t.runtime(logger) == 40000, 15)
    t.check("and reported", "RTBudgetRewritten pod default/logger" in t.text())

    t.check("it ends well", t.stop() == 0)
    t.check("the end restores what was found",
            all(t.runtime(g) == 0 for g in ("kubepods", brake, logger)))
finally:
    t.finish()
