# SPDX-License-Identifier: Apache-2.0
"""The tour of the README with budgets in software, in place of the kernel's RT groups."""

import contextlib
import os
import threading

import node
import test_tour as tour
from node_fixture import CPU

RESET = 0x40000000
# Of every second, for a pod and its container; the kernel has no room for more.
ROOM = {"kubepods": 940000, "class": 930000, "pod": 460000, "container": 455000}


def give(group, runtime):
    try:
        if int((group / "cpu.rt_runtime_us").read_text()) < runtime:
            (group / "cpu.rt_runtime_us").write_text(str(runtime))
    except OSError:
        pass


def give_all(sandboxes):
    """A pod's first container is its sandbox, which has no real-time threads."""
    give(CPU / "kubepods", ROOM["kubepods"])
    give(CPU / "kubepods/besteffort", ROOM["class"])
    for pod in node.paths(CPU, "kubepods/besteffort/pod*"):
        give(pod, ROOM["pod"])
        for container in node.paths(pod, "*/"):
            if sandboxes.setdefault(pod.name, container.name) != container.name:
                give(container, ROOM["container"])


def take_all():
    """The deepest first: a group has at least what is below it."""
    for group in node.below(CPU / "kubepods"):
        with contextlib.suppress(OSError):
            (group / "cpu.rt_runtime_us").write_text("0")


@contextlib.contextmanager
def kernel_without_rt_groups():
    """This kernel has them: a thread of a group without a budget cannot become FIFO. So each container
    has one here that is larger than what it will have in software. Yields what takes them back."""
    done, sandboxes = threading.Event(), {}

    def watch():
        while not done.wait(0.01):
            give_all(sandboxes)

    def end():
        done.set()
        thread.join()
        take_all()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield end
    finally:
        if not done.is_set():
            end()


@contextlib.contextmanager
def backend(c, name, end):
    """end() is called before another helper keeps what it finds."""
    c.uninstall_helper()
    c.helper_options = [f"--backend={name}"]
    c.install()
    try:
        yield
    finally:
        c.uninstall_helper()
        end()
        c.helper_options = []
        c.install()


class Watched:
    """What the logger's thread was during the tour."""

    def __init__(self, c):
        self.c, self.found, self.done = c, set(), threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while not self.done.wait(0.005):
            try:
                self.found.add(os.sched_getscheduler(self.c.pid_of("logger")))
            except Exception:
                pass

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()


@contextlib.contextmanager
def one_core(c, core):
    """Budgets in software are per core, and the tour's pods would have one each."""
    c.kubectl("annotate", "node", node.NAME, f"mckube.io/rt-cores={core}", "--overwrite")
    try:
        yield
    finally:
        c.kubectl("annotate", "node", node.NAME, "mckube.io/rt-cores-")


def test_soft_tour(c):
    with kernel_without_rt_groups() as end, backend(c, "soft", end), one_core(c, 1):
        assert c.annotation("nodes", node.NAME, "mckube.io/backend") == "soft", c.helper_log()
        with Watched(c) as logger:
            tour.tour(c)
        metrics = c.metrics()
        print(f"# budgets used up: {metrics['mckube_node_soft_exhaustions_total']:.0f}, processes "
              f"stopped: {metrics['mckube_node_soft_stops_total']:.0f}")
        assert metrics["mckube_node_soft_exhaustions_total"] > 10
        assert os.SCHED_OTHER | RESET in logger.found, logger.found
        assert {os.SCHED_FIFO, os.SCHED_FIFO | RESET} & logger.found, logger.found
