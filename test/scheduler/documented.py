# SPDX-License-Identifier: Apache-2.0
"""The differences that there are on purpose. In each of them we place less than kube-scheduler.

    unbound claim       A claim that waits for its first consumer is bound by the pod's scheduler.
                        We refuse the pod, and name the claim.
    unallocated claim   A resource claim without an allocation is allocated by the pod's scheduler.
                        We refuse the pod, and name the claim.
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
