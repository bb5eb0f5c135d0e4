/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_EVICTIONS_H
#define MCKUBE_PLAN_EVICTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/cluster.h"
#include "model/settings.h"

/* How many more pods a plan may evict: under each PodDisruptionBudget as the Eviction API counts,
 * and in all, from each node and in each namespace as settings.evictions says. Moves to another
 * node count too, those for money as well. Outside of evictions.windows no pod is to be moved for
 * cost, power or a node's use, for which callers ask `closed`; relief of a busy node evicts for the
 * sake of its real-time pods alone, and does not ask. Where evictions.outside is none nothing is
 * evicted at all, not even off a spot node that is about to go: then no eviction is left. */
struct evictions {
	const struct cluster *c;
	int32_t *of_pdb;		 /* by pdb_id */
	int32_t *of_node, *of_namespace; /* by node_id, by str_id of the name; NULL: no limit */
	int32_t in_all;
	bool is_limited; /* by settings: any pod, in whatever budget, may become one that stays */
	int64_t closed;	 /* seconds until evictions.windows opens; 0: it is open */
	bool is_for_nothing; /* evictions.outside is none */
};

/* Seconds until evictions.windows opens, at a time since 1970; 0: it is open, or the time is not
 * known (0). */
int64_t evictions_closed_for(const struct settings *settings, int64_t now);

void evictions_init(struct evictions *e, const struct cluster *c, const struct settings *settings);
void evictions_done(struct evictions *e);

/* May one more be evicted, this pod of this budget (NONE: of none)? */
bool evictions_allow(const struct evictions *e, pod_id pod, pdb_id pdb);

/* Is there no eviction at all until evictions.windows opens? */
static inline bool evictions_are_closed(const struct evictions *e)
{
	return e->closed && e->is_for_nothing;
}

/* Do the settings alone forbid it? */
bool evictions_reached(const struct evictions *e, pod_id pod);

/* The pod is evicted (n is 1), or that is undone (-1). */
void evictions_count(struct evictions *e, pod_id pod, pdb_id pdb, int n);

#endif
