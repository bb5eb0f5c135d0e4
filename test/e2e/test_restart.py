# SPDX-License-Identifier: Apache-2.0
"""Containers that crash and are started again by the kubelet: the budget is there before the new
program asks for SCHED_FIFO, each time. `load` ends where that is refused, which is another restart."""

import os
import random
import signal
import time

PERIOD, BUDGET = 1000000, 5000
ARGS = ["--period", PERIOD, "--work", 500, "--seconds", 600]
PODS = 10
CRASHES = 200 if os.environ.get("FULL") else 20
SPREAD_SECONDS = 2.0  # over which the crashes of one round are spread


def restarts(c, name):
    """And whether it runs."""
    [status] = c.get("pods", name)["status"].get("containerStatuses") or [{}]
    return status.get("restartCount", 0), "running" in status.get("state", {})


def crash(c, names):
    """At random moments, in random order: also while the helper handles another one."""
    pids = [c.pid_of(n) for n in names]
    random.shuffle(pids)
    for pid in pids:
        time.sleep(random.uniform(0, 2 * SPREAD_SECONDS / len(pids)))
        os.kill(pid, signal.SIGKILL)


def state_of(c, name):
    """Of a container that runs again: restarts, budget in the kernel, policy."""
    count, _ = restarts(c, name)
    pid = c.pid_of(name)
    return count, c.budget(name), os.sched_getscheduler(pid) & 0xff


def test_crashed_containers_have_budget_and_policy_at_the_first_try(c):
    random.seed(7)
    wrong = []
    for round_ in range(CRASHES // PODS):
        names = [f"r{round_}-{i}" for i in range(PODS)]
        c.create(*[o for n in names for o in c.task(n, "Low", PERIOD, BUDGET, BUDGET, ARGS,
                                                    spec={"restartPolicy": "Always"})])
        c.apply()
        c.wait_running(*names, seconds=120)
        crash(c, names)
        c.wait(lambda names=names: all(n >= 1 and up for n, up in (restarts(c, n) for n in names)),
               60)
        wrong += [(n, got) for n in names
                  if (got := state_of(c, n)) != (1, BUDGET, os.SCHED_FIFO)]
        c.kubectl("delete", "pods", "--all", "-n", c.ns, "--grace-period=0", "--force")
        c.kubectl("delete", "mckubes", "--all", "-n", c.ns, "--wait=false")
        c.apply()
    print(f"# {CRASHES} crashes, {len(wrong)} without budget or policy at the first try")
    assert not wrong, wrong
