# SPDX-License-Identifier: Apache-2.0
"""What kubectl-mckube says of the same objects, read from a file."""

import copy
import json
import pathlib
import subprocess

PERIOD, RUNTIME = 1000000, 1000


def of_ours(pod):
    """The same pod as kube-scheduler got it, for the scheduler mckube."""
    pod = copy.deepcopy(pod)
    pod["spec"]["schedulerName"] = "mckube"
    pod["status"] = {"phase": "Pending",
                     **{k: v for k, v in pod.get("status", {}).items()
                        if k == "resourceClaimStatuses"}}
    return pod


def request(pod, criticality="High"):
    meta = pod["metadata"]
    return {"apiVersion": "mcoperator.sdv.com/v1", "kind": "McKube",
            "metadata": {"name": meta["name"], "namespace": meta["namespace"],
                         "uid": f"mckube-{meta['name']}",
                         "finalizers": ["mckube.mcoperator.sdv.com/finalizer"]},
            "spec": {"podname": meta["name"], "criticality": criticality,
                     "rtSettings": {"period": PERIOD, "runtime_low": RUNTIME,
                                    "runtime_hi": RUNTIME}}}


class Ours:
    def __init__(self, program, folder):
        self.program, self.file = program, pathlib.Path(folder) / "snapshot.json"

    def _run(self, command, objects):
        self.file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
        done = subprocess.run([self.program, *command, "--snapshot", self.file, "-o", "json"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=60)
        if done.returncode not in (0, 2, 3):
            raise SystemExit(f"{command}: exit code {done.returncode}: {done.stderr}")
        return json.loads(done.stdout)

    def plan(self, objects):
        return self._run(["plan"], objects)["spec"]

    def place_group(self, pods, objects):
        """Pods and their nodes, in the order in which they are to be bound."""
        plan = self.plan([*objects, *[of_ours(p) for p in pods], *[request(p) for p in pods]])
        by_name = {p["metadata"]["name"]: p for p in pods}
        return [(by_name[a["pod"]["name"]], a["to"]["node"]) for a in plan["actions"]
                if a["kind"] == "Bind"]

    def place(self, pod, objects):
        """The node for the one pod that waits, or why there is none."""
        plan = self.plan([*objects, of_ours(pod), request(pod)])
        name = pod["metadata"]["name"]
        for action in plan["actions"]:
            if action["kind"] == "Bind" and action["pod"]["name"] == name:
                return action["to"]["node"], ""
        for entry in plan["unplaced"]:
            if entry["pod"]["name"] == name:
                return None, f"{entry['reason']}: {entry['message']}"
        return None, "not mentioned: " + "; ".join(w["message"] for w in plan["warnings"])

    def takes(self, pod, node, objects):
        """Would the node do for the pod?"""
        meta = pod["metadata"]
        told = self._run(["explain", f"pod/{meta['name']}", "-n", meta["namespace"]],
                         [*objects, of_ours(pod), request(pod)])
        return [v for v in told["nodes"] if v["name"] == node and v["fits"]] != []
