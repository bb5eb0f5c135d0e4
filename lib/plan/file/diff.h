/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_FILE_DIFF_H
#define MCKUBE_PLAN_FILE_DIFF_H

#include "base/arena.h"
#include "base/array.h"
#include "plan/plan.h"

/* What differs between two plans, for `plan --diff`: the review of what a change to the cluster or
 * to the settings does to the plan.
 *
 * An action is known by its kind and target (the second Move of a pod is another action than the
 * first), an entry of unplaced by its pod, a warning by its object and reason. Ids, the order, what
 * comes after what, resourceVersions and settings are not compared. */

enum diff_change { DIFF_REMOVED, DIFF_ADDED, DIFF_CHANGED };
enum diff_part { DIFF_ACTION, DIFF_UNPLACED, DIFF_WARNING };

struct diff_entry {
	enum diff_change change;
	enum diff_part part;
	const void *before, *after; /* struct action, unplaced or warning; NULL where it is not */
	const char *subject;	    /* "Move Pod default/logger" */
	/* Added or removed: the message. Changed: the fields that differ, "to.cores 2 -> 3,
	 * message". */
	const char *detail;
};

/* Sorted by part and subject. It points into both plans. Zeroed is empty. */
struct plan_diff {
	struct arena arena;
	ARRAY(struct diff_entry) entries;
};

void plan_diff_make(const struct plan *before, const struct plan *after, struct plan_diff *ret);
void plan_diff_done(struct plan_diff *d);

#endif
