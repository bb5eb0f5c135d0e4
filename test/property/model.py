# SPDX-License-Identifier: Apache-2.0
"""A snapshot as the checker and the oracle see it.

Written from lib/plan/file/FORMAT.md alone, not from the planner, so that the two can
disagree. What is here: nodes with their real-time capacity, pods with the one request that speaks
for each, where pods are, and the objects that the scheduler's filters need.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any, Iterable

import yaml

from kube import Obj, cpuset, host_ports, pod_requests, qos_class, resources, selector_matches
from storage import Storage, claim_names, device_names

PPM = 1_000_000
PERIOD_MIN, PERIOD_MAX = 100, 4_000_000
SYSTEM_CRITICAL = 2_000_000_000
HELPER_LEASE = "mckube-node-"
NOTE = "mckube.io/"
GATE = "mckube.io/placement"
FINALIZER = "mckube.mcoperator.sdv.com/finalizer"
LABEL = "sdv.com"


class Rank(IntEnum):
    LOW = 0
    MIDDLE = 1
    HIGH = 2


RANK_OF = {"low": Rank.LOW, "middle": Rank.MIDDLE, "high": Rank.HIGH}
MODE_OF_LEVEL = {"low": Rank.LOW, "medium": Rank.MIDDLE, "hi": Rank.HIGH}
Loads = tuple[int, int, int]
Cores = frozenset[int]


class BadRequest(Exception):
    """A value that speaks but cannot be used; `reason` is the warning it must cause."""

    def __init__(self, reason: str, text: str):
        super().__init__(text)
        self.reason = reason


@dataclass(frozen=True)
class Budget:
    rank: Rank
    period: int
    low: int
    hi: int
    medium: int | None = None
    floor_given: int | None = None

    @property
    def floor(self) -> int:
        wanted = self.floor_given or max(1000, math.ceil(self.low * 5 / 100))
        return min(wanted, self.low)

    def runtime(self, mode: Rank) -> int:
        """C(mode)."""
        if self.rank == Rank.LOW or mode == Rank.LOW:
            return self.low
        if self.rank == Rank.HIGH and mode == Rank.MIDDLE:
            return self.medium or self.hi
        return self.hi

    @property
    def grants(self) -> tuple:
        return (self.rank, self.period, self.low, self.medium, self.hi, self.floor)

    @cached_property
    def loads(self) -> Loads:
        """Parts per million in each mode: C(mode) at or above the mode's rank, else the floor."""
        def ppm(us: int) -> int:
            return -(-us * PPM // self.period)
        return tuple(ppm(self.runtime(k) if self.rank >= k else self.floor)
                     for k in Rank)  # type: ignore[return-value]


def _greater(a: Loads, b: Loads) -> Loads:
    return tuple(map(max, a, b))  # type: ignore[return-value]


@dataclass(frozen=True)
class Request:
    budget: Budget
    source: str  # mckube | annotations | rt-operator
    core: Cores | None = None
    core_count: int = 1
    node: str = ""
    guarantee: int = 0  # index in GUARANTEES
    by_name: bool = False  # found by spec.podname: a replacement of another name has none
    mckube: str = ""  # "namespace/name" of the McKube that speaks


@dataclass
class Node:
    name: str
    labels: dict[str, str]
    taints: list[Obj]
    unschedulable: bool
    allocatable: dict[str, int]
    rt_cores: Cores
    rt_capacity: int
    scope: str
    threshold: int
    notes: dict[str, str] = field(default_factory=dict)
    cpu_milli: int = 0  # capacity
    closed: bool = False  # what it has, or what is taken of it, cannot be read
    restarts_all: bool = False  # declares RestartAllContainersOnContainerExits
    retained: int = 0  # load of containers that are no longer assigned

    @property
    def arrivals(self) -> Obj:
        """Of pods "NAMESPACE/NAME" that are moved to it, and have left their names."""
        return json.loads(self.notes.get(NOTE + "migrate-arrivals", "{}"))

    @property
    def guarantee(self) -> int:
        return BACKENDS.get(self.notes.get(NOTE + "backend", ""), 0)

    @property
    def caps(self) -> Loads:
        return (min(self.threshold, self.rt_capacity), self.rt_capacity, self.rt_capacity)

    def slots(self, cores: Iterable[int]) -> list[int]:
        """Where a pod on these cores is counted: each core, or -1, the node as a whole."""
        return [-1] if self.scope == "node" else sorted(cores)


@dataclass(eq=False)
class Pod:
    key: str
    ns: str
    name: str
    uid: str
    version: str
    labels: dict[str, str]
    notes: dict[str, str]
    spec: Obj
    created: str
    node: str  # "" while it is pending
    priority: int
    terminating: bool
    mirror: bool
    owner: str
    ours: bool
    held: bool  # by a scheduling gate that is not ours
    qos: str
    requests: dict[str, int]
    ports: list[tuple[str, str, int]]
    phase: str
    ready: bool
    nominated: str
    never_preempts: bool
    claims: list[str]  # "ns/name"
    devices: list[str | None]
    request: Request | None = None
    bad: BadRequest | None = None
    cores: Cores | None = None
    level: str = "low"
    orphan: Budget | None = None  # assignment whose request has gone or become bad
    granted: Budget | None = None  # what its annotations grant, whatever it asks for
    noted: bool = False  # they hold a whole assignment of ours
    shut: bool = False  # its node is closed
    keeps_grant: bool = False  # by the plan: its budget was raised beyond the room

    @property
    def rank(self) -> Rank:
        budget = self.request.budget if self.request else self.orphan
        assert budget
        return budget.rank

    @property
    def budget(self) -> Budget:
        """What it has or gets: with keeps_grant what it was granted."""
        assert self.request
        return self.granted if self.keeps_grant and self.granted else self.request.budget

    @property
    def loads(self) -> Loads | None:
        """What it loads in a plan: of a pod whose budget shrinks what it asks for now, since that
        is granted first of all; else what it has counts as well."""
        budget = self.request.budget if self.request else self.orphan
        if self.keeps_grant:
            return self.held_loads
        if not budget or self.shrinks or not self.held_loads:
            return budget.loads if budget else None
        return _greater(budget.loads, self.held_loads)

    @property
    def held_loads(self) -> Loads | None:
        return self.granted.loads if self.granted and self.cores else None

    @property
    def is_current(self) -> bool:
        """Its annotations grant what is requested, and name the source."""
        return (self.noted and self.request is not None and self.granted is not None
                and self.granted.grants == self.request.budget.grants
                and self.notes.get(NOTE + "rt-source") == self.request.source)

    @property
    def is_raised(self) -> bool:
        """Its budget was raised since it was granted."""
        return (self.noted and not self.is_current and not self.shrinks and not self.shut
                and not self.terminating and not self.mirror and self.request is not None
                and self.held_loads is not None
                and _greater(self.request.budget.loads, self.held_loads) != self.held_loads)

    @cached_property
    def shrinks(self) -> bool:
        if (not self.noted or self.is_current or self.terminating or self.mirror
                or not self.request or not self.held_loads):
            return False
        return _greater(self.request.budget.loads, self.held_loads) == self.held_loads

    @property
    def is_fixed(self) -> bool:
        """Never moved or evicted."""
        return (not self.is_movable or self.request is None
                or (self.shut and bool(self.cores)))

    @property
    def is_kept(self) -> bool:
        """Never evicted; other cores of its node may be its."""
        return self.notes.get(NOTE + "do-not-evict", "false") != "false"

    @property
    def is_movable(self) -> bool:
        """As far as its state and its priority go."""
        return not self.terminating and not self.mirror and self.priority < SYSTEM_CRITICAL

    def succeeds(self, arrival: Obj) -> bool:
        """Did its StatefulSet make it in place of a pod that was moved?"""
        return not self.terminating and arrival.get("uid", self.uid) != self.uid

    @property
    def is_in_flight(self) -> bool:
        """A move of it was begun."""
        return any(NOTE + "migrate-" + key in self.notes for key in ("id", "from"))

    def is_reschedulable(self) -> bool:
        """Would its replacement come to us, with the same request?"""
        if not self.ours or not self.cores or self.owner in ("", "DaemonSet", "Node"):
            return False
        return self.request is not None and (not self.request.by_name
                                             or self.owner == "StatefulSet")

    def core_sets(self, node: Node) -> list[Cores]:
        """The core sets of the node that it may use."""
        assert self.request
        if node.closed:
            return []
        if self.request.core is not None:
            return [self.request.core] if self.request.core <= node.rt_cores else []
        return [frozenset(c) for c in combinations(sorted(node.rt_cores),
                                                    self.request.core_count)]

    def may_use(self, node: Node, cores: Cores) -> bool:
        assert self.request
        if not cores <= node.rt_cores:
            return False
        if self.request.core is not None:
            return cores == self.request.core
        return len(cores) == self.request.core_count


@dataclass
class Pdb:
    name: str
    ns: str
    selector: Obj | None
    allowed: int
    frees_unready: bool = False

    def covers(self, pod: Pod) -> bool:
        return pod.ns == self.ns and selector_matches(self.selector, pod.labels)


@dataclass
class Settings:
    threshold: int = 900_000
    rt_capacity: int = 950_000


@dataclass
class Snapshot:
    settings: Settings
    nodes: dict[str, Node] = field(default_factory=dict)
    pods: dict[str, Pod] = field(default_factory=dict)
    pdbs: list[Pdb] = field(default_factory=list)
    mckubes: list[Obj] = field(default_factory=list)
    namespaces: dict[str, dict[str, str]] = field(default_factory=dict)
    storage: Storage = field(default_factory=lambda: Storage({}))
    nominated: list[Pod] = field(default_factory=list)  # of other schedulers
    heartbeats: dict[str, float] = field(default_factory=dict)  # of nodes' helpers: until when
    warnings: set[tuple[str, str]] = field(default_factory=set)  # (object, reason) that must come

    def pdbs_of(self, pod: Pod) -> list[Pdb]:
        """Those that are asked when it is to be evicted."""
        pdbs = [p for p in self.pdbs if p.covers(pod)]
        if pod.phase == "Pending":
            return []
        return pdbs if pod.ready or len(pdbs) != 1 or not pdbs[0].frees_unready else []

    def may_evict(self, pod: Pod) -> bool:
        """Whatever the others do: owner, state and budgets allow this eviction alone."""
        pdbs = self.pdbs_of(pod)
        return (not pod.is_fixed and not pod.is_kept and pod.owner != "DaemonSet" and len(pdbs) < 2
                and all(p.allowed > 0 for p in pdbs))


def rt_pods(snap: Snapshot) -> list[Pod]:
    return [p for p in snap.pods.values() if p.request]


# Reading

def read_objects(path: str | Path) -> list[Obj]:
    text = Path(path).read_text()
    docs = ([json.loads(text)] if text.lstrip().startswith("{")
            else [d for d in yaml.load_all(text, yaml.CSafeLoader) if d])
    objects: list[Obj] = []
    for doc in docs:
        kind = doc.get("kind", "")
        typed = {"kind": kind[:-4]} if kind.endswith("List") and kind != "List" else {}
        objects += ([{**typed, **o} for o in doc.get("items") or []] if kind.endswith("List")
                    else [doc])
    return objects


def load(path: str | Path, settings: Settings | None = None) -> Snapshot:
    return build(read_objects(path), settings)


def build(objects: list[Obj], settings: Settings | None = None) -> Snapshot:
    snap = Snapshot(settings or Settings())
    kinds: dict[str, list[Obj]] = {}
    for obj in objects:
        kinds.setdefault(obj.get("kind", ""), []).append(obj)
    for obj in kinds.get("Node", []):
        node = _node(obj, snap)
        snap.nodes[node.name] = node
    classes = {o["metadata"]["name"]: o for o in kinds.get("PriorityClass", [])}
    for obj in kinds.get("Pod", []):
        if (obj.get("status") or {}).get("phase") not in ("Succeeded", "Failed"):
            pod = _pod(obj, classes)
            snap.pods[pod.key] = pod
    for obj in kinds.get("PodDisruptionBudget", []):
        snap.pdbs.append(_pdb(obj))
    for obj in kinds.get("Namespace", []):
        snap.namespaces[obj["metadata"]["name"]] = obj["metadata"].get("labels") or {}
    snap.storage = Storage(kinds)
    for obj in kinds.get("Lease", []):
        if obj["metadata"]["name"].startswith(HELPER_LEASE):
            renewed = datetime.fromisoformat(obj["spec"]["renewTime"].replace("Z", "+00:00"))
            snap.heartbeats[obj["metadata"]["name"].removeprefix(HELPER_LEASE)] = int(
                renewed.timestamp()) + obj["spec"]["leaseDurationSeconds"]
    snap.mckubes = [o for k in ("McKube", "MCKube") for o in kinds.get(k, [])]
    _bind_requests(snap)
    snap.nominated = [p for p in snap.pods.values() if p.nominated and not p.node and
                      not p.terminating and not (p.request and p.ours and not p.held)]
    return snap


def _ns(obj: Obj) -> str:
    return obj["metadata"].get("namespace") or "default"


def _node(obj: Obj, snap: Snapshot) -> Node:
    meta, spec, status = obj["metadata"], obj.get("spec") or {}, obj.get("status") or {}
    notes = meta.get("annotations") or {}
    label = f"Node {meta['name']}"

    unread: list[str] = []

    def read(key: str, parse: Any, default: Any) -> Any:
        if NOTE + key not in notes:
            return default
        try:
            return parse(notes[NOTE + key])
        except ValueError:
            snap.warnings.add((label, "BadNodeAnnotation"))
            unread.append(key)
            return default

    n_cpus = resources(status.get("capacity")).get("cpu", 0) // 1000
    node = Node(meta["name"], meta.get("labels") or {}, spec.get("taints") or [],
                bool(spec.get("unschedulable")), resources(status.get("allocatable")),
                read("rt-cores", cpuset, frozenset(range(n_cpus))),
                read("rt-capacity", _capacity, snap.settings.rt_capacity),
                read("capacity-scope", _scope, "core"), snap.settings.threshold, notes,
                resources(status.get("capacity")).get("cpu", 0),
                retained=read("rt-retained", _capacity, 0))
    node.closed = bool(unread)
    declared = status.get("declaredFeatures") or []
    node.restarts_all = "RestartAllContainersOnContainerExits" in declared
    return node


def _capacity(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= PPM:
        raise ValueError(text)
    return int(text)


def _scope(text: str) -> str:
    if text not in ("core", "node"):
        raise ValueError(text)
    return text


def _priority(spec: Obj, classes: dict[str, Obj]) -> int:
    if spec.get("priority") is not None:
        return spec["priority"]
    name = spec.get("priorityClassName")
    builtin = {"system-cluster-critical": SYSTEM_CRITICAL,
               "system-node-critical": SYSTEM_CRITICAL + 1000}
    if name:
        return classes[name]["value"] if name in classes else builtin.get(name, 0)
    return next((c["value"] for c in classes.values() if c.get("globalDefault")), 0)


def _pod(obj: Obj, classes: dict[str, Obj]) -> Pod:
    meta, spec = obj["metadata"], obj["spec"]
    notes, labels = meta.get("annotations") or {}, meta.get("labels") or {}
    gates = {g["name"] for g in spec.get("schedulingGates") or []}
    scheduler, node = spec.get("schedulerName") or "", spec.get("nodeName") or ""
    owner: Obj = next((o for o in meta.get("ownerReferences") or [] if o.get("controller")), {})
    return Pod(
        key=f"{_ns(obj)}/{meta['name']}", ns=_ns(obj), name=meta["name"], uid=meta.get("uid", ""),
        version=meta.get("resourceVersion", ""), labels=labels, notes=notes, spec=spec,
        created=meta.get("creationTimestamp") or "", node=node,
        priority=_priority(spec, classes), terminating="deletionTimestamp" in meta,
        mirror="kubernetes.io/config.mirror" in notes, owner=owner.get("kind", ""),
        ours=(scheduler == "mckube" or GATE in gates
              or (not scheduler and not node and LABEL in labels)),
        held=bool(gates - {GATE}), qos=qos_class(obj), requests=pod_requests(spec, obj.get("status")),
        ports=host_ports(spec), phase=(obj.get("status") or {}).get("phase", ""),
        ready=_is_ready(obj.get("status") or {}),
        nominated=(obj.get("status") or {}).get("nominatedNodeName", ""),
        never_preempts=_never_preempts(spec, classes),
        claims=[f"{_ns(obj)}/{c}" for c in claim_names(meta["name"], spec)],
        devices=device_names(obj))


def _never_preempts(spec: Obj, classes: dict[str, Obj]) -> bool:
    by_default = next((c for c in classes.values() if c.get("globalDefault")), {})
    given = classes.get(spec.get("priorityClassName", ""), by_default)
    return spec.get("preemptionPolicy", given.get("preemptionPolicy")) == "Never"


def _pdb(obj: Obj) -> Pdb:
    status, policy = obj.get("status") or {}, obj["spec"].get("unhealthyPodEvictionPolicy")
    is_stale = status.get("observedGeneration", 0) < obj["metadata"].get("generation", 0)
    is_healthy = status.get("currentHealthy", 0) >= status.get("desiredHealthy", 0) > 0
    return Pdb(obj["metadata"]["name"], _ns(obj), obj["spec"].get("selector"),
               0 if is_stale else status.get("disruptionsAllowed", 0),
               policy == "AlwaysAllow" or (policy in (None, "IfHealthyBudget") and is_healthy))


def _is_ready(status: Obj) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True"
               for c in status.get("conditions") or [])


# Requests

def _integer(value: Any, text_allowed: bool) -> int:
    if text_allowed and isinstance(value, str) and value.isdecimal():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int) or text_allowed:
        raise BadRequest("BadBudget", f"no whole number: {value!r}")
    return value


