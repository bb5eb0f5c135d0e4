# SPDX-License-Identifier: Apache-2.0
"""manifests/ as a Helm chart: the same objects as `kubectl mckube manifests`, and a release's life."""

import json
import re

import yaml

from fixture import TOP

CHART = TOP / "manifests"
RELEASE, HOME = "kcloud-operator", "kcloud-operator-system"
# What Helm's objects have of their own.
HELMS = {"app.kubernetes.io/managed-by", "app.kubernetes.io/instance", "helm.sh/chart"}

EVERYTHING = {
    "image": {"repository": "r.example:5000/team/m", "tag": "2.0", "pullPolicy": "Always"},
    "nodeImage": {"repository": "r.example/n", "digest": "sha256:" + "a" * 64, "pullPolicy": "Never"},
    "migrateImage": {"repository": "r.example/o", "tag": "3", "digest": "", "pullPolicy": "Never"},
    "checkpoints": {"enabled": True, "images": {"prefixes": "r.example/ "}, "nodeSelector": {"x": "z"}},
    "imagePullSecrets": [{"name": "registry"}],
    "node": {
        "priorityClassName": "high", "nodeSelector": {"example.com/rt": "yes", "kubernetes.io/os": "linux"},
        "tolerations": [{"key": "rt", "operator": "Exists"}], "podAnnotations": {"a": "b < c & d"},
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]}]}}},
        "resources": {"limits": {"memory": "200Mi"}, "requests": {"cpu": "1"}},
        "extraArgs": ["--reserved-cpus=0", "--poll"], "extraEnv": [{"name": "X", "value": "1"}],
        "updateStrategy": {"rollingUpdate": {"maxUnavailable": 1}}},
    "watch": {
        "replicas": 0, "nodeSelector": {"a": "b"}, "tolerations": [{"operator": "Exists"}],
        "topologySpreadConstraints": [], "podAnnotations": {"c": "d"}, "priorityClassName": "low",
        "resources": {"limits": {"memory": "1Gi"}}, "extraArgs": ["-v=2"],
        "extraEnv": [{"name": "Y", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}]},
    "config": {"coreUtilizationThreshold": 0.85, "pressure": {"enabled": False, "stepSeconds": 0},
               "policies": [{"name": "spread", "weight": 1000000}]},
    "migration": {"settings": {"INFLUX_URL": "", "RESOURCE_PRESSURE_THRESHOLD": "70"},
                  "secrets": {"INFLUX_TOKEN": "t"}},
    "monitoring": {"labels": {"release": "kube-prometheus-stack"}, "service": {"enabled": True},
                   "podMonitor": {"enabled": True}, "rules": {"enabled": True}, "dashboard": {"enabled": True}, "secure": {"enabled": True}}}
VALUE_SETS = {
    "defaults": {},
    "everything": {**EVERYTHING, "runtime": "k0s"},
    "cron": {"cron": True, "migration": {"enabled": True}, "migrateImage": {"digest": "sha256:" + "c" * 64}, "cronSchedule": "*/5 * * * *", "config": {"rtCapacity": 0.9}, "runtime": "microk8s",
             "watch": {"affinity": {"podAffinity": {}}, "extraArgs": ["-v=4"], "resources": {"requests": {"cpu": "1"}}},
             "image": {"digest": "sha256:" + "b" * 64}, "nodeImage": {"tag": "x"},
             "imagePullSecrets": [{"name": "a"}, {"name": "b"}]},
    "least": {"crds": {"install": False}, "rbac": {"aggregate": False, "create": False}, "runtime": "docker",
              "admission": {"enabled": False, "mutating": {"enabled": False}},
              "networkPolicy": {"enabled": False}, "podDisruptionBudget": {"enabled": False}},
    "1.34": {"admission": {"mutating": {"version": "v1beta1"}}, "rbac": {"scaleTargets": [
        {"apiGroups": ["example.com"], "resources": ["games/scale"], "verbs": ["get", "patch"]}]}, "bundles": "/b/undles", "kubeletRoot": "/k"},
}
# Not of objects that both print.
HELMS_OWN = {"crds.keep", "fullnameOverride"}


def helm(c, *args, check=True):
    return c.run("helm", *args, check=check)


def objects(text):
    """By kind, namespace and name; JSON in a string as what it says."""
    found = {}
    for o in yaml.safe_load_all(text):
        if not o or o["kind"] == "Namespace":
            continue
        meta = o["metadata"]
        for key in HELMS:
            meta.get("labels", {}).pop(key, None)
        if meta.get("annotations", {}).get("helm.sh/resource-policy"):
            del meta["annotations"]
        name = (o["kind"], meta.get("namespace"), meta["name"])
        assert name not in found, f"{name} twice"
        found[name] = with_json(o)
    return found


def with_json(o):
    if isinstance(o, dict):
        return {k: with_json(v) for k, v in o.items()}
    if isinstance(o, list):
        return [with_json(v) for v in o]
    return json.loads(o) if isinstance(o, str) and o.startswith('{"') else o


