# SPDX-License-Identifier: Apache-2.0
"""Where pods are at one moment, what that loads, and whether one more fits (rules 1 and 2)."""

from __future__ import annotations

from dataclasses import dataclass, field

import filters
from model import Cores, Node, Pod, Rank, Snapshot

Slot = tuple[str, int, int]  # node, core (-1: the whole node), mode


@dataclass(frozen=True)
class Seat:
    node: str
    cores: Cores | None


@dataclass
class State:
    """Seats by key; `pods` also names those that are put here under another key (replacements)."""

    snap: Snapshot
    seats: dict[str, Seat] = field(default_factory=dict)
    pods: dict[str, Pod] = field(default_factory=dict)
    on_node: dict[str, dict[str, Pod]] = field(default_factory=dict)
    shrinking: set[str] = field(default_factory=set)  # pods that still hold their old budget
    _load: dict[tuple[str, int], list[int]] = field(default_factory=dict)

    @staticmethod
    def of(snap: Snapshot, now: bool = False) -> State:
        """Budgets that shrink count as shrunk, unless it is about what holds `now`."""
        state = State(snap, on_node={n: {} for n in snap.nodes})
        if now:
            state.shrinking = {p.key for p in snap.pods.values() if p.shrinks}
        for pod in snap.pods.values():
            if pod.node in snap.nodes:
                state.put(pod.key, pod, pod.node, pod.cores)
        return state

    def copy(self) -> State:
        return State(self.snap, dict(self.seats), dict(self.pods),
                     {n: dict(p) for n, p in self.on_node.items()}, set(self.shrinking),
                     {k: list(v) for k, v in self._load.items()})

    def put(self, key: str, pod: Pod, node: str, cores: Cores | None) -> None:
        self.seats[key] = Seat(node, cores)
        self.pods[key] = pod
        self.on_node[node][key] = pod
        self._count(key, self.seats[key], 1)

    def remove(self, key: str) -> None:
        seat = self.seats.pop(key)
        self._count(key, seat, -1)
        del self.on_node[seat.node][key], self.pods[key]
        self.shrinking.discard(key)

    def _count(self, key: str, seat: Seat, sign: int) -> None:
        pod = self.pods[key]
        loads = pod.held_loads if key in self.shrinking else pod.loads
        if not seat.cores or not loads:
            return
        for slot in self.snap.nodes[seat.node].slots(seat.cores):
            row = self._load.setdefault((seat.node, slot), [0, 0, 0])
            for mode in Rank:
                row[mode] += sign * loads[mode]

    def ease(self, node: str, slot: int, mode: int, less: int) -> None:
        self._load[node, slot][mode] -= less

    def load(self, node: str, slot: int) -> list[int]:
        return self._load.get((node, slot), [0, 0, 0])

    def breaches(self) -> dict[Slot, int]:
        """Every slot and mode that is over its capacity, with its load."""
        out = {}
        for (node, slot), row in self._load.items():
            caps = self.snap.nodes[node].caps
            for mode in Rank:
                if row[mode] > caps[mode]:
                    out[node, slot, int(mode)] = row[mode]
        return out

    def is_breached(self, node: str, cores: Cores) -> bool:
        caps = self.snap.nodes[node].caps
        return any(self.load(node, s)[m] > caps[m]
                   for s in self.snap.nodes[node].slots(cores) for m in Rank)

    def is_running(self, key: str) -> bool:
        """As `Better` counts: cores it may use, not terminating, no breach where it is."""
        pod, seat = self.pods[key], self.seats[key]
        if not pod.request or not seat.cores or pod.terminating:
            return False
        node = self.snap.nodes[seat.node]
        return pod.may_use(node, seat.cores) and not self.is_breached(seat.node, seat.cores)

    def admits(self, pod: Pod, node: Node, cores: Cores) -> bool:
        """Rule 1 with this pod added."""
        loads = pod.loads
        assert loads
        for slot in node.slots(cores):
            row = self.load(node.name, slot)
            if any(row[m] + loads[m] + node.retained > node.caps[m] for m in Rank):
                return False
        return True

    def core_set_for(self, pod: Pod, node: Node) -> Cores | None:
        """Cores of this node that would take it now."""
        return next((c for c in pod.core_sets(node) if self.admits(pod, node, c)), None)

    def refusal(self, pod: Pod, node: Node) -> str:
        """The first filter that refuses, "" when none does."""
        return filters.refusal(self, pod, node)

    def place_for(self, pod: Pod) -> tuple[str, Cores] | None:
        for node in self.snap.nodes.values():
            if not self.refusal(pod, node):
                cores = self.core_set_for(pod, node)
                if cores:
                    return node.name, cores
        return None
