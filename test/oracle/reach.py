# SPDX-License-Identifier: Apache-2.0
"""Orders of actions: can an end state be reached with no action that makes a core worse?

Evictions only free and binds only fill, so evictions go first and binds last; what has to be
searched is the order of the moves on each node, and how many rests on other cores they need.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from model import Cores, Pod, Rank
from optimum import Solution
from state import State

Places = tuple[Cores, ...]
MAX_RESTS = 3


@dataclass
class Step:
    pod: Pod
    at: Cores
    to: Cores


def order(solution: Solution, node: str) -> list[Step] | None:
    """The fewest moves that bring the pods of this node to their end; None: there is no way."""
    out = solution.outcome
    state = out.start.copy()
    for key in out.evicted:
        state.remove(key)
    moved = [p for p in out.snap.pods.values() if p.request and p.cores
             and out.start.seats.get(p.key) and out.start.seats[p.key].node == node
             and p.key not in out.evicted and out.end.seats[p.key] != out.start.seats[p.key]]
    goal = tuple(out.end.seats[p.key].cores or frozenset() for p in moved)
    first = tuple(p.cores or frozenset() for p in moved)
    seen: dict[Places, tuple[Places, Step] | None] = {first: None}
    queue = deque([(first, 0)])
    while queue:
        places, n = queue.popleft()
        if places == goal:
            return _path(seen, goal)
        if n >= len(moved) + MAX_RESTS:
            continue
        for i, pod in enumerate(moved):
            for cores in pod.core_sets(out.snap.nodes[node]):
                after = places[:i] + (cores,) + places[i + 1:]
                if after not in seen and _is_right(state, node, moved, places, after):
                    seen[after] = places, Step(pod, places[i], cores)
                    queue.append((after, n + 1))
    return None


def _path(seen: dict[Places, tuple[Places, Step] | None], goal: Places) -> list[Step]:
    steps: list[Step] = []
    at = seen[goal]
    while at:
        steps.insert(0, at[1])
        at = seen[at[0]]
    return steps


def _is_right(state: State, node: str, moved: list[Pod], before: Places, after: Places) -> bool:
    was, now = (_loads(state, node, moved, p) for p in (before, after))
    caps = state.snap.nodes[node].caps
    return all(load <= max(caps[key[1]], was.get(key, 0)) for key, load in now.items())


def _loads(state: State, node: str, moved: list[Pod], places: Places) -> dict[tuple[int, int], int]:
    place = state.snap.nodes[node]
    out: dict[tuple[int, int], int] = {}
    gone = {p.key for p in moved}
    rows = [(p, state.seats[k].cores) for k, p in state.on_node[node].items() if k not in gone]
    for pod, cores in rows + list(zip(moved, places)):
        if not cores or not pod.loads:
            continue
        for slot in place.slots(cores):
            for mode in Rank:
                out[slot, mode] = out.get((slot, mode), 0) + pod.loads[mode]
    return out
