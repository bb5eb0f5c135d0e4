# SPDX-License-Identifier: Apache-2.0
"""Containers that are named by a process: found where it is; a number that the kernel has given to
another process since then gives that one nothing."""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from node import LIFE_S, Test, skip

LAST, TRIES = "/proc/sys/kernel/ns_last_pid", 2000

if not os.access(LAST, os.W_OK):
    skip(f"needs {LAST}")
t = Test("pid")


def start(group):
    """A process that ends itself, in a group."""
    pid = os.fork()
    if pid:
        return pid
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(LIFE_S)
    with open(t.path(group) + "/cgroup.procs", "w") as f:
        f.write("0")
    while True:
        signal.pause()


def end(pid):
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def start_as(pid, group):
    """A process with this number, where no other process takes it."""
    for _ in range(TRIES):
        with open(LAST, "w") as f:
            f.write(str(pid - 1))
        got = start(group)
        if got == pid:
            return got
        end(got)
    return None


def group_of(pid):
    with open(f"/proc/{pid}/cgroup") as f:
        return next(line for line in f if ":cpu" in line).rsplit("/", 1)[1].strip()


def wait_for(pid, group):
    end_at = time.monotonic() + 5
    while group_of(pid) != group and time.monotonic() < end_at:
        time.sleep(0.01)


pid = None
try:
    for group in ("first", "second"):
        t.make(group)
    pid = start("first")
    wait_for(pid, "first")
    t.pods([("app", "High", 100000, 5000, 8000, pid, {})])
    t.start()
    t.wait("the container is found by its process", lambda: t.runtime("first") == 8000)

    end(pid)
    pid = start_as(pid, "second")
    if not pid:
        skip("other processes took the number each time")
    wait_for(pid, "second")
    t.helper.send_signal(signal.SIGHUP)
    t.wait("another process of that number is refused",
           lambda: f"pid {pid} was reused" in t.text())
    t.check("and given nothing", t.runtime("second") == 0)
    t.check("the container has what it had", t.runtime("first") == 8000)

    t.pods([])
    t.helper.send_signal(signal.SIGHUP)
    t.wait("a pod that is no longer assigned is forgotten", lambda: t.runtime("first") == 0)
    t.pods([("app", "High", 100000, 5000, 8000, pid, {})])
    t.helper.send_signal(signal.SIGHUP)
    t.wait("a new one may name that process", lambda: t.runtime("second") == 8000)

    t.pods([("app", "High", 100000, 5000, 8000, 2 ** 22 + 1, {})])
    t.helper.send_signal(signal.SIGHUP)
    t.wait("no process at all is one line", lambda: "/proc/4194305/stat: No such file" in t.text())
    t.check("it ends well", t.stop() == 0)
finally:
    if pid:
        end(pid)
    t.finish()
