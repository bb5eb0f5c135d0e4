# SPDX-License-Identifier: Apache-2.0
"""What `manifests --checkpoints` permits, and refuses: moves of running containers by the service
accounts alone. The nodes have no kubelet and no containerd, for which the test speaks."""

import contextlib
import json
import threading
import time

from test_manifests import LEASE, READS, WRITES, create, notes, patch, rights

RBAC = "rbac.authorization.k8s.io/v1"
MIGRATE = {("pods", "list"), ("pods", "watch"), ("pods", "patch"), ("nodes", "get"), ("nodes", "patch")}
FACTS = {"mckube.io/checkpoint": "criu=4.2.1,containerd=2.2.9,restore=true",
         "mckube.io/cpu-flags": "0123456789abcdef",
         "mckube.io/migrate-address": "192.0.2.1:9810/" + "0" * 64}
ID = "abcdefghijklmnopqrstuvwxyz012345"
SPEAKS = "tests-with-kubectl"
LOST = "CPUs of threads are not kept: 2 threads"


@contextlib.contextmanager
def installed(c):
    """The objects of --checkpoints. Bindings of roles go with the test, since others look at the roles."""
    text = c.mckube("manifests", "--checkpoints").out
    if getattr(c, "has_checkpoints", False):
        text = "---\n".join(d for d in text.split("---\n") if "\nkind: ClusterRoleBinding\n" in d)
    c.kubectl("apply", "-f", "-", stdin=text)
    with_account(c)
    user = c.as_account("mckube-planner")
    if not getattr(c, "has_checkpoints", False):
        c.kubectl("delete", "daemonsets,deployments", "--all", "-n", "mckube-system", "--wait=false")
        image = c.pod("probe", spec={"containers": [{"name": "c", "image": "localhost:9809/mig/x:v1"}]})
        c.wait(lambda: "they need the verb restore" in create(c, user, image, "--dry-run=server").err)
    c.has_checkpoints = True
    try:
        yield user
    finally:
        c.kubectl("delete", "clusterrolebinding", "--ignore-not-found", "mckube-migrate", "mckube-checkpoints",
                  "mckube-migration", SPEAKS)


def with_account(c):
    """kubectl reads what it patches, and the planner's account stands for a user that edits pods."""
    c.kubectl("create", "rolebinding", "edit", "--clusterrole=edit", "-n", c.ns,
              "--serviceaccount=mckube-system:mckube-planner")
    c.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": RBAC, "kind": "ClusterRole", "metadata": {"name": SPEAKS},
         "rules": [{"apiGroups": [""], "verbs": ["get"], "resources": ["pods", "nodes"]}]},
        {"apiVersion": RBAC, "kind": "ClusterRoleBinding", "metadata": {"name": SPEAKS},
         "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": SPEAKS},
         "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": "mckube-system"}
                      for name in ("mckube-applier", "mckube-migrate")]}]}))


def helper_on(c, node):
    """The environment of mckube-migrate on that node: its token is bound to a pod there."""
    name = f"migrate-{c.ns}-{node}"
    c.kubectl("create", "-f", "-", stdin=json.dumps({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "mckube-system"},
        "spec": {"nodeName": node, "serviceAccountName": "mckube-migrate",
                 "terminationGracePeriodSeconds": 0, "containers": [{"name": "c", "image": "none"}]}}))
    env = c.as_account("mckube-migrate", "--bound-object-kind=Pod", f"--bound-object-name={name}")
    path = c.folder / f"kubeconfig-{name}"
    path.write_text(open(env["KUBECONFIG"]).read())
    return {**env, "KUBECONFIG": str(path)}


def test_roles_of_checkpoints_allow_only_what_the_programs_do(c):
    with installed(c):
        c.kubectl("delete", "clusterrolebinding", SPEAKS)
        applier = READS | WRITES | {("pods", "create"), ("pods", "delete"),
                                    ("mckubes.mcoperator.sdv.com", "restore")}
        assert rights(c, "mckube-migrate", "default") == MIGRATE
        assert rights(c, "mckube-migrate", "mckube-system") == MIGRATE
        assert rights(c, "mckube-applier", "default") == applier
        assert rights(c, "mckube-applier", "kube-system") == applier | LEASE


