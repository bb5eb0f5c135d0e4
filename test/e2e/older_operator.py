# SPDX-License-Identifier: Apache-2.0
"""The control loop of MC-Kube as its documents and its agents describe it, for comparison: an agent on
the node sees that a container is throttled and posts it to the controller; that finds the pod by
listing all, reads its McKube, and posts the higher budget back to the node's actuator, which writes
the pod's group and then the container's. No other pod is cut, and a raised budget is lowered only when
the whole node was busy before, which one full core does not make it.

The agent's source of overruns is test/e2e/overruns.c: the same BPF programs as mckube-node's.
"""

import http.client
import http.server
import json
import subprocess
import threading
import time

from node_fixture import CPU, read


def write(group, name, value):
    (group / name).write_text(str(value))


class Actuator(http.server.BaseHTTPRequestHandler):
    """POST /cgroup {container_id, runtime}"""

    protocol_version = "HTTP/1.1"
    groups = {}

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        group = self.groups[body["container_id"]]
        code = 200
        try:
            period = int(read(group / "cpu.rt_period_us"))
            pod_period = int(read(group.parent / "cpu.rt_period_us"))
            write(group.parent, "cpu.rt_runtime_us", body["runtime"] * pod_period // period + 1)
            write(group, "cpu.rt_runtime_us", body["runtime"])
        except OSError:
            code = 500
        self.send_response(code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class OlderOperator:
    def __init__(self, c, groups):
        """`groups` are the containers' folders by the name of their pods, with budgets in them."""
        self.c, self.groups, self.raised = c, groups, set()
        self.latencies, self.n_refused = [], 0
        Actuator.groups = {g.name: g for g in groups.values()}
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Actuator)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.actuator = http.client.HTTPConnection("127.0.0.1", self.server.server_port)
        words = [c for g in self.groups.values()
                 for c in (read(g / "cpu.rt_runtime_us").strip(), str(g.relative_to(CPU)))]
        self.agent = subprocess.Popen([self.c.programs["overruns"], *words], text=True,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.agent.stdout.readline() == "ready\n"
        self.thread = threading.Thread(target=self._control, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.agent.stdin.close()
        self.thread.join()
        self.agent.wait()
        self.server.shutdown()

    def _control(self):
        for line in self.agent.stdout:
            path, at_ns = line.split()
            container = path.rsplit("/", 1)[1]
            if container not in self.raised:
                self._handle(container, int(at_ns))

    def _handle(self, container, at_ns):
        api = self.c.api
        pods = api.call("GET", "/api/v1/pods")["items"]
        [pod] = [p for p in pods for s in p["status"].get("containerStatuses", [])
                 if s.get("containerID", "").endswith(container)]
        where = f"/apis/mcoperator.sdv.com/v1/namespaces/{pod['metadata']['namespace']}/mckubes"
        [request] = [m for m in api.call("GET", where)["items"]
                     if m["spec"]["podname"] == pod["metadata"]["name"]]
        settings = request["spec"]["rtSettings"]
        self.actuator.request("POST", "/cgroup", json.dumps(
            {"container_id": container, "runtime": settings["runtime_hi"]}))
        reply = self.actuator.getresponse()
        reply.read()
        if reply.status != 200:
            self.n_refused += 1
            return
        self.latencies.append((time.monotonic_ns() - at_ns) / 1e3)
        self.raised.add(container)
        api.merge(f"{where}/{request['metadata']['name']}/status",
                  {"status": {"currentRuntime": "hi"}})
