# SPDX-License-Identifier: Apache-2.0
"""The CPUs of containers: pinned, moved, restored; and another process that writes them, as the
kubelet's static CPU manager does: corrected once, then reported and left alone."""
import json
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from node import Test, skip

CPUSET = "/sys/fs/cgroup/cpuset"
LOOK_S = 6  # the helper looks every five seconds

if not os.path.exists(CPUSET + "/cpuset.cpus") or os.cpu_count() < 2:
    skip("needs the cpuset controller of cgroup v1 and two CPUs")
t = Test("cpus")
folders = [f"{CPUSET}/{t.name}", f"{CPUSET}/{t.name}/app"]


def write(folder, file, text):
    with open(f"{folder}/cpuset.{file}", "w") as f:
        f.write(text)


def cpus():
    with open(folders[1] + "/cpuset.cpus") as f:
        return f.read().strip()


def want(core):
    t.pods([("app", "High", 100000, 5000, 5000, "app", {"rt-core": core})])
    if t.helper:
        t.helper.send_signal(signal.SIGHUP)


def is_saved():
    with open(t.dir + "/state.json") as f:
        return [(c["found"], c["wanted"]) for c in json.load(f)["cpus"]] == [("0-1", "1")]


def rewritten():
    return t.text().count("RTBudgetRewritten pod default/app")


try:
    t.make("app")
    for folder in folders:
        os.mkdir(folder)
        write(folder, "mems", "0")
        write(folder, "cpus", "0-1")
    want(1)
    t.start()
    t.wait("it is pinned", lambda: cpus() == "1")

    write(folders[1], "cpus", "0-1")
    t.wait("an external write is corrected", lambda: cpus() == "1", LOOK_S)
    t.wait("and reported", lambda: rewritten() == 1, 2)
    write(folders[1], "cpus", "0-1")
    time.sleep(LOOK_S)
    t.check("a second time it is left alone", cpus() == "0-1" and rewritten() == 1)

    want(0)
    t.wait("a new assignment is written", lambda: cpus() == "0")
    write(folders[1], "cpus", "0-1")
    t.wait("and corrected again", lambda: cpus() == "0" and rewritten() == 2, LOOK_S)

    t.write_runtime("app", 0)
    t.wait("a budget that a runtime has reset comes back", lambda: t.runtime("app") == 5000, LOOK_S)

    t.pods([])
    t.helper.send_signal(signal.SIGHUP)
    t.wait("a pod that is no longer assigned gets its CPUs back",
           lambda: cpus() == "0-1" and t.runtime("app") == 0)
    want(1)
    t.wait("it is pinned once more", lambda: cpus() == "1")

    t.wait("that is in its state", is_saved)
    t.stop(signal.SIGKILL)
    t.start()
    t.wait("it is ready again", lambda: t.text().count("backend ") == 2)
    t.pods([])
    t.helper.send_signal(signal.SIGHUP)
    t.wait("what a helper that was killed has found is given back", lambda: cpus() == "0-1")
    want(1)
    t.wait("and pinned again", lambda: cpus() == "1" and is_saved())
    t.stop(signal.SIGKILL)
    t.pods([])
    t.start()
    t.wait("also to a pod that lost its assignment meanwhile", lambda: cpus() == "0-1")
    want(1)
    t.wait("it is pinned at last", lambda: cpus() == "1")
    t.check("it ends well", t.stop() == 0)
    t.check("leaving gives the CPUs back", cpus() == "0-1")
finally:
    for folder in reversed(folders):
        if os.path.exists(folder):
            os.rmdir(folder)
    t.finish()