def test_images_of_checkpoints_are_for_moves_alone(c):
    with installed(c) as user:
        c.nodes("n1")
        for image in ("localhost:9809/mig/x:v1", "127.0.0.1:9809/mig/x:v1", "LOCALHOST:9809/x"):
            pod = c.pod("a", spec={"containers": [{"name": "c", "image": image}]})
            done = create(c, user, pod)
            assert done.code == 1 and "they need the verb restore" in done.err, done
        c.create(c.pod("b", spec={"nodeName": "n1", "containers": [
            {"name": "c", "image": "localhost:9809/mig/x:v1"}]}))  # an administrator may
        assert patch(c, user, "pod", "b", {"metadata": {"annotations": {"x": "y"}}}).code == 0
        done = c.run("kubectl", "set", "image", "-n", c.ns, "pod/b", "c=localhost:9809/mig/y:v1",
                     env=user, check=False)
        assert done.code == 1 and "they need the verb restore" in done.err, done
        images_of_a_list(c, user)


def images_of_a_list(c, user):
    def ask(image, env=user):
        return create(c, env, c.pod("d", spec={"containers": [{"name": "c", "image": image}]}),
                      "--dry-run=server")

    assert ask("anywhere.example/x:1").code == 0
    c.kubectl("patch", "configmap", "mckube-images", "-n", "mckube-system", "-p",
              json.dumps({"data": {"prefixes": "r.example/team/ registry.k8s.io/ r.example"}}))
    c.wait(lambda: ask("anywhere.example/x:1").code != 0)
    assert "anywhere.example/x:1: is not below a prefix" in ask("anywhere.example/x:1").err
    for image, is_allowed in (("r.example/team/x:1", True), ("registry.k8s.io/pause:3.10", True),
                              ("r.example.evil.example/x", False), ("nginx", False)):
        assert (ask(image).code == 0) == is_allowed, image
    assert ask("localhost:9809/mig/x:v1", None).code == 0
    c.kubectl("patch", "configmap", "mckube-images", "-n", "mckube-system", "-p",
              json.dumps({"data": {"prefixes": ""}}))


def test_migrate_helper_writes_its_part_of_moves_only(c):
    with installed(c):
        c.nodes("n1", "n2")
        helper = helper_on(c, "n1")
        assert patch(c, helper, "node", "n1", {"metadata": {"annotations": FACTS}}).code == 0
        moved = {"labels": {"mckube.io/migrating": ID}}
        c.create(c.pod("plain", spec={"nodeName": "n1"}),
                 c.pod("here", spec={"nodeName": "n1"}, **moved),
                 c.pod("coming", spec={"nodeName": "n2"}, annotations={"mckube.io/migrate-to": "n1"}, **moved),
                 c.pod("there", spec={"nodeName": "n2"}, **moved))
        for name in ("here", "coming"):
            assert patch(c, helper, "pod", name, notes(migrate_state="Waiting")).code == 0
        assert patch(c, helper, "pod", "here", {"metadata": {"labels": {"mckube.io/migrating": None}}}).code == 0
        owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "0"}
        for kind, name, change, why in (
                ("node", "n2", {"metadata": {"annotations": FACTS}}, "only touches its own node, n1"),
                ("node", "n1", notes(backend="v1"), "no annotations but mckube.io/checkpoint"),
                ("node", "n1", {"metadata": {"labels": {"x": "y"}}}, "changes no labels"),
                ("node", "n1", {"spec": {"unschedulable": True}}, "neither spec"),
                ("pod", "plain", notes(migrate_state="Sent"), "only touches its own node, n1"),
                ("pod", "there", notes(migrate_state="Sent"), "only touches its own node, n1"),
                ("pod", "coming", notes(migrate_to="n2"), "changes no annotations but"),
                ("pod", "coming", {"metadata": {"labels": {"x": "y"}}}, "changes no labels"),
                ("pod", "coming", {"metadata": {"ownerReferences": [owner]}}, "finalizers nor owners")):
            done = patch(c, helper, kind, name, change)
            assert done.code == 1 and why in done.err, (change, done)
        done = patch(c, c.as_account("mckube-migrate"), "node", "n1", {"metadata": {"annotations": FACTS}})
        assert done.code == 1 and "must be bound to a node" in done.err, done


