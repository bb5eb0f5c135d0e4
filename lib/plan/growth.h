/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_GROWTH_H
#define MCKUBE_PLAN_GROWTH_H

#include "plan/planner.h"

/* Budgets that were raised since they were granted.
 *
 * A raised budget counts in full where room for it can be made: on the cores as they are, or by
 * moving pods on the node, or by evicting less critical ones. Else the pod keeps what it was
 * granted (unit.keeps_grant) and is counted with that: a raise never makes its own pod leave, nor
 * an equally or a more critical one. */

/* Decides for every such pod, the most critical first, with all pods where the snapshot has them.
 * Those in planner.denied keep what they were granted. */
void growth_decide(struct planner *p);

/* Raises what there is room for after all, with the replacements of evicted pods in their places:
 * the rest of the plan may have made it. */
void growth_regain(struct planner *p);

/* Did all pods that were given room for their raise keep their place in the plan? Otherwise those
 * that did not are added to planner.denied, and the plan has to be made again. */
bool growth_holds(struct planner *p);

/* A raised budget, or what the pod held before. */
static inline bool growth_is_raised(const struct request *q)
{
	return q->assignment == ASSIGNMENT_OTHER && !q->shrinks;
}

#endif
