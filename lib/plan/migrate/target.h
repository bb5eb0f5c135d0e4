/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_MIGRATE_TARGET_H
#define MCKUBE_PLAN_MIGRATE_TARGET_H

#include "plan/migrate/method.h"
#include "plan/migrate/migrate.h"
#include "plan/planner.h"

/* Nodes that a pod may go to, the one with the most room first. */
struct targets {
	node_id *ids;
	size_t n;
	bool *is_taken; /* by node_id: takes part in a move of this pass already */
};

void targets_init(struct targets *x, struct planner *p);
void targets_done(struct targets *x);
/* Sorts them by what is used now. */
void targets_sort(struct targets *x, struct planner *p);

struct target_question {
	const struct movers *movers;
	pod_id pod;
	struct usage use; /* of the pod */
	enum migration_method method;
	node_id only;	 /* NONE: any */
	bool may_exceed; /* ... the threshold */
};

/* Fills to and place of the migration. A unit that is found a place is evicted from its node then,
 * with the place as its replacement; any other pod's requests have gone to the target. */
bool target_find(struct targets *x, struct planner *p, const struct target_question *q,
		 struct migration *ret);

#endif
