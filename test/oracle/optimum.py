#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The best right plan of a small cluster, as FORMAT.md orders plans: a mixed-integer program.

    optimum.py SNAPSHOT      prints what the best plan reaches

One binary variable for each pod and each thing that can become of it. Rule 1 is a row for each
core and mode. Rule 4 (no needless displacement) is a row for each set of displaced pods: if all of
the set is displaced, some capacity must be short without it. Rows for single pods are there from the
start, rows for larger sets when a solution breaks them. Orders of actions are not in the program;
see reach.py. Inter-pod affinity and spread are not in it either: such clusters are refused.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any, Callable

import highspy

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "property"))
# pylint: disable=wrong-import-position
import filters
import needless
from check import Better
from kube import ports_clash
from model import Cores, Node, Pod, Rank, Snapshot, load, rt_pods
from state import Seat, State
from needless import asked, asks

SLOT_FREE = [f for f in filters.FILTERS if f not in (filters.resources, filters.ports)]


@dataclass
class Option:
    """What can become of a pod: stay, move, assign, evict, replace (evicted, with a replacement),
    bind, wait."""
    pod: Pod
    kind: str
    node: str
    cores: Cores | None
    var: Any = None

    @property
    def is_there(self) -> bool:
        """Its node holds the pod, or its replacement, at the end."""
        return self.kind not in ("evict", "wait")


@dataclass
class Solution:
    better: Better
    outcome: needless.Outcome
    chosen: list[Option] = field(default_factory=list)