def _budget(values: dict[str, Any], criticality: Any, text_allowed: bool) -> Budget:
    numbers = {k: _integer(v, text_allowed) for k, v in values.items() if v is not None}
    if criticality is None:
        rank = Rank.LOW
    elif isinstance(criticality, str) and criticality.lower() in RANK_OF:
        rank = RANK_OF[criticality.lower()]
    else:
        raise BadRequest("BadCriticality", f"criticality {criticality!r}")
    if not {"period", "low", "hi"} <= numbers.keys():
        raise BadRequest("BadBudget", "period, low or hi is missing")
    chain = [1, numbers["low"], numbers.get("medium", numbers["low"]), numbers["hi"],
             numbers["period"]]
    if chain != sorted(chain) or not PERIOD_MIN <= numbers["period"] <= PERIOD_MAX:
        raise BadRequest("BadBudget", f"out of order or range: {numbers}")
    if numbers.get("floor", 1) < 1:
        raise BadRequest("BadBudget", f"floor {numbers['floor']}")
    return Budget(rank, numbers["period"], numbers["low"], numbers["hi"], numbers.get("medium"),
                  numbers.get("floor"))


GUARANTEES = ("Any", "Cap", "RealTime", "Kernel")
BACKENDS = {"cap-v1": 1, "cap-v2": 1, "cgroup-v1": 3, "deadline": 3, "hcbs-max": 3, "hcbs-multi": 3,
            "hcbs-v2": 3, "soft": 2}


