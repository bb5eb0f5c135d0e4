# SPDX-License-Identifier: Apache-2.0
"""Random sets of real-time tasks of three criticalities for one core, of which the response-time
analysis says that the High ones keep their deadlines."""

import math
import random
from dataclasses import dataclass

CRITICALITIES = ["High"] * 3 + ["Middle"] * 2 + ["Low"] * 3
# Each divides the next, so priorities by period can use the whole core.
PERIODS = (100000, 200000, 400000)
# The most that the core may grant when each High and Middle task is at its hi.
KERNEL_CAP = 0.94
MIDDLE_HI, LOW_OVERRUN = 1.2, 6.0
# A normal job and one that overruns use that much of low, of hi.
NORMAL, OVERRUN = 0.70, 0.90
# One job in so many overruns.
EVERY = {"High": 5, "Middle": 7, "Low": 6}
# A response may take that part of the period: others use this machine, too.
RESPONSE = 0.90


@dataclass
class Task:
    name: str
    criticality: str
    period: int
    low: int
    hi: int
    priority: int = 0

    @property
    def floor(self):
        return max(1000, math.ceil(self.low * 0.05))

    @property
    def work(self):
        return int(self.low * NORMAL)

    @property
    def overrun_work(self):
        return int(self.low * LOW_OVERRUN if self.criticality == "Low" else self.hi * OVERRUN)

    @property
    def every(self):
        return EVERY[self.criticality]


def shares(rng, n, total, least, most):
    """Uniform over all sets of n numbers with that sum and these bounds, as randfixedsum draws them;
    here by drawing sets with the sum until one keeps the bounds."""
    while True:
        cuts = sorted(rng.random() for _ in range(n - 1))
        parts = [total * (b - a) for a, b in zip([0.0, *cuts], [*cuts, 1.0])]
        if all(least <= p <= most for p in parts):
            return parts


def draw(rng, load):
    parts = shares(rng, len(CRITICALITIES), load, 0.03, 0.25)
    high = sum(p for p, c in zip(parts, CRITICALITIES) if c == "High")
    growth = (KERNEL_CAP - load + high) / high
    tasks = []
    for i, (share, criticality) in enumerate(zip(parts, CRITICALITIES)):
        period = rng.choice(PERIODS)
        low = int(share * period)
        hi = {"High": int(low * growth), "Middle": int(low * MIDDLE_HI), "Low": low}[criticality]
        tasks.append(Task(f"{criticality.lower()}{i}", criticality, period, low, hi))
    for rank, t in enumerate(sorted(tasks, key=lambda t: -t.period)):
        t.priority = 10 + rank
    return tasks


def of_throttled(task, budget, time):
    """The most that a throttled task gets within a time: its periods may begin at any moment."""
    return math.ceil((time + task.period - budget) / task.period) * budget


def response(task, own, interference):
    """The fixed point of own + interference(R); None when it is past the deadline."""
    r = own
    while r <= task.period:
        following = own + interference(r)
        if following <= r:
            return r
        r = following
    return None


def keeps_deadline(task, tasks):
    """AMC-rtb (Baruah, Burns and Davis, 2011), with throttled tasks below High, and floors in the
    High mode in place of nothing."""
    above = [t for t in tasks if t.priority > task.priority]
    high = [t for t in above if t.criticality == "High"]
    others = [t for t in above if t.criticality != "High"]
    normal = response(task, task.low, lambda r: sum(
        math.ceil(r / t.period) * t.low for t in high) + sum(
        of_throttled(t, t.hi, r) for t in others))
    if normal is None:
        return False
    raised = response(task, task.hi, lambda r: sum(
        math.ceil(r / t.period) * t.hi for t in high) + sum(
        of_throttled(t, t.hi, normal) + of_throttled(t, t.floor, r) for t in others))
    return raised is not None and raised <= RESPONSE * task.period


def is_inverted(tasks):
    """Is a Low task above a High one? Else priorities alone would do."""
    return any(low.priority > high.priority for low in tasks for high in tasks
               if (low.criticality, high.criticality) == ("Low", "High"))


def draw_good(seed, load):
    """The first inverted set whose High tasks all keep their deadlines, and how many were drawn for
    it."""
    rng = random.Random(f"{seed} {load}")
    for n in range(1, 1000000):
        tasks = draw(rng, load)
        if is_inverted(tasks) and all(keeps_deadline(t, tasks) for t in tasks if t.criticality == "High"):
            return tasks, n
    raise ValueError("no such set")
