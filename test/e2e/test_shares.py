# SPDX-License-Identifier: Apache-2.0
"""The example of MC-Kube's manual with programs that spin: 40 % and 35 % of a core, then 25 % more for
a more critical pod."""

from node_fixture import CORE, CPU, share_of, shares
from tries import cpu_times, share_since

PERIOD = 100000
# Consumption is accounted at ticks, and what is above the budget is taken off the next period.
SLACK = 0.03


def spinner(c, name, criticality, percent):
    budget = PERIOD * percent // 100
    return c.task(name, criticality, PERIOD, budget, budget, [])


def measure(c, when, wanted):
    """What the host takes of the core meanwhile cannot be granted."""
    names, before = list(wanted), cpu_times(CORE)
    got = shares([c.pid_of(n) for n in names], 3)
    taken = share_since(before, CORE)
    print(f"# {when}: " + ", ".join(f"{n} {s:.3f} of {wanted[n]:.2f}"
                                    for n, s in zip(names, got)) + f"; {taken:.3f} was taken",
          flush=True)
    for name, share in zip(names, got):
        assert -SLACK - taken < share - wanted[name] < SLACK, (name, share)


def test_shares(c):
    c.create(*spinner(c, "middle", "Middle", 40), *spinner(c, "low", "Low", 35))
    c.apply()
    c.wait_running("middle", "low")
    measure(c, "before", {"middle": 0.40, "low": 0.35})

    c.create(*spinner(c, "high", "High", 25))
    plan = c.kubectl("mckube", "plan").out
    assert "1 to bind, 1 to evict" in plan, plan
    c.apply()
    c.wait_running("high")
    c.wait(lambda: c.kubectl("get", "pod", "low", "-n", c.ns, check=False).code == 1)
    c.wait(lambda: share_of(CPU / "kubepods") == 650000)
    measure(c, "after", {"middle": 0.40, "high": 0.25})
