#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Is a plan right? Checks a plan (JSON) for a snapshot by lib/plan/file/FORMAT.md alone.

    check.py SNAPSHOT PLAN      prints each violation; exit 1 if there is one

Every violation names the rule ("1" to "5" of "Right", or a word for the format), the action and
the object.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import economy
import filters
import needless
from kube import Obj, cpuset, cpuset_text, ports_clash
from model import (FINALIZER, MODE_OF_LEVEL, NOTE, Cores, Pod, Rank, Settings, Snapshot, build, read_objects,
                   rt_pods)
from migrate import Migration
from relief import Pressure, Relief, seconds
from state import Seat, Slot, State

KINDS = {"Bind", "Assign", "Move", "Evict", "Degrade", "SetLevel", "Taint", "Untaint",
         "Status", "Finalizer", "Migrate", "Release",
         "Scale", "Annotate"}
PLACING = {"Bind", "Assign", "Move"}
WARNINGS = {"AssumedPrice", "BadPower", "BadPrice", "PolicyOutOfReach", "PowerStillCounts",
            "TerminateNotAllowed", "ArchitectureUnknown",
            "EstimateExceeded", "BudgetEnds", "UnreadUse", "ReplicasSetBack", "ReplicasApplied", "SpotLabels",
            "FailedGetScale", "InvalidSelector",
            "BadBudget", "BadCpuset", "BadCriticality", "BadGuarantee", "BadNodeAnnotation",
            "BadPolicy",
            "DuplicateRequest", "SourceConflict", "UnknownNode", "LegacyPin", "Unsupported",
            "CoresNotAllowed", "HelperSilent", "MissingLabel", "GuaranteeNotMet", "NoRealTime", "WhatIf",
            "NotMigrated"}
UNPLACED = {"NoNode", "NoRoom", "NoRequest", "BadRequest"}
PRESSURE = {"enabled": True, "trigger": "realTime", "onBusy": "degrade", "busy": 900_000,
            "calm": 800_000, "delaySeconds": 5, "stepSeconds": 30, "holdSeconds": 60, "evict": "none"}
ORDERS = 6  # random orders tried that `after` allows


def is_without_real_time(action: Obj, pod: Pod) -> bool:
    """Evicted from a busy node, since CPU time is short there."""
    return (action["kind"] == "Evict" and action["reason"] == "Pressure"
            and not pod.request and not pod.orphan and not pod.bad)


class Better(NamedTuple):
    """What plans are compared by; the greater tuple is the better plan."""
    high: int
    middle: int
    low: int
    high_kept: int
    middle_kept: int
    low_kept: int
    moves_saved: int

    @staticmethod
    def of(running: list[int], evicted: list[int], moves: int) -> Better:
        return Better(running[2], running[1], running[0], -evicted[2], -evicted[1], -evicted[0],
                      -moves)


@dataclass
class Violation:
    rule: str
    where: str
    text: str

    def __str__(self) -> str:
        return f"rule {self.rule}: {self.where}: {self.text}"