def _guarantee(value: Any) -> int:
    if value is None:
        return 0
    if value not in GUARANTEES:
        raise BadRequest("BadGuarantee", f"guarantee {value!r}")
    return GUARANTEES.index(value)


def _core(value: Any) -> Cores | None:
    if value is None or value == "":
        return None
    try:
        return cpuset(value)
    except ValueError as e:
        raise BadRequest("BadCpuset", str(e)) from e


POLICY, PRIORITY, NAMED = r"(?i:FIFO|RR)", r"[1-9]|[1-8][0-9]", r"([a-z0-9-]{1,63})=(?:%s)"


def _is_class(text: Any, value: str) -> bool:
    """One value, or one for each of several containers."""
    if not isinstance(text, str) or re.fullmatch(value, text):
        return isinstance(text, str)
    named = [re.fullmatch(NAMED % value, word) for word in text.split(",")]
    return all(named) and len({m[1] for m in named if m}) == len(named)


def _check_threads(policy: Any, priority: Any) -> None:
    if isinstance(priority, int) and not isinstance(priority, bool):
        priority = str(priority)
    is_good = (policy in (None, "") or _is_class(policy, POLICY)) and (
        priority in (None, "") or (_is_class(priority, PRIORITY) and bool(policy)))
    if not is_good:
        raise BadRequest("BadPolicy", f"threads {policy!r} {priority!r}")


