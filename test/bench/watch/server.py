# SPDX-License-Identifier: Apache-2.0
"""An API server that replays a cluster: for measuring `watch` where no real one would fit.

    server.py CLUSTER.json      prints its port; CLUSTER.json as test/bench/generate writes it

LIST in pages, WATCH with bookmarks, and the writes that `watch` sends: bindings, evictions, merge
patches, Leases. An object stays in the file until it is changed. POST /control/NAME lets things
happen (see Control); GET /control/clients says how many streams are open.
"""

import collections
import json
import mmap
import queue
import random
import re
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATHS = {
    "/api/v1/nodes": "Node", "/api/v1/pods": "Pod", "/apis/mcoperator.sdv.com/v1/mckubes": "McKube",
    "/apis/policy/v1/poddisruptionbudgets": "PodDisruptionBudget",
    "/apis/scheduling.k8s.io/v1/priorityclasses": "PriorityClass",
    "/api/v1/persistentvolumes": "PersistentVolume",
    "/api/v1/persistentvolumeclaims": "PersistentVolumeClaim", "/api/v1/namespaces": "Namespace",
    "/apis/storage.k8s.io/v1/csinodes": "CSINode",
    "/apis/resource.k8s.io/v1/resourceclaims": "ResourceClaim",
    "/apis/coordination.k8s.io/v1/leases": "Lease", "/api/v1/configmaps": "ConfigMap",
    "/apis/apps/v1/deployments": "Deployment", "/apis/apps/v1/statefulsets": "StatefulSet",
    "/apis/autoscaling/v2/horizontalpodautoscalers": "HorizontalPodAutoscaler",
}
KINDS = {path.rsplit("/", 1)[1]: kind for path, kind in PATHS.items()}
HEAD = re.compile(rb'{"apiVersion":"([^"]+)","kind":"([^"]+)","metadata":{"name":"([^"]+)"'
                  rb'(?:,"generateName":"[^"]+")?(?:,"namespace":"([^"]+)")?')
BOOKMARK_SECONDS = 20
LOG_LENGTH = 20000  # events of a kind that a stream may begin before
CHANGING = 5000  # pods that change: each of them soon has text of its own, and no more comes


class Store:
    def __init__(self, path):
        self.lock = threading.RLock()
        self.version = 1000000
        self.objects = collections.defaultdict(dict)  # kind -> (ns, name) -> bytes or (offset, n)
        self.orders = {}  # kind -> its keys in order, until one comes or goes
        self.versions = {kind: path.split("/", 2)[2].rsplit("/", 1)[0]
                         for path, kind in PATHS.items()}  # kind -> apiVersion
        self.streams = collections.defaultdict(set)
        self.logs = collections.defaultdict(lambda: collections.deque(maxlen=LOG_LENGTH))
        with open(path, "rb") as f:
            self.file = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
        self.index()

    def index(self):
        at = self.file.find(b"\n") + 1
        while (end := self.file.find(b"\n", at)) > 0:
            head = HEAD.match(self.file, at)
            if head:
                version, kind, name, ns = (x.decode() if x else "" for x in head.groups())
                length = end - at - (self.file[end - 1:end] == b",")
                self.objects[kind][ns, name] = at, length
                self.versions[kind] = version
            at = end + 1

    def text(self, kind, key):
        value = self.objects[kind][key]
        return value if isinstance(value, bytes) else self.file[value[0]:value[0] + value[1]]

    def get(self, kind, key):
        return json.loads(self.text(kind, key)) if key in self.objects[kind] else None

    def order(self, kind):
        with self.lock:
            if kind not in self.orders:
                self.orders[kind] = sorted(self.objects[kind])
            return self.orders[kind]

    def put(self, kind, key, obj):
        with self.lock:
            is_new = key not in self.objects[kind]
            self.version += 1
            obj["metadata"]["resourceVersion"] = str(self.version)
            text = json.dumps(obj, separators=(",", ":")).encode()
            self.objects[kind][key] = text
            if is_new:
                self.orders.pop(kind, None)
            self.tell(kind, b"ADDED" if is_new else b"MODIFIED", text)

    def remove(self, kind, key):
        with self.lock:
            obj = self.get(kind, key)
            self.version += 1
            obj["metadata"]["resourceVersion"] = str(self.version)
            del self.objects[kind][key]
            self.orders.pop(kind, None)
            self.tell(kind, b"DELETED", json.dumps(obj, separators=(",", ":")).encode())

    def tell(self, kind, event, text):
        line = b'{"type":"%s","object":%s}\n' % (event, text)
        self.logs[kind].append((self.version, line))
        for stream in self.streams[kind]:
            stream.put(line)

    def subscribe(self, kind, version):
        """The events after a version, and those to come; None when they are forgotten."""
        with self.lock:
            log, stream = self.logs[kind], queue.Queue()
            if len(log) == LOG_LENGTH and version < log[0][0] - 1:
                return None
            for at, line in log:
                if at > version:
                    stream.put(line)
            self.streams[kind].add(stream)
            return stream


