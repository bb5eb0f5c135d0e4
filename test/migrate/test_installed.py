# SPDX-License-Identifier: Apache-2.0
"""The DaemonSet of `manifests --checkpoints` instead of processes: its user, capability, mounts and
permissions are enough for a move."""

import contextlib
import json
import os
import subprocess

import pair
import yaml
from fixture import HELPER, TOP, wait_for

REGISTRY, TAG, NS = "localhost", "1", "mckube-system"
KINDS = {"Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "ValidatingAdmissionPolicy",
         "ValidatingAdmissionPolicyBinding"}


def for_node(daemon_set, node):
    """What of it is of the node: the two on this machine share no folder, and neither has the host's paths."""
    text = json.dumps(daemon_set).replace("/run/mckube-migrate", str(node.folder / HELPER))
    text = text.replace("/run/containerd/containerd.sock", str(node.socket))
    text = text.replace('"/run/containerd"', json.dumps(str(node.state)))
    own = json.loads(text)
    own["metadata"]["name"] += f"-{node.name}"
    for labels in (own["spec"]["selector"]["matchLabels"], own["spec"]["template"]["metadata"]["labels"]):
        labels["node"] = node.name
    spec = own["spec"]["template"]["spec"]
    spec["nodeSelector"]["kubernetes.io/hostname"] = node.name
    spec["hostAliases"] = [{"ip": pair.HOST, "hostnames": ["kubernetes"]}]
    container = spec["containers"][0]
    container["image"] = f"{REGISTRY}/mckube-migrate:{TAG}"
    container["env"] += [{"name": "KUBERNETES_SERVICE_HOST", "value": "kubernetes"},
                         {"name": "KUBERNETES_SERVICE_PORT", "value": str(pair.PORT)}]
    return own


@contextlib.contextmanager
def installed(f):
    images = f.cluster.folder / "images"
    subprocess.run([TOP / "manifests" / "pack-images", f.build, images, TAG], check=True,
                   env={**os.environ, "REGISTRY": REGISTRY}, stdout=subprocess.DEVNULL)
    for node in f.nodes:
        node.stop(HELPER)
        node.import_image(images / "mckube-migrate.tar")
        f.kubectl("label", "node", node.name, "mckube.io/migrate=true", "kubernetes.io/os=linux", "--overwrite")
    objects = list(yaml.safe_load_all(f.mckube("manifests", "--checkpoints")))
    (daemon_set,) = [o for o in objects if o and o["metadata"]["name"] == "mckube-migrate" and o["kind"] == "DaemonSet"]
    others = [o for o in objects if o and o["kind"] in KINDS and (
        o["kind"] == "Namespace" or o["metadata"]["name"] == "mckube-migrate")]
    text = json.dumps({"apiVersion": "v1", "kind": "List",
                       "items": [*others, *(for_node(daemon_set, n) for n in f.nodes)]})
    f.kubectl("apply", "-f", "-", stdin=text)
    try:
        yield
    finally:
        f.clear_pods()
        f.kubectl("delete", "--ignore-not-found", "--wait=false", "-f", "-", stdin=text)


def full_daemon_set(f):
    with installed(f):
        def addresses():
            return [f.note("node", n.name, "mckube.io/migrate-address") for n in f.nodes]
        try:
            wait_for(lambda: all(addresses()), "no helper", 90)
        except AssertionError as e:
            raise AssertionError(f.kubectl("logs", "-n", NS, "-l", "node", check=False)) from e
        name = f.start("app", "--mb", 5, "--pin", 0)
        wait_for(lambda: f.thread_cpus(name).count([0]) == 1, "not held")
        name = f.move(name, "node-b")
        f.check_one()
        f.check_clean()
        assert f.pod(name)["spec"]["nodeName"] == "node-b"
        assert f.thread_cpus(name).count([0]) == 1
