# SPDX-License-Identifier: Apache-2.0
"""1,000 nodes, 20,000 running pods, 2,000 of them real-time, of which 1,000 are replaced each minute: with
watch, which places the real-time ones, beside kube-scheduler, which places the others; then by
kube-scheduler alone, which knows nothing of budgets.

kwok (sigs.k8s.io/kwok) stands for the kubelets. Both get the same pods in the same order at the same
times. A pod waits from the answer to its creation until a watch shows its node; only the waits of
real-time pods are compared, since the same program places the others. Requests are those that the API
server counted, so the churn's own and kwok's are among them in both.
"""

import collections
import dataclasses
import os
import pathlib
import random
import re
import threading
import time
import urllib.request

from crowd import Kwok, control_plane, make_nodes, pod
from table import Row

# To try the bench itself, smaller numbers are given by the environment.
NODES, PODS, MINUTES = map(int, os.environ.get("CHURN", "1000 20000 10").split())
A_MINUTE, REAL_TIME_SHARE = PODS // 20, 10  # every tenth pod has a budget
NAMESPACE = "churn"
PATH = f"/api/v1/namespaces/{NAMESPACE}/pods"


class Bindings:
    """When each pod was first seen on a node."""

    def __init__(self, server):
        self.server, self.seen, self.is_over = server, {}, False
        version = server.call("GET", f"{PATH}?limit=1")["metadata"]["resourceVersion"]
        self.thread = threading.Thread(target=self._follow, args=(version,), daemon=True)
        self.thread.start()

    def _follow(self, version):
        while not self.is_over:
            for o in self.server.follow(f"{PATH}?watch=1&resourceVersion={version}&timeoutSeconds=60"):
                version = o["metadata"]["resourceVersion"]
                if o.get("spec", {}).get("nodeName"):
                    self.seen.setdefault(o["metadata"]["name"], time.monotonic())


class Process:
    """CPU time and memory of one that runs, second by second."""

    def __init__(self, pid):
        self.pid, self.memory = pid, []

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def sample(self):
        text = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        self.memory.append(int(re.search(r"VmRSS:\s*(\d+)", text)[1]) / 1024)


def n_requests(server):
    _, _, text = server.raw("GET", "/metrics")
    found = re.findall(rb'^apiserver_request_total\{.*?verb="(\w+)".*\} (\S+)$', text, re.M)
    return sum(float(n) for verb, n in found if verb != b"WATCH")


def is_real_time(number):
    return number % REAL_TIME_SHARE == 0


