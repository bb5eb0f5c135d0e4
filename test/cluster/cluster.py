# SPDX-License-Identifier: Apache-2.0
"""A Kubernetes control plane on loopback, in a folder of its own.

The folder holds everything: kubeconfig, keys, logs, etcd's data, and processes.json, which says how
each process was started and which one it is now. A process is known by its id and its start time,
so a process that has got the id of one that ended is left alone.
"""

import json
import os
import pathlib
import secrets
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from ports import free_ports

READY_SECONDS = 120


class NoPrograms(Exception):
    """They are not there and cannot be built."""


def build_programs(*options):
    """The folder with a cluster's programs (see the file build). It is put on PATH, last, because of
    kubectl."""
    done = subprocess.run([HERE / "build", *options], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise NoPrograms("Kubernetes cannot be built here (Go 1.26 is needed)")
    folder = done.stdout.strip()
    os.environ["PATH"] += f":{folder}"
    return folder


def start_time(pid):
    """Field 22 of /proc/PID/stat, None when there is no such process or it has ended."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


def wait_for(condition, what, seconds=READY_SECONDS):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"error: {what} after {seconds} s")
        time.sleep(0.1)


class Cluster:
    def __init__(self, folder, nodes=("node1",)):
        """kubeconfig-NODE is the one of each node's kubelet."""
        self.nodes = nodes
        self.folder = pathlib.Path(folder).resolve()
        self.processes = {}
        if self._state_file.exists():
            self.processes = json.loads(self._state_file.read_text())

    @property
    def _state_file(self):
        return self.folder / "processes.json"

    @property
    def kubeconfig(self):
        return self.folder / "kubeconfig"

    def _save(self):
        self._state_file.write_text(json.dumps(self.processes, indent=1))

    def is_running(self, name):
        p = self.processes.get(name)
        return bool(p) and start_time(p["pid"]) == p["started"]

    def has_ended(self, name):
        """By itself, of a child of this process."""
        pid = self.processes[name]["pid"]
        try:
            return os.waitpid(pid, os.WNOHANG)[0] == pid
        except ChildProcessError:
            return not self.is_running(name)

    def start(self, name, argv=None):
        """Starts a process, with the arguments it had before unless new ones are given."""
        argv = [str(a) for a in argv or self.processes[name]["argv"]]
        (self.folder / "logs").mkdir(exist_ok=True)
        with open(self.folder / "logs" / f"{name}.log", "ab") as log:
            child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                     cwd=self.folder, start_new_session=True)
        self.processes[name] = {"argv": argv, "pid": child.pid, "started": start_time(child.pid)}
        self._save()

    def stop(self, name, sig=signal.SIGTERM):
        """Ends one process and waits until it is gone; SIGKILL when it does not listen."""
        if not self.is_running(name):
            return
        pid = self.processes[name]["pid"]
        os.kill(pid, sig)
        for _ in range(1000):
            if self.has_ended(name):
                return
            time.sleep(0.01)
        os.kill(pid, signal.SIGKILL)

    def stop_all(self):
        for name in reversed(list(self.processes)):
            self.stop(name)

    # The control plane.

    def _write_keys(self):
        run = lambda *a: subprocess.run(a, check=True, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        run("openssl", "genrsa", "-out", self.folder / "sa.key", "2048")
        tokens = {"admin": "system:masters", **{n: "system:nodes" for n in self.nodes}}
        users = {"admin": "admin", **{n: f"system:node:{n}" for n in self.nodes}}
        self.tokens = {name: secrets.token_hex(16) for name in tokens}
        with open(self.folder / "tokens.csv", "w", opener=private) as f:
            for name, group in tokens.items():
                f.write(f'{self.tokens[name]},{users[name]},{name},"{group}"\n')

    def _write_client(self, name):
        """Certificate and key that the API server shows; the certificate is its own authority."""
        pki = self.folder / "pki"
        pki.mkdir(exist_ok=True)
        certificate, key = pki / f"{name}.crt", pki / f"{name}.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                        "/CN=kube-apiserver", "-keyout", key, "-out", certificate],
                       check=True, stderr=subprocess.DEVNULL)
        return certificate, key

    def _write_kubelet_client(self):
        """What it shows to kubelets, for logs and exec."""
        certificate, key = self._write_client("kubelet-client")
        return [f"--kubelet-client-certificate={certificate}", f"--kubelet-client-key={key}",
                "--kubelet-preferred-address-types=InternalIP"]

    def _write_proxy_client(self):
        """What it shows to the servers of other APIs, which then believe its word on the user."""
        certificate, key = self._write_client("proxy-client")
        return [f"--proxy-client-cert-file={certificate}", f"--proxy-client-key-file={key}",
                f"--requestheader-client-ca-file={certificate}", "--requestheader-allowed-names=",
                "--requestheader-username-headers=X-Remote-User",
                "--requestheader-group-headers=X-Remote-Group",
                "--requestheader-extra-headers-prefix=X-Remote-Extra-"]

    def write_kubeconfig(self, path, token, server=None):
        """`server` reaches it by another address than its certificate names."""
        config = {
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {
                "server": server or f"https://127.0.0.1:{self.port}",
                **({"tls-server-name": "kubernetes"} if server else {}),
                "certificate-authority": str(self.folder / "pki" / "apiserver.crt")}}],
            "users": [{"name": "admin", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
        }
        with open(path, "w", opener=private) as f:
            json.dump(config, f, indent=1)

    def _answers(self):
        try:
            context = ssl.create_default_context(cafile=self.folder / "pki" / "apiserver.crt")
            request = urllib.request.Request(
                f"https://127.0.0.1:{self.port}/readyz",
                headers={"Authorization": f"Bearer {self.tokens['admin']}"})
            with urllib.request.urlopen(request, timeout=5, context=context) as reply:
                return reply.status == 200
        except (OSError, urllib.error.URLError):
            if not self.is_running("kube-apiserver"):
                log = self.folder / "logs" / "kube-apiserver.log"
                raise SystemExit(f"error: kube-apiserver has ended, see {log}")
            return False

    def up(self, programs, has_kubelets=False, is_older=False, has_api_servers=False):
        """Without kubelets no heartbeat of nodes arrives, so the node lifecycle controller stays off. An older
        API server (the option --older of the file build) serves MutatingAdmissionPolicy in v1beta1. Servers of
        other APIs, which an APIService names, can be told of the user."""
        programs = pathlib.Path(programs)
        api_server = programs / "older/kube-apiserver" if is_older else programs / "kube-apiserver"
        older = ["--feature-gates=MutatingAdmissionPolicy=true",
                 "--runtime-config=admissionregistration.k8s.io/v1beta1=true"] if is_older else []
        client, peer, self.port = free_ports(3)
        etcd = f"http://127.0.0.1:{client}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write_keys()
        self.start("etcd", [
            programs / "etcd", "--data-dir", self.folder / "etcd", "--unsafe-no-fsync",
            "--listen-client-urls", etcd, "--advertise-client-urls", etcd,
            "--listen-peer-urls", f"http://127.0.0.1:{peer}",
            "--quota-backend-bytes", 4 << 30, "--log-level", "warn"])
        self.start("kube-apiserver", [
            api_server, *older, f"--etcd-servers={etcd}", "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1", f"--secure-port={self.port}",
            f"--cert-dir={self.folder / 'pki'}", "--service-cluster-ip-range=10.0.0.0/24",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={self.folder / 'sa.key'}",
            f"--service-account-signing-key-file={self.folder / 'sa.key'}",
            "--authorization-mode=Node,RBAC",
            f"--token-auth-file={self.folder / 'tokens.csv'}",
            "--allow-privileged=true", "--endpoint-reconciler-type=none",
            "--enable-admission-plugins=NodeRestriction", *self._write_kubelet_client(),
            *(self._write_proxy_client() if has_api_servers else [])])
        wait_for(self._answers, "kube-apiserver is not ready")
        self.write_kubeconfig(self.kubeconfig, self.tokens["admin"])
        for node in self.nodes:
            self.write_kubeconfig(self.folder / f"kubeconfig-{node}", self.tokens[node])
        self.start("kube-controller-manager", [
            programs / "kube-controller-manager", "--kubeconfig", self.kubeconfig,
            f"--service-account-private-key-file={self.folder / 'sa.key'}",
            f"--root-ca-file={self.folder / 'pki' / 'apiserver.crt'}",
            "--leader-elect=false", "--secure-port=0", "--kube-api-qps=500",
            "--kube-api-burst=1000",
            "--controllers=*" + ("" if has_kubelets else ",-node-lifecycle-controller")])
        self.start("kube-scheduler", [
            programs / "kube-scheduler", "--kubeconfig", self.kubeconfig,
            "--leader-elect=false", "--secure-port=0"])


def private(path, flags):
    return os.open(path, flags, 0o600)
