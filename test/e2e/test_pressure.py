# SPDX-License-Identifier: Apache-2.0
"""A node whose CPU is busy, with the configurations of the first controllers: less critical pods are cut
to their floors, or pods are raised, in the kernel too, until the node is calm."""

import contextlib
import os

import node
from node_fixture import budget_of
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
