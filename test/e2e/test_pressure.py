# SPDX-License-Identifier: Apache-2.0
"""A node whose CPU is busy, with the configurations of the first controllers: less critical pods are cut
to their floors, or pods are raised, in the kernel too, until the node is calm. And by default: one whose
pods do not get the time that they were granted."""

import contextlib
import os
import signal
import subprocess
import sys

import node
from node_fixture import CORE, CPU, budget_of
from test_overrun import FLOOR, HELD, HI, LOGGER, make_pair


@contextlib.contextmanager
def settings(**values):
    """Of the passes meanwhile: a busy CPU is pressure, and no step waits."""
    before = dict(os.environ)
    os.environ.update({f"MCKUBE_PRESSURE_{key}_SECONDS": "0" for key in ("DELAY", "STEP", "HOLD")})
    os.environ.update({f"MCKUBE_PRESSURE_{key}": v for key, v in {"TRIGGER": "cpu", **values}.items()})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def relieve_until(c, percent, condition):
    """The helper writes the same annotations, and may do so in between."""
    passes = []

    def is_reached():
        c.report_usage(node.NAME, percent)
        passes.append(c.apply().out)
        return condition()
    try:
        c.wait(is_reached)
    except AssertionError:
        print("\n".join(passes), c.get("pods", "logger")["metadata"]["annotations"])
        raise


def test_busy_node_degrades_the_less_critical_pod(c):
    brake, logger = make_pair(c)
    with settings():
        relieve_until(c, 97, lambda: budget_of(logger) == FLOOR)
        assert budget_of(brake) >= HELD
        assert c.annotation("pods", "logger", "mckube.io/rt-degraded")
        relieve_until(c, 10, lambda: budget_of(logger) == LOGGER)
        assert budget_of(brake) >= HELD
        assert c.annotation("pods", "logger", "mckube.io/rt-degraded") is None


def test_busy_node_raises_the_more_critical_pod(c):
    """onBusy: raise. The helper by itself would lower the brake soon, but for its recovery mode."""
    brake, logger = make_pair(c, recovery={"mode": "nodeCpu", "threshold": 0})
    with settings(ON_BUSY="raise"):
        relieve_until(c, 97, lambda: (budget_of(brake), budget_of(logger)) == (HI, FLOOR))
        assert c.annotation("pods", "brake", "mckube.io/rt-current") == "hi"
        relieve_until(c, 10, lambda: (budget_of(brake), budget_of(logger)) == (HELD, LOGGER))
        assert c.annotation("pods", "brake", "mckube.io/rt-current") == "low"


def test_busy_node_without_a_trigger_changes_nothing(c):
    """By default a busy CPU is no pressure."""
    brake, logger = make_pair(c)
    with settings(TRIGGER="realTime"):
        c.report_usage(node.NAME, 97, 60)
        assert "othing to do" in c.apply().out
    assert (budget_of(brake), budget_of(logger)) == (HELD, LOGGER)


@contextlib.contextmanager
def hog(c, share):
    """A more important process that takes so much of each second, at a stretch, of the pods' core. What
    removed pods had counts for two seconds more: till then the kernel may refuse its budget."""
    def is_granted():
        try:
            (group / "cpu.rt_runtime_us").write_text(str(int(share * 1e6)))
        except OSError:
            return False
        return True

    group = CPU / "mckube-test-hog"
    group.mkdir()
    process = None
    try:
        c.wait(is_granted)
        process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        (group / "cgroup.procs").write_text(str(process.pid))
        os.sched_setaffinity(process.pid, {int(CORE)})
        os.sched_setscheduler(process.pid, os.SCHED_FIFO, os.sched_param(50))
        yield
    finally:
        if process:
            process.send_signal(signal.SIGKILL)
            process.wait()
        group.rmdir()


def test_granted_time_that_is_not_received_is_pressure(c):
    """The helper measures it, passes cut the less critical pod meanwhile, and both end with the cause."""
    def missed_us():
        return int(c.annotation("nodes", node.NAME, "mckube.io/rt-pressure") or 0)

    def relieved_until(condition):
        def is_reached():
            c.apply()
            return condition()
        c.wait(is_reached)

    periodic = ["--period", 100000, "--work"]  # what waits fits into the budget of the next period
    c.create(*c.task("brake", "High", 100000, 10000, 10000, [*periodic, 2000]),
             *c.task("logger", "Low", 100000, 30000, 30000, [*periodic, 6000]))
    c.apply()
    c.wait_running("brake", "logger")
    brake, logger = c.group("brake"), c.group("logger")
    c.wait(lambda: (budget_of(brake), budget_of(logger)) == (10000, 30000))
    assert missed_us() == 0
    with hog(c, 0.3), settings(TRIGGER="realTime"):
        c.wait(lambda: missed_us() > 10000)
        relieved_until(lambda: budget_of(logger) == 30000 // 20)
        assert budget_of(brake) == 10000
    c.wait(lambda: missed_us() == 0)
    with settings(TRIGGER="realTime"):
        relieved_until(lambda: budget_of(logger) == 30000)
    assert budget_of(brake) == 10000
