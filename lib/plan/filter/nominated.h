/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_FILTER_NOMINATED_H
#define MCKUBE_PLAN_FILTER_NOMINATED_H

#include "plan/trial.h"

/* Pods of other schedulers that wait for a node on which others are leaving for them
 * (status.nominatedNodeName). Their room is not for pods of the same or a lower priority. */

/* Fills trial.nominated. */
void nominated_list(struct trial *t);

/* Is this nominated pod one that the unit has to leave room for on the node? */
bool nominated_counts(const struct trial *t, pod_id pod, const struct unit *u, node_id node);

/* What those ask for together. */
void nominated_requests(const struct trial *t, const struct unit *u, node_id node,
			int64_t ret[RES_KINDS]);
int64_t nominated_extended(const struct trial *t, const struct unit *u, node_id node, str_id name);

#endif