def mckube_request(obj: Obj, by_name: bool) -> Request:
    spec = obj.get("spec") or {}
    rt = spec.get("rtSettings") or {}

    def either(a: str, b: str) -> Any:
        return rt[a] if a in rt else rt.get(b)

    budget = _budget({"period": rt.get("period"), "low": either("runtime_low", "budget_lo"),
                      "hi": either("runtime_hi", "budget_hi"),
                      "medium": rt.get("runtime_medium"), "floor": rt.get("runtime_floor")},
                     spec.get("criticality"), False)
    count = rt.get("coreCount", 1)
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= CPU_LIMIT:
        raise BadRequest("BadBudget", f"coreCount {count!r}")
    _check_threads(rt.get("policy"), rt.get("priority"))
    return Request(budget, "mckube", _core(rt.get("core")), count, spec.get("node") or "",
                   _guarantee(spec.get("guarantee")), by_name, f"{_ns(obj)}/{obj['metadata']['name']}")


CPU_LIMIT = 1024


def _noted_budget(notes: dict[str, str]) -> Budget:
    return _budget({"period": notes.get(NOTE + "rt-period"),
                    "low": notes.get(NOTE + "rt-runtime-low"),
                    "medium": notes.get(NOTE + "rt-runtime-medium"),
                    "hi": notes.get(NOTE + "rt-runtime-hi"),
                    "floor": notes.get(NOTE + "rt-runtime-floor")},
                   notes.get(NOTE + "criticality"), True)


