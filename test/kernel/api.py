# SPDX-License-Identifier: Apache-2.0
"""A few requests to an API server, for tests that play the kubelet."""
import atexit
import json
import os
import pathlib
import shutil
import ssl
import subprocess
import tempfile
import urllib.error
import urllib.request

import yaml

TOP = pathlib.Path(__file__).resolve().parents[2]
MERGE = "application/merge-patch+json"
MCKUBES = "/apis/mcoperator.sdv.com/v1/namespaces/default/mckubes"
PODS = "/api/v1/namespaces/default/pods"


def start_cluster():
    """The kubeconfig of a cluster of our own, None where Kubernetes was not built: that takes
    minutes, see test/cluster/build."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))
    if not list(cache.glob("mckube/kubernetes/*/bin/kube-apiserver")):
        return None
    folder = tempfile.mkdtemp(prefix="mckube-")
    atexit.register(lambda: (subprocess.run([TOP / "test/cluster/down", folder], check=False),
                             shutil.rmtree(folder, ignore_errors=True)))
    return subprocess.run([TOP / "test/cluster/up", folder], stdout=subprocess.PIPE, text=True,
                          check=True).stdout.strip()


class Api:
    def __init__(self, kubeconfig):
        with open(kubeconfig) as f:
            config = yaml.safe_load(f)
        self.server = config["clusters"][0]["cluster"]["server"]
        self.token = config["users"][0]["user"]["token"]
        self.context = ssl._create_unverified_context()
        self.made = []

    def ask(self, method, path, body=None, kind="application/json"):
        request = urllib.request.Request(
            self.server + path, method=method, data=json.dumps(body).encode() if body else None,
            headers={"Authorization": "Bearer " + self.token, "Content-Type": kind})
        with urllib.request.urlopen(request, context=self.context, timeout=10) as reply:
            return json.load(reply)

    def patch(self, path, body):
        return self.ask("PATCH", path, body, MERGE)

    def get(self, path):
        return self.ask("GET", path)

    def answers(self, path):
        try:
            return bool(self.get(path))
        except urllib.error.HTTPError:
            return False

    def make(self, path, body):
        """What is made is removed by remove_all()."""
        made = self.ask("POST", path, body)
        self.made.append(f"{path}/{body['metadata']['name']}")
        return made

    def make_node(self, name):
        try:
            self.ask("POST", "/api/v1/namespaces/default/serviceaccounts",
                     {"metadata": {"name": "default"}})
        except urllib.error.HTTPError:
            pass
        return self.make("/api/v1/nodes", {"metadata": {"name": name}})

    def make_pod(self, name, node, annotations):
        """Returns its uid and path."""
        pod = self.make(PODS, {
            "metadata": {"name": name,
                         "annotations": {f"mckube.io/{k}": str(v) for k, v in annotations.items()}},
            "spec": {"nodeName": node, "automountServiceAccountToken": False,
                     "containers": [{"name": "app", "image": "none"}]}})
        return pod["metadata"]["uid"], f"{PODS}/{name}"

    def set_container(self, pod, container):
        """The status that the kubelet writes once it runs."""
        self.patch(pod + "/status", {"status": {"phase": "Running", "containerStatuses": [
            {"name": "app", "containerID": container, "image": "none", "imageID": "none",
             "ready": True, "restartCount": 0}]}})

    def annotations(self, path):
        return self.get(path)["metadata"].get("annotations", {})

    def annotate(self, path, annotations):
        self.patch(path, {"metadata": {
            "annotations": {"mckube.io/" + k: v for k, v in annotations.items()}}})

    def events(self):
        return self.get("/apis/events.k8s.io/v1/namespaces/default/events")["items"]

    def make_definition(self):
        with open(TOP / "manifests/crd.yaml") as f:
            definition = yaml.safe_load(f)
        try:
            self.ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)
        except urllib.error.HTTPError as e:
            if e.code != 409:
                raise

    def remove_all(self):
        for path in reversed(self.made):
            try:
                self.ask("DELETE", path + "?gracePeriodSeconds=0")
            except urllib.error.HTTPError:
                pass