def plan_name(spec: Obj) -> str:
    text = json.dumps(spec, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def mckube_key(obj: Obj) -> str:
    return f"{obj['metadata'].get('namespace') or 'default'}/{obj['metadata']['name']}"


def key_of(ref: Obj) -> str:
    return f"{ref['namespace']}/{ref['name']}"


@dataclass
class Checker:
    snap: Snapshot
    plan: Obj
    objects: list[Obj] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)

    def __post_init__(self) -> None:
        spec = self.plan["spec"]
        everything: list[Obj] = spec.get("actions") or []
        self._ids(everything)
        # What is done for money is judged by economy.py.
        self.actions = [a for a in everything if not economy.is_for_money(a)]
        self.unplaced = {key_of(u["pod"]): u for u in spec.get("unplaced") or []
                         if u["reason"] not in economy.UNPLACED}
        for pod in self.snap.pods.values():
            pod.keeps_grant = pod.is_raised and (pod.key in self.unplaced
                                                 or self._is_granted_again(pod))
        self.start = State.of(self.snap)
        self.end = State.of(self.snap, now=True)
        self.evicted: dict[str, Obj] = {}
        self.replacements: dict[str, Seat] = {}
        self.migrated: dict[str, Obj] = {}
        taken = spec["cluster"].get("takenAt") or ""
        self.limits = needless.Limits.of(spec.get("settings") or {}, taken)
        self.migration = Migration(self, self.objects, seconds(taken) if taken else 0)

    def is_settled(self, key: str) -> bool:
        """It runs by a McKube of its own, granted what it asks for, and the plan leaves it."""
        pod = self.snap.pods.get(key)
        return bool(pod and pod.request and pod.request.mckube and pod.is_current
                    and key in self.end.seats and self.end.seats[key] == self.start.seats.get(key)
                    and self.end.is_running(key) and not pod.is_fixed
                    and self.start.is_running(key))

    def _is_granted_again(self, pod: Pod) -> bool:
        """It is evicted, or moved with the budget that it has: there was no room for its raise."""
        for action in self.actions:
            if "pod" not in action or key_of(action["pod"]) != pod.key:
                continue
            if action["kind"] == "Evict":
                return True
            if action["kind"] == "Move" and pod.granted:
                return action["to"].get("runtime") == pod.granted.runtime(MODE_OF_LEVEL[pod.level])
        return False

    def fail(self, rule: str, where: Any, text: str) -> None:
        if isinstance(where, dict):
            ref = where.get("pod") or where.get("object") or {}
            where = f"action {where.get('id')} {where.get('kind')} {ref.get('name')}"
        self.violations.append(Violation(rule, str(where), text))

    def run(self) -> list[Violation]:
        self._form()
        if self.violations:
            return self.violations  # what follows needs the form
        for action in self.actions:
            self._execute(action)
        if not self.violations:
            self._other_orders()
            self._shrunk()
            self._place_replacements()
            self._end()
        self._unplaced()
        self._warnings()
        if not self.violations:
            for where, what in self._relief().complaints():
                self.fail("6", where, what)
            for where, what in self.migration.complaints(self.actions):
                self.fail("7", where, what)
            self._needless()
            self._placeable()
            self._raisable()
        return self.violations

    # The format

    def _form(self) -> None:
        if self.plan.get("apiVersion") != "mckube.io/v1alpha1" or self.plan.get("kind") != "Plan":
            self.fail("format", "plan", "apiVersion or kind")
        if self.plan["metadata"]["name"] != plan_name(self.plan["spec"]):
            self.fail("format", "metadata.name", "is not the hash of spec")
        digest = self.plan["spec"]["cluster"].get("digest", "")
        if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
            self.fail("format", "digest", repr(digest))
        for action in self.actions:
            self._form_of(action)
        if not self.violations:
            self._finalizers()

    def _ids(self, actions: list[Obj]) -> None:
        for i, action in enumerate(actions):
            after = action.get("after", [])
            if action.get("id") != i + 1:
                self.fail("format", action, f"id is not {i + 1}")
            if any(not isinstance(a, int) or not 0 < a <= i for a in after) or len(
                    set(after)) != len(after):
                self.fail("format", action, f"after {after}")

    def _form_of(self, action: Obj) -> None:
        if action.get("kind") not in KINDS:
            self.fail("format", action, "unknown kind")
        if not action.get("message") or not re.fullmatch(r"[A-Z][A-Za-z]+",
                                                         action.get("reason", "")):
            self.fail("format", action, "no message, or reason is not one word")
        if action.get("kind") in PLACING | {"Evict"}:
            self._form_pod(action)
        if action.get("kind") == "Scale" and action["from"] == action["to"]:
            self.fail("format", action, "changes nothing")
        for part in ("from", "to", "replacement"):
            cores = action.get(part, {}).get("cores")
            if cores and cores != cpuset_text(cpuset(cores)):
                self.fail("format", action, f"{part}.cores {cores!r} is not sorted and joined")

    def _finalizers(self) -> None:
        """Our finalizer is on a McKube before a pod is assigned for it."""
        adding = {}
        for action in (a for a in self.actions if a["kind"] == "Finalizer"):
            if action["object"]["kind"] == "WorkloadOptimizer":
                continue
            key = key_of(action["object"])
            mckube = next(m for m in self.snap.mckubes if mckube_key(m) == key)
            if ("deletionTimestamp" in mckube["metadata"]) == (action["reason"] == "FinalizerAdded"):
                self.fail("format", action, action["reason"])
            if (FINALIZER in (mckube["metadata"].get("finalizers") or [])) == (
                    action["reason"] == "FinalizerAdded"):
                self.fail("format", action, "changes nothing")
            adding[key] = action["id"]
        before: dict[int, set[int]] = {}
        for action in self.actions:
            after = set(action.get("after", []))
            before[action["id"]] = after.union(*(before[a] for a in after))
            if action["kind"] in PLACING:
                request = self.snap.pods[key_of(action["pod"])].request
                lacks_it = request and self._lacks_finalizer(request.mckube)
                if lacks_it and adding.get(request.mckube) not in before[action["id"]]:
                    self.fail("format", action, "comes before our finalizer")

    def _lacks_finalizer(self, key: str) -> bool:
        return any(mckube_key(m) == key and FINALIZER not in (m["metadata"].get("finalizers")
                                                              or [])
                   for m in self.snap.mckubes)

    def _form_pod(self, action: Obj) -> None:
        pod = self.snap.pods.get(key_of(action["pod"]))
        if not pod:
            return self.fail("format", action, "no such pod")
        if (action["pod"].get("uid", "") != pod.uid
                or action["pod"].get("resourceVersion", "") != pod.version):
            self.fail("format", action, "uid or resourceVersion is not the snapshot's")
        if not pod.request and not is_without_real_time(action, pod):
            return self.fail("2", action, "the pod has no valid request")
        if action["kind"] in PLACING:
            self._form_grant(action, pod)
        return None

    def _form_grant(self, action: Obj, pod: Pod) -> None:
        to, budget = action["to"], pod.budget
        level = "low" if action["kind"] == "Bind" else pod.level
        if to.get("level") != level:
            self.fail("format", action, f"level {to.get('level')}, expected {level}")
        if to.get("period") != budget.period or to.get("runtime") != budget.runtime(
                MODE_OF_LEVEL[level]):
            self.fail("format", action, f"grants {to.get('runtime')}/{to.get('period')}")
        if to.get("enforcement") not in ("watch", "raise"):
            self.fail("format", action, f"enforcement {to.get('enforcement')!r}")

    # One action after the other

    def _execute(self, action: Obj) -> None:
        kind = action["kind"]
        before = self.end.breaches()
        if kind in PLACING:
            self._check_put(action)
        elif kind == "Evict":
            self._check_evict(action)
        elif kind == "Migrate":
            for why in self.migration.check(action):
                self.fail("7", action, why)
            self.migrated[key_of(action["pod"])] = action
        if kind in ("Move", "Evict"):
            self._check_displaced(action)
        if self.violations:
            return
        _apply(self.end, action)
        for slot, load in _worse(before, self.end.breaches()):
            self.fail("1", action, f"{_slot_text(slot)} is at {load}")

    def _check_put(self, action: Obj) -> None:
        pod, to = self.snap.pods[key_of(action["pod"])], action["to"]
        node, seat = self.snap.nodes.get(to["node"]), self.end.seats.get(pod.key)
        if not node:
            return self.fail("2", action, f"no node {to['node']}")
        renews = action["kind"] == "Assign" and seat and seat.cores == cpuset(to["cores"])
        if renews:
            return self._check_renewal(action, pod)
        if not pod.may_use(node, cpuset(to["cores"])):
            self.fail("2", action, f"may not use cores {to['cores']} of {node.name}")
        if action["kind"] == "Bind":
            self._check_bind(action, pod)
        elif not seat or seat.node != node.name or pod.key in self.evicted:
            self.fail("format", action, "is not on that node")
        elif action["kind"] == "Assign" and seat.cores:
            self.fail("format", action, "has cores already")
        elif action["kind"] == "Move":
            self._check_from(action, seat)
            if seat.cores == cpuset(to["cores"]):
                self.fail("format", action, "moves to where it is")
        return None

    def _check_renewal(self, action: Obj, pod: Pod) -> None:
        """Written again: only where it differs from before."""
        to, noted = action["to"], pod.notes.get(NOTE + "rt-enforcement")
        said = to.get("source") == "mckube" and [
            to.get(k, "") for k in ("recovery", "policy", "priority")]
        if pod.terminating or pod.mirror:
            self.fail("2", action, "terminating or mirror")
        if pod.is_current and noted in (None, to["enforcement"]) and said in (
                False, [pod.notes.get(NOTE + k, "") for k in (
                    "rt-recovery", "rt-policy", "rt-priority")]):
            self.fail("format", action, "has all this already")

    def _check_bind(self, action: Obj, pod: Pod) -> None:
        if pod.node or pod.key in self.end.seats:
            self.fail("format", action, "is bound already")
        if pod.terminating or pod.held or not pod.ours:
            self.fail("2", action, "is not for us to bind: terminating, gated or not ours")
        why = self.end.refusal(pod, self.snap.nodes[action["to"]["node"]])
        if why:
            self.fail("2", action, f"filter {why} refuses {action['to']['node']}")

    def _check_from(self, action: Obj, seat: Seat) -> None:
        of = action.get("from", {})
        if of.get("node") != seat.node or of.get("cores") != (
                cpuset_text(seat.cores) if seat.cores else None):
            self.fail("format", action, f"from {of} but is at {seat}")

    def _check_evict(self, action: Obj) -> None:
        pod = self.snap.pods[key_of(action["pod"])]
        seat = self.end.seats.get(pod.key)
        if not seat or pod.key in self.evicted:
            return self.fail("format", action, "is not there")
        self._check_from(action, seat)
        if pod.owner == "DaemonSet":
            self.fail("3", action, "DaemonSet pods are never evicted")
        if self.limits.reached(pod, [self.snap.pods[k] for k in [*self.evicted, *self.migrated]]):
            self.fail("3", action, "more evictions than the settings allow")
        if pod.is_kept:
            self.fail("3", action, "mckube.io/do-not-evict")
        pdbs = self.snap.pdbs_of(pod)
        if len(pdbs) > 1:
            self.fail("3", action, "is under several PodDisruptionBudgets")
        for pdb in pdbs:
            used = sum(pdb.covers(self.snap.pods[k]) for k in self.evicted)
            if used >= pdb.allowed:
                self.fail("3", action, f"PodDisruptionBudget {pdb.name} allows {pdb.allowed}")
        if "replacement" in action:
            self._check_replacement(action, pod)
        elif ("by" not in action and seat.cores
              and not pod.may_use(self.snap.nodes[seat.node], seat.cores)
              and not self.start.is_breached(seat.node, seat.cores)):
            self.fail("3", action, "on wrong cores, evicted without a replacement")
        self.evicted[pod.key] = action
        return None

    def _check_replacement(self, action: Obj, pod: Pod) -> None:
        replacement = action["replacement"]
        node = self.snap.nodes.get(replacement.get("node", ""))
        if not node or node.name == action["from"]["node"]:
            self.fail("replacement", action, "is not another node")
        elif not pod.is_reschedulable():
            self.fail("replacement", action, "its replacement would not come to us with this request")
        elif not pod.may_use(node, cpuset(replacement["cores"])):
            self.fail("replacement", action, f"may not use cores {replacement['cores']}")
        else:
            self.replacements[pod.key] = Seat(node.name, cpuset(replacement["cores"]))

    def _check_displaced(self, action: Obj) -> None:
        pod = self.snap.pods[key_of(action["pod"])]
        if pod.is_fixed and not (is_without_real_time(action, pod) and pod.is_movable):
            self.fail("3", action, "mirror, terminating or system-critical")
        by = action.get("by")
        if by is None:
            self._check_repair(action, pod)
            return
        cause = self.snap.pods.get(key_of(by))
        if not cause or not cause.request:
            self.fail("3", action, f"by {by}: no such real-time pod")
        elif not is_without_real_time(action, pod) and cause.rank <= pod.rank:
            self.fail("3", action, f"{pod.rank.name} yields to {cause.rank.name}")

    def _check_repair(self, action: Obj, pod: Pod) -> None:
        """Without a cause the pod itself must have been in a wrong place."""
        seat = self.start.seats[pod.key]
        node = self.snap.nodes[seat.node]
        if not seat.cores:
            self.fail("3", action, "is displaced for no pod")
        elif pod.may_use(node, seat.cores) and not self.start.is_breached(seat.node, seat.cores):
            self.fail("3", action, "is displaced for no pod, and was in no breach")

    def _other_orders(self) -> None:
        """Any order that `after` allows must be as right: rule 1, resources and ports."""
        for seed in range(ORDERS):
            state = State.of(self.snap, now=True)
            for action in _random_order(self.actions, random.Random(seed)):
                before = state.breaches()
                if action["kind"] == "Bind" and _is_crowded(state, self.snap, action):
                    return self.fail("after", action, "no room on the node in another order")
                if action["kind"] == "Move" and not _is_at(state, action):
                    return self.fail("after", action, "is elsewhere in another order")
                _apply(state, action)
                for slot, load in _worse(before, state.breaches()):
                    return self.fail("after", action,
                                     f"{_slot_text(slot)} is at {load} in another order")
        return None

    # The end

    def _place_replacements(self) -> None:
        state = self.end.copy()
        broken = {a["object"]["name"] for a in self.actions if a["reason"] == "GuaranteeBroken"}
        for key, seat in self.replacements.items():
            pod, node = self.snap.pods[key], self.snap.nodes[seat.node]
            if node.name in broken:
                self.fail("replacement", self.evicted[key], "on a node that the plan taints")
            assert seat.cores
            why = state.refusal(pod, node)
            if why or not state.admits(pod, node, seat.cores):
                self.fail("replacement", self.evicted[key], f"does not fit: {why or 'rule 1'}")
            state.put(key + "'", pod, seat.node, seat.cores)
        self.with_replacements = state

    def _end(self) -> None:
        ends = {key_of(a["pod"]): a for a in self.actions if a["kind"] == "Move"}
        for key, action in ends.items():
            if self.end.seats.get(key) == self.start.seats[key]:
                self.fail("format", action, "ends where it began")
            if key in self.evicted:
                self.fail("format", action, "is evicted as well")

    def _shrunk(self) -> None:
        for key in sorted(self.end.shrinking):
            self.fail("1", key, "asks for less now, and still holds what it had")

    def _outcome(self) -> needless.Outcome:
        return needless.Outcome(self.snap, self.start, self.end, set(self.evicted),
                                self.replacements, self._relieved(), self.limits)

    def _relieved(self) -> frozenset[str]:
        return frozenset(k for k, a in self.evicted.items() if a["reason"] == "Pressure") | (
            self.migrated.keys())

    def _relief(self) -> Relief:
        spec = self.plan["spec"]
        settings = spec.get("settings", {}).get("pressure") or PRESSURE
        return Relief(self.snap, self.start, self.end, self.actions, settings,
                      seconds(spec["cluster"].get("takenAt", "")))

    def is_strained(self, node: str) -> bool:
        """Its CPU time is short: a pod that comes may be the next one to be degraded."""
        return self._relief().pressure(self.snap.nodes[node]) is not Pressure.CALM

    def _needless(self) -> None:
        for rank, node, back in needless.needless_sets(self._outcome()):
            names = ", ".join(p.key for p in back)
            self.fail("4", node, f"{rank.name} displaced needlessly: {names} could be put back")

    def _is_in_flight(self, pod: Pod) -> bool:
        """A move of it was begun, or of one whose owner made it."""
        if any(pod.succeeds(n.arrivals.get(pod.key, {})) for n in self.snap.nodes.values()):
            return True
        mine = pod.labels.get("pod-template-hash")
        return pod.is_in_flight or any(
            p.is_in_flight and p.ns == pod.ns and mine and
            p.labels.get("pod-template-hash") == f"migrating-{mine}" for p in self.snap.pods.values())

    # What could not be done

    def _unplaced(self) -> None:
        done = {key_of(a["pod"]) for a in self.actions if a["kind"] in ("Bind", "Assign")}
        for key, row in self.unplaced.items():
            pod = self.snap.pods.get(key)
            if not pod:
                self.fail("unplaced", key, "no such pod")
            elif key in done and not pod.keeps_grant:
                self.fail("unplaced", key, "but it is placed")
            else:
                self._unplaced_row(pod, row)
        for pod in self.snap.pods.values():
            if self._must_be_answered(pod) and pod.key not in (
                    done | self.unplaced.keys() | self.evicted.keys()) and not self._is_in_flight(pod):
                self.fail("unplaced", pod.key, "neither placed nor unplaced")

    def _must_be_answered(self, pod: Pod) -> bool:
        if economy.is_answered(self.plan, pod.key):
            return False
        if pod.request is None and "workload-optimizer" in pod.labels and economy.is_elsewhere(self.plan, pod.ns):
            return False
        if pod.terminating or pod.held or pod.mirror:
            return False
        if not pod.node:
            return pod.ours
        return pod.node in self.snap.nodes and not pod.cores and (
            pod.request is not None or pod.bad is not None)

    def _unplaced_row(self, pod: Pod, row: Obj) -> None:
        reason, message = row.get("reason"), row.get("message", "")
        if reason not in UNPLACED or not message:
            return self.fail("unplaced", pod.key, f"reason {reason!r}, message {message!r}")
        if (reason == "BadRequest") != (pod.bad is not None):
            self.fail("unplaced", pod.key, f"{reason}, but its request is {pod.bad or 'good'}")
        if reason == "NoRequest" and pod.request:
            self.fail("unplaced", pod.key, "NoRequest, but it has one")
        if pod.keeps_grant:
            return None if reason == "NoRoom" else self.fail("unplaced", pod.key, reason)
        if reason in ("NoNode", "NoRoom") and pod.request:
            self._counted(pod, message)
            self._no_node(pod, reason)
        return None

    def _counted(self, pod: Pod, message: str) -> None:
        head = re.match(r"0/(\d+) nodes are available(?:: |$)", message)
        counts = [int(n) for n in re.findall(r"(?:available: |, )(\d+) ", message)]
        if not head or sum(counts) != int(head[1]):
            self.fail("unplaced", pod.key, f"the counts do not add up: {message!r}")
        elif int(head[1]) != len(self.snap.nodes):
            self.fail("unplaced", pod.key, f"{len(self.snap.nodes)} nodes, but {message!r}")

    def _no_node(self, pod: Pod, reason: str) -> None:
        """NoNode: every node refuses by more than room. Judged where start and end agree."""
        nodes, states = list(self.snap.nodes.values()), (self.start, self.end)
        if pod.node or not nodes:
            return
        only_room = any(all(filters.only_room(s, pod, n) for s in states) for n in nodes)
        never_room = all(filters.before_room(s, pod, n) for n in nodes for s in states)
        if (reason == "NoNode" and only_room) or (reason == "NoRoom" and never_room):
            self.fail("unplaced", pod.key, f"{reason} is the wrong reason")

    def _placeable(self) -> None:
        """Rule 5, as far as one displacement reaches."""
        for key in self.unplaced:
            pod = self.snap.pods[key]
            if pod.request and not pod.terminating and not pod.held and (pod.node or pod.ours):
                how = self._way_for(pod)
                if how:
                    self.fail("5", key, f"could be placed: {how}")

    def _raisable(self) -> None:
        """A raised budget that fits where the pod is in the end."""
        for pod in self.snap.pods.values():
            if not pod.keeps_grant or pod.key not in self.unplaced:
                continue
            state, seat = self.with_replacements.copy(), self.end.seats[pod.key]
            node = self.snap.nodes[seat.node]
            state.remove(pod.key)
            pod.keeps_grant = False
            if seat.cores and pod.may_use(node, seat.cores) and state.admits(pod, node, seat.cores):
                self.fail("5", pod.key, "could have its raised budget")
            pod.keeps_grant = True

    def _way_for(self, pod: Pod) -> str:
        state = self.with_replacements.copy()
        for key in self._relieved():  # their room stays free
            state.put(key, self.snap.pods[key], *_seat(self.start, key))
        for key in self.replacements:
            if self.snap.pods[key].rank < pod.rank:
                state.remove(key + "'")
        seat = state.seats.get(pod.key)
        if pod.node and (not seat or state.is_running(pod.key)):
            return ""
        if seat:
            state.remove(pod.key)  # it holds no cores that count; its requests it has already
        for node in self.snap.nodes.values():
            if seat and (seat.node != node.name or filters.guarantee(state, pod, node)):
                continue
            how = self._way_on(state, pod, node.name, not seat)
            if how:
                return how
        return ""

    def _way_on(self, state: State, pod: Pod, name: str, filtered: bool) -> str:
        node = self.snap.nodes[name]

        def fits() -> Cores | None:
            if filtered and (state.refusal(pod, node) or filters.awaits(self.end, pod, node)):
                return None
            return state.core_set_for(pod, node)

        cores = fits()
        if cores:
            return f"directly on {name} cores {cpuset_text(cores)}"
        if pod.never_preempts or (filtered and not filters.yields(state, pod, node)):
            return ""
        company = self.company()
        for key, victim in list(state.on_node[name].items()):
            if victim.is_fixed or victim.rank >= pod.rank or key.endswith("'"):
                continue
            seat = state.seats[key]
            state.remove(key)
            cores = fits() if self._evictable(victim) and key not in company else None
            state.put(key, victim, name, seat.cores)
            if cores:
                return f"on {name} cores {cpuset_text(cores)} by evicting {key}"
            for other in victim.core_sets(node) if seat.cores else []:
                state.remove(key)
                state.put(key, victim, name, other)
                cores = fits() if not state.is_breached(name, other) else None
                state.remove(key)
                state.put(key, victim, name, seat.cores)
                if cores:
                    return (f"on {name} cores {cpuset_text(cores)} by moving {key} "
                            f"to {cpuset_text(other)}")
        return ""

    def company(self) -> set[str]:
        """Pods that the plan binds, and that another one that it binds wants near it: the plan
        evicts none that it binds, so this one stays until the next plan."""
        bound = [self.snap.pods[key_of(a["pod"])] for a in self.actions if a["kind"] == "Bind"]
        return {other.key for pod in bound for other in bound
                if other is not pod and filters.wants(self.end, pod, other)}

    def awaits_replacement(self, key: str) -> bool:
        """May it come once the replacements are there?"""
        pod = self.snap.pods.get(key)
        return bool(pod and pod.request and self.replacements and key in self.unplaced) and any(
            filters.awaits(self.end, pod, n) and not filters.awaits(self.with_replacements, pod, n)
            for n in self.snap.nodes.values())

    def _evictable(self, pod: Pod) -> bool:
        return self.snap.may_evict(pod) and not self._outcome().used_up(pod)

    # Warnings

    def _warnings(self) -> None:
        rows = self.plan["spec"].get("warnings") or []
        for row in rows:
            if row.get("reason") not in WARNINGS or not row.get("object") or not row.get("message"):
                self.fail("warnings", row.get("object"), f"{row}")
        said = {(r.get("object"), r.get("reason")) for r in rows}
        several = {r.get("object") for r in rows if "; " in r.get("message", "")}  # under one reason
        for row in sorted(r for r in self.snap.warnings - said if r[0] not in several):
            self.fail("warnings", row[0], f"{row[1]} was not said")

    def better(self) -> Better:
        running, evicted, moves = [0, 0, 0], [0, 0, 0], 0
        for pod in rt_pods(self.snap):
            if pod.key in self.end.seats and self.end.is_running(pod.key):
                running[pod.rank] += 1
        for key in self.evicted:
            evicted[self.snap.pods[key].rank] += 1
            running[self.snap.pods[key].rank] += key in self.replacements
        moves = sum(a["kind"] == "Move" for a in self.actions)
        return Better.of(running, evicted, moves)


