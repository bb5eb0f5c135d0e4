# SPDX-License-Identifier: Apache-2.0
"""The program's own commands move running containers: migrate, drain, plan and apply, watch."""

import json
import signal
import subprocess
import time
import urllib.request

from fixture import wait_for

METRICS = 9871


def metrics():
    """The lines that watch serves, which are made again now and then."""
    with urllib.request.urlopen(f"http://127.0.0.1:{METRICS}/metrics") as reply:
        return set(reply.read().decode().splitlines())


def node_of(f):
    """Of the only pod."""
    (pod,) = f.pods()
    return pod["spec"].get("nodeName")


def test_migrate_command(f):
    f.wait_facts()
    f.start("app", "--mb", 1)
    shown = f.mckube("migrate", "pod/app", "--dry-run")
    assert "Checkpoint" in shown and "goes on here after" in shown and node_of(f) == "node-a", shown
    out = f.mckube("migrate", "pod/app", "--to", "node-b")
    assert "migrate: Done" in out and "stood still for" in out, out
    f.check_one()
    f.check_clean()
    assert node_of(f) == "node-b"
    notes = [e for e in json.loads(f.kubectl("get", "events.events.k8s.io", "-o", "json"))["items"]
             if e["reason"] == "Migrated"]
    assert notes and "stood still for" in notes[-1]["note"], notes


def test_drain_command(f):
    """A bare pod and one of a Deployment under a PodDisruptionBudget that spares one."""
    f.wait_facts()
    f.start_deployment("web", "--mb", 1)
    out = f.mckube("drain", "node-a")
    try:
        assert "migrate: Done" in out, out
        f.check_one()
        f.check_clean()
        assert node_of(f) == "node-b"
    finally:
        f.kubectl("uncordon", "node-a")


def full_saved_plan(f):
    f.wait_facts()
    f.start("app")
    plan = f.cluster.folder / "plan.json"
    f.mckube("migrate", "pod/app", "--dry-run", "--out", plan)
    f.mckube("apply", plan)
    f.check_one()
    f.check_clean()
    assert node_of(f) == "node-b"


def test_watch_relieves_once(f):
    """Requests above 85 % of node-a: one pod goes, with its memory, and stays where it is when the load
    ends."""
    f.wait_facts()
    config = f.cluster.folder / "migration.json"
    config.write_text(json.dumps({
        "apiVersion": "mckube.io/v1alpha1", "kind": "Configuration",
        "migration": {"enabled": True, "checkSeconds": 2, "cooldownSeconds": 5}}))
    cpus = int(json.loads(f.kubectl("get", "node", "node-a", "-o", "json"))["status"]["allocatable"]["cpu"])
    f.create({"apiVersion": "v1", "kind": "Pod",
              "metadata": {"name": "load", "annotations": {"mckube.io/migration": "Never"}},
              "spec": {"nodeName": "node-a", "terminationGracePeriodSeconds": 1,
                       "containers": [f.container("c", "/count", cpu=f"{cpus * 650}m")]}})
    spec = f.spec(nodeName="node-a")
    spec["containers"][0]["resources"] = {"requests": {"cpu": f"{cpus * 250}m"}}
    f.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "app"}, "spec": spec})
    f.wait_lines()
    with open(f.cluster.folder / "logs" / "watch.log", "w") as log:
        watch = subprocess.Popen([f.build / "kubectl-mckube", "watch", f"--config={config}",
                                  f"--metrics-bind-address=127.0.0.1:{METRICS}"],
                                 stdout=log, stderr=log)
    try:
        wait_for(lambda: any(p["metadata"]["name"].startswith("app-m") and p["metadata"]["name"] != "app"
                             for p in f.pods()), "nothing moves", 90)
        wait_for(lambda: f.pod("app") is None, "the source stays", 60)
        wait_for(lambda: {'mckube_migrations_total{method="Checkpoint",result="Done"} 1',
                          "mckube_migration_downtime_seconds_count 1"} <= metrics(), "not counted", 60)
        f.kubectl("delete", "pod", "load", "--now")
        names = [p["metadata"]["name"] for p in f.pods()]
        until = time.monotonic() + 10
        while time.monotonic() < until:
            assert [p["metadata"]["name"] for p in f.pods()] == names, f.pods()
            time.sleep(0.5)
        assert node_of(f) == "node-b"
    finally:
        watch.send_signal(signal.SIGTERM)
        watch.wait(30)
    f.check_one()
    f.check_clean()
