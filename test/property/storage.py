# SPDX-License-Identifier: Apache-2.0
"""Claims, volumes and devices of a snapshot, and which of them a pod may use on a node."""

from __future__ import annotations

from typing import Iterable

from kube import Obj, node_terms_match

IN_TREE = ("gcePersistentDisk", "awsElasticBlockStore", "iscsi", "rbd")
GA = {"failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
      "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region"}
ZONE_KEYS = [*GA, *GA.values()]


def claim_names(pod_name: str, spec: Obj) -> list[str]:
    names = []
    for volume in spec.get("volumes") or []:
        if volume.get("persistentVolumeClaim"):
            names.append(volume["persistentVolumeClaim"]["claimName"])
        if volume.get("ephemeral"):
            names.append(f"{pod_name}-{volume['name']}")
    return names


def device_names(obj: Obj) -> list[str | None]:
    """None: a claim that is not made yet."""
    made = {s["name"]: s.get("resourceClaimName")
            for s in (obj.get("status") or {}).get("resourceClaimStatuses") or []}
    names: list[str | None] = []
    for claim in obj["spec"].get("resourceClaims") or []:
        if claim.get("resourceClaimName"):
            names.append(claim["resourceClaimName"])
        elif claim["name"] not in made:
            names.append(None)
        elif made[claim["name"]]:
            names.append(made[claim["name"]])
    return names


def _zone_refuses(volume: Obj, labels: dict[str, str]) -> bool:
    mine = volume["metadata"].get("labels") or {}
    if not any(k in labels for k in ZONE_KEYS):
        return False
    for key in ZONE_KEYS:
        zones = mine.get(key, "").split("__")
        if key in mine and "" not in zones:
            if labels.get(key, labels.get(GA.get(key, key))) not in zones:
                return True
    return False


class Storage:
    def __init__(self, kinds: dict[str, list[Obj]]):
        def by_name(kind: str) -> dict[str, Obj]:
            return {o["metadata"]["name"]: o for o in kinds.get(kind, [])}

        def by_key(kind: str) -> dict[str, Obj]:
            return {f"{o['metadata'].get('namespace', 'default')}/{o['metadata']['name']}": o
                    for o in kinds.get(kind, [])}

        self.volumes, self.csi_nodes = by_name("PersistentVolume"), by_name("CSINode")
        self.claims, self.devices = by_key("PersistentVolumeClaim"), by_key("ResourceClaim")

    def _claim_refuses(self, key: str, node: str, labels: dict[str, str]) -> bool:
        claim = self.claims.get(key)
        if not claim or "deletionTimestamp" in claim["metadata"]:
            return True
        volume = self.volumes.get(claim["spec"].get("volumeName", ""))
        if (claim.get("status") or {}).get("phase", "Bound") != "Bound" or not volume:
            return True
        required = ((volume.get("spec") or {}).get("nodeAffinity") or {}).get("required")
        if required and not node_terms_match(required["nodeSelectorTerms"], node, labels):
            return True
        return _zone_refuses(volume, labels)

    def _device_refuses(self, key: str, node: str, labels: dict[str, str]) -> bool:
        claim = self.devices.get(key)
        status = (claim or {}).get("status") or {}
        if not claim or "deletionTimestamp" in claim["metadata"] or "allocation" not in status:
            return True
        selector = status["allocation"].get("nodeSelector")
        return (len(status.get("reservedFor") or []) >= 256 or bool(selector) and
                not node_terms_match(selector["nodeSelectorTerms"], node, labels))

    def refuses(self, ns: str, spec: Obj, claims: Iterable[str], devices: Iterable[str | None],
                node: str, labels: dict[str, str]) -> bool:
        """Whatever other pods do."""
        if any(kind in v for v in spec.get("volumes") or [] for kind in IN_TREE):
            return True
        return (any(self._claim_refuses(f"{ns}/{c}", node, labels) for c in claims) or
                any(not d or self._device_refuses(f"{ns}/{d}", node, labels) for d in devices))

    def is_for_one_pod(self, key: str) -> bool:
        return "ReadWriteOncePod" in (self.claims.get(key, {}).get("spec") or {}).get(
            "accessModes", [])

    def handles(self, keys: Iterable[str]) -> set[tuple[str, str]]:
        """Drivers and volumes of these claims."""
        found = set()
        for key in keys:
            name = (self.claims.get(key) or {"spec": {}})["spec"].get("volumeName", "")
            csi = (self.volumes.get(name, {}).get("spec") or {}).get("csi")
            if csi:
                found.add((csi["driver"], csi["volumeHandle"]))
        return found

    def limits(self, node: str) -> dict[str, int]:
        drivers = (self.csi_nodes.get(node) or {"spec": {}})["spec"].get("drivers") or []
        return {d["name"]: d["allocatable"]["count"] for d in drivers
                if "count" in (d.get("allocatable") or {})}
