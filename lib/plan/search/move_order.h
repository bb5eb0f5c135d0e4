/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_SEARCH_MOVE_ORDER_H
#define MCKUBE_PLAN_SEARCH_MOVE_ORDER_H

#include "base/array.h"
#include "plan/planner.h"

/* In which order the moves on a node can be made, so that no core is over its capacity in between
 * (nor fuller than before, where it was). Evictions have been done by then; new pods come later.
 *
 * Where pods would have to swap, one of them rests on another core in between: a step more. */
struct order_step {
	unit_id unit;
	place_id to;
};

typedef ARRAY(struct order_step) order_steps;

/* Appends the steps of a node as the trial has it; -EDEADLK when there is no order (or none was
 * found in the bound of ORDER_TRIALS). */
enum { ORDER_TRIALS = 5000, ORDER_MAX_RESTS = 3 };
int order_node(struct planner *p, node_id node, order_steps *ret);

/* How many steps more than moves these nodes need; negative when there is no order. */
int order_rests(struct planner *p, const node_id *nodes, size_t n);

#endif
