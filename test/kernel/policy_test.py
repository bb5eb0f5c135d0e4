# SPDX-License-Identifier: Apache-2.0
"""The policy that the helper gives to the threads of containers without any capability: as they
enter, to new ones, back again when the assignment goes; what it must not give."""
import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from node import LIFE_S, Test

PERIOD, LOW, HI, USER, NICE = 100000, 20000, 20000, 65534, 5
OTHER, FIFO, RR, RESET = os.SCHED_OTHER, os.SCHED_FIFO, os.SCHED_RR, os.SCHED_RESET_ON_FORK

# Evaluates the lines of its input, and answers with numbers of threads, or what went wrong.
PROGRAM = """
import ctypes, os, signal, sys, threading, time
signal.alarm(%d)
os.nice(int(sys.argv[2]))
os.setuid(int(sys.argv[1]))  # without any capability, but for root
def sleeper(told):
    told.append(threading.get_native_id())
    while True:
        time.sleep(1)
def thread():
    told = []
    threading.Thread(target=sleeper, args=(told,), daemon=True).start()
    while not told:
        time.sleep(0.001)
    return told[0]
def fork():
    pid = os.fork()
    if not pid:
        ctypes.CDLL(None).prctl(1, 9)
        while True:
            time.sleep(1)
    return pid
def policy(number, priority):
    os.sched_setscheduler(0, number, os.sched_param(priority))
    return 0
print(os.getpid(), flush=True)
for line in sys.stdin:
    try:
        print(eval(line), flush=True)
    except OSError as e:
        print(type(e).__name__, flush=True)
""" % LIFE_S


class Container:
    """A process that its runtime moves into the cgroup."""

    def __init__(self, t, group, user=USER, nice=NICE, name="app"):
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(user), str(nice), name], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        t.processes.append(self.process)
        self.pid = int(self.process.stdout.readline())
        self.group = t.path(group)

    def enter(self):
        with open(self.group + "/cgroup.procs", "w") as f:
            f.write(str(self.pid))
        return self

    def tell(self, what):
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        return int(answer) if answer.isdigit() else answer


def class_of(tid):
    return os.sched_getscheduler(tid) & ~RESET, os.sched_getparam(tid).sched_priority


def hup():
    t.helper.send_signal(signal.SIGHUP)


def pod(**more):
    return ("a", "High", PERIOD, LOW, HI, "kubepods/poda/a1",
            {k.replace("_", "-"): v for k, v in more.items()})


def metric(name, **labels):
    """Of the only container; None: no such series."""
    text = subprocess.run(["curl", "-s", "--unix-socket", t.dir + "/http", "http://localhost/metrics"],
                          stdout=subprocess.PIPE, text=True, check=False).stdout
    wanted = f"mckube_node_policy_{name}{{"
    found = [line for line in text.splitlines() if line.startswith(wanted) and all(
        f'{key}="{value}"' in line for key, value in labels.items())]
    return int(found[0].split()[-1]) if found else None


def saved():
    """What the next helper will know; it is written a moment after threads were changed."""
    with open(t.dir + "/state.json") as f:
        return [(c["policy"], c["priority"]) for c in json.load(f)["classes"]]


