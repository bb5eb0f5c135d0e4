/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_ECONOMY_KINDS_H
#define MCKUBE_PLAN_ECONOMY_KINDS_H

#include "plan/economy/economy.h"

/* Nodes by what a pod would cost on them, so that the best one is found without a look at all.
 *
 * Nodes of one kind have the same price, power, capacity and matched preferences: what a pod adds
 * to J on one of them depends on the CPU in use there alone, and on whether it is in use, and at
 * which price. For these four cases a kind has a tree of its nodes each, ordered by CPU in use,
 * with the most room in each subtree. A node is in exactly one tree: kinds_refresh() says that it
 * changed. */

enum { KIND_GROUPS = 4, KIND_USED = 1, KIND_DEAR = 2 }; /* bits: in use, at its on-demand price */

struct kind {
	node_id node;		     /* one of them */
	int64_t most_cpu;	     /* allocatable */
	uint32_t roots[KIND_GROUPS]; /* a node and 1; 0: none */
};

/* An interval of CPU in use where what a pod adds changes steadily. */
struct span {
	int64_t from, to; /* milli, both included */
	int64_t least;	  /* what it adds at least: micro-USD per hour, without penalties */
	uint32_t kind;
	uint8_t group;
	bool is_falling; /* it adds less where more is in use */
};

struct kinds *kinds_new(struct economy *e);
void kinds_free(struct kinds *k);

/* The node's pods, or the requests that are charged to it, have changed. */
void kinds_refresh(struct economy *e, node_id node);

uint32_t kinds_count(const struct kinds *k);
uint32_t kind_of(const struct kinds *k, node_id node);
const struct kind *kinds_get(const struct kinds *k, uint32_t kind);

/* All spans for the pod, least first. Valid until the next call. */
const struct span *kinds_spans(struct economy *e, uint32_t cargo, size_t *ret_n);

/* Calls `accepts` for the nodes of the span that seem to have room, in the order of what the pod
 * adds, then of the room left, then of names, until it returns true; NONE: it never did. */
node_id kinds_walk(struct economy *e, uint32_t cargo, const struct span *s,
		   bool (*accepts)(struct economy *e, uint32_t cargo, node_id node, bool only_used),
		   bool only_used);

#endif
