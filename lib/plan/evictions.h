/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_EVICTIONS_H
#define MCKUBE_PLAN_EVICTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/cluster.h"
#include "model/settings.h"

/* How many more pods a plan may evict: under each PodDisruptionBudget as the Eviction API counts,
 * and in all, from each node and in each namespace as settings.evictions says. Moves to another
 * node count too, those for money as well. */
struct evictions {
	const struct cluster *c;
	int32_t *of_pdb;		 /* by pdb_id */
	int32_t *of_node, *of_namespace; /* by node_id, by str_id of the name; NULL: no limit */
	int32_t in_all;
	bool is_limited; /* by settings: any pod, in whatever budget, may become one that stays */
};

void evictions_init(struct evictions *e, const struct cluster *c, const struct settings *settings);
void evictions_done(struct evictions *e);

/* May one more be evicted, this pod of this budget (NONE: of none)? */
bool evictions_allow(const struct evictions *e, pod_id pod, pdb_id pdb);

/* Do the settings alone forbid it? */
bool evictions_reached(const struct evictions *e, pod_id pod);

/* The pod is evicted (n is 1), or that is undone (-1). */
void evictions_count(struct evictions *e, pod_id pod, pdb_id pdb, int n);

#endif
