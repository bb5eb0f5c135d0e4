# SPDX-License-Identifier: Apache-2.0
"""The helper with named capabilities only, and without each of them: what it needs, what it says
where something is missing, and what it keeps once it runs."""
import ctypes
import ctypes.util
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(__file__))
from node import Test, skip

NEEDED = ["bpf", "perfmon", "sys_nice", "ipc_lock"]
KEPT = 1 << 23 | 1 << 14  # CAP_SYS_NICE, CAP_IPC_LOCK

if not shutil.which("setpriv"):
    skip("needs setpriv")
t = Test("privilege")


def start(caps, prefix=()):
    with open(t.dir + "/log", "w"):
        pass
    only = ",".join(["-all"] + ["+" + c for c in caps])
    t.start(prefix=[*prefix, "setpriv", f"--bounding-set={only}", "--inh-caps=-all", "--no-new-privs"])


def caps_of(pid):
    threads = os.listdir(f"/proc/{pid}/task")
    found = set()
    for tid in threads:
        with open(f"/proc/{pid}/task/{tid}/status") as f:
            found |= {line.split()[1] for line in f if line.startswith(("CapEff", "CapPrm"))}
    return {int(c, 16) for c in found}


SECCOMP = """
import ctypes, json, os, sys
lib = ctypes.CDLL("libseccomp.so.2")
lib.seccomp_init.restype = ctypes.c_void_p
profile = json.load(open(sys.argv[1]))
filter = ctypes.c_void_p(lib.seccomp_init(0x00050000 | profile["defaultErrnoRet"]))
for row in profile["syscalls"]:
    for name in row["names"]:
        number = lib.seccomp_syscall_resolve_name(name.encode())
        if number >= 0 and lib.seccomp_rule_add(filter, 0x7fff0000, number, 0):
            sys.exit("rule for " + name)
if lib.seccomp_load(filter):
    sys.exit("load")
os.execv(sys.argv[2], sys.argv[2:])
"""

try:
    for group in ("kubepods", "kubepods/pod1", "kubepods/pod1/aa"):
        t.make(group)
    app = "kubepods/pod1/aa"
    t.pods([("brake", "High", 100000, 10000, 30000, app, {"rt-enforcement": "raise"})])

    start(NEEDED)
    t.wait("it runs with named capabilities", lambda: t.runtime(app) == 10000)
    t.check("BPF and FIFO included", "overruns from bpf" in t.text() and "may be late" not in t.text())
    t.check("it keeps only two of them", caps_of(t.helper.pid) == {KEPT})
    with open(f"/proc/{t.helper.pid}/status") as f:
        t.check("no new privileges", "NoNewPrivs:\t1" in f.read())
    spinner = t.fifo(app, 1)
    t.wait("it reacts without the others", lambda: t.runtime(app) == 30000)
    t.end(spinner)
    t.check("it ends well", t.stop() == 0 and t.runtime(app) == 0)

    profile = os.path.join(os.path.dirname(__file__), "../../cmd/mckube-node/seccomp.json")
    if ctypes.util.find_library("seccomp"):
        t.start("--listen", "unix:" + t.dir + "/socket",
                prefix=[sys.executable, "-c", SECCOMP, profile])
        t.wait("it runs under its seccomp profile", lambda: t.runtime(app) == 10000)
        t.check("with BPF and FIFO", "overruns from bpf" in t.text() and "may be late" not in t.text())
        spinner = t.fifo(app, 1)
        t.wait("and reacts", lambda: t.runtime(app) == 30000)
        t.end(spinner)
        t.check("and ends well", t.stop() == 0 and t.runtime(app) == 0)

    t.make("unbudgeted")
    enter = f'echo $$ > {t.path("unbudgeted")}/cgroup.procs; exec "$0" "$@"'
    start(NEEDED, ["sh", "-c", enter])
    t.wait("it runs in a group without RT budget", lambda: t.runtime(app) == 10000)
    t.check("with its overrun threads FIFO all the same", "may be late" not in t.text())
    t.check("and ends well", t.stop() == 0)

    said = {"bpf": "overruns from cpu.stat", "perfmon": "overruns from cpu.stat",
            "sys_nice": "budgets may be written late", "ipc_lock": "lock memory"}
    for cap in NEEDED:
        start([c for c in NEEDED if c != cap])
        t.wait(f"without {cap} it runs, and says what is worse",
               lambda: t.runtime(app) == 10000 and said[cap] in t.text())
        t.check("and ends well", t.stop() == 0)
finally:
    t.finish()
