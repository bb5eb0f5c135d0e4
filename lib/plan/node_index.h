/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_NODE_INDEX_H
#define MCKUBE_PLAN_NODE_INDEX_H

#include "plan/planner.h"

/* Finds the best node for a pod without looking at all of them. */
struct index;

struct index *index_new(struct planner *p);
void index_free(struct index *x);

/* The node's loads or scores have changed. */
void index_update(struct planner *p, node_id node);

/* The best place where the pod fits as things are, on any node that its rules allow but `except`
 * (NONE: all) and planner.avoided; the highest score, then the first by name and core. NONE if it
 * fits nowhere. */
place_id index_best(struct planner *p, const struct unit *u, node_id except);

/* Does the pod, bound to a node, fit on another one as things are? The answer is kept until the
 * index changes. */
bool index_holds_replacement(struct planner *p, unit_id id);

/* Nodes where the pod would fit if less critical pods yielded, the most promising first; at most
 * `max` of them. Returns how many. */
size_t index_yielding(struct planner *p, const struct unit *u, node_id *ret, size_t max);

#endif
