# SPDX-License-Identifier: Apache-2.0
"""What the tests of moves share: two nodes (test/cluster/pair.py) with mckube-migrate on each, and
pods that count.

The helpers run as processes of the host, so that they can be killed and started in an instant.
"""

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import time

import pair
from node import paths

TOP = pathlib.Path(__file__).resolve().parents[2]
IMAGE = "localhost/count:1"
GONE_SECONDS, MOVE_SECONDS = 60, 150
HELPER, AGENT = "migrate", "agent"
PERIOD, CAPACITY = 100000, 500000


def wait_for(condition, what, seconds=30):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} after {seconds} s"
        time.sleep(0.05)
    return value


class Lines:
    """What counting pods have written to a file that both nodes have."""

    def __init__(self, path):
        rows = [line.split() for line in path.read_text().splitlines()]
        self.starts, self.ends = (sum(row == [word] for row in rows) for word in ("start", "end"))
        self.numbers = [int(row[0]) for row in rows if len(row) == 4]
        self.at_ms = [int(row[2]) for row in rows if len(row) == 4]
        self.policies = [row[3] for row in rows if len(row) == 4]

    def check(self, starts=1, backs=0):
        """None is missing, none is there twice, and the program was never started again. `backs`: how often
        it may have gone back, to a checkpoint or to its start. Two that ran at a time would go forward and
        back again and again."""
        assert starts <= self.starts <= starts + backs, f"{self.starts} starts"
        wrong = [(a, b) for a, b in zip(self.numbers, self.numbers[1:]) if b != a + 1]
        assert len(wrong) <= backs and all(b < a + 1 for a, b in wrong), f"numbers do not follow: {wrong[:5]}"

    def downtime_ms(self):
        return max(b - a for a, b in zip(self.at_ms, self.at_ms[1:]))


