# SPDX-License-Identifier: Apache-2.0
"""The helper with budgets in software, in groups of cgroup v2: budgets, an overrun, the end of an
assignment, a helper that is killed or stopped, an upgrade. Nothing is left demoted or stopped."""
import contextlib
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from node import Test, skip

MOUNT = "/sys/fs/cgroup/unified"
PERIOD = 100000
RESET = 0x40000000

if not os.path.exists(MOUNT + "/cgroup.controllers"):
    skip("needs cgroup v2 beside v1")
with open("/proc/self/status") as f:
    if not int(next(line for line in f if line.startswith("CapEff")).split()[1], 16) >> 5 & 1:
        skip("needs CAP_KILL")

t = Test("soft", MOUNT)


def start(*options, prefix=()):
    t.start("--cgroup-root", MOUNT, "--backend", "soft", *options, prefix=prefix)


def policy(p):
    try:
        return os.sched_getscheduler(p.pid)
    except ProcessLookupError:
        return None


def is_fifo(p):
    return policy(p) in (os.SCHED_FIFO, os.SCHED_FIFO | RESET)


def state(p):
    with open(f"/proc/{p.pid}/stat") as f:
        return f.read().rsplit(")", 1)[1].split()[0]


def seen(p, what, seconds):
    """The states that a process was seen in, a millisecond apart."""
    found, end = [], time.monotonic() + seconds
    with alert():
        while time.monotonic() < end:
            found.append(what(p))
            time.sleep(0.001)
    return found


@contextlib.contextmanager
def alert():
    """On the other CPU, before its other work: what is not seen is not measured."""
    cpus = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {0})
    os.sched_setscheduler(0, os.SCHED_FIFO | RESET, os.sched_param(20))
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        os.sched_setaffinity(0, cpus)


def share_demoted(p, seconds=1):
    found = seen(p, is_fifo, seconds)
    return found.count(False) / len(found)


def stays_free(p):
    """It is real-time and runs, for longer than any period."""
    return all(seen(p, lambda q: is_fifo(q) and state(q) != "T", 0.5))


def longest_stop(p, seconds):
    longest, since, end = 0, None, time.monotonic() + seconds
    with alert():
        while time.monotonic() < end:
            now = time.monotonic()
            since = (since or now) if state(p) == "T" else None
            longest = max(longest, now - since if since else 0)
            time.sleep(0.001)
    return longest


def supervisors():
    done = subprocess.run(["pgrep", "-P", str(t.helper.pid), "mckube-soft"], text=True,
                          capture_output=True, check=False)
    return [int(pid) for pid in done.stdout.split()]


try:
    for group in ("kubepods", "kubepods/podbrake", "kubepods/podbrake/a1", "kubepods/podlogger",
                  "kubepods/podlogger/b1"):
        t.make(group)
    brake, logger = "kubepods/podbrake/a1", "kubepods/podlogger/b1"
    pods = [("brake", "High", PERIOD, 20000, 50000, brake, {"rt-core": 1, "rt-enforcement": "raise"}),
            ("logger", "Low", PERIOD, 40000, 40000, logger, {"rt-core": 1})]
    t.pods(pods)
    start("--dwell", "500ms", "--calm-periods", "3", "--capacity", "800000")
    t.wait("it says what it can promise", lambda: "backend soft: soft, statistical" in t.text())
    t.wait("budgets are confirmed", lambda: t.text().count("RTBudgetApplied") == 2)

    spinner = t.fifo(logger, 1)
    share = share_demoted(spinner)
    t.check(f"a spinner is demoted for the rest of each period ({share:.2f})", 0.5 < share < 0.7)
    other = t.fifo(brake, 1)
    t.wait("an overrun raises the brake", lambda: "RuntimeEscalated pod default/brake" in t.text())
    t.wait("and cuts the logger", lambda: "Degraded pod default/logger" in t.text())
    t.end(other)
    t.wait("calm, it comes down", lambda: "RuntimeRecovered pod default/brake" in t.text() or
           "Restored pod default/logger" in t.text())

    t.pods([pods[0]])
    t.helper.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    t.check("without an assignment it is let alone", stays_free(spinner))
    t.pods(pods)
    t.helper.send_signal(signal.SIGHUP)
    t.wait("assigned again it is demoted", lambda: not is_fifo(spinner), 2)

    [supervisor] = supervisors()
    t.helper.send_signal(signal.SIGSTOP)
    stop = longest_stop(spinner, 2)
    t.check(f"a stopped helper leaves it stopped for a period at most ({stop * 1e3:.0f} ms)",
            stop < PERIOD / 1e6 + 0.05)
    t.helper.send_signal(signal.SIGCONT)
    time.sleep(0.2)
    share = share_demoted(spinner)
    t.check(f"continued, it goes on ({share:.2f})", 0.5 < share < 0.7)

    os.kill(supervisor, signal.SIGKILL)
    t.wait("a supervisor that was killed is replaced", lambda: supervisors() not in ([], [supervisor]), 5)

    t.helper.kill()
    t.helper.wait()
    t.helper = None
    stop = longest_stop(spinner, 2)
    t.check(f"a killed helper, too ({stop * 1e3:.0f} ms)", stop < PERIOD / 1e6 + 0.05)
    start()
    t.wait("the next one goes on", lambda: not is_fifo(spinner), 5)
    share = share_demoted(spinner)
    t.check(f"with its budget ({share:.2f})", 0.5 < share < 0.7)

    t.wait("it is demoted", lambda: not is_fifo(spinner), 2)
    t.check("an upgrade ends well", t.stop() == 0)
    t.check("and leaves it as it was", stays_free(spinner))
    start()
    t.wait("until the new helper is there", lambda: not is_fifo(spinner), 5)

    [supervisor] = supervisors()
    os.kill(supervisor, signal.SIGSTOP)
    t.helper.kill()
    t.helper.wait()
    os.kill(supervisor, signal.SIGKILL)
    t.helper = None
    time.sleep(0.2)
    start()
    t.wait("helper and supervisor killed, the next helper goes on",
           lambda: t.text().count("backend soft") == 4 and not is_fifo(spinner), 5)
    t.wait("and the spinner runs", lambda: is_fifo(spinner) and state(spinner) == "R", 2)
    t.check("it ends well", t.stop() == 0)
    t.check("and leaves everything as it was", stays_free(spinner))
finally:
    t.finish()
