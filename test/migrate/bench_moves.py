# SPDX-License-Identifier: Apache-2.0
"""How long a program stands still that is moved, by its size and kind, and by a restart beside it.

    BENCH=1 test/migrate/run BUILD-FOLDER               on a quiet machine; SAMPLES=7

A line each: what, the median and all samples in ms, from the last line of the program on the one node
to its first line on the other.
"""

import os
import statistics

SAMPLES = int(os.environ.get("SAMPLES", "7"))


def tell(what, samples):
    print(f"# {what}: median {statistics.median(samples):.0f} ms of {sorted(samples)}", flush=True)


def there_and_back(f, name):
    """Downtimes of moves between the two nodes."""
    samples, to = [], "node-b"
    for _ in range(SAMPLES):
        before = len(f.wait_lines().at_ms)
        name = f.move(name, to)
        at = f.check_one().at_ms[before - 1:]
        samples.append(max(b - a for a, b in zip(at, at[1:])))
        to = {"node-a": "node-b", "node-b": "node-a"}[to]
    f.check_clean()
    return samples


def size(mb):
    def bench(f):
        tell(f"{mb or 0.3} MB", there_and_back(f, f.start("app", *(["--mb", mb] if mb else []))))
    return bench


bench_small, bench_10_mb, bench_100_mb, bench_500_mb = size(0), size(10), size(100), size(500)


def bench_deployment(f):
    tell("Deployment", there_and_back(f, f.start_deployment("web", "--mb", 1)))


def bench_restart(f):
    """Evict, land, Ready: the new program begins at its start."""
    samples, name, to = [], f.start("app"), "node-b"
    f.wait_facts()
    for i in range(SAMPLES):
        before = len(f.wait_lines().at_ms)
        f.kubectl("annotate", "pod", name, "mckube.io/migration=Restart", "--overwrite")
        f.mckube("migrate", f"pod/{name}", "--to", to)
        at = f.check_one(starts=i + 2, backs=i + 1).at_ms[before - 1:]
        samples.append(max(b - a for a, b in zip(at, at[1:])))
        name = f.pods()[0]["metadata"]["name"]
        to = {"node-a": "node-b", "node-b": "node-a"}[to]
    tell("restart", samples)
