/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_FILTER_INTER_POD_H
#define MCKUBE_PLAN_FILTER_INTER_POD_H

#include <stdbool.h>

#include "model/cluster.h"
#include "model/pod_index.h"

/* What the filters that look at other pods need to know: host ports, required inter-pod affinity
 * and anti-affinity (also that of the pods already there), and DoNotSchedule topology spread.
 *
 * For each distinct term the pods that it selects are counted by topology domain, and kept up to
 * date as pods enter and leave nodes, so that asking costs a look-up. */
struct inter_pod;

/* NULL when no pod of the snapshot has ports or such terms, and no volume is limited: then there is
 * nothing to ask. */
struct inter_pod *inter_pod_new(const struct cluster *c);
void inter_pod_free(struct inter_pod *t);

void inter_pod_charge(struct inter_pod *t, const struct cluster *c, pod_id pod, node_id node);
void inter_pod_uncharge(struct inter_pod *t, const struct cluster *c, pod_id pod, node_id node);

/* The pods of a node that have host ports; and those that have claims, kept where a volume may be
 * used only so often. */
const pod_ids *inter_pod_with_ports(const struct inter_pod *t, node_id node);
const pod_ids *inter_pod_with_claims(const struct inter_pod *t, node_id node);

/* Would the pod, which has rules, break one of these on the node? */
bool inter_pod_affinity_refuses(struct inter_pod *t, const struct cluster *c, pod_id id,
				node_id node);
bool inter_pod_anti_affinity_refuses(struct inter_pod *t, const struct cluster *c, pod_id id,
				     node_id node);
bool inter_pod_spread_refuses(struct inter_pod *t, const struct cluster *c, pod_id id,
			      node_id node);

/* Does anti-affinity forbid that both pods are on the node? */
bool inter_pod_clash(const struct cluster *c, pod_id a, pod_id b, node_id node);

/* Does the first pod want the other one near it? Do the two keep each other away, where both would
 * be in one domain? */
bool inter_pod_wants(const struct cluster *c, const struct pod *pod, const struct pod *other);
bool inter_pod_avoids(const struct cluster *c, const struct pod *pod, const struct pod *other);

#endif
