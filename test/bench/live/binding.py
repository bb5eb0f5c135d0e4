# SPDX-License-Identifier: Apache-2.0
"""Pods bound on one real API server: by a bare loop of binding requests, by apply, by kube-scheduler.

One after the other, each with new pods and no others in the cluster, all limits of clients lifted. Each
counts from its start.
Pods ask by annotations, which is a request each, or by a McKube each, which first gets a finalizer. The
bare loop sends the bytes that `apply --dry-run=server` sent for the same pods, and the Events that an
apply before wrote of others; it reads nothing.
"""

import pathlib
import re
import subprocess
import tempfile
import time

from crowd import control_plane, make_nodes, make_pods, remove_pods
from table import Row
from usage import measure, middle, rates

ROUNDS = 5
SETTLE_SECONDS = 3  # the server still works on new pods when their creation was answered


def n_pending(server, ns):
    pods = server.call("GET", f"/api/v1/namespaces/{ns}/pods?fieldSelector=spec.nodeName%3D")
    return len(pods["items"])


EVENT = re.compile(r"POST \S*/events\b")
SENT = re.compile(r"\] (POST|PATCH) (\S+) body: (.*)$", re.M)


def content_type(method, body):
    if method == "POST":
        return "application/json"
    is_whole = body.startswith('{"apiVersion"')
    return "application/apply-patch+yaml" if is_whole else "application/merge-patch+json"


def requests(mckube, *options):
    """What apply writes now, a line for each request."""
    done = subprocess.run([mckube, "apply", "--qps=0", *options, "-v=8"], check=True,
                          text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return [f"{method} {re.sub('[?&]dryRun=All', '', path)} {content_type(method, body)} {body}\n"
            for method, path, body in SENT.findall(done.stderr)]


class Race:
    def __init__(self, server, mckube, client, pods):
        self.server, self.mckube, self.client = server, mckube, client
        self.pods, self.n_spaces, self.events = pods, 0, {}

    def fill(self, scheduler, asks=None):
        self.n_spaces += 1
        make_pods(self.server, f"r{self.n_spaces}", self.pods, scheduler, asks)
        return f"r{self.n_spaces}"

    def run(self, scheduler, asks, measured):
        """What measured(namespace) says of binding new pods, which are removed after it."""
        ns = self.fill(scheduler, asks)
        time.sleep(SETTLE_SECONDS)
        usage = measured(ns)
        assert n_pending(self.server, ns) == 0
        remove_pods(self.server, ns)
        return usage

    def record_events(self, asks):
        """Those of an apply, with {ns} for the namespace of its pods."""
        def record(ns):
            self.events[asks] = [re.sub(rf"\b{ns}\b", "{ns}", line.replace("{", "{{").replace("}", "}}"))
                                 for line in requests(self.mckube) if EVENT.match(line)]
            assert self.events[asks]
        self.run("mckube", asks, record)

    def bare_loop(self, asks):
        def loop(ns):
            with tempfile.NamedTemporaryFile("w") as lines:
                lines.writelines(requests(self.mckube, "--dry-run=server"))
                time.sleep(SETTLE_SECONDS)
                lines.writelines(line.format(ns=ns) for line in self.events[asks])
                lines.flush()
                return measure([self.client, "sendloop", lines.name])
        return self.run("mckube", asks, loop)

    def apply(self, asks):
        return self.run("mckube", asks, lambda _: measure([self.mckube, "apply", "--qps=0"]))

    def kube_scheduler(self, program, kubeconfig):
        argv = [program, "--kubeconfig", kubeconfig, "--leader-elect=false", "--secure-port=0",
                "--kube-api-qps=100000", "--kube-api-burst=100000"]
        return self.run("default-scheduler", None, lambda ns: measure(
            argv, is_done=lambda: n_pending(self.server, ns) == 0))

    def row(self, what, usages, goal="", is_met=None, more=""):
        usage = middle(usages)
        return Row(what, f"{rates(usages, self.pods)}, {usage.cpu:.2f} s CPU, {usage.memory:.0f} MB{more}",
                   goal, is_met)


def beside_loop(race, asks):
    """What a bare loop and apply took, in turn."""
    race.record_events(asks)
    return zip(*[(race.bare_loop(asks), race.apply(asks)) for _ in range(ROUNDS)])


def rows(mckube, client, pods=2000, nodes=200):
    with control_plane() as (server, cluster, programs):
        make_nodes(server, nodes)
        race = Race(server, mckube, client, pods)
        race.apply("annotations")  # the server is slower at first
        sides = {asks: list(beside_loop(race, asks)) for asks in ("annotations", "mckubes")}
        theirs = [race.kube_scheduler(pathlib.Path(programs) / "kube-scheduler", cluster.kubeconfig)
                  for _ in range(ROUNDS)]
    for asks, (loop, ours) in sides.items():
        what = f"binding {pods:,} pods to {nodes} nodes" if asks == "annotations" else \
            "... with a McKube each, two requests a pod"
        rate = middle(loop).wall / middle(ours).wall
        yield race.row(f"{what}: a bare loop of the same requests", loop)
        yield race.row("the same by `apply`, from its start", ours, "90 % of the loop's rate", rate >= 0.9,
                       f": {rate:.0%} of its rate")
    ours, peer = middle(sides["annotations"][1]), middle(theirs)
    cpu, memory = ours.cpu / peer.cpu, ours.memory / peer.memory
    yield race.row("the same by kube-scheduler, from its start", theirs, "we take a tenth",
                   cpu <= 0.1 and memory <= 0.1, f": we take {cpu:.0%}, {memory:.0%}")
