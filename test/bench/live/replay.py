# SPDX-License-Identifier: Apache-2.0
"""An API server that has only pods, all of them made from one: for measuring clients.

    replay.py COUNT     prints its port

Pages (limit, continue) and enough of discovery that kubectl lists pods. A pod is as the server
sends it, with managedFields: about 6 kB.
"""

import json
import sys
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def fields(prefix, n):
    return {f"f:{prefix}{i}": {".": {}, "f:name": {}, "f:value": {}} for i in range(n)}


def make_pod():
    env = [{"name": f"VARIABLE_{i}", "value": f"some value of it {i}"} for i in range(12)]
    container = {
        "name": "main", "image": "registry.example.com/team/application:v1.2.3", "env": env,
        "ports": [{"containerPort": 8080, "name": "http", "protocol": "TCP"}],
        "resources": {"limits": {"cpu": "500m", "memory": "512Mi"},
                      "requests": {"cpu": "250m", "memory": "256Mi"}},
        "livenessProbe": {"httpGet": {"path": "/livez", "port": 8080, "scheme": "HTTP"},
                          "periodSeconds": 10, "timeoutSeconds": 1, "failureThreshold": 3},
        "volumeMounts": [{"mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
                          "name": "kube-api-access", "readOnly": True}],
        "terminationMessagePath": "/dev/termination-log", "imagePullPolicy": "IfNotPresent"}
    condition = lambda t: {"type": t, "status": "True", "lastProbeTime": None,
                           "lastTransitionTime": "2026-11-21T09:00:00Z"}
    return {
        "metadata": {
            "name": "@NAME@", "namespace": "default", "uid": "@UID@", "resourceVersion": "12345",
            "creationTimestamp": "2026-11-21T09:00:00Z",
            "labels": {"app": "application", "pod-template-hash": "6d4cf56db6", "tier": "backend"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "application-6d4cf56db6",
                                 "uid": "7b0c3a1e-0000-4000-8000-000000000000", "controller": True,
                                 "blockOwnerDeletion": True}],
            "managedFields": [
                {"manager": "kube-controller-manager", "operation": "Update", "apiVersion": "v1",
                 "time": "2026-11-21T09:00:00Z", "fieldsType": "FieldsV1",
                 "fieldsV1": {"f:metadata": fields("m", 6), "f:spec": fields("s", 22)}},
                {"manager": "kubelet", "operation": "Update", "apiVersion": "v1",
                 "time": "2026-11-21T09:00:05Z", "fieldsType": "FieldsV1",
                 "fieldsV1": {"f:status": fields("c", 16)}, "subresource": "status"}]},
        "spec": {"nodeName": "node-@NODE@", "schedulerName": "default-scheduler", "priority": 0,
                 "restartPolicy": "Always", "terminationGracePeriodSeconds": 30,
                 "dnsPolicy": "ClusterFirst", "serviceAccountName": "default",
                 "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists",
                                  "effect": "NoExecute", "tolerationSeconds": 300},
                                 {"key": "node.kubernetes.io/unreachable", "operator": "Exists",
                                  "effect": "NoExecute", "tolerationSeconds": 300}],
                 "containers": [container],
                 "volumes": [{"name": "kube-api-access", "projected": {"defaultMode": 420, "sources": [
                     {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                     {"configMap": {"name": "kube-root-ca.crt",
                                    "items": [{"key": "ca.crt", "path": "ca.crt"}]}}]}}]},
        "status": {"phase": "Running", "qosClass": "Burstable", "hostIP": "10.0.0.1",
                   "podIP": "10.1.2.3", "startTime": "2026-11-21T09:00:00Z",
                   "conditions": [condition(t) for t in ("Initialized", "Ready", "ContainersReady",
                                                         "PodScheduled")],
                   "containerStatuses": [{
                       "name": "main", "ready": True, "restartCount": 0, "started": True,
                       "image": "registry.example.com/team/application:v1.2.3",
                       "imageID": "registry.example.com/team/application@sha256:" + "0" * 64,
                       "containerID": "containerd://" + "1" * 64,
                       "state": {"running": {"startedAt": "2026-11-21T09:00:04Z"}}}]}}


POD = json.dumps(make_pod(), separators=(",", ":")).encode()


def page(start, end, count):
    items = [POD.replace(b"@NAME@", b"application-%06d" % i)
                .replace(b"@UID@", b"%08x-0000-4000-8000-000000000000" % i)
                .replace(b"@NODE@", b"%d" % (i % 5000)) for i in range(start, end)]
    meta = {"resourceVersion": "99999"}
    if end < count:
        meta["continue"] = str(end)
    return (b'{"kind":"PodList","apiVersion":"v1","metadata":%s,"items":[' % json.dumps(meta).encode()
            + b",".join(items) + b"]}\n")


DISCOVERY = {
    "/api": {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": [
        {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod",
         "verbs": ["get", "list"], "shortNames": ["po"]}]},
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    pages = {}

    def log_message(self, *args):
        pass

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if url.path in DISCOVERY:
            self.send(json.dumps(DISCOVERY[url.path]).encode())
        elif url.path == "/api/v1/pods":
            start, limit = int(query.get("continue", 0)), int(query.get("limit", 0)) or self.count
            key = (start, min(start + limit, self.count))
            self.send(self.pages.get(key) or self.pages.setdefault(key, page(*key, self.count)))
        else:
            self.send(b'{"kind":"Status","code":404,"reason":"NotFound"}', 404)

    def send(self, body, code=200):
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


Handler.count = int(sys.argv[1])
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
for at in range(0, Handler.count, 500):
    Handler.pages[at, min(at + 500, Handler.count)] = page(at, min(at + 500, Handler.count), Handler.count)
print(server.server_address[1], len(POD), flush=True)
server.serve_forever()
