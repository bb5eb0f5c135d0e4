# SPDX-License-Identifier: Apache-2.0
"""What workloads cost, counted from the versions that an API server gave its objects, without the program's
code: each pod's share of its node's price from when it was bound until it was gone."""

import contextlib
import http.client
import json
import threading
import time
from fractions import Fraction

from economy import optimizer_of, share
from sim_clock import seconds

DAY, COOLDOWN = 86400, 1800
PRICE = "mckube.io/price-per-hour"
MICRO = 10**6


def key_of(o):
    return o["metadata"].get("namespace", ""), o["metadata"]["name"]


class History:
    """Every version of the objects of some kinds. `events` are (version, kind, type, object), of each kind in
    order; `now` has the latest of each kind by key. Of nodes only price and size count."""

    def __init__(self, api, paths):
        self.api, self.events, self.now = api, [], {kind: {} for kind in paths}
        for kind, path in paths.items():
            found = self.parse(api.raw("GET", path)[2])
            for o in found["items"]:
                self.take(kind, "ADDED", o)
            threading.Thread(target=self._follow, args=(kind, path, found["metadata"]["resourceVersion"]),
                             daemon=True).start()

    @staticmethod
    def parse(text):
        return json.loads(text, parse_float=Fraction)

    def take(self, kind, change, o):
        here, key = self.now[kind], key_of(o)
        was = here.get(key)
        if change == "DELETED":
            here.pop(key, None)
        else:
            here[key] = o
        if kind != "Node" or not was or change == "DELETED" or price_of(was) != price_of(o) or size_of(was) != size_of(o):
            self.events.append((int(o["metadata"]["resourceVersion"]), kind, change, o))

    def _follow(self, kind, path, version):
        """A server ends the watch of a client that is too slow for it, which then goes on from there."""
        with contextlib.suppress(OSError, http.client.HTTPException):  # the server has ended
            while True:
                for line in self.api.stream(f"{path}?watch=1&resourceVersion={version}&timeoutSeconds=3600"):
                    event = self.parse(line)
                    version = event["object"]["metadata"]["resourceVersion"]
                    self.take(kind, event["type"], event["object"])


def price_of(node):
    return node["metadata"].get("annotations", {}).get(PRICE)


def size_of(node):
    return node.get("status", {}).get("capacity")


def is_moved(pod):
    """Was it evicted, rather than deleted by its ReplicaSet?"""
    return any(x["type"] == "DisruptionTarget" and x["status"] == "True"
               for x in pod.get("status", {}).get("conditions", []))


def half_up(x):
    return (2 * x + 1) // 2


