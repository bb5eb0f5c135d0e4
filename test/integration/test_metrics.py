# SPDX-License-Identifier: Apache-2.0
"""WorkloadOptimizers scale by metrics of Prometheus and of the metrics APIs."""

import json
import os
import subprocess

from sources import CUSTOM, EXTERNAL, MetricsProxy, Prometheus
from test_economy import optimizer, priced
from test_scaling import deployment, scales

GPU = 'avg(DCGM_FI_DEV_GPU_UTIL{namespace="%s",pod=~"%s"})'


def scaled_by(name, kind, threshold, **more):
    metric = {"type": kind, "threshold": threshold, **more}
    return optimizer(name, autoScaling={"maxReplicas": 6, "metrics": [metric]})


class Scaled:
    """Four Deployments of one replica each, and what their optimizers ask."""

    def __init__(self, c):
        self.c = c
        priced(c, a="0.40")
        c.create(scaled_by("web", "latency", 100, query='l{ns="{namespace}",wo="{name}"}'),
                 scaled_by("train", "gpu", 50), scaled_by("queue", "latency", 10, metricName="depth"),
                 scaled_by("shop", "latency", 10, metricName="time"),
                 *(deployment(n, 1, "a") for n in ("web", "train", "queue", "shop")))
        c.wait(lambda: len(c.get("pods")) == 4)
        for pod in c.get("pods"):
            c.set_running(pod["metadata"]["name"], conditions=[{"type": "Ready", "status": "True"}])
        train = next(p["metadata"]["name"] for p in c.get("pods") if p["metadata"]["name"].startswith("train"))
        self.api = MetricsProxy(c.api, c.folder)
        self.api.seen, self.api.kill_at = {"before": 0, "after": 0}, None
        self.api.has_client.set()
        self.prometheus = Prometheus(self.api)
        self.web, self.gpu = f'l{{ns="{c.ns}",wo="web"}}', GPU % (c.ns, train)
        token = c.folder / "token"
        token.write_text("of-prometheus\n")
        self.options = ["--prometheus-url", self.prometheus.url, "--prometheus-ca-file", self.prometheus.ca,
                        "--prometheus-token-file", token, "--prometheus-timeout", "20"]
        self.env = dict(os.environ, KUBECONFIG=str(self.api.kubeconfig))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.api.stop()
        self.prometheus.stop()
        self.c.kubectl("delete", "deployments", "--all", "-n", self.c.ns)

    def mckube(self, *args):
        return self.c.run(self.c.program, *args, *self.options, env=self.env)

    def scales(self):
        return scales(json.loads(self.mckube("plan", "-o", "json").out))


def test_values_are_read_where_optimizers_ask_for_them(c):
    """A query of its own, the default one, a custom metric (the mean over pods), an external one (the sum).
    What was read is in the snapshot, so its plan is the same, also of a redacted one."""
    with Scaled(c) as w:
        w.prometheus.values = {w.web: ["200"], w.gpu: ["150"]}
        w.api.metrics = {f"{EXTERNAL}v1beta1/namespaces/{c.ns}/depth": ["20", "20500m"],
                         f"{CUSTOM}v1beta1/namespaces/{c.ns}/pods/*/time": ["10", "30"]}
        wanted = [("queue", 1, 5, "Demand"), ("shop", 1, 2, "Demand"), ("train", 1, 3, "Demand"),
                  ("web", 1, 2, "Demand")]
        assert w.scales() == wanted
        assert sorted(w.prometheus.asked) == sorted((q, "Bearer of-prometheus") for q in (w.web, w.gpu))
        assert (f"{CUSTOM}v1beta1/namespaces/{c.ns}/pods/*/time",
                "labelSelector=workload-optimizer=shop") in w.api.asked, w.api.asked
        path, redacted = c.folder / f"{c.ns}-snapshot.json", c.folder / f"{c.ns}-redacted.json"
        w.mckube("snapshot", "--out", path)
        c.mckube("snapshot", "--snapshot", path, "--redact", "--out", redacted)
        plan = [json.loads(c.mckube("plan", "-o", "json", "--snapshot", p).out) for p in (path, redacted)]
        assert scales(plan[0]) == wanted
        assert [s[1:] for s in scales(plan[1])] == [s[1:] for s in wanted]
        assert "DCGM" not in redacted.read_text() and 'wo=' not in redacted.read_text()


