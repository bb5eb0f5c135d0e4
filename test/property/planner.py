# SPDX-License-Identifier: Apache-2.0
"""Runs the program under test: the path of kubectl-mckube is in the environment, MCKUBE."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from kube import Obj

TIMEOUT = 60
settings: dict[str, str] = {}  # environment variables that configure the program


class PlannerError(Exception):
    pass


def program() -> str:
    path = os.environ.get("MCKUBE")
    if not path or not os.access(path, os.X_OK):
        raise SystemExit("set MCKUBE to the path of kubectl-mckube")
    return path


def _run(*args: str | Path) -> bytes:
    try:
        done = subprocess.run([program(), *map(str, args)], capture_output=True, check=False,
                              timeout=TIMEOUT, env={**os.environ, **settings})
    except subprocess.TimeoutExpired as e:
        raise PlannerError(f"{' '.join(map(str, args))}: no answer in {TIMEOUT} s") from e
    if done.returncode != 0:
        error = done.stderr.decode(errors="replace").strip()
        raise PlannerError(f"{' '.join(map(str, args))}: exit {done.returncode}: {error}")
    return done.stdout


def plan_text(snapshot: Path) -> bytes:
    return _run("plan", "--snapshot", snapshot, "-o", "json")


def plan(snapshot: Path) -> Obj:
    return json.loads(plan_text(snapshot))


def apply(snapshot: Path, out: Path) -> None:
    _run("apply", "--snapshot", snapshot, "-o", "json", "--out", out)