def _annotation_request(pod: Pod) -> Request:
    not_asked = (NOTE + "rt-runtime-medium", NOTE + "rt-runtime-floor")
    notes = {k: v for k, v in pod.notes.items() if k not in not_asked}
    budget = _noted_budget(notes)
    _check_threads(notes.get(NOTE + "rt-policy"), notes.get(NOTE + "rt-priority"))
    return Request(budget, "annotations",
                   _core(pod.notes.get(NOTE + "rt-core-request")),
                   guarantee=_guarantee(pod.notes.get(NOTE + "rt-guarantee")))


def _operator_request(pod: Pod) -> Request:
    runtime = _integer(pod.notes.get("rt_runtime_us"), True)
    if not 1 <= runtime <= PPM:
        raise BadRequest("BadBudget", f"rt_runtime_us {runtime}")
    if pod.qos != "Guaranteed":
        raise BadRequest("BadBudget", "the pod is not Guaranteed")
    _check_threads(pod.notes.get(NOTE + "rt-policy"), pod.notes.get(NOTE + "rt-priority"))
    return Request(Budget(Rank.HIGH, PPM, runtime, runtime), "rt-operator",
                   guarantee=_guarantee(pod.notes.get(NOTE + "rt-guarantee")))


def _created(obj: Obj) -> float:
    text = obj["metadata"].get("creationTimestamp")
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() if text else 0.0


