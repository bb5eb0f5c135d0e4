# SPDX-License-Identifier: Apache-2.0
"""Tests of real time on a machine that is perhaps virtual. While the machine below runs others, all
CPUs stand still, and that is a real overrun: a test that failed is tried once more, and more often
as long as much was taken meanwhile, each time after waiting for some quiet seconds."""

import time

MOST = 5
# Shares of the CPU time that the host took. Up to the first one a run counts as undisturbed: a CPU
# that stands still for some milliseconds is an overrun that nobody caused.
UNDISTURBED, NOISY = 0.002, 0.02
QUIET_SECONDS, WAIT_SECONDS = 3, 90


def cpu_times(cpu=""):
    """Stolen and all, in ticks, of this CPU or of all together."""
    with open("/proc/stat", encoding="ascii") as f:
        [fields] = [line.split() for line in f if line.startswith(f"cpu{cpu} ")]
    ticks = [int(x) for x in fields[1:9]]
    return ticks[7], sum(ticks)


def share_since(before, cpu=""):
    stolen, total = (now - then for now, then in zip(cpu_times(cpu), before))
    return stolen / total if total else 0


def wait_for_quiet():
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        before = cpu_times()
        time.sleep(QUIET_SECONDS)
        if share_since(before) < NOISY:
            return


def attempt(title, run):
    """run() returns what went wrong, or nothing. Returns how often it was tried, and the last word."""
    tries = 0
    while True:
        tries += 1
        before = cpu_times()
        problem = run()
        taken = share_since(before)
        if not problem or tries == MOST or (tries > 1 and taken < NOISY):
            return tries, problem
        print(f"# {title} failed, while {taken:.1%} of the CPUs' time was taken from this machine, "
              f"and is tried again:\n    {problem}", flush=True)
        wait_for_quiet()


def result(title, tries, problem):
    """The line about it. Returns 1 for a failure."""
    if problem:
        print(f"FAIL {title}\n    {problem}", flush=True)
        return 1
    print(f"PASS {title}{f' (try {tries})' if tries > 1 else ''}", flush=True)
    return 0
