# SPDX-License-Identifier: Apache-2.0
"""Tests of real time on a virtual machine. While the host runs other guests, all CPUs stand still, and
that is a real overrun: a test that failed is tried again when, and only when, the host took CPU time
while it ran (steal in /proc/stat), after waiting for some quiet seconds."""

import time

MOST = 3
# Shares of the CPU time that the host took. Up to the first one a run counts as undisturbed, and its
# result is final.
UNDISTURBED, NOISY = 0.002, 0.02
QUIET_SECONDS, WAIT_SECONDS = 3, 90


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


def attempt(title, run, read_times=cpu_times, calm_down=wait_for_quiet):
    """run() returns what went wrong, or nothing. Returns the number of tries and the last result."""
    for n_tries in range(1, MOST + 1):
        before = read_times()
        problem = run()
        taken = share(before, read_times())
        if not problem or taken <= UNDISTURBED or n_tries == MOST:
            return n_tries, problem
        print(f"# {title} failed, while the host took {taken:.1%} of the CPUs' time, and is tried "
              f"again:\n    {problem}", flush=True)
        calm_down()


def result(title, n_tries, problem):
    """Prints the line of a test; test/run counts its further tries. Returns 1 for a failure."""
    again = f" (try {n_tries})" if n_tries > 1 else ""
    if problem:
        print(f"FAIL {title}{again}\n    {problem}", flush=True)
        return 1
    print(f"PASS {title}{again}", flush=True)
    return 0