class Account:
    """Reads a history again. `marks` are (version, time): up to that version it was that time, and what was so
    then, was so until the next one's time. `complaints` say where a status, a placement or a move is wrong."""

    def __init__(self, events, marks):
        self.events, self.marks, self.complaints = sorted(events, key=lambda e: e[0]), marks, []
        self.objects = {kind: {} for kind in ("Pod", "Node", "WorkloadOptimizer", "CostPolicy")}
        self.rates = []  # of each mark that is over, by key
        self.shares, self.on = {}, {}
        self.rate_now = {}  # of optimizers, until something of it changes
        self.nodes_then = self.objects["Node"]  # when this time began
        self.evicted = {}  # the last pod of each optimizer
        self.n_binds = self.n_budgeted = self.n_statuses = self.n_periods = self.n_replaced = 0
        self.fullest = {}  # the most of an hourly limit that was used, by kind
        self.moves, self.left, self.landed = [], {}, {}

    def run(self):
        left = list(self.events)[::-1]
        for version, _ in self.marks:
            while left and left[-1][0] <= version:
                self.take(*left.pop()[1:])
            self.close()
        return self.complaints

    def complain(self, *words):
        self.complaints.append(" ".join(str(w) for w in (f"{self.time - self.marks[0][1]} s:", *words)))

    @property
    def time(self):
        return self.marks[len(self.rates)][1]

    def take(self, kind, change, o):
        here, key = self.objects[kind], key_of(o)
        was = here.get(key)
        if change == "DELETED":
            here.pop(key, None)
        else:
            here[key] = o
        if kind == "Node":
            self.rate_now.clear()
        if kind == "Pod":
            self.take_pod(change, key, was, o)
        elif kind != "Node" and change != "DELETED" and "budget" in o.get("status", {}):
            self.take_budget(kind, key, ((was or {}).get("status") or {}).get("budget"), o["status"]["budget"])

    # What it costs

    def share(self, pod, nodes=None):
        node = (nodes or self.objects["Node"])["", pod["spec"]["nodeName"]]
        what = (node["metadata"]["name"], price_of(node), str(pod["spec"]["containers"][0]["resources"]))
        if what not in self.shares:
            self.shares[what] = share(pod, node)
        return self.shares[what]

    def rate(self, kind, key):
        """Of an optimizer, or of all in the policy's namespace."""
        if kind == "CostPolicy":
            return sum(self.rate("WorkloadOptimizer", k) for k in self.objects["WorkloadOptimizer"] if k[0] == key[0])
        if key not in self.rate_now:
            self.rate_now[key] = sum(self.share(self.objects["Pod"][k]) for k in self.on.get(key, ()))
        return self.rate_now[key]

    def least(self, kind, key):
        """What it may have been taken to cost by a plan that was made while prices changed."""
        if kind == "CostPolicy":
            return sum(self.least("WorkloadOptimizer", k) for k in self.objects["WorkloadOptimizer"] if k[0] == key[0])
        pods = [self.objects["Pod"][k] for k in self.on.get(key, ())]
        return sum(min(self.share(p), self.share(p, self.nodes_then)) for p in pods)

    def close(self):
        self.pair_moves()
        self.nodes_then = dict(self.objects["Node"])
        rates = {(kind, key): self.rate(kind, key) for kind in ("WorkloadOptimizer", "CostPolicy")
                 for key in self.objects[kind]}
        for (kind, key), rate in rates.items():
            status = self.objects[kind][key].get("status", {})
            if rate != status.get("budget", {}).get("rateMicroUSD", 0):
                self.complain(kind, key, "costs", rate, "and says", status.get("budget"))
            if "currentCost" in status and status["currentCost"] != Fraction(half_up(Fraction(rate, 10**4)), 100):
                self.complain(kind, key, "costs", rate, "and says", float(status["currentCost"]))
        self.rates.append(rates)

    # What was spent

    def period_start(self, kind, key):
        spec, day = self.objects[kind][key]["spec"], self.time // DAY * DAY
        if "monthlyBudget" in spec:
            return day - (time.gmtime(day).tm_mday - 1) * DAY
        return day if spec.get("costConstraints", {}).get("budgetPeriod") == "Day" else 0

    def spent_since(self, kind, key, at):
        """Micro-dollars between then and now, exactly."""
        begins = [t for _, t in self.marks]
        spans = zip(self.rates, begins, begins[1:])
        return sum((Fraction(rates.get((kind, key), 0) * (min(end, self.time) - max(begin, at)), 3600)
                    for rates, begin, end in spans if end > at), Fraction())

    def spent_now(self, kind, key, was):
        if not was:
            return 0
        at, spent, start = seconds(was["accountedAt"]), int(was["spent"] * MICRO), self.period_start(kind, key)
        if at < start:
            at, spent = start, 0
        return spent + half_up(self.spent_since(kind, key, at))

    def take_budget(self, kind, key, was, budget):
        if was == budget:
            return
        wanted = self.spent_now(kind, key, was)
        self.n_statuses += 1
        self.n_periods += bool(was) and seconds(was["accountedAt"]) < self.period_start(kind, key)
        if seconds(budget["accountedAt"]) != self.time:
            self.complain(kind, key, "is counted at", budget["accountedAt"])
        if budget["spent"] * MICRO != wanted:
            self.complain(kind, key, "has spent", wanted, "and says", float(budget["spent"]), "after", was)

    # Where pods are

    def take_pod(self, change, key, was, pod):
        of = pod["metadata"]["namespace"], optimizer_of(pod)
        self.rate_now.pop(of, None)
        if change == "DELETED":
            self.on.get(of, set()).discard(key)
            if was and is_moved(was) and "nodeName" in was["spec"]:
                self.take_move(of, was)
        elif is_moved(pod) and "nodeName" in pod["spec"]:
            self.evicted[of] = pod
        elif "nodeName" in pod["spec"] and not (was and "nodeName" in was["spec"]):
            self.on.setdefault(of, set()).add(key)
            self.take_bind(of, pod)

    def take_bind(self, of, pod):
        self.n_binds += 1
        if "kcloud.io/moved-at" in pod["metadata"].get("annotations", {}):
            self.n_replaced += 1
            self.landed.setdefault(of, []).append(pod["spec"]["nodeName"])
        optimizer = self.objects["WorkloadOptimizer"].get(of)
        if not optimizer:
            self.complain("a pod of", of, "is bound, which is not there")
            return
        limits = optimizer["spec"].get("costConstraints", {})
        self.check_bind("WorkloadOptimizer", of, pod, limits.get("maxCostPerHour"), limits.get("budgetLimit"))
        for key, policy in self.objects["CostPolicy"].items():
            self.check_bind("CostPolicy", key, pod, policy["spec"].get("costPerHourLimit"),
                            policy["spec"].get("monthlyBudget"))

    def check_bind(self, kind, key, pod, per_hour, budget):
        """With the pod, a limit is kept to; when it was bound, there was money left."""
        if per_hour is not None:
            used = Fraction(self.rate(kind, key)) / (per_hour * MICRO)
            if used <= 1:
                self.fullest[kind] = max(used, self.fullest.get(kind, 0))
            elif self.least(kind, key) > per_hour * MICRO and not self.costs_no_more(pod):
                self.complain(kind, key, "costs", float(used), "of its limit with", key_of(pod))
        if budget is None:
            return
        was = self.objects[kind][key].get("status", {}).get("budget")
        self.n_budgeted += 1
        if self.spent_now(kind, key, was) >= budget * MICRO:
            self.complain(kind, key, "has spent its budget, and", key_of(pod), "is bound")

    def costs_no_more(self, pod):
        """Than the one that was moved, and that it takes the place of."""
        was = self.evicted.get((pod["metadata"]["namespace"], optimizer_of(pod)))
        return (was and "kcloud.io/moved-at" in pod["metadata"].get("annotations", {})
                and self.share(pod) <= max(self.share(was), self.share(was, self.nodes_then)))

    def take_move(self, of, pod):
        self.left.setdefault(of, []).append(pod["spec"]["nodeName"])
        lately = pod["metadata"].get("annotations", {}).get("kcloud.io/moved-at")
        if lately and self.time < seconds(lately) + COOLDOWN:
            self.complain(key_of(pod), "was moved at", lately, "and again")

    def pair_moves(self):
        """Of each workload: a replacement for each pod that left, which does not undo an earlier move."""
        for of, left in self.left.items():
            landed = self.landed.get(of, [])
            while left and landed:
                move = left.pop(0), landed.pop(0)
                for at, other, back in self.moves:
                    if other == of and back == move[::-1] and self.time < at + COOLDOWN:
                        self.complain("a pod of", of, "goes from", *move, "and one went the other way", self.time - at,
                                      "s before")
                self.moves.append((self.time, of, move))
