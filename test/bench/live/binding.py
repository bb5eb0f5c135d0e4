# SPDX-License-Identifier: Apache-2.0
"""Pods bound on one real API server: by a bare loop of binding requests, by apply, by kube-scheduler.

One after the other, each with new pods, all limits of clients lifted. kube-scheduler counts from its
start, as the others do. Pods ask by annotations, which is a request each, or by a McKube each, which
first gets a finalizer.
"""

import pathlib

from crowd import control_plane, make_nodes, make_pods
from table import Row
from usage import measure, middle

ROUNDS = 3


def n_pending(server, ns):
    pods = server.call("GET", f"/api/v1/namespaces/{ns}/pods?fieldSelector=spec.nodeName%3D")
    return len(pods["items"])


class Race:
    def __init__(self, server, mckube, client, pods, nodes):
        self.server, self.mckube, self.client = server, mckube, client
        self.pods, self.nodes, self.n_spaces = pods, nodes, 0

    def fill(self, scheduler, asks=None):
        self.n_spaces += 1
        make_pods(self.server, f"r{self.n_spaces}", self.pods, scheduler, asks)
        return f"r{self.n_spaces}"

    def bare_loop(self):
        ns = self.fill("none")
        return measure([self.client, "-n", ns, "bindloop", str(self.pods), str(self.nodes)])

    def apply(self, asks):
        ns = self.fill("mckube", asks)
        usage = measure([self.mckube, "apply", "--qps=0"])
        assert n_pending(self.server, ns) == 0
        return usage

    def kube_scheduler(self, program, kubeconfig):
        ns = self.fill("default-scheduler")
        return measure([program, "--kubeconfig", kubeconfig, "--leader-elect=false",
                        "--secure-port=0", "--kube-api-qps=100000", "--kube-api-burst=100000"],
                       is_done=lambda: n_pending(self.server, ns) == 0)

    def row(self, what, usage, goal="", is_met=None, more=""):
        return Row(what, f"{self.pods / usage.wall:.0f} a second, {usage.cpu:.2f} s CPU, "
                   f"{usage.memory:.0f} MB{more}", goal, is_met)


def rows(mckube, client, pods=2000, nodes=200):
    with control_plane() as (server, cluster, programs):
        make_nodes(server, nodes)
        race = Race(server, mckube, client, pods, nodes)
        race.bare_loop()  # the server is slower at first
        rounds = [(race.bare_loop(), race.apply("annotations")) for _ in range(ROUNDS)]
        loop, ours = (middle(side) for side in zip(*rounds))
        with_mckubes = race.apply("mckubes")
        theirs = race.kube_scheduler(pathlib.Path(programs) / "kube-scheduler", cluster.kubeconfig)
    rate = loop.wall / ours.wall
    cpu, memory = ours.cpu / theirs.cpu, ours.memory / theirs.memory
    yield race.row(f"binding {pods:,} pods to {nodes} nodes: a bare loop of requests", loop)
    yield race.row("the same by `apply`, from its start", ours, "90 % of the loop's rate", rate >= 0.9,
                   f": {rate:.0%} of its rate")
    yield race.row("... with a McKube each: two requests a pod", with_mckubes)
    yield race.row("the same by kube-scheduler, from its start", theirs, "we take a tenth",
                   cpu <= 0.1 and memory <= 0.1, f": we take {cpu:.0%}, {memory:.0%}")