def test_applier_moves_pods_and_nothing_else(c):
    with installed(c):
        c.nodes("n1")
        applier = c.as_account("mckube-applier")
        c.create(c.pod("a", labels={"pod-template-hash": "h"}), c.pod("bound", spec={"nodeName": "n1"}))
        promise = {"metadata": {"annotations": {"mckube.io/migrate-id": ID},
                                "labels": {"mckube.io/migrating": ID}}}
        container = c.get("pod", "a")["spec"]["containers"][0]["name"]

        def image(name):
            return c.run("kubectl", "set", "image", "-n", c.ns, "pod/a", f"{container}={name}", env=applier,
                         check=False)

        def hash_of(name, value):
            return patch(c, applier, "pod", name, {"metadata": {"labels": {"pod-template-hash": value}}})

        for done in (image(f"localhost:9809/mig/{ID}-0:v1"), hash_of("a", "migrating-h"),
                     patch(c, applier, "pod", "a", {"metadata": {"labels": {"mckube.io/migrating": ID}}})):
            assert done.code == 1 and "applier" in done.err, done  # no move is promised
        for name in ("a", "bound"):
            assert patch(c, applier, "pod", name, promise).code == 0
        assert hash_of("a", "migrating-h").code == 0 and hash_of("a", "h").code == 0
        assert image(f"localhost:9809/mig/{ID}-0:v1").code == 0
        other = "z" * 32
        for done in (image("evil"), image(f"localhost:9809/mig/{other}-0:v1"), hash_of("a", "other"),
                     patch(c, applier, "pod", "a", {"metadata": {"labels": {"mckube.io/migrating": other}}}),
                     patch(c, applier, "pod", "a", {"metadata": {"labels": {"x": "y"}}}),
                     patch(c, applier, "pod", "a", {"spec": {"activeDeadlineSeconds": 5}}),
                     c.run("kubectl", "set", "image", "-n", c.ns, "pod/bound",
                           f"{container}=localhost:9809/mig/{ID}-0:v1", env=applier, check=False),
                     create(c, applier, c.pod("new")),
                     c.run("kubectl", "delete", "pod", "-n", c.ns, "free", env=applier, check=False)
                     if c.create(c.pod("free", spec={"nodeName": "n1"})) else None):
            assert done.code == 1 and "the applier " in done.err, done
        c.run("kubectl", "delete", "pod", "-n", c.ns, "a", "--wait=false", env=applier)
        copy = c.pod("copy", annotations={"mckube.io/migrate-from": "n1/x"})
        assert create(c, applier, copy).code == 0


class Nodes(threading.Thread):
    """Kubelets and helpers of two nodes: what the helpers write is written by their accounts."""

    def __init__(self, c):
        super().__init__(daemon=True)
        self.c, self.is_ending, self.failure = c, False, None
        self.helpers = {n: helper_on(c, n) for n in ("n1", "n2")}
        for node, env in self.helpers.items():
            done = patch(c, env, "node", node, {"metadata": {"annotations": FACTS}})
            assert done.code == 0, done

    def run(self):
        try:
            while not self.is_ending:
                for pod in self.c.get("pods"):
                    self.step(pod)
                time.sleep(0.1)
        except Exception as e:
            self.failure = e

    def step(self, pod):
        meta, node = pod["metadata"], pod["spec"].get("nodeName")
        said = {k.partition("/migrate-")[2]: v for k, v in meta.get("annotations", {}).items()}
        if not node:
            return
        if "deletionTimestamp" in meta:
            self.c.kubectl("delete", "pod", meta["name"], "-n", self.c.ns, "--force", "--grace-period=0",
                           check=False)
        elif pod["status"]["phase"] != "Running":
            self.set_running(pod)
        elif "to" in said:
            self.of_source(pod, node, said)
        elif "id" in said and "state" not in said:
            self.write(node, meta["name"], notes(migrate_state=f"Restored: 200: {LOST}"))
        elif "mckube.io/migrating" in meta.get("labels", {}) and not any(
                "migrating" in str(p["metadata"].get("labels")) and p["metadata"]["name"] != meta["name"]
                for p in self.c.get("pods")):
            self.write(node, meta["name"], {"metadata": {"labels": {"mckube.io/migrating": None}}})

    def of_source(self, pod, node, said):
        name = pod["metadata"]["name"]
        has_new = any(p["metadata"].get("annotations", {}).get("mckube.io/migrate-id") == said["id"]
                      and p["metadata"]["name"] != name and p["spec"].get("nodeName")
                      for p in self.c.get("pods"))
        if said["state"] == "Requested":
            self.write(node, name, notes(migrate_state="Waiting"))
        owners = pod["metadata"].get("ownerReferences", [])
        is_stateful = owners and owners[0]["kind"] == "StatefulSet"
        if "ready" not in said:
            self.write(said["to"], name, notes(migrate_ready="Pulled" if is_stateful else "Ready"))
        if said["state"] == "Waiting" and (has_new or is_stateful):
            self.write(node, name, notes(migrate_state="Paused"))
            self.write(node, name, notes(migrate_state="Sent: 100"))

    def write(self, node, name, change):
        done = patch(self.c, self.helpers[node], "pod", name, change)
        assert done.code == 0 or "not found" in done.err or "NotFound" in done.err, done

    def set_running(self, pod):
        status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
                  "containerStatuses": [{
                      "name": x["name"], "image": x["image"], "imageID": "docker.io/x@sha256:" + "1" * 64,
                      "containerID": "containerd://" + pod["metadata"]["uid"], "ready": True,
                      "restartCount": 0, "started": True, "state": {"running": {}}}
                      for x in pod["spec"]["containers"]]}
        self.c.kubectl("patch", "pod", pod["metadata"]["name"], "-n", self.c.ns, "--subresource=status",
                       "--type=merge", "-p", json.dumps({"status": status}))

    def end(self):
        self.is_ending = True
        self.join()
        assert not self.failure, self.failure


