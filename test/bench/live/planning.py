# SPDX-License-Identifier: Apache-2.0
"""A plan of a large cluster on a real API server: what each stage costs."""

import re
import statistics
import subprocess

from crowd import control_plane, make_nodes, make_pods, make_running
from table import Row

STAGE = re.compile(r"stage (\w+): ([\d.]+) s, ([\d.]+) s CPU(?:, .* (\d+) bytes in)?.*?(\d+) MB at most")
TRIES = 3


def stages(mckube):
    """By name: seconds, CPU seconds, bytes that came in, megabytes at most."""
    done = subprocess.run([mckube, "plan", "-v=4", "-o", "name"], check=True, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return {name: [float(x or 0) for x in numbers] for name, *numbers in STAGE.findall(done.stderr)}


def rows(mckube, nodes=1000, pods=20000):
    """A tenth of the pods are pending and ask for real time, half of them by a McKube."""
    with control_plane() as (server, _, _):
        make_nodes(server, nodes)
        make_running(server, "running", pods - pods // 10, nodes)
        make_pods(server, "asking", pods // 20, "mckube", "annotations")
        make_pods(server, "named", pods // 20, "mckube", "mckubes")
        tries = [stages(mckube) for _ in range(TRIES)]
    for name, what in (("read", "reading"), ("model", "the model"), ("plan", "the plan")):
        wall, cpu, size, memory = (statistics.median(t[name][i] for t in tries) for i in range(4))
        traffic = f", {size / 1e6:.1f} MB in" if size else ""
        yield Row(f"live `plan` of {nodes:,} nodes, {pods:,} pods: {what}",
                  f"{wall:.2f} s, {cpu:.2f} s CPU{traffic}, {memory:.0f} MB")
