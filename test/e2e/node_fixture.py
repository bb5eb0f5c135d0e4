# SPDX-License-Identifier: Apache-2.0
"""What the tests on a real node share: a cluster with one node, mckube installed on it by its
manifests, and real-time pods that run test/e2e/load.c."""

import contextlib
import json
import os
import pathlib
import re
import signal
import sys
import time
import urllib.request

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "test" / "cluster"), str(TOP / "test" / "integration")]

import node
from fixture import Fixture
from tries import Skip

SYSTEM = "mckube-system"
CPU = pathlib.Path("/sys/fs/cgroup/cpu")
CLI_IMAGE, NODE_IMAGE, LOAD_IMAGE = "mckube:e2e", "mckube-node:e2e", "localhost/load:1"
LISTS = {
    "nodes": "/api/v1/nodes",
    "pods": "/api/v1/namespaces/{ns}/pods",
    "mckubes": "/apis/mcoperator.sdv.com/v1/namespaces/{ns}/mckubes",
    "events": "/apis/events.k8s.io/v1/namespaces/{ns}/events",
}
# Other load of this machine is no pressure that a plan should relieve.
NO_PRESSURE = "MCKUBE_PRESSURE_DELAY_SECONDS", "86400"
# A kubelet retries an unavailable API server after up to a minute, and only then sees that a pod was
# deleted.
GONE_SECONDS = 180
CORE = "1"  # the tests' pods share one core; the machine keeps the other


def programs(build):
    """By name; a test that needs another one is skipped."""
    return {p.name: p for p in (build / "kubectl-mckube",
                                build / "cmd" / "mckube-node" / "mckube-node",
                                build / "test" / "e2e" / "load",
                                build / "test" / "e2e" / "overruns")}


def unit_capabilities():
    """Those of the systemd unit, as setpriv(1) spells them."""
    unit = (TOP / "manifests" / "mckube-node.service.in").read_text()
    [names] = re.findall(r"^CapabilityBoundingSet=(.*)$", unit, re.MULTILINE)
    return ",".join(["-all", *[n.replace("CAP_", "+").lower() for n in names.split()]])


class Service:
    """The helper as a service of the host runs it, with the capabilities of the unit: one of the
    cluster's processes."""

    NAME = "mckube-node"

    def __init__(self, cluster, argv, env):
        self.cluster = cluster
        self.log = cluster.folder / "logs" / f"{self.NAME}.log"
        self.log.unlink(missing_ok=True)
        cluster.start(self.NAME, [
            "setpriv", f"--bounding-set={unit_capabilities()}", "--inh-caps=-all", "--no-new-privs",
            "env", *[f"{k}={v}" for k, v in env.items()], *argv])

    def start(self):
        self.cluster.start(self.NAME)

    def kill(self):
        self.cluster.stop(self.NAME, signal.SIGKILL)

    def stop(self):
        self.cluster.stop(self.NAME)

    def log_text(self):
        return self.log.read_text()


