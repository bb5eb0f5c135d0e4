/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_PLANNER_H
#define MCKUBE_PLAN_PLANNER_H

#include "base/error.h"
#include "plan/filter/filter.h"
#include "plan/migrate/migrate.h"
#include "plan/plan.h"
#include "plan/policy.h"
#include "plan/relief/relieve.h"
#include "plan/trial.h"

/* Of a node, as plan/policy.h has it. */
struct node_rates {
	uint32_t cost, power, renewable;
};

/* The parts that the steps of a plan share. */
struct planner {
	struct trial trial;
	struct filters filters;
	const struct policy *policies[MAX_POLICIES];
	uint32_t weights[MAX_POLICIES];
	uint32_t n_policies;
	uint32_t *score; /* of each core as it is, by index in capacity.cores */
	uint32_t *best;	 /* in each node's run of cores: its cores, best score first */
	struct tallies *tallies;
	struct node_rates *rates; /* by node_id; NULL: no policy needs them */
	struct index *index;
	struct reliefs reliefs;
	struct migrations migrations;
	struct held_moves *held; /* plan/economy/held.h; NULL: no move waits */
	struct economy *economy; /* plan/economy/economy.h; NULL before that step */
	bool *avoided; /* by node_id: no replacement is planned there, since the plan taints it;
			* NULL: not known yet */
	ARRAY(unit_id) denied; /* raised budgets that there was no room for in an earlier try */
	uint64_t steps;	       /* spent in searches */
	uint32_t now;	       /* counts the places given, see unit.since */
	bool is_exact;	       /* no search ran into its bound */
};

/* Sets policies and weights to what the settings pick of the table; -EINVAL: one is not there. */
int planner_pick_policies(struct planner *p, const struct policy *const *table,
			  const struct settings *settings, struct error *err);

/* Steps 1 and 2, with the policies picked already: everything where the snapshot has it. Used by
 * planner_run() and by tests. The memory may be NULL: see
 * plan_make_cached().
 */
void planner_start(struct planner *p, const struct cluster *c, const struct settings *settings,
		   struct request_cache *memory);

/* Steps 1 to 5 of a plan: afterwards the trial is as the plan leaves it. Arguments and errors are
 * those of plan_make(); after an error there is nothing to release. */
int planner_run(struct planner *p, const struct cluster *c, const struct policy *const *policies,
		const struct settings *settings, const struct plan_memory *memory,
		struct error *err) __attribute__((nonnull(1, 2, 3, 4)));
void planner_done(struct planner *p);

/* Back to where planner_start() has left it; what was denied is kept. */
void planner_restart(struct planner *p);

/* Makes the plan out of what the run has led to. */
void planner_emit(struct planner *p, struct plan *ret_plan);

/* Recomputes the scores of a node's cores, and the index; to be called when the node has changed
 * for good (not during a search). */
void planner_refresh(struct planner *p, node_id node);

#endif
