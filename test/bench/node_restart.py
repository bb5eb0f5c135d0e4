# SPDX-License-Identifier: Apache-2.0
"""How long overruns go unseen while the helper is killed and started again: until the budget of a pod
that overruns all the while is raised. `node_restart.py [ROUNDS]`; needs root and RT groups."""
import os
import signal
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../kernel"))
from node import Test

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 10
PERIOD, LOW, HI, LIMIT_S = 10000, 2000, 4000, 10

t = Test("blind")


def is_remembered(group):
    """Killed before that, the next helper takes the budget for one that was there before all."""
    if not os.path.exists(t.dir + "/state.json"):
        return False
    with open(t.dir + "/state.json", encoding="utf-8") as f:
        return group in f.read()


try:
    for group in ("kubepods", "kubepods/poda"):
        t.make(group)
    took = []
    for i in range(ROUNDS):
        # A group that was used before may be in debt, and not run for many periods.
        app = f"kubepods/poda/a{i}"
        t.make(app)
        t.pods([("app", "High", PERIOD, LOW, HI, app, {"rt-enforcement": "raise"})])
        t.start("--keep")
        t.wait("the budget is there", lambda: t.runtime(app) == LOW and is_remembered(app))
        t.stop(signal.SIGKILL)
        spinner = t.fifo(app, 1 % os.cpu_count())
        start = time.monotonic()
        t.start("--dwell", "60s")
        while t.runtime(app) != HI and time.monotonic() < start + LIMIT_S:
            time.sleep(0.0005)
        took.append(1e3 * (time.monotonic() - start))
        t.end(spinner)
        t.stop()
    print(f"killed and started again: overruns unseen for  n {ROUNDS}  min {min(took):.1f}  "
          f"median {statistics.median(took):.1f}  max {max(took):.1f} ms")
finally:
    t.finish()
