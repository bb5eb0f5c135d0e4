# SPDX-License-Identifier: Apache-2.0
"""What the benches share: a table of measurements, which RESULTS.md keeps between two marks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "test"))
from tries import cpu_times, share_since  # noqa: E402

STARTED = cpu_times()


def build_release(folder: Path, *targets: str, options: tuple[str, ...] = ("-DMCKUBE_NODE=OFF",)) -> None:
    """What is measured."""
    for argv in (["cmake", "-S", TOP, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", *options],
                 ["ninja", "-C", folder, *targets]):
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)


@dataclass
class Row:
    what: str
    value: str
    goal: str = ""
    is_met: bool | None = None


def within(what: str, value: str, number: float, goal: float, unit: str) -> Row:
    return Row(what, value, f"{goal:g} {unit}", number <= goal)


def are_met(rows: Iterable[Row]) -> bool:
    return all(r.is_met is not False for r in rows)


def machine() -> str:
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return f"{model[1] if model else 'unknown CPU'}, {os.cpu_count()} CPUs"


def markdown(program: str, where: str, rows: Iterable[Row]) -> str:
    words = {True: "yes", False: "**no**", None: ""}
    lines = ["| what | measured | goal | met |", "|---|--:|--:|---|"]
    lines += [f"| {r.what} | {r.value} | {r.goal} | {words[r.is_met]} |" for r in rows]
    taken = f"{share_since(STARTED):.1%} of the CPUs' time taken by others on the host meanwhile"
    return "\n".join([f"Measured by `{program}` on {where}, {taken}.", "", *lines])


def write_results(name: str, text: str) -> None:
    """Puts the text between the two lines <!-- NAME --> of RESULTS.md."""
    results, mark = TOP / "test/bench/RESULTS.md", f"<!-- {name} -->"
    old = results.read_text()
    if old.count(mark) != 2:
        raise SystemExit(f"{results} does not have two {mark} lines")
    head, _, tail = old.split(mark)
    results.write_text(f"{head}{mark}\n{text}\n{mark}{tail}")