class Control:
    """What can happen: POST /control/NAME?n=COUNT&seconds=S spreads n of them over S seconds."""

    def __init__(self, store):
        self.store, self.rng, self.n = store, random.Random(1), 0
        plain = [k for k in store.objects["Pod"]
                 if b'"sdv.com"' not in store.text("Pod", k) and b'"nodeName"' in store.text("Pod", k)]
        self.changing = self.rng.sample(plain, min(CHANGING, len(plain)))

    def heartbeat(self):
        """A node's status: nothing that a plan reads."""
        key = self.rng.choice(self.store.order("Node"))
        node = self.store.get("Node", key)
        node["status"]["conditions"] = [{"type": "Ready", "status": "True",
                                         "lastHeartbeatTime": str(time.time())}]
        self.store.put("Node", key, node)

    def change(self):
        """A pod's labels: a plan reads them."""
        key = self.rng.choice(self.changing)
        pod = self.store.get("Pod", key)
        self.n += 1
        pod["metadata"]["labels"]["revision"] = str(self.n)
        self.store.put("Pod", key, pod)

    def replace(self):
        """A pod goes, and its controller makes another one."""
        i = self.rng.randrange(len(self.changing))
        key = self.changing[i]
        pod = self.store.get("Pod", key)
        self.store.remove("Pod", key)
        self.n += 1
        name = f"{key[1].rsplit('-', 1)[0]}-r{self.n}"
        pod["metadata"].update(name=name, uid=f"{self.n:08x}-9999-4000-8000-000000000000")
        pod["metadata"]["annotations"] = {"mckube.io/rt-applied": f"never seen before {self.n}"}
        self.changing[i] = key[0], name
        self.store.put("Pod", self.changing[i], pod)

    def arrive(self):
        """A real-time pod that waits for a place, with its request in annotations."""
        self.n += 1
        key = "default", f"arrived-{self.n}"
        self.store.put("Pod", key, {
            "kind": "Pod", "apiVersion": "v1",
            "metadata": {"name": key[1], "namespace": key[0], "labels": {"sdv.com": key[1]},
                         "uid": f"{self.n:08x}-8888-4000-8000-000000000000",
                         "annotations": {"mckube.io/rt-period": "100000",
                                         "mckube.io/rt-runtime-low": "5000",
                                         "mckube.io/rt-runtime-hi": "8000",
                                         "mckube.io/criticality": "High"}},
            "spec": {"schedulerName": "mckube", "containers": [{"name": "c"}]},
            "status": {"phase": "Pending"}})
        return key[1]

    def run(self, name, n, seconds):
        began = time.monotonic()
        for i in range(n):
            last = getattr(self, name)()
            wait = began + seconds * (i + 1) / n - time.monotonic()
            if wait > 0:
                time.sleep(wait)
        return last


