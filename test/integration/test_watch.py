# SPDX-License-Identifier: Apache-2.0
"""`kubectl mckube watch`: what it does, who may, and what it tells."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.request

from world import TOP, Skip


class Watcher:
    """A running watch; its log is a file, its metrics are on a port of their own."""

    def __init__(self, w, name, *args):
        self.w, self.log = w, w.folder / f"{w.ns}-{name}.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [w.program, "watch", "--metrics-bind-address=127.0.0.1:0", *args],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        w.wait(lambda: "/metrics" in self.text() or self.process.poll() is not None)
        assert self.process.poll() is None, self.text()
        self.url = re.search(r"metrics: (http://\S+)/metrics", self.text()).group(1)

    def text(self):
        return self.log.read_text()

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=10) as reply:
            return reply.read().decode()

    def metric(self, start):
        """The sum of all series whose line begins so."""
        return sum(float(line.rsplit(" ", 1)[1]) for line in self.get("/metrics").splitlines()
                   if line.startswith(start))

    def leads(self):
        return self.metric("mckube_leader") == 1

    def actions(self):
        return self.metric("mckube_actions_total")

    def end(self, sig=signal.SIGTERM):
        self.process.send_signal(sig)
        return self.process.wait(20)


@contextlib.contextmanager
def watching(w, name="watch", *args):
    watcher = Watcher(w, name, *args)
    try:
        yield watcher
    except BaseException:
        print(watcher.text())
        raise
    finally:
        if watcher.process.poll() is None:
            watcher.process.kill()
            watcher.process.wait()
        free_lease(w)


def free_lease(w):
    w.kubectl("delete", "lease", "mckube", "-n", "kube-system", "--ignore-not-found")


def node_of(w, name):
    return w.get("pod", name)["spec"].get("nodeName")


def holder(w):
    return w.get("lease", "mckube", "kube-system")["spec"]["holderIdentity"]


def test_watch_places_what_comes(w):
    with watching(w) as watcher:
        w.wait(watcher.leads)
        w.nodes("n1", "n2")
        w.create(*w.pair("a", 300000))
        w.wait(lambda: node_of(w, "a"))
        began = time.monotonic()
        w.create(*w.pair("b", 300000))
        w.wait(lambda: node_of(w, "b"), 3)
        print(f"    placed after {time.monotonic() - began:.2f} s, with kubectl's own time")
        assert w.note(w.get("pod", "b"), "mckube.io/rt-core") is not None
        assert watcher.get("/healthz") == watcher.get("/readyz") == "ok\n"


def test_watch_says_a_thing_once_and_plans_nothing_twice(w):
    w.nodes("n1")
    with watching(w, "watch", "--interval=1s") as watcher:
        w.create(*w.pair("fits", 300000), *w.pair("never", 990000))
        w.wait(lambda: node_of(w, "fits"))
        passes = watcher.metric("mckube_passes_total")
        w.wait(lambda: watcher.metric("mckube_passes_total") >= passes + 3)
        assert watcher.text().count(f"no place for Pod {w.ns}/never") == 1, watcher.text()
        assert watcher.text().count(f"Bind Pod {w.ns}/fits") == 1
        assert watcher.metric("mckube_pass_failures_total") == 0
        assert watcher.metric('mckube_unplaced_pods{reason="NoRoom"}') == 1


def test_watch_dry_run_only_says(w):
    w.nodes("n1")
    w.create(*w.pair("a", 300000))
    with watching(w, "watch", "--dry-run") as watcher:
        w.wait(lambda: f"would Bind Pod {w.ns}/a" in watcher.text())
        assert not watcher.leads() and watcher.actions() == 0 and not node_of(w, "a")
        assert w.kubectl("get", "lease", "mckube", "-n", "kube-system", check=False).code == 1


def test_watch_once(w):
    w.nodes("n1")
    w.create(*w.pair("a", 300000))
    prom = w.folder / "mckube.prom"
    done = w.mckube("watch", "--once", f"--metrics-textfile={prom}")
    assert f"Bind Pod {w.ns}/a" in done.err and node_of(w, "a"), done
    assert 'mckube_actions_total{action="Bind",result="Done"} 1\n' in prom.read_text()
    assert oct(prom.stat().st_mode & 0o777) == "0o644", prom.stat()
    promtool(prom.read_text())
    assert holder(w) == ""
    again = w.mckube("watch", "--once")
    assert "Bind" not in again.err, again


def test_watch_once_waits_for_the_daemon(w):
    w.nodes("n1")
    with watching(w) as watcher:
        w.wait(watcher.leads)
        done = w.mckube("watch", "--once", "--lock-timeout=1s", check=False)
        assert done.code == 1 and "is held by" in done.err, done


def test_of_two_watchers_one_acts(w):
    w.nodes("n1")
    with watching(w, "first") as first:
        w.wait(first.leads)
        with watching(w, "second") as second:
            w.create(*w.pair("a", 300000))
            w.wait(lambda: node_of(w, "a"))
            assert first.actions() > 0 and second.actions() == 0 and not second.leads()
            first.end(signal.SIGKILL)
            w.create(*w.pair("b", 300000))
            w.wait(lambda: node_of(w, "b"), 40)
            assert second.leads() and second.metric("mckube_lease_acquired_total") == 1


def test_sigterm_gives_the_lease_back(w):
    w.nodes("n1")
    with watching(w) as watcher:
        w.wait(watcher.leads)
        assert watcher.end() == 0 and holder(w) == "", watcher.text()
        w.mckube("watch", "--once", "--lock-timeout=2s")


def test_a_stolen_lease_stops_the_watcher(w):
    w.nodes("n1")
    with watching(w) as watcher:
        w.wait(watcher.leads)
        w.kubectl("patch", "lease", "mckube", "-n", "kube-system", "--type=merge", "-p",
                  '{"spec":{"holderIdentity":"thief","leaseDurationSeconds":4}}')
        w.wait(lambda: not watcher.leads())
        before = watcher.actions()
        w.create(*w.pair("a", 300000))
        while not watcher.leads():
            assert watcher.actions() == before
            time.sleep(0.2)
        w.wait(lambda: node_of(w, "a"))
        assert watcher.metric("mckube_lease_lost_total") == 1


def only_ours(w):
    if os.environ.get("MCKUBE_EXISTING_CLUSTER"):
        raise Skip("stops the API server")


def ready(w):
    return w.kubectl("get", "--raw", "/readyz", check=False).code == 0


def test_a_leader_that_cannot_renew_stops(w):
    """A server that hangs: the Lease is not held 10 s after it was last renewed."""
    only_ours(w)
    w.nodes("n1")
    pid = w.cluster.processes["kube-apiserver"]["pid"]
    with watching(w) as watcher:
        w.wait(watcher.leads)
        os.kill(pid, signal.SIGSTOP)
        began = time.monotonic()
        try:
            w.wait(lambda: not watcher.leads())
        finally:
            os.kill(pid, signal.SIGCONT)
        assert 5 < time.monotonic() - began < 13, time.monotonic() - began
        w.wait(lambda: ready(w))
        w.create(*w.pair("a", 300000))
        w.wait(lambda: node_of(w, "a"), 40)


def test_watch_survives_a_restart_of_the_server(w):
    only_ours(w)
    w.nodes("n1")
    with watching(w) as watcher:
        w.wait(watcher.leads)
        w.create(*w.pair("a", 300000))
        w.wait(lambda: node_of(w, "a"))
        w.cluster.stop("kube-apiserver", signal.SIGKILL)
        time.sleep(1)
        w.cluster.start("kube-apiserver")
        w.wait(lambda: ready(w), 60)
        w.create(*w.pair("b", 300000))
        w.wait(lambda: node_of(w, "b"), 60)
        assert watcher.process.poll() is None
        assert watcher.metric("mckube_watch_streams_total") > 8


def promtool(text):
    if not shutil.which("promtool"):
        raise Skip("no promtool")
    done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0 and not done.stdout, done.stdout


def names_in_readme():
    section = (TOP / "README.md").read_text().split("## Keeping it so")[1].split("\n## ")[0]
    return set(re.findall(r"`(mckube_\w+)", section))


def test_metrics_are_accepted(w):
    w.nodes("n1")
    with watching(w) as watcher:
        w.create(*w.pair("a", 300000, 500000, "High"))
        w.wait(lambda: node_of(w, "a"))
        w.run_pod("a")
        w.wait(lambda: watcher.metric('mckube_cores{state="used"}') == 1)
        text = watcher.get("/metrics")
        promtool(text)
        assert not [name for name in names_in_readme() if f"# TYPE {name} " not in text]
        assert 'mckube_core_utilization_ratio{node="n1",cpu="0",mode="low"} 0.300000\n' in text
        assert 'mckube_core_utilization_ratio{node="n1",cpu="0",mode="high"} 0.500000\n' in text
        assert watcher.metric("mckube_api_requests_total") > 5
        w.kubectl("annotate", "pod", "a", "-n", w.ns, "--overwrite", "mckube.io/rt-current=hi")
        w.wait(lambda: watcher.metric("mckube_escalations_seen_total") == 1)
        assert f'mckube_pod_level{{namespace="{w.ns}",pod="a"}} 2\n' in watcher.get("/metrics")


def test_watch_says_only_what_concerns_a_namespace(w):
    w.nodes("n1")
    with watching(w, "watch", "--namespace=elsewhere") as watcher:
        w.create(*w.pair("fits", 300000), *w.pair("never", 990000))
        w.wait(lambda: node_of(w, "fits"))
        w.wait(lambda: watcher.metric('mckube_unplaced_pods{reason="NoRoom"}') == 1)
        assert w.ns not in watcher.text(), watcher.text()


@contextlib.contextmanager
def watching_two_pods(w, **pressure):
    """A Low and a High pod run on one node; only time and news make passes."""
    w.nodes("n1", cores=4)
    with watching(w, "watch", "--interval=1h", w.pressure(**pressure)) as watcher:
        w.create(*w.pair("low", 200000), *w.pair("high", 300000, 300000, "High"))
        w.wait(lambda: node_of(w, "low") and node_of(w, "high"))
        w.run_pod("low")
        w.run_pod("high")
        yield watcher


def test_watch_relieves_step_by_step(w):
    with watching_two_pods(w, delaySeconds=1, stepSeconds=2, holdSeconds=2, evict="all") as watcher:
        w.say_usage("n1", 97, seconds=0)
        w.say_usage("n1", 97, seconds=1)
        steps = ["Degrade Pod", "Taint Node", "Evict Pod"]
        w.wait(lambda: all(step in watcher.text() for step in steps), 20)
        text = watcher.text()
        assert sorted(steps, key=text.index) == steps, text
        w.say_usage("n1", 50)
        w.wait(lambda: "Untaint Node" in watcher.text(), 20)
        assert not w.get("node", "n1")["spec"].get("taints"), watcher.text()


def test_watch_gives_back_what_it_took(w):
    with watching_two_pods(w, stepSeconds=60, holdSeconds=3) as watcher:
        degraded = lambda: w.note(w.get("pod", "low"), "mckube.io/rt-degraded")
        w.say_usage("n1", 97)
        w.wait(degraded)
        w.say_usage("n1", 50)
        w.wait(lambda: not degraded(), 10)
        assert f"SetLevel Pod {w.ns}/low" in watcher.text(), watcher.text()


def test_log_as_json(w):
    with watching(w, "watch", "--log-format=json") as watcher:
        w.wait(watcher.leads)
        lines = [json.loads(line) for line in watcher.text().splitlines()]
        assert any(line["msg"].startswith("leading:") for line in lines), lines
        assert abs(lines[0]["ts"] / 1000 - time.time()) < 60
