# SPDX-License-Identifier: Apache-2.0
"""A new user's first ten minutes: the chart, doctor, the tour, top during an overrun, and away with it."""

import json
import os
import time

import yaml

import test_tour
from cluster import build_programs
from node_fixture import CLI_IMAGE, CPU, NODE_IMAGE, NO_PRESSURE, TOP, budget_of
from test_lifecycle import kubepods

RELEASE = HOME = "kcloud-operator"
TEN_MINUTES = 600


class Transcript:
    def __init__(self):
        self.began = time.monotonic()

    def step(self, title, text=""):
        print(f"# {time.monotonic() - self.began:6.1f} s  {title}", flush=True)
        for line in text.splitlines():
            print(f"#     {line}", flush=True)

    def seconds(self):
        return time.monotonic() - self.began


def image(name):
    repository, tag = name.rsplit(":", 1)
    return {"repository": repository, "tag": tag}


def values(c):
    """What another host would say: its runtime's folders, and its images."""
    bundles = c.node.state / "io.containerd.runtime.v2.task"
    name, value = NO_PRESSURE
    return {"image": image(CLI_IMAGE), "nodeImage": image(NODE_IMAGE), "bundles": str(bundles),
            "kubeletRoot": str(c.node.folder / "kubelet"), "watch": {
                "replicas": 1, "extraEnv": [{"name": name, "value": value}]}}


def top(c, name):
    rows = json.loads(c.kubectl("mckube", "top", "pods", "--once", "-n", c.ns, "-o", "json").out)
    return next((row for row in rows if row["name"] == name), {})


def overrun(c, t):
    c.create(*c.task("brake", "High", 100000, 10000, 60000,
                     ["--period", 100000, "--work", 4000, "--overrun-work", 50000]))
    c.wait_running("brake")
    c.wait(lambda: c.annotation("pods", "brake", "mckube.io/rt-applied") == "true")
    t.step("a pod is placed by watch")
    os.kill(c.pid_of("brake"), 10)
    c.wait(lambda: top(c, "brake").get("level") == "hi" and (top(c, "brake").get("usedUs") or 0) > 10000, 120)
    t.step("top during an overrun", c.kubectl("mckube", "top", "--once", "-n", c.ns).out)
    c.kubectl("delete", "mckube,pod", "--all", "-n", c.ns)


def lives(c, t):
    path = c.folder / "acceptance.yaml"
    path.write_text(yaml.safe_dump(values(c)))
    c.run("helm", "install", RELEASE, TOP / "manifests", "--namespace", HOME, "--create-namespace", "--values", path)
    t.step("helm install")
    done = c.kubectl("mckube", "doctor", "--wait", "--timeout=180s", "--install-namespace", HOME, check=False)
    t.step("doctor --wait", done.out)
    assert done.code == 0, done
    overrun(c, t)
    c.kubectl("scale", f"deployment/{RELEASE}", "-n", HOME, "--replicas=0")
    c.wait(lambda: not c.kubectl("get", "lease", "mckube", "-n", "kube-system", "-o",
                                 "jsonpath={.spec.holderIdentity}").out, 60)
    test_tour.tour(c)
    t.step("the tour of the README")
    t.step("uninstall", c.kubectl("mckube", "uninstall", "--install-namespace", HOME).out)
    c.run("helm", "uninstall", RELEASE, "--namespace", HOME, "--wait")
    c.wait(lambda: not c.helper_pids(), 120)
    c.kubectl("delete", "namespace", HOME)
    t.step("helm uninstall")


def test_acceptance(c):
    build_programs("--node", "--helm")
    c.uninstall()
    c.kubectl("delete", "namespace", "mckube-system", "--ignore-not-found")
    t = Transcript()
    try:
        lives(c, t)
        found = c.kubectl("mckube", "doctor", "-o", "json", "--install-namespace", HOME, check=False)
        states = {f["check"]: (f["state"], f["detail"]) for f in json.loads(found.out)}
        t.step("doctor finds nothing left", "\n".join(f"{k}: {v[0]}, {v[1]}" for k, v in states.items()))
        assert "leftovers" not in states or states["leftovers"][0] == "ok", states
        assert (budget_of(CPU), kubepods()) == (950000, 0), (budget_of(CPU), kubepods())
        assert t.seconds() < TEN_MINUTES, t.seconds()
    finally:
        c.run("helm", "uninstall", RELEASE, "--namespace", HOME, "--ignore-not-found", check=False)
        c.install()