def _selects(mckube: Obj, pod: Pod) -> str:
    """How it names the pod: "name", "selector" or ""."""
    spec = mckube.get("spec") or {}
    if _ns(mckube) != pod.ns or "deletionTimestamp" in mckube["metadata"]:
        return ""
    if spec.get("podname") == pod.name:
        return "name"
    return "selector" if selector_matches(spec.get("selector"), pod.labels) else ""


def _bind_requests(snap: Snapshot) -> None:
    for pod in snap.pods.values():
        named = sorted((_selects(m, pod) != "name", _created(m), m["metadata"]["name"], i)
                       for i, m in enumerate(snap.mckubes) if _selects(m, pod))
        mckube = snap.mckubes[named[0][3]] if named else None
        for row in named[1:]:
            snap.warnings.add((_label(snap.mckubes[row[3]]), "DuplicateRequest"))
        _speak(snap, pod, mckube)
        if pod.node:
            _locate(snap, pod, mckube)
    for pod in snap.pods.values():
        pod.shut = pod.node in snap.nodes and snap.nodes[pod.node].closed


def _label(obj: Obj) -> str:
    return f"{obj['kind']} {_ns(obj)}/{obj['metadata']['name']}"


def _speak(snap: Snapshot, pod: Pod, mckube: Obj | None) -> None:
    """The first source that speaks wins; a bad one silences the later ones."""
    speaks_by_note = (NOTE + "rt-period" in pod.notes and LABEL in pod.labels
                      and pod.notes.get(NOTE + "rt-source", "annotations") == "annotations")
    label = f"Pod {pod.key}"
    try:
        if mckube:
            label = _label(mckube)
            pod.request = mckube_request(mckube, _selects(mckube, pod) == "name")
        elif speaks_by_note:
            pod.request = _annotation_request(pod)
        elif pod.notes.get("realtime") == "true":
            pod.request = _operator_request(pod)
    except BadRequest as e:
        pod.bad = e
        if "Guaranteed" not in str(e):
            snap.warnings.add((label, e.reason))


