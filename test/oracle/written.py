# SPDX-License-Identifier: Apache-2.0
"""A solution of the program as a plan file, so that the checker can examine_job the oracle as well."""

from __future__ import annotations

import reach
from check import plan_name
from kube import Obj, cpuset_text
from model import MODE_OF_LEVEL, Cores, Pod, Rank
from optimum import Option, Solution


def _ref(pod: Pod) -> Obj:
    return {"namespace": pod.ns, "name": pod.name, "uid": pod.uid, "resourceVersion": pod.version}


def _grant(pod: Pod, node: str, cores: Cores, level: str) -> Obj:
    assert pod.request
    budget = pod.request.budget
    return {"node": node, "cores": cpuset_text(cores), "period": budget.period,
            "runtime": budget.runtime(MODE_OF_LEVEL[level]), "level": level, "enforcement": "watch"}


def _cause(solution: Solution, victim: Pod) -> Obj:
    """A more important pod that took cores on this node."""
    causes = [o.pod for o in solution.chosen if o.kind in ("bind", "assign", "move", "replace")
              and o.node == victim.node and o.pod.rank > victim.rank]
    if not causes:
        return {}
    top = max(causes, key=lambda p: p.rank)
    return {"by": {"namespace": top.ns, "name": top.name}}


def _action(kind: str, pod: Pod, **more: Obj) -> Obj:
    return {"kind": kind, "reason": "Placed", "message": "optimum", "pod": _ref(pod), **more}


def _evict(solution: Solution, option: Option) -> Obj:
    pod = option.pod
    at = {"node": pod.node, **({"cores": cpuset_text(pod.cores)} if pod.cores else {})}
    out = _action("Evict", pod, **_cause(solution, pod), **{"from": at})
    if option.kind == "replace":
        out["replacement"] = {"node": option.node, "cores": cpuset_text(option.cores or ())}
    return out


def plan(solution: Solution) -> Obj | None:
    """None where the end state is out of reach."""
    snap = solution.outcome.snap
    actions = [_evict(solution, o) for o in solution.chosen if o.kind in ("evict", "replace")]
    for node in snap.nodes:
        steps = reach.order(solution, node)
        if steps is None:
            return None
        actions += [_action("Move", s.pod, **_cause(solution, s.pod),
                            **{"from": {"node": node, "cores": cpuset_text(s.at)},
                               "to": _grant(s.pod, node, s.to, s.pod.level)}) for s in steps]
    placed = sorted((o for o in solution.chosen if o.kind in ("assign", "bind")),
                    key=lambda o: (-Rank(o.pod.rank), o.pod.key))
    for option in placed:
        level = "low" if option.kind == "bind" else option.pod.level
        actions.append(_action(option.kind.capitalize(), option.pod, to=_grant(
            option.pod, option.node, option.cores or frozenset(), level)))
    for i, action in enumerate(actions):
        action.update(id=i + 1, after=list(range(1, i + 1)))
    spec = {"cluster": {"server": "", "takenAt": "", "digest": "sha256:" + "0" * 64},
            "settings": {}, "actions": actions, "unplaced": _unplaced(solution),
            "warnings": [{"object": o, "reason": r, "message": "optimum"}
                         for o, r in sorted(snap.warnings)]}
    return {"apiVersion": "mckube.io/v1alpha1", "kind": "Plan",
            "metadata": {"name": plan_name(spec)}, "spec": spec}


def _unplaced(solution: Solution) -> list[Obj]:
    """NoRoom for all that got nothing: which filter refuses is not the program's business."""
    snap = solution.outcome.snap
    everywhere = f"0/{len(snap.nodes)} nodes are available: {len(snap.nodes)} insufficient core budget"
    rows = [{"pod": _ref(o.pod), "reason": "NoRoom", "message": everywhere}
            for o in solution.chosen
            if o.kind == "wait" or (o.kind == "stay" and not o.cores and not o.pod.terminating)]
    for pod in snap.pods.values():
        if pod.bad or (not pod.request and not pod.node and pod.ours):
            reason = "BadRequest" if pod.bad else "NoRequest"
            rows.append({"pod": _ref(pod), "reason": reason, "message": "optimum"})
    return rows
