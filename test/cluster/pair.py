# SPDX-License-Identifier: Apache-2.0
"""Two nodes for a test cluster on this machine, between which running containers can be moved.

Each has a network namespace, behind a bridge that also reaches the API server, its own cgroups, and
a containerd that restores checkpoints. Names and addresses are not those of node.py, so that both
can run at a time; there is one pair on a machine at a time.
"""

import pathlib
import subprocess
import sys

from cluster import HERE
from node import CGROUPS, Node, has_program, quiet, run, why_not as why_no_node

BRIDGE, HOST, PORT = "mckubemig0", "10.77.0.1", 6443
NAMES = "node-a", "node-b"
CRIU_CONF = pathlib.Path("/etc/criu/runc.conf")
CRIU_OPTIONS = "tcp-close\nskip-in-flight\ncpu-cap cpu\nfile-locks\nnetwork-lock skip\n"


def why_not():
    """What keeps two nodes from running here; None when nothing does."""
    reason = why_no_node()
    if reason and "another node runs here" not in reason:
        return reason
    if not has_program("nsenter"):
        return "no nsenter"
    if not (CGROUPS / "freezer").is_dir():
        return "no cgroup v1"
    return None


def build_criu():
    """The folder of a criu that is new enough; None: it cannot be had."""
    done = subprocess.run([HERE / "criu"], stdout=subprocess.PIPE, text=True)
    return pathlib.Path(done.stdout.strip()) if done.returncode == 0 else None


class Bridge:
    """The network between the two, and the way to the API server."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.has_criu_conf = False

    def up(self):
        self.down()
        run("ip", "link", "add", BRIDGE, "type", "bridge")
        run("ip", "address", "add", f"{HOST}/24", "dev", BRIDGE)
        run("ip", "link", "set", BRIDGE, "up")
        self.cluster.start("pair-relay", [sys.executable, HERE / "relay", HOST, PORT,
                                          "127.0.0.1", self.cluster.port])
        if not CRIU_CONF.exists():
            CRIU_CONF.parent.mkdir(exist_ok=True)
            CRIU_CONF.write_text(CRIU_OPTIONS)
            self.has_criu_conf = True

    def down(self):
        self.cluster.stop("pair-relay")
        quiet("ip", "link", "del", BRIDGE)
        if self.has_criu_conf:
            CRIU_CONF.unlink(missing_ok=True)


class PairNode(Node):
    is_restoring = True

    def __init__(self, cluster, programs, criu, index):
        self.index = index
        self.name = self.folder_name = NAMES[index]
        self.address = f"10.77.0.{11 + index}"
        self.bridge = "cni0"
        self.subnet = f"10.{89 + index}.0.0/24"
        self.groups = f"mckube-{self.name}"
        self.namespace = f"mckube-{self.name}"
        self.link = f"mckubemig{index + 1}"
        self.criu = criu
        super().__init__(cluster, programs)

    def up(self, is_owned=False):
        self._make_groups()
        self.cluster.write_kubeconfig(self.cluster.folder / f"kubeconfig-{self.name}",
                                      self.cluster.tokens[self.name], f"https://{HOST}:{PORT}")
        self._start()

    def _process(self, program):
        return f"{program}-{self.name}"

    def _path(self):
        return f"{self.criu}:{super()._path()}"

    def _within(self, *argv):
        """Not `ip netns exec`: that mounts another /sys, without cgroups."""
        return ("nsenter", f"--net=/run/netns/{self.namespace}", "env", f"PATH={self._path()}",
                *argv)

    def start_within(self, name, *argv):
        """Another program of the node, as one of the cluster's processes."""
        self.cluster.start(self._process(name), self._within(*argv))

    def process(self, name):
        return self.cluster.processes[self._process(name)]

    def is_running(self, name):
        return self.cluster.is_running(self._process(name))

    def stop(self, name, *args):
        self.cluster.stop(self._process(name), *args)

    def restart(self, name):
        self.cluster.start(self._process(name))

    def _make_groups(self):
        for hierarchy in CGROUPS.iterdir():
            if hierarchy.is_symlink() or not hierarchy.is_dir():
                continue
            group = hierarchy / self.groups
            group.mkdir(exist_ok=True)
            for name in ("cpuset.cpus", "cpuset.mems"):
                if (group / name).exists():
                    (group / name).write_text((hierarchy / name).read_text())

    def _make_addresses(self):
        space = self.namespace
        quiet("ip", "netns", "del", space)
        run("ip", "netns", "add", space)
        run("ip", "link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", space)
        run("ip", "link", "set", self.link, "master", BRIDGE, "up")
        for argv in (("address", "add", f"{self.address}/24", "dev", "eth0"),
                     ("link", "set", "eth0", "up"), ("link", "set", "lo", "up"),
                     ("route", "add", "default", "via", HOST)):
            run("ip", "-n", space, *argv)

    def _remove_addresses(self):
        quiet("ip", "link", "del", self.link)
        quiet("ip", "netns", "del", self.namespace)

    def set_network(self, is_up):
        run("ip", "link", "set", self.link, "up" if is_up else "down")

    def _kubelet_extra(self):
        return {"cgroupRoot": f"/{self.groups}", "serializeImagePulls": False,
                "maxParallelImagePulls": 3}
