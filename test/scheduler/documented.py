# SPDX-License-Identifier: Apache-2.0
"""The differences that there are on purpose. In each of them less is placed or evicted than
Kubernetes would.

Placements:
    unbound claim       A claim that waits for its first consumer is bound by the scheduler of the
                        pod. Ours refuses the pod, and names the claim.
    unallocated claim   A resource claim without an allocation is allocated by the scheduler of the
                        pod. Ours refuses the pod, and names the claim.

Evictions:
    terminating pod     The Eviction API takes an eviction of a pod that is being deleted already. No
                        plan evicts one: it leaves anyway, and holds its room until it has.
    ended pod           The Eviction API deletes what has succeeded or failed. In a plan that is no
                        pod: it holds no room.

Not generated, because it differs on purpose, or is not there:
    in-tree volumes in a pod (awsElasticBlockStore, gcePersistentDisk, iscsi, rbd): refused;
        kube-scheduler compares them with those of other pods
    generic ephemeral volumes: the zones of their volumes hold too; whether the claim belongs to the
        pod is not asked
    VolumeAttachments of volumes that no pod of the node uses: not counted at a CSINode's limit
    hostIP "::" collides with every address; for kube-scheduler only 0.0.0.0 does
    allocatedResources of a container whose status has no resources: they count
    DeviceClasses that stand for extended resources, binding conditions of devices, pod groups
"""


def _claims(pod):
    return [v["persistentVolumeClaim"]["claimName"] for v in pod["spec"].get("volumes", [])
            if "persistentVolumeClaim" in v]


def _named(objects, kind, pod, names):
    return [o for o in objects if o["kind"] == kind and o["metadata"]["name"] in names and
            o["metadata"]["namespace"] == pod["metadata"]["namespace"]]


def why(pod, objects, node, our_why):
    """The name of the row for a pod that kube-scheduler puts on a node, None when there is none."""
    if node is None:
        return None
    for claim in _named(objects, "PersistentVolumeClaim", pod, _claims(pod)):
        if not claim["spec"].get("volumeName") and claim["metadata"]["name"] in our_why:
            return "unbound claim"
    names = [c.get("resourceClaimName") for c in pod["spec"].get("resourceClaims", [])]
    for claim in _named(objects, "ResourceClaim", pod, names):
        if "allocation" not in claim.get("status", {}) and claim["metadata"]["name"] in our_why:
            return "unallocated claim"
    return None