class Program:
    def __init__(self, snap: Snapshot):
        _refuse_inter_pod(snap)
        self.snap = snap
        self.start = State.of(snap)
        self.h = highspy.Highs()
        self.h.silent()
        self.h.setOptionValue("threads", 1)
        self.h.setOptionValue("mip_rel_gap", 0.0)
        self.h.setOptionValue("mip_abs_gap", 0.5)
        self.h.setOptionValue("mip_feasibility_tolerance", 1e-7)
        self.options: dict[str, list[Option]] = {}
        self.breached: dict[tuple[str, int], Any] = {}
        self.obstacles: dict[str, Any] = {}
        for pod in rt_pods(snap):
            if not pod.node or pod.node in snap.nodes:
                self._choose(pod)
        self.all = [o for options in self.options.values() for o in options]
        self._rows()
        self._goals()
        for pod in rt_pods(snap):
            if any(o.kind == "stay" for o in self.options.get(pod.key, [])):
                self._not_needless((pod,))

    # Variables

    def _choose(self, pod: Pod) -> None:
        options = [Option(pod, *row) for row in self._possible(pod)]
        for option in options:
            option.var = self.h.addBinary()
        self.h.addConstr(sum(o.var for o in options) == 1)
        self.options[pod.key] = options

    def _possible(self, pod: Pod) -> list[tuple[str, str, Cores | None]]:
        if not pod.node:
            rows: list[tuple[str, str, Cores | None]] = [("wait", "", None)]
            if pod.ours and not pod.held and not pod.terminating:
                rows += [("bind", n.name, c) for n in self._nodes_for(pod)
                         for c in pod.core_sets(n)]
            return rows
        rows = [("stay", pod.node, pod.cores)]
        home = self.snap.nodes[pod.node]
        if not pod.cores:
            if not pod.terminating:
                rows += [("assign", home.name, c) for c in pod.core_sets(home)]
        elif not pod.is_fixed:
            rows += [("move", home.name, c) for c in pod.core_sets(home) if c != pod.cores]
        if self.snap.may_evict(pod):
            rows.append(("evict", "", None))
            if pod.is_reschedulable():
                rows += [("replace", n.name, c) for n in self._nodes_for(pod) if n is not home
                         for c in pod.core_sets(n)]
        return rows

    def _nodes_for(self, pod: Pod) -> list[Node]:
        empty = State(self.snap, on_node={n: {} for n in self.snap.nodes})
        return [n for n in self.snap.nodes.values()
                if not any(f(empty, pod, n) for f in SLOT_FREE)]

    # Rows that always hold

    def _rows(self) -> None:
        for node in self.snap.nodes.values():
            self._rows_of_cores(node)
            self._rows_of_requests(node)
        self._rows_of_ports()
        for pdb in self.snap.pdbs:
            gone = [o.var for o in self._leaving() if pdb.covers(o.pod)]
            if gone:
                self.h.addConstr(sum(gone) <= pdb.allowed)

    def _leaving(self) -> list[Option]:
        return [o for o in self.all if o.kind in ("evict", "replace")]

    def _fixed_load(self, node: str, slot: int, mode: int) -> int:
        """Of pods that are no variables: assignments whose request has gone."""
        place = self.snap.nodes[node]
        return sum(p.loads[mode] for p in self.snap.pods.values()
                   if p.orphan and p.loads and p.node == node and p.cores
                   and slot in place.slots(p.cores))

    def _at(self, node: Node, slot: int) -> list[Option]:
        return [o for o in self.all if o.node == node.name and o.cores
                and slot in node.slots(o.cores)]

    def _rows_of_cores(self, node: Node) -> None:
        slots = {s for o in self.all if o.node == node.name and o.cores
                 for s in node.slots(o.cores)}
        for slot in sorted(slots):
            here, before = self._at(node, slot), self.start.load(node.name, slot)
            is_broken = any(before[m] > node.caps[m] for m in Rank)
            broken = self.h.addBinary() if is_broken else 0
            if is_broken:
                self.breached[node.name, slot] = broken
                for option in here:
                    if option.kind != "stay":
                        self.h.addConstr(option.var + broken <= 1)
            for mode in Rank:
                total = sum(o.pod.loads[mode] * o.var for o in here if o.pod.loads)
                more = max(0, before[mode] - node.caps[mode])
                self.h.addConstr(total - more * broken <= node.caps[mode]
                                 - self._fixed_load(node.name, slot, mode))

    def _rows_of_requests(self, node: Node) -> None:
        names = {n for p in self.snap.pods.values() for n in p.requests} | {"pods"}
        for name in sorted(names):
            self._row_of_request(node, name)

    def _row_of_request(self, node: Node, name: str) -> None:
        """A node that holds too much already takes nothing more, but need not become empty."""
        most = node.allocatable.get(name, 0)
        held = {p.key: asks(p, name) for p in self.snap.pods.values() if p.node == node.name}
        fixed = sum(n for k, n in held.items() if k not in self.options)
        here = [o for o in self.all if o.node == node.name and o.is_there and asks(o.pod, name)]
        if not here:
            return
        unit = self._unit(name)
        total: Any = sum(asks(o.pod, name) // unit * o.var for o in here)
        excess = sum(held.values()) // unit - most // unit
        if excess > 0:
            full = self.h.addBinary()
            for option in here:
                if option.pod.key not in held:
                    self.h.addConstr(full + option.var <= 1)
            total -= excess * full
        self.h.addConstr(total <= most // unit - fixed // unit)

    def _unit(self, name: str) -> int:
        """The greatest common divisor of all requests: bytes are too large for a solver."""
        return math.gcd(*(asks(p, name) for p in self.snap.pods.values())) or 1

    def _rows_of_ports(self) -> None:
        there = [o for o in self.all if o.is_there and o.pod.ports]
        for a, b in combinations(there, 2):
            if (a.node == b.node and a.pod is not b.pod and ports_clash(a.pod.ports, b.pod.ports)
                    and not (a.pod.node == b.pod.node == a.node)):
                self.h.addConstr(a.var + b.var <= 1)
        for pod in self.snap.pods.values():
            for o in there if not pod.request else []:
                if o.node == pod.node != o.pod.node and ports_clash(o.pod.ports, pod.ports):
                    self.h.addConstr(o.var == 0)

    # Rule 4

    def _counted(self, option: Option, rank: Rank) -> bool:
        """Does it stand in the way of displaced pods of this rank, with its cores?"""
        if option.pod.rank > rank:
            return option.is_there
        if option.pod.rank < rank:
            return False
        if option.kind == "stay":
            return True
        return option.kind == "move" and not self._was_broken(option.pod)

    def _was_broken(self, pod: Pod) -> bool:
        node = self.snap.nodes[pod.node]
        return not pod.cores or not pod.may_use(node, pod.cores) or self.start.is_breached(pod.node, pod.cores)

    def _obstacle(self, pod: Pod) -> Any:
        """1 if this pod may not be evicted where it was; a variable where a budget decides."""
        if not self.snap.may_evict(pod):
            return 1
        pdbs = self.snap.pdbs_of(pod)
        if not pdbs:
            return 0
        if pod.key not in self.obstacles:
            var = self.obstacles[pod.key] = self.h.addBinary()
            own = [o.var for o in self.options[pod.key] if o.kind in ("evict", "replace")]
            self.h.addConstr(var + sum(own) <= 1)
            used = sum(o.var for o in self._leaving() if pdbs[0].covers(o.pod))
            self.h.addConstr(pdbs[0].allowed * var - used <= 0)
        return self.obstacles[pod.key]

    def _lesser(self, rank: Rank, node: str, back: tuple[Pod, ...]) -> list[Pod]:
        return [p for p in rt_pods(self.snap)
                if p.rank < rank and p.node == node and p not in back]

    def _not_needless(self, back: tuple[Pod, ...]) -> None:
        """If all of `back` is displaced, something is short where it was."""
        rank, node = back[0].rank, self.snap.nodes[back[0].node]
        gone = [self._gone(p) for p in back]
        shorts = []
        for slot in sorted({s for p in back if p.cores for s in node.slots(p.cores)}):
            for mode in Rank:
                shorts.append(self._short_core(rank, node, slot, mode, back))
        for name in sorted({r for p in back for r in asked(p)}):
            shorts.append(self._short_request(rank, node, name, back))
        shorts.append(self._short_port(rank, node, back))
        self.h.addConstr(sum(gone) - sum(shorts) <= len(back) - 1)

    def _gone(self, pod: Pod) -> Any:
        """Displaced; one without cores, or with wrong ones, only if it is evicted without a replacement."""
        is_wrong = not pod.cores or not pod.may_use(self.snap.nodes[pod.node], pod.cores)
        own = self.options[pod.key]
        if is_wrong:
            return 0 * own[0].var + sum(o.var for o in own if o.kind == "evict")
        return 1 - sum(o.var for o in own if o.kind == "stay")

    def _implies(self, total: Any, needed: int) -> Any:
        """A variable that can be 1 only if total reaches what is needed."""
        var = self.h.addBinary()
        self.h.addConstr(total - max(0, needed) * var >= 0)
        return var

    def _short_core(self, rank: Rank, node: Node, slot: int, mode: Rank,
                    back: tuple[Pod, ...]) -> Any:
        total: Any = self._fixed_load(node.name, slot, mode)
        own = 0
        for option in self._at(node, slot):
            if option.pod not in back and self._counted(option, rank) and option.pod.loads:
                total += option.pod.loads[mode] * option.var
        for pod in self._lesser(rank, node.name, back):
            if pod.cores and slot in node.slots(pod.cores) and pod.loads:
                total += pod.loads[mode] * self._obstacle(pod)
        for pod in back:
            if pod.cores and slot in node.slots(pod.cores) and pod.loads:
                own += pod.loads[mode]
        return self._implies(total + 0 * self.all[0].var, node.caps[mode] + 1 - own)

    def _short_request(self, rank: Rank, node: Node, name: str, back: tuple[Pod, ...]) -> Any:
        unit = self._unit(name)
        total: Any = sum(asks(p, name) // unit for p in self.snap.pods.values()
                         if p.node == node.name and not p.request)
        for option in self.all:
            if option.node == node.name and option.is_there and option.pod not in back and (
                    option.pod.rank > rank
                    or (option.pod.rank == rank and option.kind in ("stay", "move", "assign"))):
                total += asks(option.pod, name) // unit * option.var
        for pod in self._lesser(rank, node.name, back):
            total += asks(pod, name) // unit * self._obstacle(pod)
        total += 0 * self.all[0].var
        own, most = sum(asks(p, name) for p in back), node.allocatable.get(name, 0)
        held = sum(asks(p, name) for p in self.start.on_node[node.name].values())
        shorts = [self._implies(total, -(-(max(most, held) + 1 - own) // unit))]
        if held > most:
            shorts.append(self._implies(total, -(-(most + 1 - own) // unit)))
            come = [o.var for o in self.all if o.node == node.name and o.pod.rank > rank
                    and o.kind in ("bind", "replace") and asks(o.pod, name)]
            self.h.addConstr(shorts[1] - sum(come) <= 0)
        for short in shorts:
            self._only_if_evicted(short, [p for p in back if asks(p, name)])
        return sum(shorts)

    def _only_if_evicted(self, short: Any, pods: list[Pod]) -> None:
        """A pod that was only moved holds its requests and ports still."""
        gone = [o.var for p in pods for o in self.options[p.key] if o.kind in ("evict", "replace")]
        self.h.addConstr(short - sum(gone) <= 0)

    def _short_port(self, rank: Rank, node: Node, back: tuple[Pod, ...]) -> Any:
        wanted = [p for pod in back for p in pod.ports]
        takers = [o.var for o in self.all if o.node == node.name and o.is_there
                  and o.pod.rank > rank and ports_clash(o.pod.ports, wanted)]
        if not takers:
            return 0
        short = self._implies(sum(takers), 1)
        self._only_if_evicted(short, [p for p in back if p.ports])
        return short

    # Better

    def _running(self, option: Option) -> Any:
        """Counts as running: 0, 1 or a variable."""
        if not option.cores or option.pod.terminating:
            return 0
        if option.kind != "stay":
            return option.var
        node = self.snap.nodes[option.node]
        if not option.pod.may_use(node, option.cores):
            return 0
        broken = [self.breached[node.name, s] for s in node.slots(option.cores)
                  if (node.name, s) in self.breached]
        if not broken:
            return option.var
        var = self.h.addBinary()
        for b in broken:
            self.h.addConstr(var + b <= 1)
        self.h.addConstr(var - option.var <= 0)
        return var

    def _goals(self) -> None:
        base = len(self.options) + 1
        zero = 0 * self.all[0].var if self.all else 0
        self.placed = zero + sum(base ** o.pod.rank * self._running(o) for o in self.all)
        self.harm = zero + sum(o.var if o.kind == "move" else base ** (1 + o.pod.rank) * o.var
                               for o in self.all if o.kind in ("move", "evict", "replace"))

    def _solve(self) -> None:
        self._optimise(self.h.maximize, self.placed)
        best = round(self.h.getInfo().objective_function_value)
        row = self.h.addConstr(self.placed >= best - 0.5)
        self._optimise(self.h.minimize, self.harm)
        self.values = list(self.h.getSolution().col_value)
        self.h.deleteRows(1, [row.index])

    def _optimise(self, run: Callable[[Any], Any], goal: Any) -> None:
        """Every program here has a solution (all stay where they are): presolve sometimes errs."""
        for presolve in ("choose", "off"):
            self.h.setOptionValue("presolve", presolve)
            run(goal)
            if self.h.getModelStatus() == highspy.HighsModelStatus.kOptimal:
                return
        raise RuntimeError(f"the solver ends with {self.h.getModelStatus()}")

    def _value(self, option: Option) -> bool:
        return self.values[option.var.index] > 0.5

    def solve(self) -> Solution:
        """The best so far; needlessly displaced sets are ruled out until there is none."""
        while True:
            self._solve()
            solution = self._solution()
            sets = needless.needless_sets(solution.outcome)
            if not sets:
                return solution
            for _, _, back in sets:
                self._not_needless(back)

    def _solution(self) -> Solution:
        chosen = [o for o in self.all if self._value(o)]
        end, replacements, gone = self.start.copy(), {}, set()
        for o in chosen:
            if o.kind != "stay" and o.pod.key in end.seats:
                end.remove(o.pod.key)
            if o.kind in ("move", "assign", "bind"):
                end.put(o.pod.key, o.pod, o.node, o.cores)
            if o.kind in ("evict", "replace"):
                gone.add(o.pod.key)
            if o.kind == "replace":
                replacements[o.pod.key] = Seat(o.node, o.cores)
        outcome = needless.Outcome(self.snap, self.start, end, gone, replacements)
        return Solution(_better(outcome, chosen), outcome, chosen)

    def forbid(self, solution: Solution, node: str) -> None:
        """Not these places for the pods of this node once more; where replacements are placed does not
        matter."""
        those = []
        for option in solution.chosen:
            if option.pod.node == node:
                same = {"evict", "replace"} if option.kind in ("evict", "replace") else {option.kind}
                those.append(sum(o.var for o in self.options[option.pod.key] if o.kind in same
                                 and (o.cores == option.cores or "evict" in same)))
        self.h.addConstr(sum(those) <= len(those) - 1)


def _better(outcome: needless.Outcome, chosen: list[Option]) -> Better:
    running, evicted = [0, 0, 0], [0, 0, 0]
    for option in chosen:
        pod = option.pod
        if option.kind in ("evict", "replace"):
            evicted[pod.rank] += 1
        if option.kind == "replace" or (pod.key in outcome.end.seats
                                     and outcome.end.is_running(pod.key)):
            running[pod.rank] += 1
    return Better.of(running, evicted, sum(o.kind == "move" for o in chosen))


def _refuse_inter_pod(snap: Snapshot) -> None:
    for pod in snap.pods.values():
        affinity = pod.spec.get("affinity") or {}
        if {"podAffinity", "podAntiAffinity"} & affinity.keys() or pod.spec.get(
                "topologySpreadConstraints"):
            raise ValueError(f"{pod.key}: inter-pod rules are not in the program")


def main(argv: list[str]) -> int:
    if len(argv) != 2:
        print("usage: optimum.py SNAPSHOT", file=sys.stderr)
        return 2
    print(Program(load(argv[1])).solve().better)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
