# SPDX-License-Identifier: Apache-2.0
"""A node that is short of CPU time: the less critical pod keeps its floor, in the kernel too, until
that is over."""

import contextlib
import os

import node
from node_fixture import budget_of
from test_overrun import FLOOR, HELD, LOGGER, make_pair


@contextlib.contextmanager
def at_once():
    """No step waits."""
    before = dict(os.environ)
    os.environ.update({f"MCKUBE_PRESSURE_{key}_SECONDS": "0" for key in ("DELAY", "STEP", "HOLD")})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def relieve_until(c, percent, condition):
    """The helper, too, says how busy the node is, and may do so in between."""
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


def test_pressure(c):
    brake, logger = make_pair(c)
    with at_once():
        relieve_until(c, 97, lambda: budget_of(logger) == FLOOR)
        assert budget_of(brake) >= HELD
        assert c.annotation("pods", "logger", "mckube.io/rt-degraded")
        relieve_until(c, 10, lambda: budget_of(logger) == LOGGER)
        assert budget_of(brake) >= HELD
        assert c.annotation("pods", "logger", "mckube.io/rt-degraded") is None