def _apply(state: State, action: Obj) -> None:
    """A Status that takes an assignment off frees its load only for the next plan."""
    kind, key = action["kind"], key_of(action.get("pod") or {"namespace": "", "name": ""})
    if kind in ("Assign", "Move", "Evict", "Migrate") and key in state.seats:
        state.remove(key)
    if kind in PLACING | {"Migrate"}:
        to = action["to"]
        state.put(key, state.snap.pods[key], to["node"],
                  cpuset(to["cores"]) if "cores" in to else None)


def _seat(state: State, key: str) -> tuple[str, Cores | None]:
    return state.seats[key].node, state.seats[key].cores


def _worse(before: dict[Slot, int], after: dict[Slot, int]) -> list[tuple[Slot, int]]:
    return [(s, load) for s, load in sorted(after.items()) if load > before.get(s, 0)]


def _slot_text(slot: Slot) -> str:
    where = f"node {slot[0]}" + ("" if slot[1] < 0 else f" core {slot[1]}")
    return f"{where} in mode {Rank(slot[2]).name}"


def _is_at(state: State, action: Obj) -> bool:
    seat = state.seats.get(key_of(action["pod"]))
    return seat is not None and cpuset_text(seat.cores or ()) == action["from"]["cores"]


def _is_crowded(state: State, snap: Snapshot, action: Obj) -> bool:
    pod, node = snap.pods[key_of(action["pod"])], snap.nodes[action["to"]["node"]]
    return filters.crowded(state, pod, node, []) or any(
        ports_clash(pod.ports, p.ports) for p in state.on_node[node.name].values())