def merge(into, patch):
    for key, value in patch.items():
        if value is None:
            into.pop(key, None)
        elif isinstance(value, dict):
            merge(into.setdefault(key, {}), value)
        else:
            into[key] = value


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def send(self, body, code=200):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def fail(self, code, reason):
        self.send({"kind": "Status", "status": "Failure", "code": code, "reason": reason,
                   "message": reason}, code)

    def target(self):
        """Kind, key and subresource of /.../namespaces/NS/PLURAL/NAME[/SUB]."""
        parts = urllib.parse.urlsplit(self.path).path.strip("/").split("/")
        at = parts.index("namespaces")
        ns, plural, *rest = parts[at + 1:]
        return KINDS.get(plural), (ns, rest[0] if rest else ""), rest[1] if len(rest) > 1 else ""

    def body(self):
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")

    # Reading.

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if url.path == "/control/clients":
            self.send({"streams": sum(map(len, store.streams.values()))})
        elif url.path in PATHS and "watch" in query:
            self.watch(PATHS[url.path], int(query["resourceVersion"]))
        elif url.path in PATHS:
            self.list(PATHS[url.path], query)
        elif "limit" in query:  # an API that is not installed
            self.fail(404, "NotFound")
        else:
            kind, key, _ = self.target()
            with store.lock:
                obj = store.get(kind, key)
            self.send(obj) if obj else self.fail(404, "NotFound")

    def list(self, kind, query):
        order, limit = store.order(kind), int(query.get("limit", 0)) or 1 << 30
        start = int(query.get("continue", " 0").split(" ")[1])
        meta = {"resourceVersion": query.get("continue", " ").split(" ")[0] or str(store.version)}
        if start + limit < len(order):
            meta["continue"] = f"{meta['resourceVersion']} {start + limit}"
        items = [store.text(kind, k) for k in order[start:start + limit] if k in store.objects[kind]]
        self.send(b'{"kind":"%sList","apiVersion":"%s","metadata":%s,"items":[' % (
            kind.encode(), store.versions[kind].encode(), json.dumps(meta).encode())
            + b",".join(items) + b"]}")

    def watch(self, kind, version):
        events = store.subscribe(kind, version)
        if not events:
            self.fail(410, "Expired")
            return
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            while True:
                try:
                    line = events.get(timeout=BOOKMARK_SECONDS)
                except queue.Empty:
                    line = b'{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"%d"}}}\n' \
                        % store.version
                self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
        except OSError:
            store.streams[kind].discard(events)
            self.close_connection = True

    # Writing.

    def do_POST(self):
        url = urllib.parse.urlsplit(self.path)
        if url.path.startswith("/control/"):
            query = dict(urllib.parse.parse_qsl(url.query))
            self.send({"name": control.run(url.path[9:], int(query.get("n", 1)),
                                           float(query.get("seconds", 0)))})
            return
        kind, key, sub = self.target()
        body = self.body()
        with store.lock:
            if sub == "binding":
                self.bind(key, body)
            elif sub == "eviction" and not store.get("Pod", key):
                self.fail(404, "NotFound")
            elif sub == "eviction":
                store.remove("Pod", key)
                self.send({"kind": "Status", "status": "Success"}, 201)
            elif kind == "Lease":
                store.put(kind, (key[0], body["metadata"]["name"]), body)
                self.send(body, 201)
            else:
                self.send(body, 201)

    def bind(self, key, body):
        pod = store.get("Pod", key)
        if not pod or pod["spec"].get("nodeName"):
            self.fail(409 if pod else 404, "Conflict" if pod else "NotFound")
            return
        pod["spec"]["nodeName"] = body["target"]["name"]
        merge(pod["metadata"].setdefault("annotations", {}), body["metadata"].get("annotations", {}))
        pod["status"]["phase"] = "Running"
        store.put("Pod", key, pod)
        self.send({"kind": "Status", "status": "Success"}, 201)

    def has_conflict(self, obj, meta):
        version = meta.get("resourceVersion")
        return version and version != obj["metadata"]["resourceVersion"]

    def do_PATCH(self):
        kind, key, _ = self.target()
        patch = self.body()
        with store.lock:
            obj = store.get(kind, key)
            if not obj:
                self.fail(404, "NotFound")
            elif self.has_conflict(obj, patch.get("metadata", {})):
                self.fail(409, "Conflict")
            else:
                patch.get("metadata", {}).pop("uid", None)
                merge(obj, patch)
                store.put(kind, key, obj)
                self.send(obj)

    def do_PUT(self):
        kind, key, _ = self.target()
        body = self.body()
        with store.lock:
            obj = store.get(kind, key)
            if obj and self.has_conflict(obj, body["metadata"]):
                self.fail(409, "Conflict")
            else:
                store.put(kind, key, body)
                self.send(body)


store = Store(sys.argv[1])
control = Control(store)
ThreadingHTTPServer.handle_error = lambda *args: None  # clients that go away
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_address[1], flush=True)
server.serve_forever()