t = Test("policy")
try:
    for group in ("kubepods", "kubepods/poda", "kubepods/poda/a1"):
        t.make(group)
    asked = pod(rt_policy="FIFO", rt_priority=20)
    t.pods([asked])
    early = Container(t, "kubepods/poda/a1").enter()
    t.start("--listen", f"unix:{t.dir}/http")
    t.wait("a process that was there gets its policy", lambda: class_of(early.pid) == (FIFO, 20))
    t.check("its budget was there before", t.runtime("kubepods/poda/a1") == LOW)
    t.wait("which is reported", lambda: "RTPolicyApplied pod default/a: container app: threads FIFO 20"
           in t.text())
    t.wait("and counted", lambda: metric("applied", pod="a", container="app", policy="FIFO 20") == 1 and
           metric("refused", pod="a") == 0 and metric("can_outrank", pod="a") == 0)

    late = Container(t, "kubepods/poda/a1")
    threads = [late.pid, late.tell("thread()"), late.tell("thread()")]
    late.enter()
    t.wait("all threads of a process that enters get it",
           lambda: all(class_of(tid) == (FIFO, 20) for tid in threads), 2)
    t.check("a new thread inherits it", class_of(late.tell("thread()")) == (FIFO, 20))
    t.check("and a child", class_of(late.tell("fork()")) == (FIFO, 20))
    t.check("it cannot raise itself", late.tell("policy(1, 50)") == "PermissionError")

    for name in "/sbin/criu", "criu: restore --rpc -D /a/b":
        criu = Container(t, "kubepods/poda/a1", name=name).enter()
        restored = Container(t, "kubepods/poda/a1").enter()
        time.sleep(2)
        t.check(f"{name} is left alone, with all that it makes",
                class_of(criu.pid) == class_of(restored.pid) == (OTHER, 0))
        criu.process.kill()
        t.wait("until it is gone", lambda: class_of(restored.pid) == (FIFO, 20))

    t.check("a thread that resets on fork", late.tell(f"policy({FIFO | RESET}, 20)") == 0)
    reset = late.tell("thread()")
    t.wait("has new threads that get it, too", lambda: class_of(reset) == (FIFO, 20), 2)
    t.check("one that lowers itself", late.tell(f"policy({OTHER | RESET}, 0)") == 0)
    time.sleep(6)
    t.check("is left alone", class_of(late.pid) == (OTHER, 0))

    t.pods([pod(rt_policy="RR", rt_priority=30)])
    hup()
    t.wait("another policy and priority", lambda: class_of(early.pid) == (RR, 30) and
           class_of(reset) == (RR, 30), 5)

    t.wait("that is in the state", lambda: saved() == [("RR", "30")])
    t.helper.kill()
    t.helper.wait()
    t.check("it stays when the helper is killed", class_of(early.pid) == (RR, 30))
    t.pods([pod()])
    t.start()
    t.wait("and goes when the next one finds no policy", lambda: class_of(early.pid) == (OTHER, 0))
    t.check("nice values are those from before", os.getpriority(os.PRIO_PROCESS, early.pid) == NICE)

    t.pods([pod(rt_policy="FIFO", rt_priority=81)])
    hup()
    t.wait("a priority above the highest is refused", lambda: "RTPolicyRefused" in t.text() and
           "the highest priority that is given is 80 (--max-priority)" in t.text())
    t.check("threads stay as they are", class_of(early.pid) == (OTHER, 0))
    t.check("the budget, too", t.runtime("kubepods/poda/a1") == LOW)

    t.pods([asked])
    hup()
    t.wait("with a lower one it is given, and saved", lambda: class_of(early.pid) == (FIFO, 20) and
           saved() == [("FIFO", "20")])
    t.helper.kill()
    t.helper.wait()
    t.pods([])
    t.start()
    t.wait("a pod that lost its assignment meanwhile gets back what it had",
           lambda: class_of(early.pid) == (OTHER, 0) and class_of(reset) == (OTHER, 0))
    t.wait("and its budget goes", lambda: t.runtime("kubepods/poda/a1") == 0, 5)
    t.pods([asked])
    hup()
    t.wait("assigned again it has its class", lambda: class_of(early.pid) == (FIFO, 20))

    root = Container(t, "kubepods/poda/a1", user=0, nice=0).enter()
    t.wait("a container that has CAP_SYS_NICE is reported", lambda: "CanOutrank" in t.text(), 12)
    t.pods([])
    hup()
    t.wait("without the assignment threads get back what they had",
           lambda: class_of(early.pid) == (OTHER, 0) and class_of(reset) == (OTHER, 0))
    t.wait("so that the budget can be taken while they run",
           lambda: t.runtime("kubepods/poda/a1") == 0, 5)

    t.check("it ends well", t.stop() == 0)
    t.pods([asked])
    t.start("--poll")
    t.wait("without BPF it is given, too", lambda: class_of(early.pid) == (FIFO, 20))
    polled = Container(t, "kubepods/poda/a1").enter()
    t.wait("and to one that enters", lambda: class_of(polled.pid) == (FIFO, 20), 5)
    t.check("and taken at the end", t.stop() == 0 and class_of(polled.pid) == (OTHER, 0))
finally:
    t.finish()
