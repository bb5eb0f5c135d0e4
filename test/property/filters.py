# SPDX-License-Identifier: Apache-2.0
"""kube-scheduler's filters, as pkg/scheduler/framework/plugins defines them, over a State."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Iterable

from kube import Obj, node_terms_match, ports_clash, selector_matches, tolerates
from model import Node, Pod

if TYPE_CHECKING:
    from state import State

UNSCHEDULABLE = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule", "value": ""}


def _tolerations(pod: Pod) -> list[Obj]:
    return pod.spec.get("tolerations") or []


def pinned(_: State, pod: Pod, node: Node) -> bool:
    """spec.node of the request."""
    return bool(pod.request and pod.request.node and pod.request.node != node.name)


def guarantee(_: State, pod: Pod, node: Node) -> bool:
    return pod.request is not None and node.guarantee < pod.request.guarantee


def unschedulable(_: State, pod: Pod, node: Node) -> bool:
    return node.unschedulable and not tolerates(_tolerations(pod), UNSCHEDULABLE)


def features(_: State, pod: Pod, node: Node) -> bool:
    containers = [*(pod.spec.get("containers") or []), *(pod.spec.get("initContainers") or [])]
    return not node.restarts_all and any(
        r.get("action") == "RestartAllContainers"
        for c in containers for r in c.get("restartPolicyRules") or [])


def affinity_admits(pod: Pod, node: Node) -> bool:
    selector = pod.spec.get("nodeSelector") or {}
    if any(node.labels.get(k) != v for k, v in selector.items()):
        return False
    affinity = (pod.spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    return not required or node_terms_match(required["nodeSelectorTerms"], node.name, node.labels)


def node_affinity(_: State, pod: Pod, node: Node) -> bool:
    return not affinity_admits(pod, node)


def untolerated(pod: Pod, node: Node) -> bool:
    return any(t["effect"] in ("NoSchedule", "NoExecute") and not tolerates(_tolerations(pod), t)
               for t in node.taints)


def taints(_: State, pod: Pod, node: Node) -> bool:
    return untolerated(pod, node)


def ports(state: State, pod: Pod, node: Node) -> bool:
    return any(ports_clash(pod.ports, p.ports) for p in state.on_node[node.name].values())


def resources(state: State, pod: Pod, node: Node) -> bool:
    return crowded(state, pod, node, [p for p in state.snap.nominated
                                      if p.nominated == node.name and p.priority >= pod.priority])


def crowded(state: State, pod: Pod, node: Node, waiting: list[Pod]) -> bool:
    """Do its requests not fit beside the pods there and those?"""
    others = [*state.on_node[node.name].values(), *waiting]
    if len(others) + 1 > node.allocatable.get("pods", 0):
        return True
    return any(wanted > 0 and wanted + sum(p.requests.get(name, 0) for p in others)
               > node.allocatable.get(name, 0) for name, wanted in pod.requests.items())


def volumes(state: State, pod: Pod, node: Node) -> bool:
    names = [c.split("/", 1)[1] for c in pod.claims]
    return state.snap.storage.refuses(pod.ns, pod.spec, names, pod.devices, node.name, node.labels)


def volumes_in_use(state: State, pod: Pod, node: Node) -> bool:
    storage = state.snap.storage
    if any(storage.is_for_one_pod(c) and c in other.claims
           for c in pod.claims for other in state.pods.values()):
        return True
    there = storage.handles(c for p in state.on_node[node.name].values() for c in p.claims)
    new = storage.handles(pod.claims) - there
    return any(driver in {d for d, _ in new} and
               sum(d == driver for d, _ in there | new) > limit
               for driver, limit in storage.limits(node.name).items())


def _spreads(pod: Pod) -> list[Obj]:
    return [c for c in pod.spec.get("topologySpreadConstraints") or []
            if c["whenUnsatisfiable"] == "DoNotSchedule"]


def _with_keys(selector: Obj | None, pod: Pod, keys: Iterable[str]) -> Obj | None:
    """matchLabelKeys: the pod's own values of these labels are asked for too."""
    wanted = {k: pod.labels[k] for k in keys if k in pod.labels}
    if selector is None or not wanted:
        return selector
    return {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), **wanted}}


def spread(state: State, pod: Pod, node: Node) -> bool:
    constraints = _spreads(pod)
    keys = {c["topologyKey"] for c in constraints}
    for c in constraints:
        if c["topologyKey"] not in node.labels:
            return True
        selector = _with_keys(c.get("labelSelector"), pod, c.get("matchLabelKeys") or [])
        count: dict[str, int] = {}
        for other in state.snap.nodes.values():
            if not keys <= other.labels.keys():
                continue
            if c.get("nodeAffinityPolicy", "Honor") == "Honor" and not affinity_admits(pod, other):
                continue
            if c.get("nodeTaintsPolicy") == "Honor" and untolerated(pod, other):
                continue
            domain = other.labels[c["topologyKey"]]
            is_empty = not any((selector or {}).values())  # then kube-scheduler counts none
            matching = [p for p in state.on_node[other.name].values()
                        if p.ns == pod.ns and not is_empty
                        and not p.terminating and selector_matches(selector, p.labels)]
            count[domain] = count.get(domain, 0) + len(matching)
        least = min(count.values(), default=0)
        if len(count) < c.get("minDomains", 1):
            least = 0
        here = count.get(node.labels[c["topologyKey"]], 0)
        if here + selector_matches(selector, pod.labels) - least > c["maxSkew"]:
            return True
    return False


