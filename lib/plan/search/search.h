/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_SEARCH_SEARCH_H
#define MCKUBE_PLAN_SEARCH_SEARCH_H

#include "base/array.h"
#include "plan/planner.h"
#include "plan/search/cost.h"

/* The search for the best displacement.
 *
 * A region is a few nodes and some pods that want to be on them. Its running pods are put back to
 * where the snapshot has them; then, one criticality after the other from the top:
 *   1. on each core that the more critical ones have overfilled, just enough pods of this one are
 *      taken off (and could not be put back: no displacement is needless);
 *   2. those of them find another core on their node, or are evicted;
 *   3. the new pods of this criticality find a core, or are left out.
 * Less critical pods do not count while a step is taken: they yield, and their turn comes.
 *
 * Alternatives are tried best score first, and those that depart from that in few places before
 * those that do in many (limited discrepancy search); what cannot become better than the best so
 * far is pruned. The search ends when all have been tried or ruled out, or at a bound on the
 * trials. */

typedef ARRAY(unit_id) unit_list;
typedef ARRAY(node_id) node_list;

struct region {
	const node_id *nodes;
	size_t n_nodes;
	/* New pods (pending, or without cores) by turn. `placed` keep their places; `to_place` are
	 * placed by the search. */
	const unit_id *placed, *to_place;
	size_t n_placed, n_to_place;
	bool is_whole_cluster; /* the replacements of the evicted are placed; else it is assumed
				* that the first choice of each will be free */
	uint64_t max_steps;
	uint32_t max_discrepancies; /* how often an alternative may depart from the first choices */
};

/* What became of each of the region's running and to_place pods. */
struct outcome {
	unit_id unit;
	place_id at;			  /* of an evicted one: where its replacement fits */
	bool is_evicted, stays_displaced; /* it stays where it may not be, and does not run */
};

struct search_result {
	struct cost cost;
	ARRAY(struct outcome) outcomes;
	unit_list order; /* pending pods with a place, as their inter-pod rules let them in; empty
			  * where no pod has such rules */
	bool was_found;	 /* something better than `limit` */
	bool is_exact;	 /* all alternatives were tried or ruled out */
};

/* Searches for a result that costs less than `limit`. The trial is as before afterwards. */
void search_region(struct planner *p, const struct region *region, const struct cost *limit,
		   struct search_result *ret);
void search_result_done(struct search_result *a);

/* Makes the trial what the result says, and refreshes its nodes. */
void search_commit(struct planner *p, const struct region *region, const struct search_result *a);

/* What the region costs as the trial has it now. */
struct cost search_region_cost(struct planner *p, const struct region *region);

#endif
