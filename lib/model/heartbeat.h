/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_HEARTBEAT_H
#define MCKUBE_MODEL_HEARTBEAT_H

#include "model/cluster.h"

/* Is a node's helper there? Each helper renews a Lease (coordination.k8s.io) named
 * HELPER_LEASE_PREFIX and its node's name, with the label HELPER_LABEL_KEY, in its own
 * namespace; spec.leaseDurationSeconds is how long that holds. What a silent helper reported
 * (backend, CPU use, busy, pressure, levels, applied budgets) is not acted upon: it may have been
 * wrong for a long time.
 *
 * A snapshot without such Leases (of an older cluster, or a list of some kinds) or without a time
 * tells nothing, and its readings are used. So are those of nodes that no helper of ours has
 * reported from (mckube.io/backend is absent): another program writes them. */
enum helper_state {
	HELPER_UNKNOWN, /* the snapshot does not tell */
	HELPER_ALIVE,
	HELPER_SILENT, /* its Lease has expired, or is gone */
};
enum helper_state helper_state(const struct cluster *c, const struct node *node);

/* Seconds until the helper, if it stays away, is silent; 0: that is not waited for. */
int64_t helper_seconds_left(const struct cluster *c, const struct node *node);

/* The node's backend as its helper reported it; "" where there is none or the helper is silent. */
const char *helper_backend(const struct cluster *c, const struct node *node);

#endif
