# SPDX-License-Identifier: Apache-2.0
"""Tests on real clusters, kernels and browsers, where a loaded machine can make a test fail.

A failed test is tried once more, and told as unstable by test/run's last lines when it passes then. With
STRICT set (test/run --strict) the first failure is final. On a virtual machine a host that runs other
guests stops all CPUs, and that is a real overrun: while it takes CPU time (steal in /proc/stat), a test is
tried up to three times, strict or not, each after some quiet seconds."""

import os
import time
import traceback

MOST = 3
# Shares of the CPU time that the host took. Up to the first one a run counts as undisturbed, and its
# result is final.
UNDISTURBED, NOISY = 0.002, 0.02
QUIET_SECONDS, WAIT_SECONDS = 3, 90


class Skip(Exception):
    """What a test needs is not there; the reason."""


def cpu_times(cpu=""):
    """Stolen and all, in ticks, of this CPU or of all together."""
    with open("/proc/stat", encoding="ascii") as f:
        [fields] = [line.split() for line in f if line.startswith(f"cpu{cpu} ")]
    ticks = [int(x) for x in fields[1:9]]
    return ticks[7], sum(ticks)


def share(before, after):
    stolen, total = (now - then for now, then in zip(after, before))
    return stolen / total if total else 0


def share_since(before, cpu=""):
    return share(before, cpu_times(cpu))


def wait_for_quiet():
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        before = cpu_times()
        time.sleep(QUIET_SECONDS)
        if share_since(before) < NOISY:
            return


def may_try_again(n_tries, is_disturbed, is_strict):
    if n_tries == MOST:
        return False
    return is_disturbed or (n_tries == 1 and not is_strict)


def attempt(title, run, read_times=cpu_times, calm_down=wait_for_quiet, is_strict="STRICT" in os.environ):
    """run() returns what went wrong, or nothing. Returns the number of tries and the last result."""
    for n_tries in range(1, MOST + 1):
        before = read_times()
        problem = run()
        taken = share(before, read_times())
        is_disturbed = taken > UNDISTURBED
        if not problem or not may_try_again(n_tries, is_disturbed, is_strict):
            return n_tries, problem
        print(f"RETRY {title}: failed while the host took {taken:.1%} of the CPUs' time\n    {problem}", flush=True)
        if is_disturbed:
            calm_down()


def result(title, n_tries, problem):
    """Prints the line of a test; test/run counts its further tries. Returns 1 for a failure."""
    again = f" (try {n_tries})" if n_tries > 1 else ""
    if problem:
        print(f"FAIL {title}{again}\n    {problem}", flush=True)
        return 1
    print(f"PASS {title}{again}", flush=True)
    return 0


def run(title, test):
    """The whole of it for a function that passes unless it raises. Returns 1 for a failure."""
    def problem_of():
        try:
            test()
        except Skip:
            raise
        except Exception:  # pylint: disable=broad-except
            return traceback.format_exc().strip().replace("\n", "\n    ")
        return None
    try:
        return result(title, *attempt(title, problem_of))
    except Skip as e:
        print(f"SKIP {title}: {e}", flush=True)
        return 0
