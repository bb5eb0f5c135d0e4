# SPDX-License-Identifier: Apache-2.0
"""A node for a test cluster: containerd and kubelet on this machine, in the cluster's folder.

What they need outside of it: the cgroups kubepods, two addresses on lo (10.0.0.1, where pods expect
the API server, and 10.0.1.1, the node's), and the bridge mckube0. Node.down() ends every process
that Node.up() has caused and takes all of that away again; nothing of it may exist before, so there
is one such node on a machine at a time.

RECORD says which folder that is, and which process has promised to take it down. When that process
was killed, clear_leftovers() does it.
"""

import glob
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

from cluster import HERE, Cluster, free_ports, start_time, wait_for

NAME = "node1"
BRIDGE = "mckube0"
SERVICE, ADDRESS = "10.0.0.1", "10.0.1.1"
CGROUPS = pathlib.Path("/sys/fs/cgroup")
RECORD = pathlib.Path("/run/mckube-test-node.json")
PAUSE = "localhost/pause:1"
BUSYBOX = "localhost/busybox:1"
# Processes that are killed are gone, and their cgroups empty, within this time.
END_SECONDS = 30

PAUSE_C = """
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void leave(int sig)
{
	(void)sig;
	_exit(0);
}

static void reap(int sig)
{
	(void)sig;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

int main(void)
{
	signal(SIGTERM, leave);
	signal(SIGINT, leave);
	signal(SIGCHLD, reap);
	for (;;)
		pause();
}
"""


def run(*argv, **more):
    return subprocess.run([str(a) for a in argv], check=True, **more)


def kubepods(name="kubepods"):
    """The folder in every hierarchy."""
    return [d / name for d in CGROUPS.iterdir() if (d / name).is_dir()] + (
        [CGROUPS / name] if (CGROUPS / name).is_dir() else [])


def paths(folder, pattern):
    """Those that match. Path.glob() raises when a folder goes while it looks, as cgroups and processes do."""
    return [pathlib.Path(p) for p in glob.iglob(f"{glob.escape(str(folder))}/{pattern}", recursive=True)]


def below(folder):
    """The folder and all below it, leaves first."""
    return [pathlib.Path(path) for path, _, _ in os.walk(folder, topdown=False)]


def why_not():
    """What keeps a node from running here; None when nothing does."""
    if os.geteuid() != 0:
        return "not root"
    missing = [p for p in ("runc", "ip", "gcc") if not has_program(p)]
    if missing:
        return "no " + ", ".join(missing)
    if not pathlib.Path("/usr/lib/cni/bridge").exists():
        return "no containernetworking-plugins"
    if kubepods():
        return f"another node runs here: {kubepods()[0]} exists"
    return None


def clear_leftovers():
    """Takes away the node, cluster and folder of a run that was killed."""
    if not RECORD.exists():
        return
    record = json.loads(RECORD.read_text())
    if not record["owner"] or start_time(record["owner"]) == record["started"]:
        return
    print(f"# clearing what a run that was killed has left in {record['folder']}", file=sys.stderr)
    cluster = Cluster(record["folder"])
    Node(cluster).down()
    cluster.stop_all()
    shutil.rmtree(cluster.folder, ignore_errors=True)


def has_program(name):
    return subprocess.run(["sh", "-c", f"command -v {name}"],
                          stdout=subprocess.DEVNULL).returncode == 0


