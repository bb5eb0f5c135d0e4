/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_EXECUTE_ASSIGNMENT_H
#define MCKUBE_EXECUTE_ASSIGNMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/date.h"
#include "base/decimal.h"
#include "kube/client.h"
#include "plan/plan.h"

/* What an action does to the annotations that hold a pod's assignment: the same on files and on a
 * server.
 *
 * Annotations to set, or to drop where the value is NULL. Values point into the action and into
 * the change itself, so it must not be copied. */
struct annotation_change {
	struct kube_pair pairs[POD_ANNOTATIONS_N];
	char numbers[POD_ANNOTATIONS_N][12];
	char date[DATE_TEXT];
	char baseline_cost[DECIMAL_TEXT], baseline_watts[DECIMAL_TEXT];
	size_t n;
};

/* Bind, Assign and Move: the whole assignment; for a Bind of a pod that requests no real time only
 * that it was moved, and its baseline. The node helper reports again whether it is applied; a pod
 * that gets cores is not degraded. */
void assignment_set(const struct action *a, struct annotation_change *c);

/* For a binding, which takes no null: what is new on a pod need not be taken off. */
void assignment_drop_nulls(struct annotation_change *c);

/* SetLevel: only where it runs now, and that it is not degraded. */
void assignment_set_level(const struct action *a, struct annotation_change *c);

/* Degrade: since when it has only its floor. Nothing else changes: removing that restores its
 * budget. */
void assignment_degrade(const struct action *a, struct annotation_change *c);

/* action.since as text; "" where it is unknown. Returns buf. */
const char *assignment_date(int64_t since, char buf[static DATE_TEXT]);

/* Removes the assignment. Where the annotations were also the request (their rt-source is
 * "annotations"; NULL: there is none), that part is the user's and stays. */
void assignment_clear(const char *source, struct annotation_change *c);

#endif
