# SPDX-License-Identifier: Apache-2.0
"""Cgroups that may only be read, as in a container without the right mount: one clear line for each
pod, and the helper goes on."""
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(__file__))
from node import MOUNT, Test, skip

if not shutil.which("unshare"):
    skip("needs unshare")
t = Test("readonly")
try:
    for group in ("a", "b"):
        t.make(group)
    t.pods([(name, "High", 100000, 5000, 8000, name, {}) for name in ("a", "b")])
    t.start(prefix=["unshare", "--mount", "sh", "-c",
                    f'mount -o remount,ro,bind {MOUNT} && exec "$@"', "sh"])
    for name in ("a", "b"):
        t.wait(f"pod {name} is refused",
               lambda name=name: f"{t.name}/{name}: open cpu.rt_runtime_us: "
               "Read-only file system" in t.text())
    t.check("it still runs", t.helper.poll() is None)
    t.check("nothing was written", t.runtime("a") == 0 == t.runtime("b"))
    t.check("it ends well", t.stop() == 0)
finally:
    t.finish()
