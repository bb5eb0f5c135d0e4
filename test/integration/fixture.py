# SPDX-License-Identifier: Apache-2.0
"""What the integration tests share: a cluster whose nodes have no kubelet, and helpers to fill it."""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import time

from api import Api

TOP = pathlib.Path(__file__).resolve().parents[2]


class Result:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    def __repr__(self):
        return f"exit code {self.code}\n{self.out}\n{self.err}"


class Fixture:
    def __init__(self, program, cluster, folder, is_older=False):
        self.program, self.cluster, self.folder = program, cluster, pathlib.Path(folder)
        self.is_older, self.manifests_folder = is_older, TOP / "manifests"
        self.manifest_options = ["--set", "admission.mutating.version=v1beta1"] if is_older else []
        if is_older:
            self.copy_manifests()
        self.n_spaces, self.ns = 0, "default"
        self.config = json.loads(self.kubectl("config", "view", "--raw", "--minify", "--flatten",
                                              "-o", "json").out)
        self.api = Api(self.config)
        bin_folder = self.folder / "bin"
        bin_folder.mkdir()
        (bin_folder / "kubectl-mckube").symlink_to(program)
        (bin_folder / "kubectl_complete-mckube").symlink_to(program)
        os.environ["PATH"] = f"{bin_folder}:{os.environ['PATH']}"
        self.install_definitions()

    # Programs

    def run(self, *argv, stdin=None, check=True, env=None):
        done = Result(subprocess.run([str(a) for a in argv], input=stdin, text=True, env=env,
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120))
        assert not check or done.code == 0, f"{argv}: {done}"
        return done

    def kubectl(self, *args, stdin=None, check=True):
        return self.run("kubectl", *args, stdin=stdin, check=check)

    def mckube(self, *args, check=True, env=None):
        return self.run(self.program, *args, check=check, env=env)

    def start_mckube(self, *args):
        return subprocess.Popen([self.program, *args], stdout=subprocess.PIPE, text=True,
                                stderr=subprocess.PIPE)

    # Objects

    def install_definitions(self):
        self.kubectl("apply", "-f", TOP / "manifests" / "crd.yaml",
                     "-f", TOP / "manifests" / "kcloud-crd.yaml")
        for kind in "mckubes", "wo", "costpolicies", "powerpolicies":
            self.wait(lambda: self.kubectl("get", kind, check=False).code == 0)

    def copy_manifests(self):
        """For an API server that has MutatingAdmissionPolicy in v1beta1 only."""
        self.manifests_folder = self.folder / "manifests"
        shutil.copytree(TOP / "manifests", self.manifests_folder)
        policies = self.manifests_folder / "admission-mutating.yaml"
        policies.write_text(policies.read_text().replace("admissionregistration.k8s.io/v1\n",
                                                         "admissionregistration.k8s.io/v1beta1\n"))

    def install(self):
        """All of manifests/, by kubectl."""
        if not self.is_older:
            return self.kubectl("apply", "-k", self.manifests_folder)
        return self.kubectl("apply", "-f", "-", stdin=self.mckube("manifests", *self.manifest_options).out)

    def get(self, kind, name=None, ns=None):
        where = ["-n", ns or self.ns]
        text = self.kubectl("get", kind, *([name] if name else []), *where, "-o", "json").out
        return json.loads(text) if name else json.loads(text)["items"]

    def create(self, *objects, check=True):
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        return self.kubectl("create", "-n", self.ns, "-f", "-", stdin=text, check=check)

    def nodes(self, *names, cores=4):
        """Nodes as a kubelet and a node helper would register them."""
        quantities = {"cpu": str(cores), "memory": "64Gi", "pods": "500"}
        self.create(*[{
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": n, "labels": {"kubernetes.io/hostname": n}, "annotations": {
                "mckube.io/backend": "hcbs", "mckube.io/capacity-scope": "core",
                "mckube.io/rt-capacity": "950000", "mckube.io/rt-cores": f"0-{cores - 1}"}},
        } for n in names])
        status = {"capacity": quantities, "allocatable": quantities,
                  "conditions": [{"type": "Ready", "status": "True"}]}
        for n in names:
            self.kubectl("patch", "node", n, "--subresource=status", "--type=merge", "-p",
                         json.dumps({"status": status}))
            self.kubectl("patch", "node", n, "--type=merge", "-p", '{"spec":{"taints":null}}')

    def pod(self, name, **more):
        spec = {"schedulerName": "mckube", "containers": [{"name": "c", "image": "none"}],
                "terminationGracePeriodSeconds": 0, **more.pop("spec", {})}
        meta = {"name": name, "labels": {"sdv.com": name, **more.pop("labels", {})},
                "annotations": more.pop("annotations", {})}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}

    def request(self, name, low, hi=None, criticality="Low", **settings):
        rt = {"period": 1000000, "runtime_low": low, "runtime_hi": hi or low, **settings}
        return {"apiVersion": "mcoperator.sdv.com/v1", "kind": "McKube",
                "metadata": {"name": name},
                "spec": {"podname": name, "criticality": criticality, "rtSettings": rt}}

    def pair(self, name, low, hi=None, criticality="Low", **more):
        return [self.pod(name, **more), self.request(name, low, hi, criticality)]

    def set_running(self, name, **more):
        """Writes the status that a kubelet would write: Running."""
        self.kubectl("patch", "pod", name, "-n", self.ns, "--subresource=status", "--type=merge",
                     "-p", json.dumps({"status": {"phase": "Running", **more}}))

    def report_usage(self, node, percent, seconds=20):
        """Writes the annotations that a node helper would write about CPU time."""
        self.kubectl("annotate", "node", node, "--overwrite",
                     f"mckube.sdv.com/cpu-usage={percent}",
                     f"mckube.sdv.com/isCpuBusy={str(percent > 90).lower()}",
                     f"mckube.sdv.com/cpu-over90-duration-s={seconds}")

    def pressure(self, **values):
        """The option for a configuration with these keys: a busy CPU is pressure, and no step waits for
        another."""
        path = self.folder / f"{self.ns}-pressure.json"
        path.write_text(json.dumps({
            "apiVersion": "mckube.io/v1alpha1", "kind": "Configuration",
            "pressure": {"trigger": "cpu", "stepSeconds": 0, "holdSeconds": 0, **values}}))
        return f"--config={path}"

    def annotation_of(self, pod, key):
        return pod["metadata"].get("annotations", {}).get(key)

    # Set-up and waiting

    def create_namespace(self, name):
        """One in which pods can be made. After restarts of the API server the controller that gives it its
        service account looks again at ever greater intervals."""
        self.kubectl("create", "namespace", name)
        self.wait(lambda: self.kubectl("get", "serviceaccount", "default", "-n", name, check=False).code == 0, 120)

    @contextlib.contextmanager
    def namespace(self):
        self.n_spaces += 1
        self.ns = f"t{self.n_spaces}"
        self.create_namespace(self.ns)
        try:
            yield
        finally:
            self.drop_finalizers()
            self.kubectl("delete", "mckubes,pods", "--all", "-n", self.ns, "--force",
                         "--grace-period=0", "--wait=false", check=False)
            for kind in "mckubes", "workloadoptimizers":
                held = self.kubectl("get", kind, "-n", self.ns, "-o", "name", check=False)
                for name in held.out.split() if held.code == 0 else []:
                    self.kubectl("patch", name, "-n", self.ns, "--type=merge", "-p",
                                 '{"metadata":{"finalizers":null}}', check=False)
            self.kubectl("delete", "namespace", self.ns, "--wait=false")
            self.remove_installed()
            self.kubectl("delete", "nodes", "--all")

    def remove_installed(self):
        """Ends what the manifests run. Their controllers make no pod again after it."""
        for kinds in ("daemonsets,deployments,cronjobs", "replicasets,jobs,leases"):
            self.kubectl("delete", kinds, "--all", "-n", "mckube-system", "--cascade=orphan", check=False)
        self.kubectl("delete", "pods", "--all", "-n", "mckube-system", "--force", "--grace-period=0",
                     check=False)

    def drop_finalizers(self):
        """Releases the McKubes, as a last pass would."""
        path = f"/apis/mcoperator.sdv.com/v1/namespaces/{self.ns}/mckubes"
        self.api.many([("PATCH", f"{path}/{m['metadata']['name']}",
                        {"metadata": {"finalizers": None}}, "application/merge-patch+json")
                       for m in self.api.call("GET", path)["items"]
                       if m["metadata"].get("finalizers")])

    def start_api_server(self):
        """Starts it after it was stopped, and once more when it ends: it does where etcd is slow."""
        self.cluster.start("kube-apiserver")

        def is_ready():
            if self.cluster.has_ended("kube-apiserver"):
                self.cluster.start("kube-apiserver")
            return self.kubectl("get", "--raw", "/readyz", check=False).code == 0
        self.wait(is_ready, 120)

    def wait(self, condition, seconds=60, found=lambda: ""):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"the condition did not hold within {seconds} s {found()}"
            time.sleep(0.1)

    def stays(self, condition, seconds):
        """It holds all that time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert condition(), f"the condition did not hold for {seconds} s"
            time.sleep(0.05)

    def as_account(self, name, *bound):
        """The environment of a service account of mckube-system."""
        token = self.kubectl("create", "token", name, "-n", "mckube-system", *bound).out.strip()
        config = json.loads(json.dumps(self.config))
        config["users"][0]["user"] = {"token": token}
        path = self.folder / f"kubeconfig-{name}"
        path.write_text(json.dumps(config))
        return dict(os.environ, KUBECONFIG=str(path))
