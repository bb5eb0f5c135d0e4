# SPDX-License-Identifier: Apache-2.0
"""Step 6: nodes that are short of CPU time, and nodes that cannot keep what was promised.

What a plan may and must do about them, from the words of lib/plan/relief/relieve.h alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Iterator

from kube import Obj
from model import MODE_OF_LEVEL, NOTE, PPM, Node, Pod, Rank, Snapshot
from state import Seat, State

TAINT = "McKubeRTDeadlinePressure"
CPU = "mckube.sdv.com/"
DEGRADED = NOTE + "rt-degraded"
Complaint = tuple[str, str]  # where, what


class Pressure(Enum):
    CALM, BETWEEN, BUSY = range(3)


def seconds(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() if text else 0.0


@dataclass
class Relief:
    """The plan's view: `end` is without evicted pods, `stay` are those that it leaves in place."""

    snap: Snapshot
    start: State
    end: State
    actions: list[Obj]
    settings: Obj
    now: float  # 0: the snapshot has no time

    def of_kind(self, kind: str, reason: str = "") -> dict[str, Obj]:
        out = {}
        for action in self.actions:
            if action["kind"] == kind and reason in ("", action["reason"]):
                ref = action.get("pod") or action["object"]
                out["/".join(filter(None, (ref.get("namespace"), ref["name"])))] = action
        return out

    # What nodes and pods say

    def pressure(self, node: Node) -> Pressure:
        if not self.settings["enabled"]:
            return Pressure.CALM
        if self.is_silent(node):
            return Pressure.BETWEEN
        if self.settings["trigger"] == "realTime":
            is_lost = self.lost(node) or self.refused(node.name)
            return Pressure.BUSY if is_lost else Pressure.CALM
        flag = node.notes.get(CPU + "isCpuBusy", "")
        usage, over = self.usage(node), node.notes.get(CPU + "cpu-over90-duration-s")
        if flag != "true" and (usage is None or usage < self.settings["calm"]):
            return Pressure.CALM
        if flag in ("true", "") and (usage is None or usage >= self.settings["busy"]) and (
                over is None or int(over) >= self.settings["delaySeconds"]):
            return Pressure.BUSY
        return Pressure.BETWEEN

    def is_silent(self, node: Node) -> bool:
        """Its helper's Lease has expired or is not there, though others' are."""
        if not self.now or not self.snap.heartbeats or not node.notes.get(NOTE + "backend"):
            return False
        return self.now > self.snap.heartbeats.get(node.name, 0.0)

    @staticmethod
    def lost(node: Node) -> int:
        """Microseconds per second, which are ppm of one core."""
        text = node.notes.get(NOTE + "rt-pressure", "0")
        return int(text) if text.isdigit() else 0

    def refused(self, node: str) -> list[Pod]:
        if self.is_silent(self.snap.nodes[node]):
            return []
        return [p for p in self.kept(node)
                if p.is_current and p.notes.get(NOTE + "rt-applied") == "false"]

    def protected(self, node: Node) -> Pod | None:
        """The most important pod there, or the one whose budget was refused."""
        pods = self.on(node.name)
        if self.settings["trigger"] == "realTime" and not self.lost(node) and self.refused(
                node.name):
            pods = self.refused(node.name)
        return pods[-1] if pods else None

    @staticmethod
    def usage(node: Node) -> int | None:
        text = node.notes.get(CPU + "cpu-usage")
        return None if text is None else int(float(text)) * PPM // 100

    def passed(self, since: str, needed: str, unknown: bool) -> bool:
        return self.now - seconds(since) >= self.settings[needed] if self.now else unknown

    # Pods of a node

    def seat(self, pod: Pod) -> Seat | None:
        """Where it is when everything but step 6 is done."""
        if pod.key in self.of_kind("Evict", "Pressure"):
            return self.start.seats[pod.key]
        return self.end.seats.get(pod.key)

    def on(self, node: str) -> list[Pod]:
        """Pods with cores, the least important first."""
        pods = []
        for pod in self.snap.pods.values():
            seat = self.seat(pod)
            is_left_alone = pod.is_fixed and pod.cores
            if seat and seat.node == node and seat.cores and pod.request and not is_left_alone:
                pods.append(pod)
        return sorted(pods, key=lambda p: (p.rank, p.priority, _reversed(p.created),
                                           _reversed(p.key)))

    def staying(self, node: str) -> list[Pod]:
        """Those that run there already."""
        return [p for p in self.on(node) if p.cores]

    def lesser(self, node: str) -> list[Pod]:
        protected = self.protected(self.snap.nodes[node])
        return [p for p in self.staying(node) if protected and p.rank < protected.rank]

    def kept(self, node: str) -> list[Pod]:
        """Those whose cores are as before."""
        return [p for p in self.staying(node)
                if p.key in self.end.seats and self.end.seats[p.key] == self.start.seats[p.key]]

    @staticmethod
    def gain(pod: Pod) -> int:
        assert pod.request
        budget = pod.budget
        less = budget.runtime(MODE_OF_LEVEL[pod.level]) - budget.floor
        return less * PPM // budget.period * pod.request.core_count

    def degradable(self, node: str) -> list[Pod]:
        return [p for p in self.lesser(node) if DEGRADED not in p.notes and self.gain(p) > 0]

    def is_step_due(self, node: Node) -> bool:
        times = [p.notes[DEGRADED] for p in self.snap.pods.values()
                 if p.node == node.name and (p.request or p.orphan) and DEGRADED in p.notes]
        times += [t.get("timeAdded", "") for t in node.taints if t["key"] == TAINT]
        return all(self.passed(t, "stepSeconds", False) for t in times)

    # The guarantee

    def is_broken(self, node: Node) -> bool:
        """A core for real time is over its capacity with what its pods hold, or a budget was
        refused. On others nothing is promised."""
        held = self.end.copy()
        for pod in self.kept(node.name):
            if pod.noted and not pod.is_current:
                _hold(held, pod)
        over = any(slot[0] == node.name and slot[1] in {-1, *node.rt_cores}
                   and load > node.rt_capacity for slot, load in held.breaches().items())
        return self.settings["enabled"] and (over or bool(self.refused(node.name)))

    # The verdict

    def complaints(self) -> Iterator[Complaint]:
        for node in self.snap.nodes.values():
            if self.settings["onBusy"] == "raise":
                yield from self._levels(node)
            else:
                yield from self._steps(node)
            yield from self._restored(node)
            yield from self._taint(node)

    def _steps(self, node: Node) -> Iterator[Complaint]:
        degraded, evicted = self.of_kind("Degrade"), self.of_kind("Evict", "Pressure")
        here = [p for p in self.snap.pods.values() if p.node == node.name]
        steps = [p for p in here if p.key in degraded or p.key in evicted]
        is_due = self.pressure(node) is Pressure.BUSY and self.is_step_due(node)
        yields_first = [p for p in here if p.key in evicted and not p.request]
        yield from self._without_real_time(node, is_due, yields_first)
        wanted = self._least(node) if is_due and not yields_first else []
        if {p.key for p in here if p.key in degraded} != {p.key for p in wanted}:
            yield node.name, f"degrades {[p.key for p in steps]}, expected {[p.key for p in wanted]}"
        for pod in (p for p in here if p.key in degraded):
            assert pod.request
            if degraded[pod.key]["to"]["runtime"] != pod.budget.floor:
                yield pod.key, "is degraded to something else than its floor"
        victims = self._victims(node) if is_due and not wanted and not yields_first else []
        gone = [p for p in here if p.key in evicted and p.request]
        if self.settings["evict"] == "controlled":  # only those that find a place
            is_right = len(gone) < 2 and all(
                p in victims and "replacement" in evicted[p.key] for p in gone)
        else:
            is_right = gone == victims[:1]
        if not is_right:
            yield node.name, f"evicts {list(evicted)} for CPU time, expected {victims}"
        for pod in steps:
            by, protected = (degraded.get(pod.key) or evicted[pod.key]).get("by") or {}, \
                self.protected(node)
            if not protected or f"{by.get('namespace')}/{by.get('name')}" != protected.key:
                yield pod.key, f"yields to {by}, which is not the protected pod there"

    def _without_real_time(self, node: Node, is_due: bool, gone: list[Pod]) -> Iterator[Complaint]:
        """Where CPU time is the matter and evictions are allowed, BestEffort before Burstable."""
        candidates = sorted((p for p in self.snap.pods.values() if self._may_yield_first(p, node)),
                            key=lambda p: (p.qos != "BestEffort", p.priority, _reversed(p.created),
                                           p.key))
        if not is_due or not self.on(node.name):
            candidates = []
        if self.settings["evict"] == "all":
            is_right = gone == candidates[:1]
        else:
            is_right = len(gone) < 2 and all(p in candidates for p in gone)
        if not is_right:
            yield node.name, f"evicts {gone} without real time, expected one of {candidates}"

    def _may_yield_first(self, pod: Pod, node: Node) -> bool:
        left = all(p.allowed - sum(p.covers(self.snap.pods[k]) for k in self.of_kind("Evict")
                                   if k != pod.key) > 0 for p in self.snap.pdbs_of(pod))
        return (self.settings["trigger"] == "cpu" and self.settings["evict"] != "none"
                and pod.node == node.name and pod.qos != "Guaranteed" and pod.is_movable
                and not pod.request and not pod.orphan and not pod.bad
                and pod.owner not in ("DaemonSet", "Node") and left
                and len(self.snap.pdbs_of(pod)) < 2
                and (self.settings["evict"] == "all" or pod.owner != ""))

    def _levels(self, node: Node) -> Iterator[Complaint]:
        """The most critical first, each the highest of hi, low and floor with which the floors of
        the others still fit."""
        if self.pressure(node) is not Pressure.BUSY:
            return
        staying, sums = self.staying(node.name)[::-1], {}

        def add(pod: Pod, load: int) -> bool:
            slots = node.slots(self.seat(pod).cores)
            fits = all(sums.get(s, 0) + load <= node.rt_capacity for s in slots)
            for slot in slots:
                sums[slot] = sums.get(slot, 0) + load
            return fits

        for key, pod in self.end.on_node[node.name].items():
            loads = pod.loads
            if self.end.seats[key].cores and loads:
                add(pod, _share(pod, pod.budget.floor) if pod in staying
                    else loads[Rank.LOW])
        for pod in staying:
            budget, wanted = pod.budget, "floor"
            for level, runtime in (("hi", budget.hi), ("low", budget.low)):
                more = _share(pod, runtime) - _share(pod, budget.floor)
                if (level != "hi" or budget.hi > budget.low) and add(pod, more):
                    wanted = level
                    break
                if level != "hi" or budget.hi > budget.low:
                    add(pod, -more)
            if self._level_after(pod) != wanted:
                yield pod.key, f"is at {self._level_after(pod)}, expected {wanted}"

    def _level_after(self, pod: Pod) -> str:
        if pod.key in self.of_kind("Degrade"):
            return "floor"
        if pod.key in self.of_kind("SetLevel"):
            return self.of_kind("SetLevel")[pod.key]["to"]["level"]
        return "floor" if DEGRADED in pod.notes else pod.level

    def _least(self, node: Node) -> list[Pod]:
        usage, chosen, freed = self.usage(node), [], 0
        excess = self.lost(node) or 1
        if self.settings["trigger"] == "cpu":
            excess = 1
            if usage is not None and usage > self.settings["busy"]:
                excess = (usage - self.settings["busy"]) * node.cpu_milli // 1000
        for pod in self.degradable(node.name):
            if freed < excess:
                chosen.append(pod)
                freed += self.gain(pod)
        return chosen

    def _victims(self, node: Node) -> list[Pod]:
        which = self.settings["evict"]
        gone = {k for k in self.of_kind("Evict") if k not in self.of_kind("Evict", "Pressure")}

        def is_allowed(pod: Pod) -> bool:
            left = all(p.allowed - sum(p.covers(self.snap.pods[k]) for k in gone) > 0
                       for p in self.snap.pdbs_of(pod))
            return (self.snap.may_evict(pod) and left
                    and self.seat(pod) == self.start.seats[pod.key]
                    and (which == "all" or (which == "controlled" and pod.owner != "")))

        return [p for p in self.lesser(node.name) if is_allowed(p)]

    def _restored(self, node: Node) -> Iterator[Complaint]:
        done, pressure = self.of_kind("SetLevel", "Relieved"), self.pressure(node)
        if self.settings["onBusy"] == "raise":
            if pressure is Pressure.BUSY:
                return
            done = {**done, **{k: a for k, a in self.of_kind("SetLevel", "Recovered").items()
                               if DEGRADED in self.snap.pods[k].notes}}
        lesser = {p.key for p in self.lesser(node.name)}
        for pod in self.staying(node.name):
            is_due = (DEGRADED in pod.notes and pod.key in self.end.seats
                      and (pressure is Pressure.CALM
                           or (pressure is Pressure.BUSY and pod.key not in lesser))
                      and self.passed(pod.notes[DEGRADED], "holdSeconds", True))
            if is_due != (pod.key in done):
                yield pod.key, "gets its budget back" if not is_due else "stays degraded"

    def _taint(self, node: Node) -> Iterator[Complaint]:
        ours = [t for t in node.taints if t["key"] == TAINT]
        gone = [k for k, a in self.of_kind("Evict", "Pressure").items()
                if a["from"]["node"] == node.name]
        is_last = (self.pressure(node) is Pressure.BUSY and self.is_step_due(node)
                   and self.settings["onBusy"] == "degrade"
                   and not self.degradable(node.name) and bool(self.lesser(node.name)))
        is_first = any(not self.snap.pods[k].request for k in gone)
        broken = self.is_broken(node)
        wanted = ""
        if is_first or (is_last and (not ours or gone)):
            wanted = "Pressure"
        elif broken:
            wanted = "" if ours else "GuaranteeBroken"
        elif ours and self.pressure(node) is Pressure.CALM and self.passed(
                ours[0].get("timeAdded", ""), "holdSeconds", True):
            wanted = "Relieved"
        told = next((a for a in self.actions if a["kind"] in ("Taint", "Untaint")
                     and a["object"]["name"] == node.name
                     and a["reason"] not in ("NodePressure", "NodeRelieved")), None)
        if (told["reason"] if told else "") != wanted:
            yield node.name, f"taint: {told and told['reason']}, expected {wanted or 'nothing'}"
        for action in self.of_kind("Evict", "Pressure").values():
            if action["from"]["node"] == node.name and (
                    not told or told["id"] not in action.get("after", [])):
                yield node.name, "evicts before it is tainted"


def _reversed(text: str) -> list[int]:
    """Sorts the other way round; a prefix comes after what it begins."""
    return [-ord(c) for c in text] + [1]


def _share(pod: Pod, runtime: int) -> int:
    assert pod.request
    return -(-runtime * PPM // pod.budget.period)


def _hold(state: State, pod: Pod) -> None:
    """Counts it with what it was granted: it waits for the room to grow."""
    loads, held, seat = pod.loads, pod.held_loads, state.seats[pod.key]
    assert loads and held and seat.cores
    for slot in state.snap.nodes[seat.node].slots(seat.cores):
        for mode in Rank:
            less = max(0, loads[mode] - held[mode])
            state.ease(seat.node, slot, mode, less)