def workload(kind, name):
    labels = {"app": name}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name},
            "spec": {"replicas": 1, "selector": {"matchLabels": labels},
                     "template": {"metadata": {"labels": labels}, "spec": {
                         "schedulerName": "mckube", "terminationGracePeriodSeconds": 0,
                         "containers": [{"name": "c", "image": "none"}]}}}}


def test_moves_with_memory_need_the_accounts_only(c):
    """Every request of a move, of a bare pod and of a Deployment's, is sent by the accounts that send it in
    a cluster."""
    with installed(c):
        c.nodes("n1", "n2")
        bare = c.pod("bare", spec={"nodeName": "n1"})
        c.create(bare, workload("Deployment", "web"))
        nodes, applier = Nodes(c), c.as_account("mckube-applier")
        nodes.start()
        try:
            move_both(c, applier)
        finally:
            nodes.end()


def test_the_applier_notes_arrivals_on_nodes_and_nothing_else(c):
    with installed(c):
        c.nodes("n1")
        applier = c.as_account("mckube-applier")
        for value in ("{}", None):
            assert patch(c, applier, "node", "n1", notes(migrate_arrivals=value)).code == 0
        for change in (notes(checkpoint="x"), notes(backend="v1")):
            done = patch(c, applier, "node", "n1", change)
            assert done.code == 1 and "mckube.io/migrate-arrivals of nodes" in done.err, done


def test_a_stateful_sets_pod_moves_by_the_accounts_alone(c):
    with installed(c):
        c.nodes("n1", "n2")
        c.create(workload("StatefulSet", "db"))
        nodes, applier = Nodes(c), c.as_account("mckube-applier")
        nodes.start()
        try:
            c.wait(lambda: c.get("pods"))
            bind(c, "db-0", "n1")
            c.wait(lambda: c.get("pod", "db-0")["status"]["phase"] == "Running")
            before = c.get("pod", "db-0")["metadata"]["uid"]
            done = c.mckube("migrate", "pod/db-0", "-n", c.ns, "--to", "n2", env=applier, check=False)
            assert done.code == 0 and "migrate: Done" in done.out, done
            after = c.get("pod", "db-0")
            assert after["metadata"]["uid"] != before and after["spec"]["nodeName"] == "n2", after
            assert after["spec"]["containers"][0]["image"].startswith("localhost:9809/mig/"), after
            assert "mckube.io/migrate-arrivals" not in c.get("node", "n2")["metadata"]["annotations"]
        finally:
            nodes.end()


def bind(c, pod, node):
    binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": pod},
               "target": {"kind": "Node", "name": node}}
    c.kubectl("create", "--raw", f"/api/v1/namespaces/{c.ns}/pods/{pod}/binding", "-f", "-",
              stdin=json.dumps(binding))


def move_both(c, applier):
    c.wait(lambda: len(c.get("pods")) == 2)
    [web] = [p["metadata"]["name"] for p in c.get("pods") if p["metadata"]["name"] != "bare"]
    bind(c, web, "n1")
    c.wait(lambda: all(p["status"]["phase"] == "Running" for p in c.get("pods")))
    before = {p["metadata"]["name"]: p["spec"]["nodeName"] for p in c.get("pods")}
    for name, node in before.items():
        to = {"n1": "n2", "n2": "n1"}[node]
        done = c.mckube("migrate", f"pod/{name}", "-n", c.ns, "--to", to, env=applier, check=False)
        assert done.code == 0 and "migrate: Done" in done.out, done
        assert f"stood still for 300 ms; {LOST}" in done.out, done
        c.wait(lambda: name not in {p["metadata"]["name"] for p in c.get("pods")})
        assert any(e["reason"] == "Migrated" and LOST in e["note"] for e in c.get("events.events.k8s.io"))
    after = c.get("pods")
    assert len(after) == 2 and not set(before) & {p["metadata"]["name"] for p in after}, after
    for pod in after:
        assert pod["spec"]["containers"][0]["image"].startswith("localhost:9809/mig/"), pod
    c.wait(lambda: not any("mckube.io/migrating" in p["metadata"].get("labels", {}) for p in c.get("pods")))