def rendered(c, values):
    path = c.folder / "values.yaml"
    path.write_text(yaml.safe_dump(values))
    return (helm(c, "template", RELEASE, CHART, "--namespace", HOME, "--values", path).out,
            c.mckube("manifests", "--install-namespace", HOME, "--set", f"fullnameOverride={RELEASE}",
                     "--values", path).out)


def test_chart_has_the_objects_of_manifests(c):
    for name, values in VALUE_SETS.items():
        by_helm, by_us = map(objects, rendered(c, values))
        assert by_helm.keys() == by_us.keys(), (name, by_helm.keys() ^ by_us.keys())
        for key, o in by_us.items():
            assert by_helm[key] == o, f"{name}: {key}\n{by_helm[key]}\n{o}"


def test_the_helper_is_told_where_each_runtime_has_its_bundles(c):
    runtimes = yaml.safe_load((CHART / "values.map.yaml").read_text())["runtimes"]
    for options in [("--set", f"runtime={name}") for name in runtimes] + [("--set", "bundles=/b/undles")]:
        [daemon] = [o for o in yaml.safe_load_all(c.mckube("manifests", *options).out)
                    if o["kind"] == "DaemonSet" and o["metadata"]["name"] == "mckube-node"]
        pod = daemon["spec"]["template"]["spec"]
        [folder] = [v["hostPath"]["path"] for v in pod["volumes"] if v["name"] == "bundles"]
        [mount] = [m["mountPath"] for m in pod["containers"][0]["volumeMounts"] if m["name"] == "bundles"]
        assert mount == f"/host{folder}", (options, mount, folder)
        assert f"--bundle-dir={mount}/k8s.io" in pod["containers"][0]["args"], (options, pod["containers"][0]["args"])


def leaves(values, shape, where=""):
    for key, value in values.items():
        if isinstance(shape.get(key), dict) and shape[key]:
            yield from leaves(value, shape[key], f"{where}{key}.")
        else:
            yield where + key


def test_every_value_is_in_a_set_that_is_compared(c):
    shape = yaml.safe_load((CHART / "values.yaml").read_text())
    tried = {name for values in VALUE_SETS.values() for name in leaves(values, shape)}
    assert set(leaves(shape, shape)) - HELMS_OWN == tried, set(leaves(shape, shape)) ^ tried


def test_kustomization_has_the_objects_of_manifests(c):
    assert objects(c.kubectl("kustomize", CHART).out) == objects(c.mckube("manifests").out)
    text = c.kubectl("kustomize", CHART / "monitoring").out
    on = [arg for name in ("service", "podMonitor", "rules", "dashboard")
          for arg in ("--set", f"monitoring.{name}.enabled=true")]
    for key, o in objects(text).items():
        assert objects(c.mckube("manifests", *on).out)[key] == o, key


def test_chart_is_clean_and_refuses_typos(c):
    path = c.folder / "values.yaml"
    for values in (EVERYTHING, VALUE_SETS["least"]):
        path.write_text(yaml.safe_dump(values))
        done = helm(c, "lint", "--strict", CHART, "--values", path)
        assert "0 chart(s) failed" in done.out and "[WARNING]" not in done.out, done
    schema = json.loads((CHART / "values.schema.json").read_text())
    assert same_keys(yaml.safe_load((CHART / "values.yaml").read_text()), schema) == []
    for wrong, why in (("watch.replica=1", "replica"), ("watch.replicas=x", "replicas"), ("runtime=k4s", "runtime"),
                       ("node.tolerations=x", "tolerations"), ("bundles=a b", "bundles")):
        for done in (helm(c, "template", CHART, "--set", wrong, check=False),
                     c.mckube("manifests", "--set", wrong, check=False)):
            assert done.code == 1 and why in done.err, (wrong, done)
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    version = re.search(r"kubectl-mckube: (\d+\.\d+\.\d+)", c.mckube("version").out)[1]
    assert chart["appVersion"] == version, (chart, version)


def same_keys(values, schema, where=""):
    """Where values.yaml and its schema have different keys."""
    if not isinstance(values, dict) or "properties" not in schema:
        return []
    both = schema["properties"]
    wrong = [where + key for key in values.keys() ^ both.keys() if key != "global"]
    return wrong + [w for key in values.keys() & both.keys()
                    for w in same_keys(values[key], both[key], f"{where}{key}.")]


def test_helm_installs_upgrades_and_uninstalls(c):
    c.kubectl("delete", "-k", CHART, "--ignore-not-found")
    try:
        release_lives(c)
    finally:
        helm(c, "uninstall", RELEASE, "--namespace", HOME, "--ignore-not-found", check=False)
        c.kubectl("delete", "namespace", HOME, "--ignore-not-found", "--wait=false")
        for definitions in ("crd.yaml", "kcloud-crd.yaml"):
            c.kubectl("apply", "-f", CHART / definitions)
        c.kubectl("wait", "--for=condition=Established", "crd/mckubes.mcoperator.sdv.com")
        c.wait(lambda: c.kubectl("get", "mckubes", "-n", c.ns, check=False).code == 0)


