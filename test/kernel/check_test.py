# SPDX-License-Identifier: Apache-2.0
"""What `mckube-node check` prints: for this kernel, beside its own files, and for made-up ones of each
kind."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from node import MOUNT, Test

# The files of a kernel, the backend that follows, what its guarantee must say, what is missing.
V1 = {"cpu/cpu.shares": "1024", "cpu/cpu.rt_runtime_us": "950000", "cpu/cpu.cfs_quota_us": "-1"}
V2 = {"cgroup.controllers": "cpuset cpu memory"}
KERNELS = [
    ("v1 with RT groups", V1, "v1", "cgroup-v1", "at most their budget", "hcbsRtMax"),
    ("v1 without", {k: v for k, v in V1.items() if "rt_" not in k}, "v1", "cap-v1",
     "no real-time guarantee", "rtGroupsV1"),
    ("v2 alone", {**V2, "a/cpu.max": "max 100000"}, "v2", "cap-v2", "no real-time guarantee",
     "rtGroupsV2"),
    ("HCBS with cpu.rt.max", {**V2, "a/cpu.rt.max": "0 1000000"}, "v2", "hcbs-max",
     "deadline server", "rtGroupsV1"),
    ("HCBS with a budget per CPU", {**V2, "a/cpu.rt_multi_runtime_us": "0 0"}, "v2", "hcbs-multi",
     "on their own CPUs", "hcbsRtMax"),
    ("HCBS with cpu.rt_runtime_us", {**V2, "a/cpu.rt_runtime_us": "0"}, "v2", "hcbs-v2",
     "deadline server", "hcbsMultiRuntime"),
    ("hybrid", {**V1, "unified/cgroup.controllers": ""}, "hybrid", "cgroup-v1",
     "at most their budget", "cpuMax"),
    ("nothing", {}, "none", "noop", "nothing is written", "cpuMax"),
]

t = Test("check")


def check(*options):
    done = subprocess.run([t.node, "check", *options], capture_output=True, text=True, check=False,
                          timeout=20)
    return done.returncode, done.stdout, done.stderr


def make(files):
    root = f"{t.dir}/{len(os.listdir(t.dir))}"
    os.makedirs(root + "/empty")
    for name, text in files.items():
        os.makedirs(os.path.dirname(f"{root}/{name}"), exist_ok=True)
        with open(f"{root}/{name}", "w") as f:
            f.write(text)
    return root


def take_away(root):
    for folder, _, files in os.walk(root, topdown=False):
        for name in files:
            os.unlink(f"{folder}/{name}")
        os.rmdir(folder)


try:
    code, text, _ = check("-o", "json")
    said = json.loads(text)
    with open("/proc/sys/kernel/sched_rt_runtime_us") as f:
        t.check("the sysctl is shown", code == 0 and said["rtRuntimeUs"] == int(f.read()))
    t.check("the cpu controller is where it is", said["cpuController"].endswith(
        os.path.basename(os.path.realpath(MOUNT))))
    t.check("present features are shown", all(said["features"][f]["present"] for f in (
        "rtGroupsV1", "btf", "traceSchedSwitch")))
    t.check("psi too", said["features"]["psi"]["present"] == os.path.exists("/proc/pressure/cpu"))
    t.check("a missing feature shows what it needs", all(
        f["present"] != ("needs" in f) for f in said["features"].values()))
    code, text, _ = check()
    t.check("as text", code == 0 and "backend    cgroup-v1" in text and "needs " in text)
    t.check("a forced backend", json.loads(check("-o", "json", "--backend", "noop")[1])["backend"]
            == "noop")
    with open("/sys/devices/system/cpu/isolated") as f:
        t.check("a warning where no CPU is isolated", ("isolation" in [
            w["key"] for w in said["warnings"]]) == (not f.read().strip() and os.cpu_count() > 1))
    t.write_runtime("", 20000)
    audio = t.fifo("", 0, 0.001, 0.05)
    os.sched_setscheduler(audio.pid, os.SCHED_FIFO, os.sched_param(95))
    t.check("and of threads above the helper", f"({audio.pid}) is FIFO 95" in check()[1])
    t.end(audio)
    code, text, err = check("--backend", "hcbs-max")
    t.check("one that is not offered", code == 1 and text == "" and
            err.startswith("error: backend 'hcbs-max': needs a kernel with"))
    code, _, err = check("--cgroup-root", "/nonexistent")
    t.check("no cgroups", code == 1 and "cgroup root /nonexistent: No such file" in err)

    for what, files, kind, backend, guarantee, missing in KERNELS:
        root = make(files)
        code, text, _ = check("-o", "json", "--cgroup-root", root, "--proc-root", root + "/empty",
                              "--sys-root", root + "/empty")
        said = json.loads(text)
        features = {k for k, f in said["features"].items() if f["present"]}
        t.check(f"{what}: {backend}", code == 0 and said["cgroups"] == kind and
                said["backend"] == backend and guarantee in said["guarantee"])
        t.check("and no more than holds", missing not in features and "btf" not in features and
                said["overruns"] == ("none" if backend == "noop" else "cpu.stat"))
        take_away(root)

    root = make({**V2, "a/cpu.max": "max 100000"})
    code, text, _ = check("-o", "json", "--cgroup-root", root)
    said = json.loads(text)
    t.check("v2 alone on a kernel with BTF: soft", said["backend"] == "soft" and
            "soft, statistical" in said["guarantee"] and said["overruns"] == "bpf")
    take_away(root)
finally:
    t.finish()
