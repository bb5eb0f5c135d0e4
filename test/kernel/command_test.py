# SPDX-License-Identifier: Apache-2.0
"""set-rt and status on the real kernel; bad input and missing containers."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from node import Test

ID = "4f5e6d7c8b9a0f1e2d3c4b5a69788796a5b4c3d2e1f00112233445566778899a"

t = Test("command")


def run(*words):
    r = subprocess.run([t.node, *words], capture_output=True, text=True, check=False, timeout=30)
    return r.returncode, r.stdout, r.stderr


def refused(words, why):
    code, out, err = run(*words)
    t.check(f"refused: {' '.join(words)[:60]}", code == 1 and why in err and
            err.count("\n") == 1 and out == "")


try:
    for group in ("kubepods", "kubepods/burstable", "kubepods/burstable/pod1-2",
                  "kubepods/burstable/pod1-2/" + ID):
        t.make(group)
    app = "kubepods/burstable/pod1-2/" + ID

    code, _, err = run("set-rt", "--container", "containerd://" + ID, "--period", "100000",
                       "--runtime", "20000")
    t.check("set-rt gives a budget", code == 0 and t.runtime(app) == 20000)
    t.check("and raises what is above", t.runtime("kubepods") == 200000)
    code, _, err = run("set-rt", "--container", ID, "--runtime", "10000", "--only-runtime")
    t.check("the runtime alone", code == 0 and t.runtime(app) == 10000)
    t.check("what is above follows a cut of a pod",
            t.runtime("kubepods/burstable/pod1-2") == 100000)

    refused(["set-rt", "--container", "../../etc", "--runtime", "5"], "only letters")
    refused(["set-rt", "--container", "ffff", "--runtime", "5"], "no cgroup under")
    refused(["set-rt", "--container", ID, "--runtime", "2000000"], "not between")
    refused(["set-rt", "--container", ID, "--runtime", "990000"], "its groups need")
    t.check("a refusal changes nothing", t.runtime(app) == 10000)
    refused(["set-rt", "--runtime", "5"], "--container: is missing")
    code, _, err = run("run", "--kubeconfig", "/nonexistent", "--state-file", t.dir + "/s")
    t.check("no cluster and no file", code == 1 and "error: " in err and "/nonexistent" in err)
    refused(["status", "--state-file", "/nonexistent"], "no state of a helper")

    for words in (["version", "-o", "json"], ["--version", "--output=json"]):
        code, out, err = run(*words)
        t.check(" ".join(words), code == 0 and json.loads(out)["version"].count(".") == 2)

    t.pods([("brake", "High", 100000, 10000, 20000, app, {})])
    with open(t.dir + "/state.json", "w") as f:
        f.write('{"groups":[')
    t.start()
    t.wait("a damaged state file is set aside", lambda: os.path.exists(t.dir + "/state.json.damaged"))
    t.wait("the helper is there", lambda: os.path.exists(t.dir + "/state.json"))
    code, out, err = run("status", "--state-file", t.dir + "/state.json", "-o", "json")
    rows = {r["cgroup"]: r for r in json.loads(out)}
    mine = rows[f"{t.name}/{app}"]
    t.check("status knows the wanted and the real budget",
            mine["wantedUs"] == mine["kernelUs"] == 20000 and mine["difference"] == "none")
    t.write_runtime(app, 12000)
    code, out, err = run("status", "--state-file", t.dir + "/state.json", "-o", "json")
    rows = {r["cgroup"]: r for r in json.loads(out)}
    t.check("and a difference", rows[f"{t.name}/{app}"]["difference"] == "runtime")
finally:
    t.finish()