def release_lives(c):
    here = ("--namespace", HOME)
    done = helm(c, "install", RELEASE, CHART, *here, "--create-namespace")
    assert f"doctor --install-namespace {HOME}" in done.out, done
    deployment = c.get("deployment", RELEASE, HOME)
    assert deployment["spec"]["replicas"] == 2
    assert c.get("daemonset", "mckube-node", HOME)["spec"]["template"]["spec"]["hostPID"] is True
    c.kubectl("wait", "--for=condition=Established", "crd/mckubes.mcoperator.sdv.com")
    done = c.mckube("doctor", "--install-namespace", HOME, check=False)
    assert re.search(rf"deployment +missing +{RELEASE}: 0 of 2 pods ready", done.out), done
    c.nodes("n1")
    c.wait(lambda: c.kubectl("get", "mckubes", "-n", c.ns, check=False).code == 0)
    c.create(*c.pair("a", 300000))
    assert "a bind: Done" in c.mckube("apply").out
    users_see_what_their_roles_allow(c)

    done = helm(c, "upgrade", RELEASE, CHART, *here, "--reuse-values", "--set", "watch.replica=1", check=False)
    assert done.code == 1 and "replica" in done.err, done
    helm(c, "upgrade", RELEASE, CHART, *here, "--set", "watch.replicas=1,runtime=k3s",
         "--set-json", 'config={"rtCapacity":0.8}')
    deployment = c.get("deployment", RELEASE, HOME)
    assert deployment["spec"]["replicas"] == 1
    note = deployment["spec"]["template"]["metadata"]["annotations"]["mckube.io/config"]
    config = json.loads(c.get("configmap", "mckube-config", HOME)["data"]["config.yaml"])
    assert json.loads(note) == {"rtCapacity": 0.8} and config["rtCapacity"] == 0.8, (note, config)
    path = c.folder / "config.yaml"
    path.write_text(json.dumps(config))
    c.mckube("plan", "--config", path)
    assert "k3s" in json.dumps(c.get("daemonset", "mckube-node", HOME))
    helm(c, "rollback", RELEASE, "1", *here)
    assert c.get("deployment", RELEASE, HOME)["spec"]["replicas"] == 2

    helm(c, "uninstall", RELEASE, *here)
    assert c.get("deployments", ns=HOME) == [] and c.get("daemonsets", ns=HOME) == []
    assert c.get("mckube", "a")["spec"]["podname"] == "a"  # definitions are kept
    c.wait(lambda: "mckube" not in c.kubectl("get", "clusterroles", "-o", "name").out)
    # Installed again, over definitions that are there; without pods, which no kubelet would end.
    helm(c, "install", RELEASE, CHART, *here, "--set", "watch.replicas=0,node.nodeSelector.none=none")
    done = c.mckube("uninstall", "--install-namespace", HOME)
    assert f"Deployment {HOME}/{RELEASE}: deleted" in done.out, done
    done = c.mckube("doctor", "--install-namespace", HOME, check=False)
    assert f"watch: not installed in {HOME}" in done.out, done
    assert "finalizers" not in c.get("mckube", "a")["metadata"]


def users_see_what_their_roles_allow(c):
    rules = {role["metadata"]["name"]: role["rules"] for role in c.get("clusterroles")}
    assert all(rule in rules["mckube-viewer"] for rule in rules["mckube-planner"])
    kinds = {"mckubes.mcoperator.sdv.com", "workloadoptimizers.kcloud.io", "costpolicies.kcloud.io"}

    def may(user, verb, kind, ns=c.ns):
        return c.kubectl("auth", "can-i", verb, kind, "-n", ns, f"--as={user}", check=False).out.strip() == "yes"

    for role in ("view", "edit", "admin"):
        c.kubectl("create", "rolebinding", role, f"--clusterrole={role}", f"--user={role}", "-n", c.ns)
    c.kubectl("create", "clusterrolebinding", "test-viewer", "--clusterrole=mckube-viewer", "--user=viewer")
    c.wait(lambda: may("viewer", "list", "nodes") and may("admin", "create", "costpolicies.kcloud.io"))
    for kind in kinds:
        assert may("view", "list", kind) and not may("view", "create", kind), kind
        assert may("edit", "create", kind) == (kind != "costpolicies.kcloud.io"), kind
        assert may("admin", "create", kind) and not may("admin", "assign", kind), kind
        assert may("viewer", "list", kind, "default") and not may("viewer", "create", kind), kind
    assert not may("view", "list", "nodes") and not may("viewer", "list", "secrets")
    for command in ("status", "plan", "explain pod/a", "snapshot"):
        assert c.mckube(*command.split(), "-n", c.ns, "--as=viewer").out, command
    c.kubectl("delete", "clusterrolebinding", "test-viewer")