class NodeFixture(Fixture):
    def __init__(self, build, cluster, on_node, folder):
        self.programs, self.node = programs(build), on_node
        self.state_file = on_node.folder / "run" / "mckube-node" / "state.json"
        os.environ.update([NO_PRESSURE])
        self.passes, self.helper_options = [], []
        super().__init__(self.programs["kubectl-mckube"], cluster, folder)
        self._import(self.run(TOP / "manifests" / "pack-images", build, self.folder, "e2e"),
                     "mckube", "mckube-node")
        self._import(self.run(TOP / "manifests" / "pack-image", "--out", self.folder / "load.tar",
                              "--name", LOAD_IMAGE, "--user=0", self.programs["load"]), "load")

    def _import(self, packed, *names):
        for line in packed.out.splitlines():
            if line.endswith(" packed"):
                print(f"# {line}", flush=True)
        for name in names:
            self.node.import_image(self.folder / f"{name}.tar")

    # Installation

    def manifests(self):
        """As `kubectl mckube manifests` prints them, with this node's folders for the host's."""
        text = self.run("kubectl", "mckube", "manifests", f"--image={CLI_IMAGE}",
                        f"--node-image={NODE_IMAGE}", *self.manifest_options).out
        for option in self.helper_options:
            text = text.replace("        - --host-root=/host\n",
                                f"        - --host-root=/host\n        - {option}\n")
        return (text.replace("path: /run/containerd/", f"path: {self.node.state}/")
                .replace("path: /var/lib/kubelet/", f"path: {self.node.folder}/kubelet/")
                .replace("path: /run/mckube-node", f"path: {self.state_file.parent}")
                .replace("- { name: MCKUBE_CONFIG,", "- { name: %s, value: '%s' }\n        - { name: MCKUBE_CONFIG,"
                         % NO_PRESSURE))

    def install(self, n_watchers=0):
        """Without a watcher a pass is made when a test asks for it."""
        self.kubectl("apply", "-f", "-",
                     stdin=self.manifests().replace("replicas: 2", f"replicas: {n_watchers}"))
        for program in ("daemonset/mckube-node", "deployment/mckube-watch"):
            self.kubectl("rollout", "status", program, "-n", SYSTEM, "--timeout=60s")
        self.wait(lambda: self.annotation("nodes", node.NAME, "mckube.io/backend"))

    def uninstall(self):
        self.release_mckubes()
        self.kubectl("delete", "--ignore-not-found", "-f", "-", stdin=self.manifests())
        self.wait(lambda: not self.helper_pids(), 60)

    def release_mckubes(self):
        """Their finalizers need a pass."""
        self.kubectl("delete", "mckubes", "--all", "-A", "--wait=false")
        self.apply()

    def uninstall_helper(self):
        self.kubectl("delete", "daemonset", "mckube-node", "-n", SYSTEM)
        self.wait(lambda: not self.helper_pids(), 60)

    @contextlib.contextmanager
    def service(self, *options, config=None, env=None):
        """In place of the DaemonSet. `config` is the text of a configuration file that says the
        node's name and how to reach the API server."""
        self.uninstall_helper()
        (self.folder / "helper.yaml").write_text(
            config or f"node_name: {node.NAME}\nkube_path: {self.cluster.kubeconfig}\n")
        bundles = self.node.state / "io.containerd.runtime.v2.task" / "k8s.io"
        helper = Service(self.cluster, [
            self.programs["mckube-node"], "run", "--config", self.folder / "helper.yaml",
            "--state-file", self.state_file, "--bundle-dir", bundles, *options],
            env or {})
        try:
            yield helper
        finally:
            helper.stop()
            self.install()

    def helper(self):
        """The helper's pod."""
        pods = [p for p in self.get("pods", ns=SYSTEM)
                if p["metadata"]["name"].startswith("mckube-node-")
                and "deletionTimestamp" not in p["metadata"]]
        assert len(pods) == 1, [p["metadata"]["name"] for p in pods]
        return pods[0]

    def helper_pids(self):
        """Those whose program is the image's: they have another root."""
        return [int(p.parent.name) for p in node.paths("/proc", "[0-9]*/cmdline")
                if read(p).startswith("mckube-node\0run\0") or
                read(p).startswith("/usr/bin/mckube-node\0run\0")]

    def helper_log(self):
        return self.kubectl("logs", "-n", SYSTEM, self.helper()["metadata"]["name"]).out

    def metrics(self, address=None):
        """The helper's, by name and labels."""
        address = address or self.helper()["status"]["podIP"] + ":9808"
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as reply:
            text = reply.read().decode()
        return {k: float(v) for k, v in re.findall(r"^([^#\s]\S*) (\S+)$", text, re.MULTILINE)}

    # Pods

    def task(self, name, criticality, period, low, hi, args, **more):
        """A pod that runs `load ARGS`, and its McKube."""
        spec = {"containers": [self.container("app", args, more.pop("resources", {}))],
                "restartPolicy": "Never", "terminationGracePeriodSeconds": 2,
                "automountServiceAccountToken": False, **more.pop("spec", {})}
        request = self.request(name, low, hi, criticality, core=more.pop("core", CORE))
        request["spec"]["rtSettings"]["period"] = period
        return [self.pod(name, spec=spec, **more), request]

    def container(self, name, args, resources):
        return {"name": name, "image": LOAD_IMAGE, "imagePullPolicy": "Never",
                "args": [str(a) for a in args], "resources": resources,
                "securityContext": {"capabilities": {"drop": ["ALL"], "add": ["SYS_NICE"]}}}

    def apply(self):
        """A pass. Where the helper has written the same object in between it is made once more."""
        self.passes.append(self.kubectl("mckube", "apply", "--force", check=False))
        if self.passes[-1].code == 4:
            self.passes.append(self.kubectl("mckube", "apply", "--force", check=False))
        done = self.passes[-1]
        assert done.code == 0, f"mckube apply: {done}"
        return done

    def wait_running(self, *names, seconds=30):
        self.wait(lambda: all(self.phase(n) == "Running" for n in names), seconds)

    def path(self, kind, name=None, ns=None):
        return LISTS[kind].format(ns=ns or self.ns) + (f"/{name}" if name else "")

    def get(self, kind, name=None, ns=None):
        found = self.api.call("GET", self.path(kind, name, ns))
        return found if name else found["items"]

    def phase(self, name):
        return self.get("pods", name)["status"].get("phase")

    def annotation(self, kind, name, key):
        return self.get(kind, name)["metadata"].get("annotations", {}).get(key)

    def outcome(self, name):
        """The last line of the pod's program."""
        log = self.kubectl("logs", "-n", self.ns, name).out
        return json.loads(log.splitlines()[-1])

    # The kernel

    def groups_of(self, uid):
        """The kernel holds a pod's budget as long as its group exists, also after the pod's object is
        deleted."""
        return node.paths(CPU, f"kubepods/**/pod{uid}")

    def group(self, name, container="app"):
        """The folder of a container in the cpu hierarchy."""
        pod = self.get("pods", name)
        ids = {s["name"]: s["containerID"].split("/")[-1]
               for s in pod["status"]["containerStatuses"] if "containerID" in s}
        found = [p / ids[container] for p in self.groups_of(pod["metadata"]["uid"])
                 if (p / ids[container]).exists()]
        assert len(found) == 1, found
        return found[0]

    def budget(self, name, container="app"):
        return budget_of(self.group(name, container))

    def pid_of(self, name, container="app"):
        """The container's process."""
        pids = [int(p) for p in read(self.group(name, container) / "cgroup.procs").split()]
        assert len(pids) == 1, pids
        return pids[0]

    # Set-up and waiting

    def diagnostics(self):
        """Lists, Events, logs and plans that may explain a failure."""
        lists = self.kubectl("get", "pods,mckubes", "-A", "-o", "wide", check=False)
        events = self.kubectl("get", "events", "-n", self.ns, check=False)
        log = self.kubectl("logs", "-n", SYSTEM, "daemonset/mckube-node", "--tail=20", check=False)
        plan = self.kubectl("mckube", "plan", check=False)
        passes = [done.out + done.err for done in (*self.passes, plan)]
        text = "".join([lists.out, events.out, log.out, log.err, "passes, and the plan now:\n",
                        *passes])
        return "    " + text.replace("\n", "\n    ")

    def is_node_ready(self):
        """After an outage of the API server the node may be tainted for a minute more."""
        [found] = self.get("nodes")
        return not any(t["key"].startswith("node.kubernetes.io/")
                       for t in found["spec"].get("taints", []))

    def clear(self):
        """Deletes all pods and McKubes of the namespace."""
        self.kubectl("delete", "mckubes,pods", "--all", "-n", self.ns, "--wait=false")
        self.apply()  # releases McKubes
        self.wait(lambda: not self.get("pods") and not self.get("mckubes"), 60)

    @contextlib.contextmanager
    def namespace(self):
        """A new one for a test, gone afterwards. Prints diagnostics when it fails."""
        self.n_spaces += 1
        self.ns = f"e{self.n_spaces}"
        self.passes = []
        self.wait(self.is_node_ready, GONE_SECONDS)
        self.create_namespace(self.ns)
        try:
            yield
        except Skip:
            raise
        except Exception:
            print(self.diagnostics(), flush=True)
            raise
        finally:
            uids = [p["metadata"]["uid"] for p in self.get("pods")]
            self.kubectl("delete", "mckubes,pods", "--all", "-n", self.ns, "--force",
                         "--grace-period=0", "--wait=false", check=False)
            self.kubectl("mckube", "apply", check=False)  # releases McKubes
            self.kubectl("delete", "namespace", self.ns, "--wait=false")
            self.wait(lambda: not any(self.groups_of(uid) for uid in uids), GONE_SECONDS)


def read(path):
    """A file that may disappear at any time."""
    try:
        return path.read_text()
    except OSError:
        return ""


# What the kernel holds for a pod at raise above its low budget, in us, where there is room.
GRACE = 500


def budget_of(group):
    return int(read(group / "cpu.rt_runtime_us") or 0)


def share_of(group):
    """The budget in parts per million of a CPU: the groups above containers have other periods."""
    return budget_of(group) * 1000000 // int(read(group / "cpu.rt_period_us"))


def cpu_seconds(pid):
    """Of all its threads, from /proc/PID/schedstat, to the nanosecond."""
    return int(read(pathlib.Path(f"/proc/{pid}/schedstat")).split()[0]) / 1e9


def shares(pids, seconds=2.0):
    """What each process gets of a CPU, measured."""
    before = [cpu_seconds(p) for p in pids], time.monotonic()
    time.sleep(seconds)
    after = [cpu_seconds(p) for p in pids], time.monotonic()
    return [(b - a) / (after[1] - before[1]) for a, b in zip(before[0], after[0])]
