# SPDX-License-Identifier: Apache-2.0
"""The live view and status --watch, beside a cluster that changes."""

import contextlib
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import termios

LEASE = "mckube-node-n1"


def use(c, uid, used_us):
    """The heartbeat of the node's helper, with what it has accounted."""
    text = json.dumps({"pods": [{"uid": uid, "overruns": 2, "containers": [
        {"name": "c", "usedUs": used_us, "p99Us": 2 * used_us}]}]})
    c.kubectl("apply", "-n", c.ns, "-f", "-", stdin=json.dumps({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": LEASE, "labels": {"app.kubernetes.io/name": "mckube-node"},
                     "annotations": {"mckube.io/use": text}},
        "spec": {"holderIdentity": "n1", "leaseDurationSeconds": 40,
                 "renewTime": "2100-01-01T00:00:00.000000Z"}}))


@contextlib.contextmanager
def one_pod(c):
    """A pod with cores on n1, of which 100 ms of each second are used."""
    c.nodes("n1")
    c.create(*c.pair("brake", 200000, 300000, "High"))
    c.mckube("apply", "-n", c.ns)
    c.set_running("brake")
    uid = c.get("pod", "brake")["metadata"]["uid"]
    try:
        use(c, uid, 100000)
        yield uid
    finally:
        c.kubectl("delete", "lease", LEASE, "-n", c.ns, "--ignore-not-found")


class Terminal:
    """A program on a terminal of 80 columns and 24 lines."""

    def __init__(self, *argv):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=subprocess.PIPE,
                                        env=dict(os.environ, TERM="xterm", LC_ALL="C.UTF-8"))
        os.close(slave)
        self.text = ""

    def shows(self, what):
        """Has it ever been written?"""
        while select.select([self.master], [], [], 0)[0]:
            try:
                self.text += os.read(self.master, 65536).decode(errors="replace")
            except OSError:  # the other end is closed
                break
        return what in self.text

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stderr.close()
        os.close(self.master)


def test_top_follows_the_cluster(c):
    with one_pod(c) as uid:
        found, = json.loads(c.mckube("top", "-n", c.ns, "-o", "json").out)
        assert (found["name"], found["usedUs"], found["p99Us"], found["overruns"]) == (
            "brake", 100000, 200000, 2), found
        assert (found["budgetUs"], found["usedPpm"]) == (200000, 500000), found
        terminal = Terminal(c.program, "top", "-n", c.ns, "--node", "n1")
        try:
            c.wait(lambda: terminal.shows("brake") and terminal.shows("100ms"))
            before = len(terminal.text)
            use(c, uid, 123000)
            c.wait(lambda: terminal.shows("123ms"))
            assert "\x1b[2J" not in terminal.text[before:], "all was drawn again"
            assert "q quit" not in terminal.text[before:], "lines that are the same were drawn again"
            os.write(terminal.master, b"2")
            c.wait(lambda: terminal.shows("nodes: 1"))
            os.write(terminal.master, b"q")
            c.wait(lambda: terminal.process.poll() is not None)
            assert terminal.process.returncode == 0, terminal.process.stderr.read()
            assert terminal.shows("\x1b[?1049l") and terminal.shows("\x1b[?25h"), terminal.text[-80:]
        finally:
            terminal.end()


def test_status_watches(c):
    with one_pod(c):
        path = c.folder / "status-watch"
        with path.open("w") as out:
            process = subprocess.Popen([c.program, "status", "-n", c.ns, "--watch"], stdout=out,
                                       stderr=subprocess.PIPE)
        try:
            c.wait(lambda: "brake" in path.read_text())
            c.kubectl("annotate", "pod", "brake", "-n", c.ns, "--overwrite", "mckube.io/rt-current=hi")
            c.wait(lambda: " hi " in path.read_text())
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0, process.stderr.read()
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            process.stderr.close()
        lines = path.read_text().splitlines()
        assert lines[0].startswith("NAMESPACE") and sum(li.startswith("NAMESPACE") for li in lines) == 1
        assert " low " in lines[1] and " hi " in lines[-1], lines
