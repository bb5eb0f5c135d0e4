# SPDX-License-Identifier: Apache-2.0
"""Moves to other nodes by Restart on a real API server; the nodes have no kubelet."""

import http.server
import json
import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request

from tries import Skip
from ports import free_ports


def plain(c, name, node="n1", **more):
    """A running pod without real-time request."""
    pod = c.pod(name, **more)
    pod["metadata"]["labels"] = {"app": name}
    pod["spec"] = {**pod["spec"], "schedulerName": "default-scheduler", "nodeName": node}
    c.create(pod)
    c.set_running(name)


def names(c):
    return {p["metadata"]["name"]: p["spec"].get("nodeName") for p in c.get("pods")}


def test_bare_pod_moves_by_a_copy(c):
    c.nodes("n1", "n2")
    plain(c, "tool", annotations={"team": "x"})
    shown = c.mckube("migrate", "pod/tool", "-n", c.ns, "--dry-run")
    assert "Copy, Evict, Bind" in shown.out and names(c) == {"tool": "n1"}, shown
    done = c.mckube("migrate", "pod/tool", "-n", c.ns)
    assert "tool migrate: Done" in done.out, done
    (pod,) = c.get("pods")
    assert pod["metadata"]["name"].startswith("tool-m") and pod["spec"]["nodeName"] == "n2"
    assert pod["metadata"]["annotations"] == {"team": "x"}, pod["metadata"]
    c.set_running(pod["metadata"]["name"])
    c.mckube("migrate", f"pod/{pod['metadata']['name']}", "-n", c.ns, "--to", "n1")
    (back,) = c.get("pods")  # its name does not grow
    assert len(back["metadata"]["name"]) == len(pod["metadata"]["name"])
    assert back["spec"]["nodeName"] == "n1"


def test_move_that_was_begun_is_gone_on_with(c):
    c.nodes("n1", "n2")
    plain(c, "tool")
    uid = c.get("pod", "tool")["metadata"]["uid"]
    copy = c.pod("tool-copy", annotations={"mckube.io/migrate-to": "n2",
                                           "mckube.io/migrate-from": f"n1/{uid}"})
    copy["metadata"]["labels"] = {"app": "tool"}
    c.create(copy)
    c.kubectl("delete", "pod", "tool", "-n", c.ns, "--force", "--grace-period=0")
    done = c.mckube("apply")
    assert "tool-copy migrate: Done" in done.out, done
    assert names(c) == {"tool-copy": "n2"}


def test_real_time_pod_moves_with_its_budget(c):
    c.nodes("n1", "n2", cores=2)
    request = c.request("web", 300000)
    request["spec"]["selector"] = {"matchLabels": {"sdv.com": "web"}}
    del request["spec"]["podname"]
    pod = c.pod("web")
    labels = pod["metadata"]["labels"]
    c.create(request, {
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web"},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels},
                 "template": {"metadata": {"labels": labels}, "spec": {
                     "terminationGracePeriodSeconds": 0, **pod["spec"]}}}})
    c.wait(lambda: c.get("pods"))
    c.mckube("apply")
    ((old, source),) = names(c).items()
    target = {"n1": "n2", "n2": "n1"}[source]
    c.set_running(old)
    done = c.mckube("migrate", f"pod/{old}", "-n", c.ns, "--eviction-timeout=20")
    assert "migrate: Done: web-" in done.out, done
    new = next(p for p in c.get("pods") if p["metadata"]["name"] != old)
    assert new["spec"]["nodeName"] == target
    assert c.annotation_of(new, "mckube.io/rt-runtime-low") == "300000"


