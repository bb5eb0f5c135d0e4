# SPDX-License-Identifier: Apache-2.0
"""Rule 4: no displacement is needless.

For each criticality r and node: what stands there with the end state of the pods above r, the
running pods of r and the less important pods that may not be evicted; then no set of displaced
pods of r can be put back where they were.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any, Iterator

import filters
import windows
from model import Pod, Rank, Snapshot, rt_pods
from state import Seat, State

EXHAUSTIVE = 10  # displaced pods of one rank on one node: all subsets up to here, then small ones


@dataclass(frozen=True)
class Limits:
    """settings.evictions; 0: no limit."""

    per_pass: int = 0
    per_node: int = 0
    per_namespace: int = 0
    is_closed: bool = False  # evictions.windows is, and evictions.outside is none

    @staticmethod
    def of(settings: dict[str, dict[str, Any]], taken_at: str) -> Limits:
        given = settings.get("evictions") or {}
        is_open = windows.is_open(given.get("windows", ""), taken_at, given.get("utcOffset", 0))
        return Limits(given.get("perPass", 0), given.get("perNode", 0),
                      given.get("perNamespace", 0),
                      not is_open and given.get("outside") == "none")

    def reached(self, pod: Pod, gone: list[Pod]) -> bool:
        """After those evictions, is this pod kept?"""
        if self.is_closed:
            return True
        counts = ((self.per_pass, len(gone)),
                  (self.per_node, sum(p.node == pod.node for p in gone)),
                  (self.per_namespace, sum(p.ns == pod.ns for p in gone)))
        return any(limit and n >= limit for limit, n in counts)


@dataclass
class Outcome:
    """The end of a plan: `replacements` are the replacements' seats, by the evicted pod's key."""

    snap: Snapshot
    start: State
    end: State  # without replacements
    evicted: set[str]
    replacements: dict[str, Seat]
    relieved: frozenset[str] = frozenset()  # evicted because their node was short of CPU time
    limits: Limits = Limits()

    def used_up(self, pod: Pod) -> bool:
        """A budget of this pod, or a limit of the plan, has no eviction left."""
        gone = [self.snap.pods[k] for k in self.evicted]
        return self.limits.reached(pod, gone) or any(
            p.allowed - sum(p.covers(self.snap.pods[k]) for k in self.evicted) <= 0
            for p in self.snap.pdbs_of(pod))


def _was_valid(out: Outcome, pod: Pod) -> bool:
    """It had cores that it may use, in no breach."""
    seat = out.start.seats.get(pod.key)
    return (seat is not None and bool(seat.cores) and pod.request is not None
            and pod.may_use(out.snap.nodes[seat.node], seat.cores or frozenset())
            and not out.start.is_breached(seat.node, seat.cores or frozenset()))


def could_use(out: Outcome, pod: Pod) -> bool:
    """It had cores that it may use: a place that it can be put back to."""
    seat = out.start.seats.get(pod.key)
    return (seat is not None and bool(seat.cores) and pod.request is not None
            and pod.may_use(out.snap.nodes[seat.node], seat.cores or frozenset()))


def took_newly(out: Outcome, pod: Pod) -> bool:
    """Its cores at the end are new: bound, assigned, or it left a broken place."""
    before, after = out.start.seats.get(pod.key), out.end.seats.get(pod.key)
    if after is None or before is None:
        return True
    return before != after and not _was_valid(out, pod)


def displaced(out: Outcome, rank: Rank, node: str) -> list[Pod]:
    """Pods of this node that could be put back; of those without cores, or on wrong ones, only
    those that were evicted without a replacement."""
    found = []
    for pod in rt_pods(out.snap):
        before = out.start.seats.get(pod.key)
        if pod.rank != rank or not before or before.node != node or pod.key in out.relieved:
            continue
        if could_use(out, pod):
            is_gone = out.end.seats.get(pod.key) != before
        else:
            is_gone = pod.key in out.evicted and pod.key not in out.replacements
        if is_gone:
            found.append(pod)
    return found


def is_obstacle(out: Outcome, pod: Pod) -> bool:
    """A less important pod that may not be evicted where it was."""
    if pod.key in out.evicted:
        return False
    return not out.snap.may_evict(pod) or out.used_up(pod)


def _without_cores(before: Seat | None, after: Seat | None) -> Seat | None:
    return Seat(before.node, None) if before and after else None


def standing(out: Outcome, rank: Rank, node: str, back: set[str]) -> State:
    """What a set of displaced pods of this rank has to fit with on this node."""
    state = State(out.snap, on_node={n: {} for n in out.snap.nodes})
    for key, replacement in out.replacements.items():
        pod = out.snap.pods[key]
        if replacement.node == node and pod.rank > rank:
            state.put(key + "'", pod, node, replacement.cores)
    for pod in out.snap.pods.values():
        before, after = out.start.seats.get(pod.key), out.end.seats.get(pod.key)
        if pod.key in back:
            continue
        if pod.request is None or pod.rank > rank:
            seat = after
        elif pod.rank == rank:
            seat = after if not took_newly(out, pod) else _without_cores(before, after)
        else:
            seat = before if before and is_obstacle(out, pod) else None
        if seat and seat.node == node:
            state.put(pod.key, pod, node, seat.cores)
    return state


def _subsets(pods: list[Pod]) -> Iterator[tuple[Pod, ...]]:
    sizes = range(1, len(pods) + 1) if len(pods) <= EXHAUSTIVE else (1, 2)
    for size in sizes:
        yield from combinations(pods, size)
    if len(pods) > EXHAUSTIVE:
        yield tuple(pods)


def _fits_back(out: Outcome, rank: Rank, node: str, back: tuple[Pod, ...]) -> bool:
    state = standing(out, rank, node, {p.key for p in back})
    place = out.snap.nodes[node]
    evicted = [p for p in back if p.key in out.evicted]  # the others hold requests and ports still
    if any(f(state, p, place) for p in evicted
           for f in (filters.ports, filters.anti_affinity, filters.volumes_in_use)):
        return False
    for pod in back:
        cores = out.start.seats[pod.key].cores
        if cores and not state.admits(pod, place, cores & place.rt_cores):
            return False
        state.put(pod.key, pod, node, cores)
    return not any(_is_short(out, state, node, name)
                   for name in {n for p in evicted for n in asked(p)})


def asked(pod: Pod) -> set[str]:
    return {name for name, amount in pod.requests.items() if amount} | {"pods"}


def asks(pod: Pod, name: str) -> int:
    return 1 if name == "pods" else pod.requests.get(name, 0)


def limit(start: State, node: str, name: str) -> int:
    """What the node may hold; one that held too much at the start may go on holding it."""
    held = sum(asks(p, name) for p in start.on_node[node].values())
    return max(held, start.snap.nodes[node].allocatable.get(name, 0))


def _new_pods(start: State, state: State, node: str, name: str) -> list[Pod]:
    """Pods that have come since and ask for it were let in by what the node really has."""
    return [p for key, p in state.on_node[node].items()
            if key not in start.on_node[node] and asks(p, name)]


def _reserved(snap: Snapshot, pod: Pod, node: str, name: str) -> int:
    """For pods that are nominated, and not less important than this one."""
    return sum(asks(p, name) for p in snap.nominated
               if p.nominated == node and p.priority >= pod.priority)


def _is_short(out: Outcome, state: State, node: str, name: str) -> bool:
    held = sum(asks(p, name) for p in state.on_node[node].values())
    new = _new_pods(out.start, state, node, name)
    if new:
        reserved = max(_reserved(out.snap, p, node, name) for p in new)
        return held + reserved > out.snap.nodes[node].allocatable.get(name, 0)
    return held > limit(out.start, node, name)


def needless_sets(out: Outcome) -> list[tuple[Rank, str, tuple[Pod, ...]]]:
    """Every smallest set that could be put back, by rank and node."""
    found: list[tuple[Rank, str, tuple[Pod, ...]]] = []
    for rank in Rank:
        for node in out.snap.nodes:
            gone = displaced(out, rank, node)
            for back in _subsets(gone):
                if any(set(f[2]) <= set(back) for f in found if f[:2] == (rank, node)):
                    continue
                if _fits_back(out, rank, node, back):
                    found.append((rank, node, back))
    return found
