/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_STORAGE_H
#define MCKUBE_MODEL_STORAGE_H

#include "model/cluster.h"

/* What kube-scheduler's plugins VolumeBinding, VolumeZone and DynamicResources ask of a pod's
 * claims and a node. Claims that are not bound or allocated yet it would bind or allocate itself;
 * here they keep the pod from every node. */

enum storage_refusal {
	STORAGE_ACCEPTS,
	/* from all nodes */
	CLAIM_MISSING,
	CLAIM_TERMINATING,
	CLAIM_LOST,
	CLAIM_UNBOUND,
	CLAIM_UNREAD, /* it, or its volume, in part */
	CLAIM_WITHOUT_VOLUME,
	VOLUME_IN_TREE,
	DEVICE_NOT_MADE,
	DEVICE_MISSING,
	DEVICE_TERMINATING,
	DEVICE_UNALLOCATED,
	DEVICE_FULL,
	/* from one */
	VOLUME_ELSEWHERE,
	VOLUME_OTHER_ZONE,
	DEVICE_ELSEWHERE,
};

/* The first reason, and in *ret_claim the name of the claim that is meant (0: none). */
enum storage_refusal storage_refuses(const struct cluster *c, const struct rules *rules,
				     const struct node *node, str_id *ret_claim);

static inline bool storage_is_device(enum storage_refusal r)
{
	return (r >= DEVICE_NOT_MADE && r <= DEVICE_FULL) || r == DEVICE_ELSEWHERE;
}

/* "claim data: it is not bound", into buf. */
void storage_describe(const struct cluster *c, enum storage_refusal r, str_id claim, char *buf,
		      size_t size);

#endif
