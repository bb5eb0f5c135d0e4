/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_MIGRATE_MIGRATE_INTERNAL_H
#define MCKUBE_PLAN_MIGRATE_MIGRATE_INTERNAL_H

#include "plan/migrate/target.h"

/* What the moves of one plan share. */
struct mover_run {
	struct planner *p;
	struct migrations *m;
	struct movers movers;
	struct targets targets;
	pod_id *first_on;    /* by node_id; NONE */
	pod_id *next_on;     /* by pod_id: the next one on the same node */
	uint32_t *young_for; /* by str_id of an owner's uid: seconds until none of its pods is */
};

/* Of `seconds` after a time, what is left at the snapshot's; 0 where the time is unknown. */
static inline uint32_t seconds_left(const struct cluster *c, int64_t since, uint32_t seconds)
{
	int64_t left = since ? since + seconds - c->taken_at : 0;

	return left <= 0 ? 0 : left > INT32_MAX ? INT32_MAX : (uint32_t)left;
}

void mover_run_init(struct mover_run *x, struct planner *p, bool is_demanded);
void mover_run_done(struct mover_run *x);

/* Moves the pod by this method if a node is found for it, else NULL; `only` and may_exceed as in
 * target_question. The address is good until the next one. */
struct migration *mover_try(struct mover_run *x, pod_id id, enum migration_method method,
			    node_id only, bool may_exceed);

/* Fills migrations; for migrate_plan(). */
int migrate_demand(struct planner *p, const struct migration_demand *d, struct error *err);

/* plan/migrate/resume.c: moves that were begun. */
void migrate_resume(struct mover_run *x);

#endif
