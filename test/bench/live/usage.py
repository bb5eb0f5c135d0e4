# SPDX-License-Identifier: Apache-2.0
"""What a program takes, from its start to its end."""

import dataclasses
import os
import pathlib
import statistics
import subprocess
import threading
import time


@dataclasses.dataclass
class Usage:
    """Seconds of the clock and of CPU (user and system), and megabytes at most."""
    wall: float
    cpu: float
    memory: float


def watch_memory(pid, peak):
    """VmHWM until the process ends: rusage would count what it was before exec, which is us."""
    try:
        while True:
            for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    peak[0] = int(line.split()[1]) / 1024
            time.sleep(0.01)
    except OSError:
        pass


def measure(argv, env=None, is_done=None):
    """Runs a program to its end, or until is_done(): then it is told to end."""
    began = time.monotonic()
    err = None if os.environ.get("VERBOSE") else subprocess.DEVNULL
    child = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=err, env=env)
    peak = [0]
    threading.Thread(target=watch_memory, args=(child.pid, peak), daemon=True).start()
    while is_done and not is_done():
        time.sleep(0.1)
    wall = time.monotonic() - began
    if is_done:
        child.terminate()
    _, status, usage = os.wait4(child.pid, 0)
    if not is_done:
        wall = time.monotonic() - began
        if status:
            raise SystemExit(f"error: {argv[0]} failed: {status}")
    return Usage(wall, usage.ru_utime + usage.ru_stime, peak[0])


def rates(usages, count):
    """How many of `count` there were in a second: the median, and between the brackets the least and most."""
    each = sorted(count / u.wall for u in usages)
    return f"{statistics.median(each):.0f} ({each[0]:.0f}..{each[-1]:.0f}) a second"


def middle(usages):
    """The median of each."""
    return Usage(*(statistics.median(getattr(u, f.name) for u in usages)
                   for f in dataclasses.fields(Usage)))
