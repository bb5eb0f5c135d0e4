# SPDX-License-Identifier: Apache-2.0
"""The README's commands for a node, one after another as written there."""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from api import TOP
from node import MOUNT, Test, skip

SOCKET = "/run/mckube-node/http"
AWAIT = f"for i in $(seq 100); do [ -S {SOCKET} ] && break; sleep 0.1; done"
GROUPS = [f"{MOUNT}/kubepods/{g}" for g in ("podbrake/c0ffee", "podbrake", "podradio/beef", "podradio")]


def commands():
    with open(TOP / "README.md") as f:
        blocks = re.findall(r"^```console\n(.*?)^```$", f.read(), re.MULTILINE | re.DOTALL)
    block = next(b for b in blocks if "mckube-node" in b)
    return re.findall(r"^\$ ((?:.*\\\n)*.*)$", block, re.MULTILINE)


def clean():
    for group in [*GROUPS, f"{MOUNT}/kubepods"]:
        if os.path.isdir(group) and not any(e.is_dir() for e in os.scandir(group)):
            with open(group + "/cpu.rt_runtime_us", "w") as f:
                f.write("0")
            os.rmdir(group)


if not shutil.which("curl"):
    skip("needs curl")
if os.path.exists(SOCKET):
    skip("a helper runs on this machine")
t = Test("readme")
try:
    lines = commands()
    t.check("there are commands", len(lines) > 5)
    # The shell's own jobs: "kill %1" is one of the commands.
    script = "set -m\n" + "".join(
        f"{line}\necho \"@$? {line.split()[0]} {line.split()[1]}\"\n" +
        (AWAIT + "\n" if line.endswith("&") else "") for line in lines) + "wait\necho \"@ended $?\"\n"
    path = os.path.dirname(os.path.abspath(t.node)) + ":" + os.environ["PATH"]
    done = subprocess.run(["bash", "-c", script], cwd=TOP, env={**os.environ, "PATH": path},
                          capture_output=True, text=True, timeout=60, check=False)
    codes = re.findall(r"^@(\d+) (.*)$", done.stdout, re.MULTILINE)
    for code, what in codes:
        t.check(what, code == "0")
    t.check("all were run", len(codes) == len(lines))
    t.check("the helper ended well", "@ended 0" in done.stdout)
    t.check("status showed the budget", re.search(r"c0ffee .* none$", done.stdout, re.MULTILINE))
    t.check("the POST was applied", "container beef: runtime 2000 us" in done.stdout)
    t.check("the metrics name the pod", 'namespace="vehicle",pod="brake"' in done.stdout)
    if t.failed:
        print(done.stdout, done.stderr, file=sys.stderr)
finally:
    clean()
    t.finish()
