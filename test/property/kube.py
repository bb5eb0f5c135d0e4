# SPDX-License-Identifier: Apache-2.0
"""The parts of Kubernetes that a snapshot is read with: quantities, cpusets, selectors, taints."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from fractions import Fraction
from typing import Any, Iterable

Obj = dict[str, Any]
CPU_MAX = 1024

_SUFFIX = {
    "": Fraction(1), "n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 1000),
    "k": Fraction(10**3), "M": Fraction(10**6), "G": Fraction(10**9), "T": Fraction(10**12),
    "P": Fraction(10**15), "E": Fraction(10**18),
    "Ki": Fraction(2**10), "Mi": Fraction(2**20), "Gi": Fraction(2**30), "Ti": Fraction(2**40),
    "Pi": Fraction(2**50), "Ei": Fraction(2**60),
}
_QUANTITY = re.compile(r"([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([A-Za-z]*)$")


def quantity(value: Any) -> Fraction:
    match = _QUANTITY.match(str(value).strip())
    if not match or match[2] not in _SUFFIX:
        raise ValueError(f"no quantity: {value!r}")
    return Fraction(Decimal(match[1])) * _SUFFIX[match[2]]


def resources(amounts: Obj | None) -> dict[str, int]:
    """cpu in thousandths, all else in whole units, rounded up."""
    out = {}
    for name, value in (amounts or {}).items():
        exact = quantity(value)
        out[name] = math.ceil(exact * 1000 if name == "cpu" else exact)
    return out


def cpuset(text: Any) -> frozenset[int]:
    """The kernel's list format; ValueError for anything else, and for an empty set."""
    if not isinstance(text, str):
        raise ValueError(f"no cpuset: {text!r}")
    cpus: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)(?:\s*-\s*(\d+)(?::(\d+)/(\d+))?)?\s*", part)
        if not match:
            raise ValueError(f"no cpuset: {text!r}")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first or last >= CPU_MAX:
            raise ValueError(f"no cpuset: {text!r}")
        used, group = int(match[3] or 1), int(match[4] or 1)
        if not 0 < used <= group:
            raise ValueError(f"no cpuset: {text!r}")
        cpus |= {c for c in range(first, last + 1) if (c - first) % group < used}
    return frozenset(cpus)


def cpuset_text(cpus: Iterable[int]) -> str:
    """Sorted, ranges joined: what a plan must write."""
    runs: list[list[int]] = []
    for cpu in sorted(cpus):
        if runs and runs[-1][1] == cpu - 1:
            runs[-1][1] = cpu
        else:
            runs.append([cpu, cpu])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


def _expression_holds(expr: Obj, labels: dict[str, str]) -> bool:
    key, op, values = expr["key"], expr["operator"], expr.get("values") or []
    has = key in labels
    if op == "In":
        return has and labels[key] in values
    if op == "NotIn":
        return not has or labels[key] not in values
    if op == "Exists":
        return has
    if op == "DoesNotExist":
        return not has
    try:
        label, bound = int(labels[key]), int(values[0])
    except (KeyError, ValueError, IndexError):
        return False
    return label > bound if op == "Gt" else label < bound


def selector_matches(selector: Obj | None, labels: dict[str, str]) -> bool:
    """A label selector: None matches nothing, {} everything."""
    if selector is None:
        return False
    wanted = selector.get("matchLabels") or {}
    return all(labels.get(k) == v for k, v in wanted.items()) and all(
        _expression_holds(e, labels) for e in selector.get("matchExpressions") or [])


def node_terms_match(terms: list[Obj], name: str, labels: dict[str, str]) -> bool:
    """Node selector terms are alternatives; an empty term matches no node."""
    for term in terms:
        exprs, fields = term.get("matchExpressions") or [], term.get("matchFields") or []
        if not exprs and not fields:
            continue
        if all(_expression_holds(e, labels) for e in exprs) and all(
                _expression_holds(f, {"metadata.name": name}) for f in fields):
            return True
    return False


_INTEGER = re.compile(r"-?[1-9][0-9]*|0")


