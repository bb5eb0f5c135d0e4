# SPDX-License-Identifier: Apache-2.0
"""Random volumes, claims and resource claims of a scene."""

DRIVERS = ["one.example.com", "two.example.com"]
ZONES = {"topology.kubernetes.io/zone": ["z1", "z2", "z1__z2"],
         "failure-domain.beta.kubernetes.io/zone": ["z1", "z2"],
         "topology.kubernetes.io/region": ["r1", "r2"]}


class Storage:
    def __init__(self, scene):
        self.scene = scene
        self.csi_nodes = [self._csi_node(n["metadata"]["name"]) for n in scene.nodes
                          if scene.chance(0.4)]
        self.volumes, self.claims = [], []
        for _ in range(scene.pick(0, 1, 2, 3)):
            self._bound_pair(scene.pick("red", "red", "blue"))

    def _csi_node(self, name):
        s = self.scene
        return {"apiVersion": "storage.k8s.io/v1", "kind": "CSINode", "metadata": {"name": name},
                "spec": {"drivers": [{"name": d, "nodeID": name,
                                      **({"allocatable": {"count": s.pick(0, 1, 2)}}
                                         if s.chance(0.8) else {})}
                                     for d in DRIVERS if s.chance(0.8)]}}

    def _volume(self, name):
        s = self.scene
        volume = {"apiVersion": "v1", "kind": "PersistentVolume",
                  "metadata": {"name": name, "labels": {}},
                  "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"],
                           "persistentVolumeReclaimPolicy": "Retain"}}
        if s.chance(0.6):
            handle = s.pick("shared", name)
            volume["spec"]["csi"] = {"driver": s.pick(*DRIVERS), "volumeHandle": handle}
        else:
            volume["spec"]["nfs"] = {"server": "nfs.example.com", "path": "/"}
        for key, values in ZONES.items():
            if s.chance(0.25):
                volume["metadata"]["labels"][key] = s.pick(*values)
        if s.chance(0.25):
            self._tie(volume)
        return volume

    def _tie(self, volume):
        s = self.scene
        volume["spec"]["nodeAffinity"] = {"required": {"nodeSelectorTerms": [{
            "matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In",
                                  "values": [s.pick(*s.nodes)["metadata"]["name"]]}]}]}}

    def _claim(self, ns, name, storage_class, mode="ReadWriteOnce"):
        return {"apiVersion": "v1", "kind": "PersistentVolumeClaim",
                "metadata": {"name": name, "namespace": ns, "annotations": {}},
                "spec": {"accessModes": [mode], "storageClassName": storage_class,
                         "resources": {"requests": {"storage": "1Gi"}}}}

    def _bind(self, volume, claim):
        """As the volume controller would have bound the two."""
        meta = claim["metadata"]
        mode = claim["spec"]["accessModes"]
        volume["spec"].update(storageClassName=claim["spec"]["storageClassName"],
                              accessModes=mode,
                              claimRef={"kind": "PersistentVolumeClaim", "apiVersion": "v1",
                                        "namespace": meta["namespace"], "name": meta["name"]})
        claim["spec"]["volumeName"] = volume["metadata"]["name"]

    def _bound_pair(self, ns):
        s = self.scene
        mode = s.pick("ReadWriteOnce", "ReadWriteOnce", "ReadWriteOncePod", "ReadWriteMany")
        volume = self._volume(s.name("volume"))
        claim = self._claim(ns, s.name("claim"), s.pick("", "waitforfirstconsumer"), mode)
        self._bind(volume, claim)
        self.volumes.append(volume)
        self.claims.append(claim)
        return claim

    def _claims_of(self, ns):
        return [c for c in self.claims if c["metadata"]["namespace"] == ns]

    @staticmethod
    def _mount(pod, claim):
        volumes = pod["spec"].setdefault("volumes", [])
        volumes.append({"name": f"v{len(volumes)}", "persistentVolumeClaim": {
            "claimName": claim["metadata"]["name"] if claim else "not-there"}})

    def give_running(self, pod):
        mine = self._claims_of(pod["metadata"]["namespace"])
        if mine and self.scene.chance(0.25):
            self._mount(pod, self.scene.pick(*mine))

    def give_waiting(self, pod):
        """Gives the pod claims now and then; returns what is to be made for it."""
        s, made = self.scene, []
        mine = self._claims_of(pod["metadata"]["namespace"])
        if mine and s.chance(0.3):
            for claim in s.rng.sample(mine, min(len(mine), s.pick(1, 1, 2))):
                self._mount(pod, claim)
        if s.chance(0.06):
            made += getattr(self, s.pick("_late", "_late", "_immediate", "_lost", "_missing",
                                         "_leaving"))(pod)
        if s.chance(0.05):
            made.append(self._resource_claim(pod))
        return made

    # Claims that are not bound.

    def _late(self, pod):
        """Waits for the first consumer; perhaps there is a volume that would do."""
        s = self.scene
        claim = self._claim(pod["metadata"]["namespace"], s.name("late"), "waitforfirstconsumer")
        self._mount(pod, claim)
        if s.chance(0.3):
            return [claim]
        volume = self._volume(s.name("volume"))
        volume["spec"]["storageClassName"] = "waitforfirstconsumer"
        return [volume, claim]

    def _immediate(self, pod):
        claim = self._claim(pod["metadata"]["namespace"], self.scene.name("soon"), "immediate")
        self._mount(pod, claim)
        return [claim]

    def _lost(self, pod):
        claim = self._claim(pod["metadata"]["namespace"], self.scene.name("lost"), "immediate")
        claim["spec"]["volumeName"] = "no-such-volume"
        claim["metadata"]["annotations"]["pv.kubernetes.io/bind-completed"] = "yes"
        self._mount(pod, claim)
        return [claim]

    def _missing(self, pod):
        self._mount(pod, None)
        return []

    def _leaving(self, pod):
        """A bound claim that is being deleted."""
        volume = self._volume(self.scene.name("volume"))
        claim = self._claim(pod["metadata"]["namespace"], self.scene.name("leaving"), "")
        claim["metadata"]["finalizers"] = ["example.com/holds"]
        self._bind(volume, claim)
        self._mount(pod, claim)
        return [volume, claim]

    # Devices.

    def _resource_claim(self, pod):
        s = self.scene
        name = s.name("device")
        pod["spec"]["resourceClaims"] = [{"name": "device", "resourceClaimName": name}]
        claim = {"apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaim",
                 "metadata": {"name": name, "namespace": pod["metadata"]["namespace"]},
                 "spec": {"devices": {"requests": [{
                     "name": "one", "exactly": {"deviceClassName": "none.example.com"}}]}}}
        if s.chance(0.3):
            return claim
        allocation = {"devices": {"results": [{"request": "one", "driver": "none.example.com",
                                               "pool": "pool", "device": "device"}]},
                      "allocationTimestamp": "2026-01-01T00:00:00Z"}
        if s.chance(0.6):
            allocation["nodeSelector"] = {"nodeSelectorTerms": [{"matchFields": [{
                "key": "metadata.name", "operator": "In",
                "values": [s.pick(*s.nodes)["metadata"]["name"]]}]}]}
        claim["status"] = {"allocation": allocation}
        return claim