def test_drain_keeps_a_disruption_budget(c):
    c.nodes("n1", "n2")
    plain(c, "free")
    plain(c, "kept")
    c.create({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
              "metadata": {"name": "kept"},
              "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "kept"}}}})
    done = c.mckube("drain", "n1", "--timeout", "1s", check=False)
    assert done.code == 4 and "kept: stays: its PodDisruptionBudget" in done.out, done
    assert c.get("node", "n1")["spec"]["unschedulable"]
    left = names(c)
    assert left["kept"] == "n1" and sorted(left.values()) == ["n1", "n2"], left


def serve(handler):
    """A server on a port of its own, and its URL."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}"


class Engine:
    """A policy engine that answers with what it is told, and keeps what it was asked."""

    def __init__(self, status=200, body=b"", hangs=False):
        self.asked, engine = [], self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                text = self.rfile.read(int(self.headers["Content-Length"]))
                engine.asked.append((self.path, self.headers.get("Authorization"), json.loads(text)))
                if hangs:
                    time.sleep(30)
                    return
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server, self.url = serve(Handler)


def migrate(c, engine, *args, **more):
    return c.mckube("migrate", "pod/tool", "-n", c.ns, f"--policy-engine={engine.url}", *args,
                    check=False, **more)


def test_policy_engine_is_asked_and_denies(c):
    c.nodes("n1", "n2")
    plain(c, "tool")
    for engine, why in [
            (Engine(body=b'{"allowed":false,"reason":"not now"}'),
             "denied by the policy engine: not now"),
            (Engine(body=b'{"allowed":"true"}'), "no boolean 'allowed'"),
            (Engine(body=b"<html>"), "the answer is no JSON"),
            (Engine(status=500, body=b'{"allowed":true}'), "status 500")]:
        done = migrate(c, engine)
        assert done.code == 4 and why in done.out, done
        assert names(c) == {"tool": "n1"}
    assert engine.asked[0] == ("/api/v1/migration/policy", None, {
        "pod": {"name": "tool", "namespace": c.ns, "node_name": "n1", "labels": {"app": "tool"}},
        "source_node": "n1", "target_node": "n2"})
    assert c.annotation_of(c.get("pod", "tool"), "mckube.io/migrate-refused").endswith("Z")
    reasons = {e["reason"] for e in c.get("events.events.k8s.io")}
    assert "MigrationDenied" in reasons, reasons


class Liar:
    """An engine that answers each pod in another way, by its name."""

    def __init__(self):
        self.asked, liar = [], self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                pod = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["pod"]["name"]
                liar.asked.append((pod, self.path))
                try:
                    liar.answer(self, pod, "elsewhere" in self.path)
                except OSError:
                    pass  # it had enough

            def do_GET(self):  # of those that follow a redirect
                liar.asked.append(("", self.path))
                liar.reply(self, 200, b'{"allowed":true}')

            def log_message(self, *args):
                pass

        self.server, self.url = serve(Handler)

    @staticmethod
    def reply(handler, status, body, length=None, **headers):
        handler.send_response(status)
        handler.send_header("Content-Length", str(length or len(body)))
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    def answer(self, handler, pod, is_elsewhere):
        yes = b'{"allowed":true}'
        if is_elsewhere or pod == "good":
            self.reply(handler, 200, yes)
        elif pod == "hangs":
            time.sleep(30)
        elif pod == "drips":
            handler.send_response(200)
            handler.end_headers()
            for byte in yes * 20:
                handler.wfile.write(bytes([byte]))
                handler.wfile.flush()
                time.sleep(0.9)
        elif pod == "huge":
            handler.send_response(200)
            handler.end_headers()
            while True:
                handler.wfile.write(b" " * 65536)
        elif pod == "redirects":
            self.reply(handler, 307, yes, Location=f"{self.url}/elsewhere")
        elif pod == "ends-early":
            self.reply(handler, 200, yes, length=len(yes) + 10)
            handler.close_connection = True
        else:
            status, body = LIES[pod]
            self.reply(handler, status, body)


LIES = {"text": (200, b"yes"), "half": (200, b'{"allowed":tr'), "number": (200, b'{"allowed":1}'),
        "string": (200, b'{"allowed":"true"}'), "list": (200, b'[{"allowed":true}]'),
        "empty": (200, b""), "created": (201, b'{"allowed":true}'), "error": (500, b'{"allowed":true}'),
        "says-no": (200, b'{"allowed":false,"reason":"no\\n\\u001b[2J"}')}
WHY = {"hangs": "gave no valid answer", "drips": "gave no valid answer", "huge": "larger than 64 KiB",
       "redirects": "status 307", "ends-early": "gave no valid answer", "text": "the answer is no JSON",
       "half": "the answer is no JSON", "number": "no boolean 'allowed'", "string": "no boolean 'allowed'",
       "list": "no boolean 'allowed'", "empty": "the answer is no JSON", "created": "status 201",
       "error": "status 500", "says-no": "denied by the policy engine: no ?[2J"}


def test_engine_that_hangs_or_lies_forbids(c):
    """All pods of a node are asked about at once, each gets another answer."""
    c.nodes("n1", "n2")
    for name in [*WHY, "good"]:
        plain(c, name)
    engine, began = Liar(), time.monotonic()
    done = c.mckube("drain", "n1", f"--policy-engine={engine.url}", "--timeout", "1s", check=False)
    assert time.monotonic() - began < 60 and done.code == 4, done
    told = {e["regarding"]["name"]: e["note"] for e in c.get("events.events.k8s.io")
            if e["reason"] == "MigrationDenied"}
    for name, why in WHY.items():
        assert why in told[name], (name, told)
    left = names(c)
    assert {name for name, node in left.items() if node == "n1"} == set(WHY), left
    assert not [a for a in engine.asked if "elsewhere" in a[1]], "a redirect was followed"
    assert max(sum(pod == name for pod, _ in engine.asked) for name in left) <= 2, engine.asked


def test_engine_that_is_away_forbids_unless_it_may_fail(c):
    c.nodes("n1", "n2")
    plain(c, "tool")
    with socket.socket() as taken:  # nothing listens there
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        done = c.mckube("migrate", "pod/tool", "-n", c.ns, f"--policy-engine={url}", check=False)
        assert done.code == 4 and "gave no valid answer" in done.out, done
        assert names(c) == {"tool": "n1"}
        config = c.folder / f"{c.ns}-open.json"
        config.write_text(json.dumps({"apiVersion": "mckube.io/v1alpha1", "kind": "Configuration",
                                      "migration": {"failOpen": True}}))
        done = c.mckube("migrate", "pod/tool", "-n", c.ns, f"--policy-engine={url}", f"--config={config}")
        assert "Done" in done.out and list(names(c).values()) == ["n2"], done


def condition(thing, kind):
    found = [x for x in thing.get("status", {}).get("conditions", []) if x["type"] == kind]
    return found[0] if found else {}


def test_a_mckube_tells_of_the_last_move(c):
    """Denied, then done: condition Migrated and status.lastMigration, which later rounds leave alone."""
    c.nodes("n1", "n2", cores=2)
    request = c.request("web", 300000)
    request["spec"]["selector"] = {"matchLabels": {"sdv.com": "web"}}
    del request["spec"]["podname"]
    labels = {"sdv.com": "web"}
    c.create(request, {
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web"},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels},
                 "template": {"metadata": {"labels": labels}, "spec": c.pod("web")["spec"]}}})
    c.wait(lambda: c.get("pods"))
    c.mckube("apply")
    ((pod, source),) = names(c).items()
    target = {"n1": "n2", "n2": "n1"}[source]
    c.set_running(pod)
    no = Engine(body=b'{"allowed":false,"reason":"not now"}')
    done = c.mckube("migrate", f"pod/{pod}", "-n", c.ns, f"--policy-engine={no.url}", check=False)
    assert done.code == 4, done
    status = c.get("mckube", "web")["status"]
    said = condition({"status": status}, "Migrated")
    assert (said["status"], said["reason"]) == ("False", "MigrationDenied"), status
    assert said["message"] == (f"pod {pod}: Restart from {source} to {target}: "
                               "denied by the policy engine: not now"), said
    last = status["lastMigration"]
    assert last.pop("time").endswith("Z")
    assert last == {"pod": pod, "from": source, "to": target, "method": "Restart",
                    "result": "MigrationDenied"}, last
    assert "MigrationDenied: pod web-" in c.mckube("explain", f"pod/{pod}", "-n", c.ns).out
    assert "MigrationDenied" in c.kubectl("get", "mckube", "web", "-n", c.ns, "-o", "wide").out
    done = c.mckube("migrate", f"pod/{pod}", "-n", c.ns, "--eviction-timeout=60")
    assert "migrate: Done" in done.out, done
    c.mckube("apply")
    status = c.get("mckube", "web")["status"]
    assert condition({"status": status}, "Migrated")["status"] == "True", status
    assert status["lastMigration"]["result"] == "Migrated", status
    assert condition({"status": status}, "Placed"), "what a round says stays beside it"


def test_allowed_move_is_told(c):
    c.nodes("n1", "n2")
    plain(c, "tool")
    engine, influx = Engine(body=b'{"allowed":true}'), Engine(status=204)
    influx_body = []
    influx.server.RequestHandlerClass.do_POST = lambda h: (
        influx_body.append((h.path, h.headers["Authorization"],
                            h.rfile.read(int(h.headers["Content-Length"])).decode())),
        h.send_response(204), h.end_headers())
    done = migrate(c, engine, env={**os.environ, "POLICY_ENGINE_TOKEN": "s3", "INFLUX_URL": influx.url,
                                   "INFLUX_ORG": "keti", "INFLUX_BUCKET": "turtlebot",
                                   "INFLUX_TOKEN": "t0"})
    assert done.code == 0, done
    assert engine.asked[0][1] == "Bearer s3"
    ((path, token, line),) = influx_body
    assert path == "/api/v2/write?org=keti&bucket=turtlebot&precision=ns" and token == "Token t0"
    assert line.startswith("pod_migration,pod_name=tool,source_node=n1,target_node=n2,success=true "
                           "migration_count=1i "), line
    assert "Migrated" in {e["reason"] for e in c.get("events.events.k8s.io")}


def start_victoria(folder, port):
    """A database that takes InfluxDB's v2 write API, and its points by /api/v1/export."""
    return subprocess.Popen(["victoria-metrics", f"-storageDataPath={folder}", f"-httpListenAddr=127.0.0.1:{port}",
                             "-memory.allowedBytes=64MiB"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def points_of(port):
    """Labels and values of what it was told; none while it is away."""
    query = urllib.parse.urlencode({"match[]": '{__name__=~"pod_migration.*"}'})
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/export?{query}", timeout=10) as reply:
            rows = [json.loads(line) for line in reply.read().decode().splitlines()]
    except OSError:
        return []
    return [(r["metric"], r["values"]) for r in rows]


def test_points_wait_for_a_database_that_is_away(c):
    """Moves go on meanwhile; both points are there in the end, each once."""
    c.nodes("n1", "n2", "n3")
    for name in ("one", "two"):
        plain(c, name, annotations={"mckube.io/migration": "Restart"},
              spec={"containers": [{"name": "c", "image": "none",
                                    "resources": {"requests": {"cpu": "500m"}}}]})
    config = c.folder / f"{c.ns}-migration.json"
    config.write_text(json.dumps({
        "apiVersion": "mckube.io/v1alpha1", "kind": "Configuration",
        "migration": {"enabled": True, "checkSeconds": 1, "cooldownSeconds": 0}}))
    c.report_usage("n1", 95)
    [port] = free_ports(1)
    if not shutil.which("victoria-metrics"):
        raise Skip("victoria-metrics is not installed")
    watch = subprocess.Popen(
        [c.program, "watch", "--metrics-bind-address=0", "--interval=1s", f"--config={config}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "INFLUX_URL": f"http://127.0.0.1:{port}", "INFLUX_ORG": "keti",
             "INFLUX_BUCKET": "turtlebot", "INFLUX_TOKEN": "t0"})
    database = None
    try:
        c.wait(lambda: "n1" not in names(c).values(), seconds=90)
        database = start_victoria(c.folder / f"{c.ns}-victoria", port)
        c.wait(lambda: len(points_of(port)) == 2, seconds=90)
        found = points_of(port)
        for labels, values in found:
            assert labels["__name__"] == "pod_migration_migration_count" and values == [1], found
            assert labels["source_node"] == "n1" and labels["target_node"] in ("n2", "n3"), found
            assert labels["success"] == "true", found
        assert {labels["pod_name"] for labels, _ in found} == {"one", "two"}, found
    finally:
        watch.terminate()
        watch.wait()
        if database:
            database.terminate()
            database.wait()


def test_pressed_node_is_relieved_once(c):
    """Use is what the helper reports here; checkSeconds 1 stands for the 30 of the default."""
    c.nodes("n1", "n2")
    plain(c, "tool", annotations={"mckube.io/migration": "Restart"},
          spec={"containers": [{"name": "c", "image": "none",
                                "resources": {"requests": {"cpu": "500m"}}}]})
    config = c.folder / f"{c.ns}-migration.json"
    config.write_text(json.dumps({
        "apiVersion": "mckube.io/v1alpha1", "kind": "Configuration",
        "migration": {"enabled": True, "checkSeconds": 1, "cooldownSeconds": 0}}))
    c.report_usage("n1", 95)
    c.report_usage("n2", 5)
    done = c.mckube("apply", f"--config={config}")
    assert "n1 taint: Done" in done.out and names(c) == {"tool": "n1"}, done
    time.sleep(1.5)
    done = c.mckube("apply", f"--config={config}")
    assert "tool migrate: Done" in done.out, done
    assert list(names(c).values()) == ["n2"]
    c.report_usage("n1", 40)
    c.report_usage("n2", 50)
    done = c.mckube("apply", f"--config={config}")
    assert "n1 untaint: Done" in done.out, done
    assert "Nothing to do" in c.mckube("apply", f"--config={config}").out


def test_plan_asks_the_policy_engine(c):
    """It says what would be denied; nothing is written."""
    c.nodes("n1", "n2")
    plain(c, "tool", annotations={"mckube.io/migration": "Restart"},
          spec={"containers": [{"name": "c", "image": "none",
                                "resources": {"requests": {"cpu": "3800m"}}}]})
    taint = {"key": "mckube.io/pressure", "value": "True", "effect": "PreferNoSchedule",
             "timeAdded": "2026-01-01T00:00:00Z"}
    c.kubectl("patch", "node", "n1", "--type=merge", "-p", json.dumps({"spec": {"taints": [taint]}}))
    config = c.folder / f"{c.ns}-migration.json"
    config.write_text(json.dumps({
        "apiVersion": "mckube.io/v1alpha1", "kind": "Configuration",
        "migration": {"enabled": True, "cooldownSeconds": 0}}))
    no, yes = Engine(body=b'{"allowed":false,"reason":"not now"}'), Engine(body=b'{"allowed":true}')
    c.nodes("n3", cores=8)
    done = c.mckube("plan", f"--config={config}", f"--ask-policy={no.url}")
    assert "MigrationDenied" in done.out and "denied by the policy engine: not now" in done.out, done
    done = c.mckube("plan", f"--config={config}", "--ask-policy", env={**os.environ, "POLICY_ENGINE_URL": yes.url})
    assert "migrate" in done.out and "MigrationDenied" not in done.out and yes.asked, done
    done = c.mckube("plan", "--ask-policy", check=False)
    assert done.code != 0 and "needs a URL, POLICY_ENGINE_URL or CORE_SCHEDULER_URL" in done.err, done
    assert names(c) == {"tool": "n1"} and c.annotation_of(c.get("pod", "tool"), "mckube.io/migrate-refused") is None