class Fixture:
    def __init__(self, build, cluster, nodes):
        self.build, self.cluster, self.nodes = build, cluster, nodes
        self.by_name = {n.name: n for n in nodes}
        self.shared = cluster.folder / "shared"
        self.shared.mkdir(mode=0o777)
        self.n = 0
        self.downtimes = []

    # Setting up.

    def install(self):
        first = self.nodes[0]
        self.image = first._pack("count", IMAGE, f"{self.build}/test/migrate/count=/count", "--user", "0")
        for node in self.nodes:
            node.import_image(self.image)
        self.config = self.cluster.folder / "kubeconfig-helpers"
        self.cluster.write_kubeconfig(self.config, self.cluster.tokens["admin"],
                                      f"https://{pair.HOST}:{pair.PORT}")
        for node in self.nodes:
            self.start_helper(node)
        for name in ("crd", "kcloud-crd"):
            self.kubectl("apply", "-f", TOP / "manifests" / f"{name}.yaml")
        self.create(*self.shared_volume())

    def shared_volume(self):
        """Both nodes are on this machine, so a folder of it is a volume that all nodes have."""
        common = {"accessModes": ["ReadWriteMany"], "storageClassName": ""}
        return [{"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "shared"},
                 "spec": {**common, "capacity": {"storage": "1Gi"}, "hostPath": {"path": str(self.shared)},
                          "claimRef": {"namespace": "default", "name": "shared"}}},
                {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "shared"},
                 "spec": {**common, "volumeName": "shared", "resources": {"requests": {"storage": "1Gi"}}}}]

    def start_helper(self, node):
        node.start_within(
            HELPER, self.build / "cmd" / "mckube-migrate" / "mckube-migrate", "-v4",
            "--node-name", node.name, "--kubeconfig", self.config, "--containerd", node.socket,
            "--folder", node.folder / HELPER, "--address", f"{node.address}:9810",
            "--pause-limit", "15s", "--pause-limit-per-gib", "20s")

    @contextlib.contextmanager
    def real_time(self):
        """The helper of real-time budgets on both nodes, with a core each, which is another one; its Lease
        has a namespace of its own."""
        self.kubectl("apply", "-f", TOP / "manifests" / "namespace.yaml")
        for i, node in enumerate(self.nodes):
            others = ",".join(str(c) for c in range(os.cpu_count()) if c != i)
            node.start_within(
                AGENT, self.build / "cmd" / "mckube-node" / "mckube-node", "run", "--node-name", node.name,
                "--kubeconfig", self.config, "--state-file", node.folder / "agent.json",
                "--bundle-dir", node.state / "io.containerd.runtime.v2.task" / "k8s.io",
                "--capacity", CAPACITY, "--reserved-cpus", others)
        try:
            for i, node in enumerate(self.nodes):
                wait_for(lambda: self.note("node", node.name, "mckube.io/rt-cores") == str(i), "no helper")
            yield
        finally:
            self.kubectl("delete", "mckubes", "--all", "--wait=false")
            self.clear()
            self.mckube("apply")  # their finalizers
            for node in self.nodes:
                node.stop(AGENT)

    def containers(self, pod):
        """The cgroups of a pod's containers and its sandbox."""
        uid = pod["metadata"]["uid"]
        return paths(pair.CGROUPS / "cpu", f"mckube-node-*/kubepods/**/pod{uid}/*/cpu.rt_runtime_us")

    def program_threads(self, name):
        """Of a pod's programs, not of its sandbox: their numbers."""
        return [int(t) for g in self.containers(self.pod(name)) for t in (g.parent / "tasks").read_text().split()
                if pathlib.Path(f"/proc/{t}/comm").read_text() == "count\n"]

    def thread_cpus(self, name):
        """What each of them may run on."""
        return sorted(sorted(os.sched_getaffinity(t)) for t in self.program_threads(name))

    def note(self, kind, name, key):
        """An annotation."""
        text = self.kubectl("get", kind, name, "--ignore-not-found", "-o", "json")
        return json.loads(text)["metadata"].get("annotations", {}).get(key) if text else None

    def kill_helper(self, node):
        node.stop(HELPER, signal.SIGKILL)

    # kubectl

    def kubectl(self, *args, stdin=None, check=True):
        done = subprocess.run(["kubectl", *map(str, args)], input=stdin, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        assert not check or done.returncode == 0, f"kubectl {args}: {done.stderr}"
        return done.stdout

    def mckube(self, *args, code=0):
        """The program itself."""
        done = subprocess.run([self.build / "kubectl-mckube", *map(str, args)], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=MOVE_SECONDS)
        assert done.returncode == code, f"{args}: exit code {done.returncode}\n{done.stdout}"
        return done.stdout

    def wait_facts(self):
        """Both nodes say that they move containers with their memory."""
        def facts():
            nodes = json.loads(self.kubectl("get", "nodes", "-o", "json"))["items"]
            return [n["metadata"]["annotations"].get("mckube.io/checkpoint", "") for n in nodes]
        wait_for(lambda: all("restore=true" in text for text in facts()), f"facts: {facts()}")

    def pods(self):
        return json.loads(self.kubectl("get", "pods", "-o", "json"))["items"]

    def pod(self, name):
        text = self.kubectl("get", "pod", name, "--ignore-not-found", "-o", "json")
        return json.loads(text) if text else None

    def create(self, *objects):
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        self.kubectl("create", "-f", "-", stdin=text)

    # Pods that count.

    def container(self, name, *command, cpu=None):
        requests = {"resources": {"requests": {"cpu": cpu}}} if cpu else {}
        return {"name": name, "image": IMAGE, "imagePullPolicy": "IfNotPresent", "command": list(command),
                **requests}

    def spec(self, *options, **more):
        self.n += 1
        self.file = self.shared / f"lines-{self.n}"
        return {"terminationGracePeriodSeconds": 1, "containers": [{
            **self.container("c", "/count", "--file", str(self.file), *map(str, options)),
            "volumeMounts": [{"name": "shared", "mountPath": str(self.shared)}]}],
            "volumes": [{"name": "shared", "persistentVolumeClaim": {"claimName": "shared"}}], **more}

    def start(self, name, *options, node="node-a", **more):
        self.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **more},
                     "spec": self.spec(*options, nodeName=node)})
        self.wait_lines()
        return name

    def start_real_time(self, name, criticality, low_us, hi_us, *options, node="node-a"):
        """A FIFO program without any privilege, placed by the program; its period is 100 ms."""
        spec = self.spec(*options, schedulerName="mckube")
        spec["containers"][0]["securityContext"] = {"capabilities": {"drop": ["ALL"]}}
        self.create(
            {"apiVersion": "mcoperator.sdv.com/v1", "kind": "McKube", "metadata": {"name": name}, "spec": {
                "selector": {"matchLabels": {"sdv.com": name}}, "criticality": criticality,
                "rtSettings": {"period": PERIOD, "runtime_low": low_us, "runtime_hi": hi_us,
                               "policy": "FIFO", "priority": 20}}},
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"sdv.com": name}},
             "spec": spec})
        with self.cordoned(*(n.name for n in self.nodes if n.name != node)):
            self.mckube("apply")
        self.wait_lines()
        wait_for(lambda: Lines(self.file).policies[-1] == "1.20", "no FIFO thread")
        return name

    @contextlib.contextmanager
    def cordoned(self, node):
        self.kubectl("cordon", node)
        try:
            yield
        finally:
            self.kubectl("uncordon", node)
            wait_for(lambda: "unschedulable" not in self.kubectl("get", "node", node, "-o", "json"),
                     "the taint stays")

    def start_deployment(self, name, *options, node="node-a"):
        return self.start_owned("Deployment", name, *options, node=node)

    def start_stateful_set(self, name, *options, node="node-a"):
        return self.start_owned("StatefulSet", name, *options, node=node)

    def start_owned(self, kind, name, *options, node, spec=None):
        """Its pods wait for mckube, as a planner would have it."""
        self.create({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": {
            "replicas": 1, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}},
                         "spec": spec or self.spec(*options, schedulerName="mckube")}}})
        return self.bind_first(kind, node)

    def start_job(self, name, *options, node="node-a"):
        """One completion, by a pod that may be restarted elsewhere; a disruption is no failure."""
        self.create({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {
            "podFailurePolicy": {"rules": [{"action": "Ignore",
                                            "onPodConditions": [{"type": "DisruptionTarget"}]}]},
            "template": {"metadata": {"annotations": {"mckube.io/migration": "Restart"}},
                         "spec": self.spec(*options, schedulerName="mckube", restartPolicy="Never")}}})
        return self.bind_first("Job", node)

    def bind_first(self, kind, node):
        pod = wait_for(self.pods, f"no pod of the {kind}")[0]["metadata"]["name"]
        binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": pod},
                   "target": {"apiVersion": "v1", "kind": "Node", "name": node}}
        self.kubectl("create", "--raw", f"/api/v1/namespaces/default/pods/{pod}/binding", "-f", "-",
                     stdin=json.dumps(binding))
        self.wait_lines()
        return pod

    def wait_lines(self, more=20):
        """The program has made so many further steps."""
        def last():
            return Lines(self.file).numbers[-1:] if self.file.exists() else []
        before = (last() or [0])[0]
        wait_for(lambda: last() and last()[0] >= before + more, "the program does not go on")
        return Lines(self.file)

    # Moving.

    def start_move(self, pod, to=None, *annotations, stop=None):
        env = {**os.environ, **({"MOVE_STOP": stop} if stop else {})}
        return subprocess.Popen(
            [self.build / "test" / "migrate" / "move", f"default/{pod}", *([to] if to else []),
             *annotations], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env)

    def end_move(self, move):
        """Its output, the exit code last."""
        out = move.communicate(timeout=MOVE_SECONDS)[0]
        return out, move.returncode

    def move(self, pod, to, *annotations):
        """The new pod's name."""
        out, code = self.end_move(self.start_move(pod, to, *annotations))
        assert code == 0, out
        return re.search(r"new pod (\S+),", out)[1]

    def go_on(self, pod):
        """Another executor takes over, until the move is over one way or the other."""
        return self.end_move(self.start_move(pod))

    def state(self, pod):
        notes = (self.pod(pod) or {}).get("metadata", {}).get("annotations", {})
        return notes.get("mckube.io/migrate-state", "").partition(":")[0]

    # What must hold in the end.

    def check_one(self, starts=1, backs=0):
        """One pod, which runs and goes on counting where it was."""
        wait_for(lambda: len(self.pods()) == 1, f"pods: {[p['metadata']['name'] for p in self.pods()]}",
                 GONE_SECONDS)
        lines = self.wait_lines()
        lines.check(starts, backs)
        return lines

    def images(self, node, *args):
        done = subprocess.run([node.programs / "ctr", "-a", node.socket, "-n", "k8s.io", "images", *args],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        return [line.split() for line in done.stdout.splitlines()[1:]]

    def remove_image(self, node):
        """The program's, by all its names."""
        rows = self.images(node, "ls")
        (digest,) = {row[2] for row in rows if row[0] == IMAGE}
        self.images(node, "rm", *(row[0] for row in rows if row[2] == digest))

    def checkpoint_images(self, node):
        """Names of images of moves that still lead to a checkpoint."""
        rows = self.images(node, "ls")
        base = {row[2] for row in rows if row[0].startswith("localhost/")}
        return [row[0] for row in rows if "/mig/" in row[0] and row[2] not in base]

    def leftovers(self):
        found = []
        for node in self.nodes:
            found += [str(p) for p in (node.folder / HELPER).iterdir() if p.name != "identity.pem"]
            found += self.checkpoint_images(node)
            for group in paths(pair.CGROUPS / "freezer" / node.groups, "**/freezer.state"):
                try:
                    found += [str(group)] if group.read_text() != "THAWED\n" else []
                except OSError:
                    pass
            found += filter(None, [self.note("node", node.name, "mckube.io/migrate-arrivals")])
        for pod in self.pods():
            meta = pod["metadata"]
            found += [k for k in meta.get("labels", {}) if "migrating" in k]
            found += [k for k in meta.get("annotations", {})
                      if k.partition("mckube.io/migrate-")[2] in ("to", "ready", "cancel", "gone", "placement")]
            found += [v for v in meta.get("labels", {}).values() if v.startswith("migrating-")]
        return found

    def check_clean(self):
        deadline = time.monotonic() + 40
        while left := self.leftovers():
            assert time.monotonic() < deadline, f"left behind: {left}"
            time.sleep(0.5)

    def clear(self):
        for node in self.nodes:
            if not node.is_running(HELPER):
                self.start_helper(node)
        self.clear_pods()
        self.kubectl("delete", "events.events.k8s.io", "--all")

    def clear_pods(self):
        self.kubectl("delete", "deployment,statefulset,job", "--all", "--wait=false")
        self.kubectl("delete", "pod", "--all", "--now", "--wait=false")
        wait_for(lambda: not self.pods(), "pods stay", GONE_SECONDS)
