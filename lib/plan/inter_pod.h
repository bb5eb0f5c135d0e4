/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_INTER_POD_H
#define MCKUBE_PLAN_INTER_POD_H

#include "plan/filter.h"
#include "plan/trial.h"

/* The filters that look at other pods: host ports, required inter-pod affinity and anti-affinity
 * (also that of the pods already there), and DoNotSchedule topology spread.
 *
 * For each distinct term the pods that it counts are counted by topology domain, and kept up to
 * date as pods enter and leave nodes, so that asking costs a look-up. */
struct inter_pod;

/* NULL when no pod of the snapshot has ports or such terms: then there is nothing to ask. */
struct inter_pod *inter_pod_new(const struct trial *t);
void inter_pod_free(struct inter_pod *t);

void inter_pod_charge(struct inter_pod *t, const struct trial *trial, pod_id pod, node_id node);
void inter_pod_uncharge(struct inter_pod *t, const struct trial *trial, pod_id pod, node_id node);

/* Does the first pod want the other one near it? Do the two keep each other away, where both would
 * be in one domain? */
bool inter_pod_wants(const struct cluster *c, const struct pod *pod, const struct pod *other);
bool inter_pod_avoids(const struct cluster *c, const struct pod *pod, const struct pod *other);

/* Ports of less critical units that may be evicted do not count for rank > 0. */
enum refusal inter_pod_refuse(struct inter_pod *t, const struct trial *trial, const struct unit *u,
			      node_id node, unsigned rank);

#endif
