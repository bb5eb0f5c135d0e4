# SPDX-License-Identifier: Apache-2.0
"""All pods of one replaying server, listed by us, by a client-go program and by kubectl."""

import contextlib
import os
import pathlib
import shutil
import subprocess
import sys

from table import Row
from usage import measure, middle

HERE = pathlib.Path(__file__).resolve().parent
TRIES = 3  # of ours; the others take minutes
KUBECTL_MOST = 50000


@contextlib.contextmanager
def replay(count):
    """The address of a server of so many pods, and how large each is."""
    with subprocess.Popen([sys.executable, HERE / "replay.py", str(count)], text=True,
                          stdout=subprocess.PIPE) as server:
        try:
            port, size = server.stdout.readline().split()
            yield f"http://127.0.0.1:{port}", int(size)
        finally:
            server.terminate()


def client_go(folder, url):
    program = folder / "client-go"
    if not program.exists():
        subprocess.run(["go", "build", "-buildvcs=false", "-o", program, "."], check=True,
                       cwd=HERE / "client-go")
    return measure([program, url])


def kubectl(folder, url):
    env = dict(os.environ, KUBECONFIG="/dev/null", HOME=str(folder))
    return measure(["kubectl", "--server", url, "get", "pods", "-A", "-o", "json"], env)


def beside(name, ours, other, count, cpu_goal, memory_goal):
    cpu, memory = other.cpu / ours.cpu, other.memory / ours.memory
    goal = f"{cpu_goal} x" + (f", {memory_goal} x" if memory_goal else "")
    return Row(f"the same by {name}", f"{other.cpu / count * 1e6:.0f} us CPU a pod, {other.memory:.0f} MB: "
               f"{cpu:.0f} x, {memory:.0f} x", goal, cpu >= cpu_goal and memory >= memory_goal)


def rows(live_list, count, folder):
    with replay(count) as (url, size):
        curl = middle([measure([live_list, url, "discard"]) for _ in range(TRIES)])
        ours = middle([measure([live_list, url, "decode"]) for _ in range(TRIES)])
        own = (ours.cpu - curl.cpu) / count * 1e6
        yield Row(f"listing {count:,} pods of {size / 1000:.1f} kB, into a snapshot",
                  f"{own:.1f} us CPU a pod, and {curl.cpu / count * 1e6:.1f} in libcurl; "
                  f"{ours.memory:.0f} MB", "10 us, 100 MB", own <= 10 and ours.memory <= 100)
        if shutil.which("go"):
            yield beside("a client-go program", ours, client_go(folder, url), count, 5, 0)
        if shutil.which("kubectl") and count <= KUBECTL_MOST:
            yield beside("`kubectl get pods -A -o json`", ours, kubectl(folder, url), count, 50, 20)