def test_what_cannot_be_read_is_missing_and_said_once(c):
    with Scaled(c) as w:
        for value, reason in (["NaN"], "NotANumber"), (["-1"], "Negative"), ([], "NoData"), (["1", "2"],
                                                                                          "SeveralValues"):
            w.prometheus.values = {w.web: value, w.gpu: ["150"]}
            path = c.folder / f"{c.ns}-{reason}.json"
            said = w.mckube("snapshot", "-o", "json", "--out", path).err
            samples = {o["metadata"]["name"]: o["spec"] for o in json.loads(path.read_text())["items"]
                       if o["kind"] == "MetricSample"}
            assert samples["web.latency"]["reason"] == reason and "value" not in samples["web.latency"]
            assert samples["queue.latency"]["reason"] == "NoData", samples
            assert said.count(f"WorkloadOptimizer {c.ns}/web: metric latency") == 1, said
        w.prometheus.status = 503
        done = w.mckube("plan", "-o", "json")
        assert scales(json.loads(done.out)) == [], done
        assert done.err.count("Prometheus: status 503; 2 metrics without a value") == 1, done.err


def test_nodes_cost_and_draw_what_is_measured(c):
    """As OpenCost and Kepler tell it, for nodes that say nothing themselves; snapshots have it, too."""
    with Scaled(c) as w:
        c.nodes("b")
        config = c.folder / f"{c.ns}-nodes.json"
        config.write_text(json.dumps({
            "apiVersion": "mckube.io/v1alpha1", "kind": "Configuration",
            "metrics": {"nodePriceQuery": "price", "nodePowerQuery": "watts"}}))
        w.prometheus.values = {"price": [({"node": "a"}, "9"), ({"node": "b"}, "0.125"), ({"node": "gone"}, "1")],
                               "watts": [({"node_name": "b"}, "77.7")]}
        path = c.folder / f"{c.ns}-snapshot.json"
        w.mckube("snapshot", "--out", path, f"--config={config}")
        for where in [], ["--snapshot", path]:
            done = w.mckube("status", "--costs", "-o", "json", f"--config={config}", *where)
            nodes = {n["node"]: n for n in json.loads(done.out)}
            assert (nodes["a"]["costPerHour"], nodes["b"]["costPerHour"]) == (0.4, 0.125), nodes
        w.prometheus.status = 503
        done = w.mckube("plan", f"--config={config}")
        assert "AssumedPrice" in done.out and done.err.count("Prometheus: status 503") == 1, done


def test_watch_follows_the_values(c):
    """Up with the value; while Prometheus does not answer, nothing goes down, and one line says so."""
    with Scaled(c) as w:
        log = (c.folder / f"{c.ns}-watch").open("w+")
        w.prometheus.values = {w.web: ["100"], w.gpu: ["50"]}
        argv = [c.program, "watch", "--metrics-bind-address", "0", *w.options]
        env = {**w.env, "MCKUBE_METRICS_INTERVAL_SECONDS": "1"}
        watch = subprocess.Popen([str(a) for a in argv], stdout=log, stderr=log, env=env)
        try:
            c.wait(lambda: w.prometheus.asked, 90)
            w.prometheus.values = {w.web: ["300"], w.gpu: ["50"]}
            c.wait(lambda: c.get("deployment", "web")["spec"]["replicas"] == 3, 120)
            w.prometheus.status = 503
            n = len(w.prometheus.asked)
            c.wait(lambda: len(w.prometheus.asked) >= n + 6, 180)
            assert c.get("deployment", "web")["spec"]["replicas"] == 3
        finally:
            watch.terminate()
            watch.wait(60)
        log.seek(0)
        said = log.read()
        assert said.count("without a value") == 1, said