class Churn:
    """`scheduler` places the real-time pods."""

    def __init__(self, server, scheduler):
        self.server, self.scheduler, self.n_made = server, scheduler, 0
        self.live, self.waiting = collections.deque(), {}
        self.random = random.Random(17)
        server.call("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})

    def new_pod(self):
        i, self.n_made = self.n_made, self.n_made + 1
        if is_real_time(i):
            return pod(f"p{i}", self.scheduler, "annotations")
        return pod(f"p{i}", "default-scheduler", None)

    def create(self, pods):
        def one(p):
            self.server.call("POST", PATH, p)
            self.waiting[p["metadata"]["name"]] = time.monotonic()
        self.server.many_of(one, pods)
        self.live.extend(p["metadata"]["name"] for p in pods)

    def replace(self, n):
        """Any n go, as many come."""
        names = self.random.sample(list(self.live), n)
        gone = set(names)
        self.live = collections.deque(name for name in self.live if name not in gone)
        self.server.many([("DELETE", f"{PATH}/{name}") for name in names])
        self.create([self.new_pod() for _ in range(n)])

    def n_unplaced(self):
        found = self.server.call("GET", f"{PATH}?fieldSelector=spec.nodeName%3D")["items"]
        return len([p for p in found if "deletionTimestamp" not in p["metadata"]])


@dataclasses.dataclass
class Outcome:
    waits: list
    cpu: float
    memory: list
    requests: float
    unplaced: int


def fill(churn, seconds=1200):
    """The first PODS, and until all have a node."""
    churn.create([churn.new_pod() for _ in range(PODS)])
    deadline = time.monotonic() + seconds
    while churn.n_unplaced():
        if time.monotonic() > deadline:
            raise SystemExit(f"error: {churn.n_unplaced()} pods have no node after {seconds} s")
        time.sleep(2)


def run(server, churn, pid):
    fill(churn)
    time.sleep(20)
    seen, process = Bindings(server), Process(pid)
    churn.waiting.clear()
    cpu, requests, began = process.cpu(), n_requests(server), time.monotonic()
    steps = MINUTES * 60
    for step in range(steps):
        due = (step + 1) * A_MINUTE // 60 - step * A_MINUTE // 60
        churn.replace(due)
        process.sample()
        time.sleep(max(0, began + step + 1 - time.monotonic()))
    cpu, requests = process.cpu() - cpu, n_requests(server) - requests
    for _ in range(60):
        unplaced = churn.n_unplaced()
        if not unplaced:
            break
        time.sleep(1)
    seen.is_over = True
    live = set(churn.live)
    waits = [seen.seen[name] - at for name, at in churn.waiting.items()
             if name in seen.seen and is_real_time(int(name[1:]))]
    missed = [name for name in churn.waiting if name in live and name not in seen.seen]
    return Outcome(sorted(waits), cpu, process.memory, requests, max(unplaced, len(missed)))


def phase(mckube, ours):
    """In a control plane of its own, so that neither finds what the other left."""
    with control_plane("--kwok") as (server, cluster, programs):
        make_nodes(server, NODES)
        Kwok(programs, cluster)
        churn = Churn(server, "mckube" if ours else "default-scheduler")
        cluster.start("kube-scheduler", [
            pathlib.Path(programs) / "kube-scheduler", "--kubeconfig", cluster.kubeconfig,
            "--leader-elect=false", "--secure-port=0", "--kube-api-qps=1000", "--kube-api-burst=2000"])
        if not ours:
            return run(server, churn, cluster.processes["kube-scheduler"]["pid"]), None
        cluster.start("watch", [mckube, "watch", "--qps=1000", "--metrics-bind-address=127.0.0.1:0"])
        outcome = run(server, churn, cluster.processes["watch"]["pid"])
        return outcome, passes((cluster.folder / "logs" / "watch.log").read_text())


def passes(log):
    """The histogram of the passes and the requests, as watch publishes them."""
    url = re.search(r"metrics: (http://\S+)", log)[1]
    with urllib.request.urlopen(url, timeout=10) as reply:
        text = reply.read().decode()
    buckets = re.findall(r'^mckube_pass_duration_seconds_bucket\{le="([^"]+)"\} (\d+)', text, re.M)
    total = int(buckets[-1][1])
    quantile = lambda q: next(le for le, n in buckets if int(n) >= q * total)
    requests = re.findall(r"^mckube_api_requests_total\{.*\} (\d+)", text, re.M)
    return (f"{total}, median <= {quantile(0.5)} s, p99 <= {quantile(0.99)} s; "
            f"{sum(map(int, requests))} requests, those of the first {PODS // REAL_TIME_SHARE:,} pods too")


def halves(memory):
    """The most in each: what pods that went leave behind is dropped now and then."""
    half = len(memory) // 2
    return max(memory[:half]), max(memory[half:])


def told(o):
    at = lambda q: o.waits[int(q * (len(o.waits) - 1))] if o.waits else float("nan")
    first, second = halves(o.memory)
    return (f"waits {at(0.5):.2f} s median, {at(0.99):.2f} p99, {at(1):.2f} max; {o.cpu:.0f} s CPU; "
            f"greatest RSS of the first half {first:.1f} MB, of the second {second:.1f}; "
            f"{o.requests / MINUTES:.0f} requests a minute; {o.unplaced} unplaced")


def rows(mckube):
    ours, its_passes = phase(mckube, True)
    theirs, _ = phase(mckube, False)
    first, second = halves(ours.memory)
    yield Row(f"{NODES:,} nodes, {PODS:,} pods, {A_MINUTE:,} replaced a minute for {MINUTES} minutes: watch",
              told(ours), "none unplaced, memory stays", ours.unplaced == 0 and second < 1.05 * first)
    yield Row("... its passes", its_passes)
    yield Row("all by kube-scheduler, which knows no budgets", told(theirs))