class Node:
    name, address, bridge, subnet = NAME, ADDRESS, BRIDGE, "10.88.0.0/22"
    groups = "kubepods"  # the cgroups that hold all that runs on it
    folder_name = "node"
    is_restoring = False  # may containers come from checkpoints?

    def __init__(self, cluster, programs=None):
        self.cluster = cluster
        self.programs = pathlib.Path(programs) if programs else None
        self.folder = cluster.folder / self.folder_name
        self.state = self.folder / "run" / "containerd"
        self.socket = self.state / "containerd.sock"
        self.pod_logs = self.folder / "pod-logs"

    def up(self, is_owned=False):
        """With an owner the node, and the cluster's folder, end with this process, somehow."""
        reason = why_not()
        if reason:
            raise SystemExit(f"error: no node can run here: {reason}")
        owner = os.getpid() if is_owned else None
        RECORD.write_text(json.dumps({"folder": str(self.cluster.folder), "owner": owner,
                                      "started": owner and start_time(owner)}))
        self._start()

    def _start(self):
        self._make_shared()
        self._make_addresses()
        self._start_containerd()
        self.import_image(self._pack("pause", PAUSE, static_program(self.folder, PAUSE_C)))
        self.import_image(self._pack("busybox", BUSYBOX, "/bin/busybox=/bin/busybox",
                                     "/usr/bin/chrt=/bin/chrt", "--user", "0", *busybox_links()))
        self._start_kubelet()
        wait_for(self._is_ready, f"node {self.name} is not ready, see logs/kubelet.log")

    def _make_shared(self):
        """The mounts of containers come and go for others too, as below systemd's /run."""
        self.state.mkdir(parents=True)
        run("mount", "--bind", self.state, self.state)
        run("mount", "--make-rshared", self.state)

    # The network: one bridge for pods, and the API server where pods look for it.

    def _make_addresses(self):
        for address in (SERVICE, ADDRESS):
            run("ip", "address", "replace", f"{address}/32", "dev", "lo")
        self.cluster.start("relay", [sys.executable, HERE / "relay", SERVICE, 443,
                                     "127.0.0.1", self.cluster.port])

    def _write_network(self):
        folder = self.folder / "net.d"
        folder.mkdir()
        (folder / "10-bridge.conflist").write_text(json.dumps({
            "cniVersion": "1.0.0", "name": "mckube", "plugins": [{
                "type": "bridge", "bridge": self.bridge, "isGateway": True,
                "ipam": {"type": "host-local", "dataDir": str(self.folder / "addresses"),
                         "ranges": [[{"subnet": self.subnet}]],
                         "routes": [{"dst": "0.0.0.0/0"}]}}]}))
        return folder

    # containerd

    def _start_containerd(self):
        config = self.folder / "containerd.toml"
        config.write_text(f"""
version = 3
root = '{self.folder}/containerd'
state = '{self.state}'
oom_score = 0

[grpc]
address = '{self.socket}'

[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = '{PAUSE}'

[plugins.'io.containerd.cri.v1.runtime']
enable_experimental_restore_via_create = {str(self.is_restoring).lower()}
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true

[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = ['/usr/lib/cni']
conf_dir = '{self._write_network()}'

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = 'io.containerd.runc.v2'

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
SystemdCgroup = false
""")
        self.cluster.start(self._process("containerd"), self._within(
            "env", f"PATH={self._path()}", self.programs / "containerd", "--config", config))
        wait_for(lambda: self._ctr("version", check=False), "containerd does not answer")

    def _path(self):
        return f"{self.programs}:{os.environ['PATH']}"

    def _process(self, program):
        """Its name among the processes of the cluster."""
        return program

    def _within(self, *argv):
        """The arguments that start a program where the node is."""
        return argv

    def _ctr(self, *args, check=True):
        done = subprocess.run([str(a) for a in (self.programs / "ctr", "-a", self.socket, "-n",
                                                "k8s.io", *args)],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if check and done.returncode:
            raise SystemExit(f"error: ctr {args[0]}: {done.stderr}")
        return done.returncode == 0

    def _pack(self, name, image, *args):
        path = self.folder / f"{name}.tar"
        run(HERE.parents[1] / "manifests" / "pack-image", "--out", path, "--name", image, *args,
            stdout=subprocess.DEVNULL)
        return path

    def import_image(self, path):
        """Makes the images of a tar known to containerd; pods say imagePullPolicy Never."""
        self._ctr("images", "import", "--local", "--digests", path)

    # kubelet

    def _start_kubelet(self):
        pki = self.cluster.folder / "pki"
        config = self.folder / "kubelet.json"
        config.write_text(json.dumps({
            "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
            "address": self.address, "port": free_ports(1)[0], "healthzPort": 0,
            "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": False},
                               "x509": {"clientCAFile": str(pki / "kubelet-client.crt")}},
            "authorization": {"mode": "AlwaysAllow"},
            "failCgroupV1": False, "failSwapOn": False, "cgroupDriver": "cgroupfs",
            "containerRuntimeEndpoint": f"unix://{self.socket}",
            "enforceNodeAllocatable": ["pods"], "localStorageCapacityIsolation": False,
            "imageGCHighThresholdPercent": 100, "imageGCLowThresholdPercent": 99,
            "evictionHard": {"memory.available": "1Mi"}, "oomScoreAdj": 0, "maxPods": 200,
            "resolvConf": "", "podLogsDir": str(self.pod_logs),
            "volumePluginDir": str(self.folder / "volume-plugins"),
            "kubeAPIQPS": 200, "kubeAPIBurst": 400, "registryPullQPS": 0,
            "syncFrequency": "10s", "nodeStatusUpdateFrequency": "5s", **self._kubelet_extra()}))
        self.cluster.start(self._process("kubelet"), self._within(
            self.programs / "kubelet", "--config", config, "--root-dir", self.folder / "kubelet",
            "--cert-dir", self.folder / "kubelet-pki", "--hostname-override", self.name,
            "--node-ip", self.address,
            "--kubeconfig", self.cluster.folder / f"kubeconfig-{self.name}"))

    def _kubelet_extra(self):
        return {}

    def _is_ready(self):
        done = subprocess.run(
            ["kubectl", "--kubeconfig", self.cluster.kubeconfig, "get", "node", self.name, "-o",
             "jsonpath={.status.conditions[?(@.type=='Ready')].status}"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        return done.stdout == "True"

    # The way back.

    def down(self):
        """Ends kubelet, containers, containerd and what it started, and unmounts everything. Without
        a node there is nothing to do."""
        if not self.folder.exists():
            return
        self.cluster.stop(self._process("kubelet"))
        kill_until_gone(self._in_cgroups)
        self.cluster.stop(self._process("containerd"))
        kill_until_gone(self._shims)
        self._unmount()
        remove_groups(self.groups)
        self._remove_addresses()
        self._remove_links()

    def _remove_addresses(self):
        self.cluster.stop("relay")
        for address in (SERVICE, ADDRESS):
            quiet("ip", "address", "del", f"{address}/32", "dev", "lo")
        quiet("ip", "link", "del", BRIDGE)
        RECORD.unlink(missing_ok=True)

    def cut_power(self):
        """What runs on the node is gone, with its cgroups and all below /run."""
        for program in ("kubelet", "containerd"):
            self.cluster.stop(self._process(program), signal.SIGKILL)
        kill_until_gone(lambda: self._in_cgroups() | self._shims())
        self._unmount()
        shutil.rmtree(self.state.parent)
        remove_groups(self.groups)

    def boot(self):
        self._make_shared()
        self.cluster.start(self._process("containerd"))
        wait_for(lambda: self._ctr("version", check=False), "containerd does not answer")
        self.cluster.start(self._process("kubelet"))

    def _in_cgroups(self):
        pids = set()
        for group in kubepods(self.groups):
            for folder in below(group):
                try:
                    pids |= {int(p) for p in (folder / "cgroup.procs").read_text().split()}
                except OSError:
                    pass
        return pids

    def _shims(self):
        """containerd starts a process beside itself for each pod; it names our socket."""
        found = set()
        for path in paths("/proc", "[0-9]*/cmdline"):
            try:
                argv = path.read_bytes().split(b"\0")
            except OSError:
                continue
            if b"containerd-shim" in argv[0] and str(self.socket).encode() in argv:
                found.add(int(path.parent.name))
        return found

    def _unmount(self):
        for mount in self._mounts():
            subprocess.run(["umount", "-l", mount])

    def _mounts(self):
        """Mount points below our folder, the last one first."""
        lines = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
        points = [line.split()[4].replace("\\040", " ") for line in lines]
        return [p for p in reversed(points) if p.startswith(f"{self.folder}/")]

    def _remove_links(self):
        """The kubelet puts links to logs of containers into a folder that cannot be chosen."""
        folder = pathlib.Path("/var/log/containers")
        for link in folder.iterdir() if folder.is_dir() else []:
            if link.is_symlink() and os.readlink(link).startswith(f"{self.folder}/"):
                link.unlink()


def static_program(folder, source):
    """Compiles a C program that needs no library, and says where it shall be in an image."""
    path = folder / "pause"
    run("gcc", "-O2", "-static", "-o", path, "-x", "c", "-", input=source.encode())
    return f"{path}=/pause"


def busybox_links():
    applets = subprocess.run(["/bin/busybox", "--list"], check=True, stdout=subprocess.PIPE,
                             text=True).stdout.split()
    return [word for a in applets if a != "busybox"
            for word in ("--link", f"/bin/{a}=busybox")]


def quiet(*argv):
    subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def kill_until_gone(find):
    deadline = time.monotonic() + END_SECONDS
    while pids := find():
        if time.monotonic() > deadline:
            raise SystemExit(f"error: processes {pids} do not end")
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.05)


def remove_groups(name):
    for group in kubepods(name):
        for folder in below(group):
            remove_group(folder)


def remove_group(folder):
    """A group's last process leaves it a moment after it has ended."""
    deadline = time.monotonic() + END_SECONDS
    while folder.is_dir():
        try:
            folder.rmdir()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