def _terms(pod: Pod, kind: str) -> list[Obj]:
    section = (pod.spec.get("affinity") or {}).get(kind) or {}
    return section.get("requiredDuringSchedulingIgnoredDuringExecution") or []


def _term_matches(state: State, term: Obj, owner: Pod, other: Pod) -> bool:
    namespaces, by_label = term.get("namespaces") or [], term.get("namespaceSelector")
    in_ns = (other.ns in namespaces or (not namespaces and by_label is None
                                        and other.ns == owner.ns)
             or (by_label is not None
                 and selector_matches(by_label, state.snap.namespaces.get(other.ns, {}))))
    selector = _with_keys(term.get("labelSelector"), owner, term.get("matchLabelKeys") or [])
    return in_ns and selector_matches(selector, other.labels)


def _same_domain(state: State, key: str, a: Node, b: str) -> bool:
    other = state.snap.nodes[b].labels
    return key in a.labels and a.labels[key] == other.get(key)


def pod_affinity(state: State, pod: Pod, node: Node) -> bool:
    terms = _terms(pod, "podAffinity")
    if not terms:
        return False
    if any(t["topologyKey"] not in node.labels for t in terms):
        return True
    matching = [(k, p) for k, p in state.pods.items()
                if all(_term_matches(state, t, pod, p) for t in terms)]
    has_pairs = any(t["topologyKey"] in state.snap.nodes[state.seats[k].node].labels
                    for k, _ in matching for t in terms)
    if not has_pairs and all(_term_matches(state, t, pod, pod) for t in terms):
        return False
    return not all(any(_same_domain(state, t["topologyKey"], node, state.seats[k].node)
                       for k, _ in matching) for t in terms)


def wants(state: State, pod: Pod, other: Pod) -> bool:
    """Does a term of its affinity select the other one?"""
    return any(_term_matches(state, term, pod, other) for term in _terms(pod, "podAffinity"))


def anti_affinity(state: State, pod: Pod, node: Node) -> bool:
    for key, other in state.pods.items():
        seat = state.seats[key].node
        if any(_term_matches(state, t, pod, other)
               and _same_domain(state, t["topologyKey"], node, seat)
               for t in _terms(pod, "podAntiAffinity")):
            return True
        if any(_term_matches(state, t, other, pod)
               and _same_domain(state, t["topologyKey"], node, seat)
               for t in _terms(other, "podAntiAffinity")):
            return True
    return False


def closed(_: State, __: Pod, node: Node) -> bool:
    return node.closed


FILTERS: list[Callable[[State, Pod, Node], bool]] = [
    closed, pinned, guarantee, unschedulable, features, node_affinity, taints, ports, resources,
    volumes, volumes_in_use, spread, pod_affinity, anti_affinity,
]


def refusal(state: State, pod: Pod, node: Node) -> str:
    for refuses in FILTERS:
        if refuses(state, pod, node):
            return refuses.__name__
    return ""


def yields(state: State, pod: Pod, node: Node) -> bool:
    """Could victims help here? They yield requests, ports and budget, not affinities."""
    return not any(f(state, pod, node) for f in FILTERS if f not in (resources, ports))


def only_room(state: State, pod: Pod, node: Node) -> bool:
    """Nothing but resources or budget can refuse."""
    return bool(pod.core_sets(node)) and not any(
        f(state, pod, node) for f in FILTERS if f is not resources)


def kept_ports(state: State, pod: Pod, node: Node) -> bool:
    """Ports of pods that cannot yield."""
    return any(ports_clash(pod.ports, p.ports) for p in state.on_node[node.name].values()
               if pod.never_preempts or p.is_fixed or p.rank >= pod.rank
               or not state.snap.may_evict(p))


def before_room(state: State, pod: Pod, node: Node) -> bool:
    """A filter refuses that comes before the question of room, whatever pods yield."""
    earlier = FILTERS[:FILTERS.index(resources)]
    return any(f(state, pod, node) for f in earlier if f is not ports) or kept_ports(
        state, pod, node)


def awaits(state: State, pod: Pod, node: Node) -> bool:
    """Does affinity or spread refuse, which pods that are still to come may change?"""
    return pod_affinity(state, pod, node) or spread(state, pod, node)
