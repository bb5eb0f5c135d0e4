# SPDX-License-Identifier: Apache-2.0
"""How long a program stands still that is moved, by its size and kind, and by a restart beside it.

    BENCH=1 SAMPLES=7 test/migrate/run BUILD-FOLDER [--write]      on a quiet machine

A row of a table each, in ms: from the last line of the program on the one node to its first line on the
other. Lines that are lost or done twice fail it, as does a median above its goal.
"""

import os
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))

from fixture import HELPER
from table import Row, are_met, machine, markdown, write_results

SAMPLES = int(os.environ.get("SAMPLES", "7"))
IDLE_S = 60
OTHER = {"node-a": "node-b", "node-b": "node-a"}


GOALS = {"0.3 MB": 600, "10 MB": 800, "100 MB": 1800, "500 MB": 6500, "real time, 9 MB": 1000,
         "Deployment": 800, "StatefulSet": 1800}
rows = []


def tell(what, samples):
    middle, goal = statistics.median(samples), GOALS.get(what)
    value = f"{min(samples)} / {middle:.0f} / {max(samples)} ms"
    rows.append(Row(f"{what}, {len(samples)} moves", value, f"{goal} ms" if goal else "",
                    middle <= goal if goal else None))
    print(f"# {what}: {value}", flush=True)


def report(is_written):
    """Whether all goals are met."""
    text = markdown("BENCH=1 test/migrate/run", machine(), rows)
    print(text)
    if is_written:
        write_results("bench-migrate", text)
    return are_met(rows)


def gap(lines, before):
    """The longest time without a line, since that many of them."""
    at = lines.at_ms[before - 1:]
    return max(b - a for a, b in zip(at, at[1:]))


def moves_there_and_back(f, name):
    """Downtimes of moves between the two nodes."""
    samples = []
    for _ in range(SAMPLES):
        before = len(f.wait_lines().at_ms)
        name = f.move(name, OTHER[f.pod(name)["spec"]["nodeName"]])
        samples.append(gap(f.check_one(), before))
        f.check_clean()
    return samples


def size(mb):
    def bench(f):
        tell(f"{mb or 0.3} MB", moves_there_and_back(f, f.start("app", *(["--mb", mb] if mb else []))))
    return bench


bench_small, bench_10_mb, bench_100_mb, bench_500_mb = size(0), size(10), size(100), size(500)


def bench_deployment(f):
    tell("Deployment", moves_there_and_back(f, f.start_deployment("web", "--mb", 1)))


def bench_stateful_set(f):
    tell("StatefulSet", moves_there_and_back(f, f.start_stateful_set("db", "--mb", 1)))


def used_by(pid):
    """CPU so far, with the children that have ended, in ms, and the memory that it does not share, in KB."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    ticks = sum(int(field) for field in fields[11:15])
    own = sum(int(line.split()[1]) for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
              if line.startswith("Private_"))
    return ticks * 1000 / os.sysconf("SC_CLK_TCK"), own


def bench_idle(f):
    """The helper while nothing moves; it looks at what its node can do once a minute."""
    f.wait_facts()
    pid = f.nodes[0].process(HELPER)["pid"]
    cpu = used_by(pid)[0]
    time.sleep(IDLE_S)
    cpu, own = used_by(pid)[0] - cpu, used_by(pid)[1]
    rows.append(Row(f"mckube-migrate in {IDLE_S} s in which nothing moves",
                    f"{cpu:.0f} ms CPU, {own / 1024:.1f} MB of its own", "", None))
    print(f"# {rows[-1].what}: {rows[-1].value}", flush=True)


def bench_real_time(f):
    """FIFO, 9 MB, by the program itself: the plan, its budget on the target, and the move."""
    samples = []
    f.wait_facts()
    with f.real_time():
        name = f.start_real_time("app", "High", 10000, 10000, "--mb", 9)
        for _ in range(SAMPLES):
            before = len(f.wait_lines().at_ms)
            f.mckube("migrate", f"pod/{name}")
            samples.append(gap(f.check_one(), before))
            f.check_clean()
            name = f.pods()[0]["metadata"]["name"]
    tell("real time, 9 MB", samples)


def bench_restart(f):
    """Evict, land, Ready: the new program begins at its start."""
    samples, name = [], f.start("app")
    f.wait_facts()
    for i in range(SAMPLES):
        before = len(f.wait_lines().at_ms)
        to = OTHER[f.pod(name)["spec"]["nodeName"]]
        f.kubectl("annotate", "pod", name, "mckube.io/migration=Restart", "--overwrite")
        f.mckube("migrate", f"pod/{name}", "--to", to)
        samples.append(gap(f.check_one(starts=i + 2, backs=i + 1), before))
        name = f.pods()[0]["metadata"]["name"]
    tell("restart", samples)
