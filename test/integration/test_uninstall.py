# SPDX-License-Identifier: Apache-2.0
"""What an installation leaves behind is removed, before or after its objects are deleted."""

import json

from fixture import TOP

FINALIZER = "mckube.mcoperator.sdv.com/finalizer"
HELPER = {"app.kubernetes.io/name": "mckube-node"}


def used_installation(c):
    """As after a while: a pod has cores, its McKube our finalizer, a node annotations and a taint.

    The node takes no pod of the installation: without a kubelet it would never end.
    """
    c.nodes("n1")
    c.create(*c.pair("brake", 300000, 500000, "High"))
    c.create(c.pod("own", annotations={"mckube.io/rt-period": "100000", "mckube.io/criticality": "Low",
                                       "mckube.io/rt-runtime-low": "5000",
                                       "mckube.io/rt-runtime-hi": "5000"}))
    c.create(c.pod("other", spec={"schedulerName": "other"}, annotations={"mckube.io/rt-period": "100000"}))
    done = c.mckube("apply")
    assert "brake bind: Done" in done.out and "own bind: Done" in done.out, done
    c.kubectl("taint", "node", "n1", "McKubeRTDeadlinePressure=True:NoSchedule",
              "mckube.io/pressure=True:PreferNoSchedule", "example.com/kept=x:NoSchedule")
    c.install()
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
             "metadata": {"name": "mckube-node-n1", "namespace": "mckube-system", "labels": HELPER}}
    c.kubectl("apply", "-f", "-", stdin=json.dumps(lease))


def names(c, *what):
    return c.kubectl("get", *what, "-o", "name").out.split()


def is_clean(c):
    ours = lambda o: {k for k in o["metadata"].get("annotations", {}) if k.startswith("mckube.io/")}
    pods = {p["metadata"]["name"]: ours(p) for p in c.get("pods")}
    assert pods == {"brake": set(), "other": {"mckube.io/rt-period"},
                    "own": {f"mckube.io/{k}" for k in ("rt-period", "criticality", "rt-runtime-low", "rt-runtime-hi")}}, pods
    node = c.get("node", "n1")
    assert not ours(node), node["metadata"]
    assert [t["key"] for t in node["spec"]["taints"]] == ["example.com/kept"]
    assert not names(c, "leases", "-A", "-l", "app.kubernetes.io/name=mckube-node")
    assert not names(c, "lease", "mckube", "-n", "kube-system", "--ignore-not-found")
    assert not names(c, "deployments,daemonsets,cronjobs", "-n", "mckube-system")


def test_uninstall_cleans_before_the_objects_are_deleted(c):
    used_installation(c)
    done = c.mckube("uninstall", "--dry-run")
    assert "Deployment mckube-system/mckube-watch: deleted (dry run)" in done.out, done
    assert "brake" in done.out and "Node n1" in done.out, done
    assert c.get("mckube", "brake")["metadata"]["finalizers"] == [FINALIZER]
    assert names(c, "daemonsets", "-n", "mckube-system")

    done = c.mckube("uninstall")  # the garbage collector looks for new definitions every 30 s
    for text in ("Deployment mckube-system/mckube-watch: deleted", "DaemonSet mckube-system/mckube-node: deleted",
                 "Node n1: ", "Lease kube-system/mckube: deleted", "kubectl delete --ignore-not-found -f -"):
        assert text in done.out, done
    assert "finalizers" not in c.get("mckube", "brake")["metadata"]
    is_clean(c)
    done = c.mckube("uninstall")
    assert "Nothing to do." in done.out and "n1" not in done.out and "Set" not in done.out, done


def test_uninstall_cleans_after_the_objects_were_deleted(c):
    used_installation(c)
    c.kubectl("delete", "-k", c.manifests_folder, "--wait=false")
    assert c.get("mckube", "brake")["metadata"]["finalizers"] == [FINALIZER]
    c.mckube("uninstall")
    c.wait(lambda: not names(c, "crd", "mckubes.mcoperator.sdv.com", "--ignore-not-found"))
    is_clean(c)
    for definitions in ("crd.yaml", "kcloud-crd.yaml"):
        c.kubectl("apply", "-f", TOP / "manifests" / definitions)
    c.kubectl("wait", "--for=condition=Established", "crd/mckubes.mcoperator.sdv.com")
    c.wait(lambda: c.kubectl("get", "mckubes", "-n", c.ns, check=False).code == 0)
