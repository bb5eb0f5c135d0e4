# SPDX-License-Identifier: Apache-2.0
"""Deadlines that periodic tasks miss, in four set-ups side by side: without budgets, with fixed low
budgets, raised through the API server as MC-Kube does, and raised on the node by mckube-node. All
tasks overrun now and then; the Low ones ask for six times what they may."""

import os
import signal
import time

import tasksets
from older_operator import OlderOperator, write
from node_fixture import CORE, CPU, budget_of
from tries import UNDISTURBED, cpu_times, share_since

LOADS = (0.80, 0.90) if os.environ.get("FULL") else (0.90,)  # test/run --full
SEED = 1
RUN_SECONDS = 8
# All are released together, at a multiple of this time (us), which is one of all periods.
ALIGN = 2000000
PARENTS = CPU / "kubepods", CPU / "kubepods" / "besteffort"


def make_pods(c, tasks, is_fixed):
    """They wait for release(). Returns their groups and processes by name."""
    for t in tasks:
        jobs = RUN_SECONDS * 1000000 // t.period
        c.create(*c.task(t.name, t.criticality, t.period, t.low, t.low if is_fixed else t.hi, [
            "--period", t.period, "--work", t.work, "--overrun-work", t.overrun_work,
            "--overrun-every", t.every, "--jobs", jobs, "--priority", t.priority,
            "--align", ALIGN, "--seconds", 300]))
    c.apply()
    c.wait_running(*[t.name for t in tasks])
    groups = {t.name: c.group(t.name) for t in tasks}
    c.wait(lambda: all(budget_of(g) > 0 for g in groups.values()))
    return groups, {t.name: c.pid_of(t.name) for t in tasks}


def release(pids):
    """Right after such a moment, so that the next one is the same for all."""
    time.sleep((ALIGN - time.monotonic() * 1e6 % ALIGN) / 1e6)
    for pid in pids.values():
        os.kill(pid, signal.SIGUSR2)


def finish(c, tasks, pids):
    """Misses and jobs by criticality, and the share of the core that was taken meanwhile."""
    release(pids)
    before = cpu_times(CORE)
    time.sleep(RUN_SECONDS)
    taken = share_since(before, CORE)
    c.wait(lambda: all(c.phase(t.name) == "Succeeded" for t in tasks), RUN_SECONDS + 30)
    misses = {}
    for t in tasks:
        outcome = c.outcome(t.name)
        n = misses.setdefault(t.criticality, [0, 0])
        n[0] += outcome["misses"]
        n[1] += outcome["jobs"]
    c.clear()
    return misses, taken


def without_budgets(c, tasks):
    """The tasks leave their groups for the root one, where only priorities count."""
    groups, pids = make_pods(c, tasks, is_fixed=True)
    for group in groups.values():
        for pid in (group / "cgroup.procs").read_text().split():
            write(CPU, "cgroup.procs", pid)
    return finish(c, tasks, pids)


def with_fixed_budgets(c, tasks):
    _, pids = make_pods(c, tasks, is_fixed=True)
    return finish(c, tasks, pids)


def write_low_budgets(tasks, groups):
    """As the older agents leave them: QoS class and kubepods have all there is, made by hand."""
    for parent in PARENTS:
        write(parent, "cpu.rt_runtime_us", budget_of(CPU))
    for t in tasks:
        group = groups[t.name]
        write(group, "cpu.rt_runtime_us", t.low)
        write(group.parent, "cpu.rt_runtime_us", t.low * 1000000 // t.period + 1)


def compare_with_older_operator(c, tasks, groups, pids):
    write_low_budgets(tasks, groups)
    with OlderOperator(c, groups) as operator:
        misses = finish(c, tasks, pids)
    late = sorted(operator.latencies)
    print(f"# older operator: {len(late)} raised, after {late[len(late) // 2]:,.0f} us (median) to "
          f"{late[-1]:,.0f} us; {operator.n_refused} times refused by the kernel")
    return misses


def as_mckube(c, tasks):
    groups, pids = make_pods(c, tasks, is_fixed=False)
    c.uninstall_helper()
    try:
        return compare_with_older_operator(c, tasks, groups, pids)
    finally:
        c.clear()
        for parent in reversed(PARENTS):
            c.wait(lambda: write_or_not(parent, 0))
        c.install()


def write_or_not(group, budget):
    """A budget that is still needed below cannot go."""
    try:
        write(group, "cpu.rt_runtime_us", budget)
    except OSError:
        return False
    return True


def on_the_node(c, tasks):
    _, pids = make_pods(c, tasks, is_fixed=False)
    return finish(c, tasks, pids)


SETUPS = {"no budgets": without_budgets, "fixed low budgets": with_fixed_budgets,
          "raised through the API server": as_mckube, "mckube-node": on_the_node}


def run_all(c, load, tasks):
    """Load and set-up -> what High tasks missed, and what was taken."""
    results = {}
    for name, run in SETUPS.items():
        misses, taken = run(c, tasks)
        print(f"#   {name:32}" + "  ".join(
            f"{c} {misses[c][0]:3} of {misses[c][1]:3}" for c in ("High", "Middle", "Low")) +
            f"  {taken:.3f} was taken", flush=True)
        results[load, name] = misses["High"][0], taken
    return results


def test_deadlines(c):
    results = {}
    for load in LOADS:
        tasks, n = tasksets.draw_good(SEED, load)
        print(f"# load {load:.2f}: the {n}. set drawn; at their hi the High tasks use "
              f"{sum(t.hi / t.period for t in tasks if t.criticality == 'High'):.2f}")
        results |= run_all(c, load, tasks)
    for load in LOADS:
        missed, taken = results[load, "mckube-node"]
        assert missed == 0 or taken > UNDISTURBED, (load, results)
    ours, fixed = (sum(results[load, name][0] for load in LOADS)
                   for name in ("mckube-node", "fixed low budgets"))
    assert ours < fixed, results