def _random_order(actions: list[Obj], rng: random.Random) -> list[Obj]:
    """An order that `after` allows; those that add load are preferred, to find what it forgot."""
    done: set[int] = set()
    left, order = list(actions), []
    while left:
        ready = [a for a in left if set(a.get("after", [])) <= done]
        adding = [a for a in ready if a["kind"] != "Evict"]
        action = rng.choice(adding if adding and rng.random() < 0.8 else ready)
        left.remove(action)
        done.add(action["id"])
        order.append(action)
    return order


def settings_of(plan: Obj) -> Settings:
    settings = plan["spec"].get("settings") or {}
    return Settings(settings.get("coreUtilizationThreshold", 900_000),
                    settings.get("rtCapacity", 950_000))


def check(objects: list[Obj], plan: Obj) -> Checker:
    """Judges; the violations are in the checker that is returned."""
    checker = Checker(build(objects, settings_of(plan)), plan, objects)
    checker.run()
    return checker


def main(argv: list[str]) -> int:
    if len(argv) != 3:
        print("usage: check.py SNAPSHOT PLAN", file=sys.stderr)
        return 2
    checker = check(read_objects(argv[1]), json.loads(Path(argv[2]).read_text()))
    for violation in checker.violations:
        print(violation)
    if not checker.violations:
        print("right:", checker.better())
    return 1 if checker.violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
