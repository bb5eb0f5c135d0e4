# SPDX-License-Identifier: Apache-2.0
"""Shared by the tests of a running mckube-node: cgroups of their own, FIFO processes that die with
the test, the helper itself. Each step is a line: "PASS step" or "FAIL step"; a failed step does not
end the test."""
import os
import signal
import subprocess
import sys
import time
import traceback

MOUNT = "/sys/fs/cgroup/cpu"
LIFE_S = 60  # no test process lives longer

SPIN = """
import os, sys, signal, ctypes
ctypes.CDLL(None).prctl(1, 9)
signal.alarm(%d)
path, cpu, work, idle = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
open(path + "/cgroup.procs", "w").write(str(os.getpid()))
os.sched_setaffinity(0, {cpu})
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
print("ready", flush=True)
import time
clock = time.thread_time if idle else None
while True:
    if not idle:
        continue
    end = time.thread_time() + work
    while time.thread_time() < end:
        pass
    time.sleep(idle)
""" % LIFE_S


def skip(why):
    print(why)
    sys.exit(77)


class Test:
    def __init__(self, name, mount=MOUNT):
        self.node = os.environ.get("MCKUBE_NODE", "build/cmd/mckube-node/mckube-node")
        if os.geteuid() != 0 or not os.path.exists(MOUNT + "/cpu.rt_runtime_us"):
            skip("needs root and RT groups of cgroup v1")
        if not os.path.exists(self.node):
            skip(f"{self.node} is not built")
        self.name = f"mckube-{name}-{os.getpid()}"
        self.mount = mount
        self.dir = f"/tmp/{self.name}"
        self.processes, self.groups, self.failed = [], [], 0
        self.helper = None
        os.mkdir(self.dir)
        self.make("")

    def path(self, group):
        return f"{self.mount}/{self.name}/{group}".rstrip("/")

    def make(self, group):
        os.mkdir(self.path(group))
        self.groups.append(group)

    def runtime(self, group):
        with open(self.path(group) + "/cpu.rt_runtime_us") as f:
            return int(f.read())

    def write_runtime(self, group, value):
        with open(self.path(group) + "/cpu.rt_runtime_us", "w") as f:
            f.write(str(value))

    def fifo(self, group, cpu, work=0, idle=0):
        """A FIFO process: spins, or works and sleeps in turn (seconds)."""
        p = subprocess.Popen(
            [sys.executable, "-c", SPIN, self.path(group), str(cpu), str(work), str(idle)],
            stdout=subprocess.PIPE, text=True)
        self.processes.append(p)
        if p.stdout.readline() != "ready\n":
            raise RuntimeError(f"no FIFO process in {group}")
        return p

    def end(self, process):
        process.kill()
        process.wait()
        if process in self.processes:
            self.processes.remove(process)

    def pods(self, pods):
        """The file for --static: (name, criticality, period, low, hi, group, more annotations); for
        group a process, too."""
        with open(self.dir + "/pods.yaml", "w") as f:
            for name, criticality, period, low, hi, group, more in pods:
                f.write(f"---\nkind: Pod\nmetadata:\n  name: {name}\n  annotations:\n")
                annotations = {"rt-period": period, "rt-runtime-low": low, "rt-runtime-hi": hi,
                               "criticality": criticality, **more}
                for key, value in annotations.items():
                    f.write(f"    mckube.io/{key}: \"{value}\"\n")
                where = f"pid: {group}" if isinstance(group, int) else f"cgroup: {self.name}/{group}"
                f.write(f"spec:\n  containers:\n  - name: app\n    {where}\n")

    def start(self, *options, static=True, prefix=()):
        """Without headroom, unless the options say otherwise: budgets are those of the pods."""
        wanted = ["--headroom", "0", *(["--static", self.dir + "/pods.yaml"] if static else [])]
        self.log = open(self.dir + "/log", "a+")
        self.helper = subprocess.Popen(
            [*prefix, self.node, "run", *wanted, "--state-file", self.dir + "/state.json", *options],
            stderr=self.log)

    def stop(self, how=signal.SIGTERM):
        self.helper.send_signal(how)
        code = self.helper.wait(20)
        self.helper = None
        return code

    def status(self):
        return subprocess.run([self.node, "status", "--state-file", self.dir + "/state.json"],
                              stdout=subprocess.PIPE, text=True, check=True).stdout

    def text(self):
        with open(self.dir + "/log") as f:
            return f.read()

    def wait(self, what, condition, seconds=10):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.holds(condition):
                return self.check(what, True)
            if self.helper and self.helper.poll() is not None:
                break
            time.sleep(0.02)
        return self.check(what, False)

    @staticmethod
    def holds(condition):
        """A value that is not there yet does not end the test."""
        try:
            return condition()
        except (KeyError, IndexError, FileNotFoundError):
            return False

    def check(self, what, is_good):
        """is_good: a value, or a function of it."""
        is_good = self.holds(is_good) if callable(is_good) else is_good
        print(("PASS " if is_good else "FAIL ") + what, flush=True)
        self.failed += not is_good
        return is_good

    def finish(self):
        if sys.exc_info()[0] not in (None, SystemExit):
            traceback.print_exc()
            self.failed += 1
        if self.helper:
            self.helper.kill()
            self.helper.wait()
        for p in list(self.processes):
            self.end(p)
        for group in reversed(self.groups):
            self.remove(group)
        if self.failed:
            print(self.text(), file=sys.stderr)
        for name in os.listdir(self.dir):
            os.unlink(f"{self.dir}/{name}")
        os.rmdir(self.dir)
        sys.exit(1 if self.failed else 0)

    def remove(self, group):
        for _ in range(200):
            try:
                if os.path.exists(self.path(group)):
                    if self.mount == MOUNT:
                        self.write_runtime(group, 0)
                    os.rmdir(self.path(group))
                return
            except OSError:
                time.sleep(0.002)
