# SPDX-License-Identifier: Apache-2.0
"""The example of MC-Kube's manual with programs that spin: 40 % and 35 % of a core, then 25 % more for
somebody more critical."""

from stage import CORE, CPU, share_of, shares
from tries import cpu_times, share_since

PERIOD = 100000
# Consumption is accounted at ticks, and what is above the budget is taken off the next period.
SLACK = 0.03


def spinner(w, name, criticality, percent):
    budget = PERIOD * percent // 100
    return w.task(name, criticality, PERIOD, budget, budget, [])


def measure(w, when, wanted):
    """What the host takes of the core meanwhile, nobody can be given."""
    names, before = list(wanted), cpu_times(CORE)
    got = shares([w.pid_of(n) for n in names], 3)
    taken = share_since(before, CORE)
    print(f"# {when}: " + ", ".join(f"{n} {s:.3f} of {wanted[n]:.2f}"
                                    for n, s in zip(names, got)) + f"; {taken:.3f} was taken",
          flush=True)
    for name, share in zip(names, got):
        assert -SLACK - taken < share - wanted[name] < SLACK, (name, share)


def test_shares(w):
    w.create(*spinner(w, "middle", "Middle", 40), *spinner(w, "low", "Low", 35))
    w.apply()
    w.wait_running("middle", "low")
    measure(w, "before", {"middle": 0.40, "low": 0.35})

    w.create(*spinner(w, "high", "High", 25))
    plan = w.kubectl("mckube", "plan").out
    assert "1 to bind, 1 to evict" in plan, plan
    w.apply()
    w.wait_running("high")
    w.wait(lambda: w.kubectl("get", "pod", "low", "-n", w.ns, check=False).code == 1)
    w.wait(lambda: share_of(CPU / "kubepods") == 650000)
    measure(w, "after", {"middle": 0.40, "high": 0.25})
