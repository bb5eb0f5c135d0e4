# SPDX-License-Identifier: Apache-2.0
"""`kubectl mckube watch`: its actions, its Lease, its log and metrics."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request

from tries import Skip


class Watcher:
    """A running watch; its log is a file, its metrics are on a port of their own."""

    def __init__(self, c, name, *args, env=None):
        self.c, self.log = c, c.folder / f"{c.ns}-{name}.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [c.program, "watch", "--metrics-bind-address=127.0.0.1:0", *args],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, **(env or {})})
        c.wait(lambda: "/metrics" in self.text() or self.process.poll() is not None)
        assert self.process.poll() is None, self.text()
        self.url = re.search(r"metrics: (http://\S+)/metrics", self.text()).group(1)

    def text(self):
        return self.log.read_text()

    def get(self, path):
        if path == "/metrics":
            self.fetch(path)  # the text that is published after a scrape is what it finds now
            time.sleep(0.5)
        return self.fetch(path)

    def fetch(self, path):
        with urllib.request.urlopen(self.url + path, timeout=10) as reply:
            return reply.read().decode()

    def says(self, path):
        try:
            return self.fetch(path)
        except urllib.error.HTTPError as refusal:
            return refusal.read().decode()

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
def watching(c, name="watch", *args, env=None):
    watcher = Watcher(c, name, *args, env=env)
    try:
        yield watcher
    except BaseException:
        print(watcher.text())
        raise
    finally:
        if watcher.process.poll() is None:
            watcher.process.kill()
            watcher.process.wait()
        free_lease(c)


def free_lease(c):
    c.kubectl("delete", "lease", "mckube", "-n", "kube-system", "--ignore-not-found")


def node_of(c, name):
    return c.get("pod", name)["spec"].get("nodeName")


def holder(c):
    return c.get("lease", "mckube", "kube-system")["spec"]["holderIdentity"]


def test_watch_places_new_pods(c):
    with watching(c) as watcher:
        c.wait(watcher.leads)
        c.nodes("n1", "n2")
        c.create(*c.pair("a", 300000))
        c.wait(lambda: node_of(c, "a"))
        began = time.monotonic()
        c.create(*c.pair("b", 300000))
        c.wait(lambda: node_of(c, "b"), 20)
        print(f"    placed after {time.monotonic() - began:.2f} s, with kubectl's own time")
        assert c.annotation_of(c.get("pod", "b"), "mckube.io/rt-core") is not None
        assert watcher.get("/healthz") == watcher.get("/readyz") == "ok\n"


def test_environment_names_lease_holder_and_source(c):
    """Each instance is another holder, whatever its pod is called."""
    c.nodes("n1")
    env = {"OPERATOR_NAME": "kcloud-operator", "POD_NAME": "kcloud-operator-0", "POD_NAMESPACE": "kcloud"}
    try:
        with watching(c, "watch", env=env) as watcher:
            c.wait(watcher.leads)
            holder = c.get("lease", "kcloud-operator", "kube-system")["spec"]["holderIdentity"]
            assert re.fullmatch(r"kcloud/kcloud-operator-0_[0-9a-f]{8}", holder), holder
            c.create(*c.pair("a", 300000))
            c.wait(lambda: any(e["reason"] == "Scheduled" and e["reportingController"] == "kcloud-operator"
                               for e in c.get("events.events.k8s.io")))
    finally:
        c.kubectl("delete", "lease", "kcloud-operator", "-n", "kube-system", check=False)


def test_repeated_passes_log_and_plan_nothing_twice(c):
    c.nodes("n1")
    with watching(c, "watch", "--interval=1s") as watcher:
        c.create(*c.pair("fits", 300000), *c.pair("never", 990000))
        c.wait(lambda: node_of(c, "fits") and f"Pod {c.ns}/never: NoRoom" in watcher.text())
        passes = watcher.metric("mckube_passes_total")
        c.wait(lambda: watcher.metric("mckube_passes_total") >= passes + 3)
        # The pod may be seen before its request is: that is another reason.
        assert watcher.text().count(f"no place for Pod {c.ns}/never: NoRoom") == 1, watcher.text()
        assert watcher.text().count(f"Bind Pod {c.ns}/fits") == 1
        assert watcher.metric("mckube_pass_failures_total") == 0
        assert watcher.metric('mckube_unplaced_pods{reason="NoRoom"}') == 1


def test_dry_run_writes_nothing(c):
    c.nodes("n1")
    c.create(*c.pair("a", 300000))
    with watching(c, "watch", "--dry-run") as watcher:
        c.wait(lambda: f"would Bind Pod {c.ns}/a" in watcher.text())
        assert not watcher.leads() and watcher.actions() == 0 and not node_of(c, "a")
        assert c.kubectl("get", "lease", "mckube", "-n", "kube-system", check=False).code == 1


def test_once_makes_one_pass_and_ends(c):
    c.nodes("n1")
    c.create(*c.pair("a", 300000))
    prom = c.folder / "mckube.prom"
    done = c.mckube("watch", "--once", f"--metrics-textfile={prom}")
    assert f"Bind Pod {c.ns}/a" in done.err and node_of(c, "a"), done
    assert 'mckube_actions_total{action="Bind",result="Done"} 1\n' in prom.read_text()
    assert oct(prom.stat().st_mode & 0o777) == "0o644", prom.stat()
    promtool(prom.read_text())
    assert holder(c) == ""
    refused = c.mckube("watch", "--once", "--metrics-textfile=/no/such/folder/x", check=False)
    assert refused.code == 1 and "--metrics-textfile: /no/such/folder" in refused.err, refused
    again = c.mckube("watch", "--once")
    assert "Bind" not in again.err, again


def test_once_waits_for_the_lease_of_the_daemon(c):
    c.nodes("n1")
    with watching(c) as watcher:
        c.wait(watcher.leads)
        done = c.mckube("watch", "--once", "--lock-timeout=1s", check=False)
        assert done.code == 1 and "held by" in done.err, done


def test_of_two_watchers_only_the_leader_acts(c):
    c.nodes("n1")
    with watching(c, "first") as first:
        c.wait(first.leads)
        with watching(c, "second") as second:
            c.create(*c.pair("a", 300000))
            c.wait(lambda: node_of(c, "a"))
            assert first.actions() > 0 and second.actions() == 0 and not second.leads()
            first.end(signal.SIGKILL)
            c.create(*c.pair("b", 300000))
            c.wait(lambda: node_of(c, "b"), 40)
            assert second.leads() and second.metric("mckube_lease_acquired_total") == 1


def test_sigterm_gives_the_lease_back(c):
    c.nodes("n1")
    with watching(c) as watcher:
        c.wait(watcher.leads)
        assert watcher.end() == 0 and holder(c) == "", watcher.text()
        c.mckube("watch", "--once", "--lock-timeout=2s")


def test_watcher_that_lost_its_lease_makes_no_action(c):
    c.nodes("n1")
    with watching(c) as watcher:
        c.wait(watcher.leads)
        c.kubectl("patch", "lease", "mckube", "-n", "kube-system", "--type=merge", "-p",
                  '{"spec":{"holderIdentity":"thief","leaseDurationSeconds":4}}')
        c.wait(lambda: not watcher.leads())
        before = watcher.actions()
        c.create(*c.pair("a", 300000))

        def leads_again():
            actions = watcher.actions()
            is_leader = watcher.leads()  # asked after them: a watch that has acted leads by then
            assert is_leader or actions == before
            return is_leader

        c.wait(leads_again)
        c.wait(lambda: node_of(c, "a"))
        assert watcher.metric("mckube_lease_lost_total") == 1


def only_ours(c):
    if os.environ.get("MCKUBE_EXISTING_CLUSTER"):
        raise Skip("stops the API server")


def ready(c):
    return c.kubectl("get", "--raw", "/readyz", check=False).code == 0


def test_leader_that_cannot_renew_stops_before_the_lease_ends(c):
    """A server that hangs: the Lease is not held 10 s after it was last renewed."""
    only_ours(c)
    c.nodes("n1")
    pid = c.cluster.processes["kube-apiserver"]["pid"]
    with watching(c) as watcher:
        c.wait(watcher.leads)
        os.kill(pid, signal.SIGSTOP)
        began = time.monotonic()
        try:
            c.wait(lambda: not watcher.leads())
            lost = time.monotonic() - began
            c.wait(lambda: watcher.says("/readyz") == "the API server does not answer\n", 60)
        finally:
            os.kill(pid, signal.SIGCONT)
        assert 5 < lost < 13, lost
        c.wait(lambda: watcher.says("/readyz") == "ok\n", 60)
        c.wait(lambda: ready(c))
        c.create(*c.pair("a", 300000))
        c.wait(lambda: node_of(c, "a"), 40)


def test_watch_goes_on_after_a_restart_of_the_server(c):
    only_ours(c)
    c.nodes("n1")
    with watching(c) as watcher:
        c.wait(watcher.leads)
        c.create(*c.pair("a", 300000))
        c.wait(lambda: node_of(c, "a"))
        c.cluster.stop("kube-apiserver", signal.SIGKILL)
        c.start_api_server()
        c.create(*c.pair("b", 300000))
        c.wait(lambda: node_of(c, "b"), 60)
        assert watcher.process.poll() is None
        assert watcher.metric("mckube_watch_streams_total") > 8


def promtool(text):
    if not shutil.which("promtool"):
        raise Skip("no promtool")
    done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0 and not done.stdout, done.stdout


def names_in_help(c):
    return set(re.findall(r"^  (\w+) \(", c.mckube("help", "metrics").out, re.M))


def test_metrics_pass_promtool_and_are_documented(c):
    c.nodes("n1")
    with watching(c) as watcher:
        c.create(*c.pair("a", 300000, 500000, "High"))
        c.wait(lambda: node_of(c, "a"))
        c.set_running("a")
        c.wait(lambda: watcher.metric('mckube_cores{state="used"}') == 1)
        text = watcher.get("/metrics")
        promtool(text)
        assert not [name for name in names_in_help(c) if f"# TYPE {name} " not in text]
        assert 'mckube_core_utilization_ratio{node="n1",cpu="0",mode="low"} 0.300000\n' in text
        assert 'mckube_core_utilization_ratio{node="n1",cpu="0",mode="high"} 0.500000\n' in text
        assert watcher.metric("mckube_api_requests_total") > 5
        c.kubectl("annotate", "pod", "a", "-n", c.ns, "--overwrite", "mckube.io/rt-current=hi")
        c.wait(lambda: watcher.metric("mckube_escalations_seen_total") == 1)
        assert f'mckube_pod_level{{namespace="{c.ns}",pod="a"}} 2\n' in watcher.get("/metrics")


def test_watch_of_a_namespace_logs_no_other(c):
    c.nodes("n1")
    with watching(c, "watch", "--namespace=elsewhere") as watcher:
        c.create(*c.pair("fits", 300000), *c.pair("never", 990000))
        c.wait(lambda: node_of(c, "fits"))
        c.wait(lambda: watcher.metric('mckube_unplaced_pods{reason="NoRoom"}') == 1)
        assert c.ns not in watcher.text(), watcher.text()


@contextlib.contextmanager
def watching_two_pods(c, **pressure):
    """A Low and a High pod run on one node; only time and news make passes."""
    c.nodes("n1", cores=4)
    with watching(c, "watch", "--interval=1h", c.pressure(**pressure)) as watcher:
        c.create(*c.pair("low", 200000), *c.pair("high", 300000, 300000, "High"))
        c.wait(lambda: node_of(c, "low") and node_of(c, "high"))
        c.set_running("low")
        c.set_running("high")
        yield watcher


def test_pressure_degrades_then_taints_then_evicts(c):
    with watching_two_pods(c, delaySeconds=1, stepSeconds=2, holdSeconds=2, evict="all") as watcher:
        c.report_usage("n1", 97, seconds=0)
        c.report_usage("n1", 97, seconds=1)
        steps = [f"Degrade Pod {c.ns}/low", "Taint Node n1", f"Evict Pod {c.ns}/low"]
        c.wait(lambda: all(step in watcher.text() for step in steps))
        text = watcher.text()
        assert sorted(steps, key=text.index) == steps, text
        c.report_usage("n1", 50)
        c.wait(lambda: "Untaint Node" in watcher.text())
        assert not c.get("node", "n1")["spec"].get("taints"), watcher.text()


def test_degraded_pod_is_restored_after_pressure(c):
    with watching_two_pods(c, stepSeconds=60, holdSeconds=3) as watcher:
        degraded = lambda: c.annotation_of(c.get("pod", "low"), "mckube.io/rt-degraded")
        c.report_usage("n1", 97)
        c.wait(degraded)
        c.report_usage("n1", 50)
        c.wait(lambda: not degraded())
        assert f"SetLevel Pod {c.ns}/low" in watcher.text(), watcher.text()


def test_json_log_has_a_record_a_line(c):
    with watching(c, "watch", "--log-format=json") as watcher:
        c.wait(watcher.leads)
        lines = [json.loads(line) for line in watcher.text().splitlines()]
        assert any(line["msg"].startswith("leading:") for line in lines), lines
        c.nodes("n1")
        c.create(*c.pair("fits", 300000), *c.pair("never", 990000))
        records = lambda: [json.loads(line) for line in watcher.text().splitlines()]
        bound = {"pod": f"{c.ns}/fits", "node": "n1", "action": "Bind", "result": "Done", "severity": "info"}
        refused = {"pod": f"{c.ns}/never", "reason": "NoRoom", "severity": "warning"}
        for wanted in bound, refused:
            c.wait(lambda: any(wanted.items() <= record.items() for record in records()))
        assert abs(lines[0]["ts"] / 1000 - time.time()) < 60