def _compares(toleration: Obj, value: str) -> bool:
    limit = toleration.get("value", "")
    if not _INTEGER.fullmatch(limit) or not _INTEGER.fullmatch(value):
        return False
    return int(value) > int(limit) if toleration["operator"] == "Gt" else int(value) < int(limit)


def tolerates(tolerations: list[Obj], taint: Obj) -> bool:
    for t in tolerations:
        if t.get("effect") and t["effect"] != taint["effect"]:
            continue
        if t.get("key") and t["key"] != taint["key"]:
            continue
        if t.get("operator", "Equal") == "Exists":
            return True
        if t.get("operator") in ("Gt", "Lt"):
            if _compares(t, taint.get("value", "")):
                return True
            continue
        if t.get("key") and t.get("value", "") == taint.get("value", ""):
            return True
    return False


def _add(a: dict[str, int], b: dict[str, int]) -> dict[str, int]:
    return {k: a.get(k, 0) + b.get(k, 0) for k in a.keys() | b.keys()}


def _most(a: dict[str, int], b: dict[str, int]) -> dict[str, int]:
    return {k: max(a.get(k, 0), b.get(k, 0)) for k in a.keys() | b.keys()}


def pod_requests(spec: Obj, status: Obj | None = None) -> dict[str, int]:
    """As kube-scheduler counts them: containers and sidecars, or the widest init step; overhead.
    While a container is resized the greatest of what is asked for, allocated and there counts."""
    status = status or {}
    infeasible = any(c.get("type") == "PodResizePending" and c.get("reason") == "Infeasible"
                     for c in status.get("conditions") or [])
    statuses = {s.get("name"): s for s in (status.get("containerStatuses") or []) +
                (status.get("initContainerStatuses") or [])}

    def of(container: Obj) -> dict[str, int]:
        section = container.get("resources") or {}
        asked = resources({**(section.get("limits") or {}), **(section.get("requests") or {})})
        found = statuses.get(container.get("name"), {})
        held = _most(resources(found.get("allocatedResources")),
                     resources((found.get("resources") or {}).get("requests")))
        return held if held and infeasible else _most(asked, held)

    total: dict[str, int] = {}
    for container in spec.get("containers") or []:
        total = _add(total, of(container))
    sidecars: dict[str, int] = {}
    widest: dict[str, int] = {}
    for container in spec.get("initContainers") or []:
        if container.get("restartPolicy") == "Always":
            sidecars = _add(sidecars, of(container))
            widest = _most(widest, sidecars)
        else:
            widest = _most(widest, _add(sidecars, of(container)))
    total = _most(_add(total, sidecars), widest)
    whole = spec.get("resources") or {}
    limits = {r: n for r, n in resources(whole.get("limits")).items() if r not in total}
    total = {**total, **limits, **resources(whole.get("requests"))}
    return _add(total, resources(spec.get("overhead")))


def qos_class(pod: Obj) -> str:
    stated = (pod.get("status") or {}).get("qosClass")
    if stated:
        return stated
    containers = (pod["spec"].get("containers") or []) + (pod["spec"].get("initContainers") or [])
    sections = [c.get("resources") or {} for c in containers]
    if not any(s.get("requests") or s.get("limits") for s in sections):
        return "BestEffort"
    for section in sections:
        limits = resources(section.get("limits"))
        requests = {**limits, **resources(section.get("requests"))}
        if any(limits.get(r, 0) == 0 or requests.get(r) != limits[r] for r in ("cpu", "memory")):
            return "Burstable"
    return "Guaranteed"


def host_ports(spec: Obj) -> list[tuple[str, str, int]]:
    """(ip, protocol, port); ip "" is every address."""
    out = []
    for container in spec.get("containers") or []:
        for port in container.get("ports") or []:
            number = port.get("hostPort") or (spec.get("hostNetwork") and port["containerPort"])
            if number:
                ip = port.get("hostIP") or ""
                out.append(("" if ip in ("0.0.0.0", "::") else ip, port.get("protocol", "TCP"),
                            int(number)))
    return out


def ports_clash(a: Iterable[tuple[str, str, int]], b: Iterable[tuple[str, str, int]]) -> bool:
    return any(x[1:] == y[1:] and (x[0] == y[0] or not x[0] or not y[0]) for x in a for y in b)
