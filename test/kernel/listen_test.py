# SPDX-License-Identifier: Apache-2.0
"""The helper's HTTP: health, metrics, the older agents' POSTs, tokens and limits."""
import http.client
import json
import os
import socket
import stat
import subprocess
import sys

sys.path[:0] = [os.path.dirname(__file__), os.path.join(os.path.dirname(__file__), "..")]
from node import Test
from ports import free_ports

ID = "4f5e6d7c8b9a0f1e"


class Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def ask(connection, method, path, body=None, token=None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    connection.request(method, path, body if isinstance(body, (str, type(None)))
                       else json.dumps(body), headers)
    reply = connection.getresponse()
    return reply.status, reply.read().decode()


t = Test("listen")
try:
    for group in ("kubepods", "kubepods/pod1", "kubepods/pod1/" + ID, "kubepods/pod2",
                  "kubepods/pod2/aa"):
        t.make(group)
    app, other = "kubepods/pod1/" + ID, "kubepods/pod2/aa"
    t.pods([("brake", "High", 100000, 10000, 20000, other, {})])
    path = t.dir + "/socket"
    t.start("--listen", "unix:" + path)
    t.wait("the socket is there", lambda: os.path.exists(path))
    t.check("for its owner only", stat.S_IMODE(os.stat(path).st_mode) == 0o600)
    t.check("healthz", ask(Unix(path), "GET", "/healthz") == (200, "ok\n"))
    code, text = ask(Unix(path), "GET", "/metrics")
    t.check("metrics", code == 200 and 'mckube_node_info{backend="cgroup-v1"' in text and
            'mckube_node_pod_runtime_microseconds{namespace="default",pod="brake"} 20000' in text and
            'mckube_node_pod_runtime_seconds{namespace="default",pod="brake"} 0.02' in text)
    want = {"container_id": "containerd://" + ID, "period": 100000, "runtime": 15000}
    t.check("/cgroup sets a budget", ask(Unix(path), "POST", "/cgroup", want)[0] == 200 and
            t.runtime(app) == 15000)
    want = {"container_id": ID, "period": 100000, "runtime": 5000, "only_runtime": True}
    t.check("/set-rt with only_runtime", ask(Unix(path), "POST", "/set-rt", want)[0] == 200 and
            t.runtime(app) == 5000)
    t.check("the pod from the file keeps its own", t.runtime(other) == 20000)

    sleeper = subprocess.Popen(["sleep", "30"])
    with open(t.path(app) + "/cgroup.procs", "w") as f:
        f.write(str(sleeper.pid))
    code, _ = ask(Unix(path), "POST", "/renice", {"container_id": ID, "nice": 7})
    t.check("/renice reaches every process",
            code == 200 and os.getpriority(os.PRIO_PROCESS, sleeper.pid) == 7)
    sleeper.kill()
    sleeper.wait()

    for body, status in (("{", 400), ({}, 400), ({**want, "runtime": -1}, 400),
                         ({**want, "container_id": "../../x"}, 400),
                         ({**want, "container_id": "ffff"}, 404),
                         ({**want, "runtime": 99999999}, 400), ("x" * 100000, 413)):
        t.check(f"{str(body)[:50]}: {status}",
                ask(Unix(path), "POST", "/set-rt", body)[0] == status)
    t.check("GET /set-rt: 405", ask(Unix(path), "GET", "/set-rt")[0] == 405)
    t.check("GET /: 404", ask(Unix(path), "GET", "/")[0] == 404)
    many = [ask(Unix(path), "POST", "/renice", "{}")[0] for _ in range(200)]
    t.check("too many POSTs: 429", 429 in many)
    t.check("it ends well", t.stop() == 0)
    t.check("and removes its socket", not os.path.exists(path))

    [port] = free_ports(1)
    with open(t.dir + "/token", "w") as f:
        f.write("secret\n")
    t.start("--listen", str(port), "--token-file", t.dir + "/token")

    def tcp():
        return http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def answers():
        try:
            return ask(tcp(), "GET", "/healthz")[0] == 200
        except OSError:
            return False

    t.wait("it answers on a port", answers)
    t.check("no token: 401", ask(tcp(), "POST", "/set-rt", want)[0] == 401)
    t.check("wrong token: 401", ask(tcp(), "POST", "/set-rt", want, "secre")[0] == 401)
    t.check("right token: 200", ask(tcp(), "POST", "/set-rt", want, "secret")[0] == 200)
    t.check("the token is in no log", "secret" not in t.text())
    t.stop()

    with open(t.dir + "/config.yaml", "w") as f:
        f.write("---\nlog_level: \"DEBUG\"\nkube_path: /x\nnode_name: here\n"
                "cgroup_handler: cgroup_v1\ncgroup_v1_capacity: 300000\n")
    t.pods([("brake", "High", 100000, 10000, 40000, other, {})])
    t.start("--config", t.dir + "/config.yaml")
    t.wait("rt-operator.yaml bounds kubepods",
           lambda: "kubepods: needs 400000 us of 1000000, its limit is 300000 us" in t.text() or
           t.runtime(other) == 10000)
    t.stop()
    with open(t.dir + "/config.yaml", "w") as f:
        f.write("log_levl: DEBUG\n")
    t.start("--config", t.dir + "/config.yaml")
    t.check("an unknown key ends it", t.helper.wait(10) == 1)
    t.check("and names the nearest", "log_levl: unknown key; did you mean log_level" in t.text())
    t.helper = None
finally:
    t.finish()