def _locate(snap: Snapshot, pod: Pod, mckube: Obj | None) -> None:
    """Cores and level of a bound pod: its annotations first, then the McKube's status."""
    status = (mckube.get("status") or {}) if mckube else {}
    if mckube and sum(bool(_selects(mckube, p)) for p in snap.pods.values()) > 1:
        status = {}
    if status.get("podUID", pod.uid) != pod.uid:
        status = {}  # of a pod that had the same name
    text, label = pod.notes.get(NOTE + "rt-core"), f"Pod {pod.key}"
    if text is None and status.get("allocatedCore"):
        text, label = status["allocatedCore"], _label(mckube) if mckube else ""
    if text is not None:
        try:
            pod.cores = cpuset(text)
        except ValueError:
            snap.warnings.add((label, "BadCpuset"))
    level = pod.notes.get(NOTE + "rt-current") or status.get("currentRuntime") or "low"
    pod.level = "low" if level == "floor" else level  # cut by its node's helper
    if pod.node not in snap.nodes:
        snap.warnings.add((f"Pod {pod.key}", "UnknownNode"))
    if pod.cores and NOTE + "rt-core" in pod.notes:
        try:
            pod.granted = _noted_budget(pod.notes)
        except BadRequest:
            pod.granted = None
    pod.noted = pod.granted is not None and NOTE + "rt-source" in pod.notes
    pod.orphan = pod.granted if pod.request is None else None
    if pod.request is None and pod.orphan is None:
        is_unread = text is not None and not pod.cores
        is_unknown = pod.cores and (pod.bad or NOTE + "rt-period" in pod.notes)
        if pod.node in snap.nodes and (is_unread or is_unknown):
            snap.nodes[pod.node].closed = True
        pod.cores = None
