/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_ECONOMY_MOVER_H
#define MCKUBE_PLAN_ECONOMY_MOVER_H

#include "plan/economy/kinds.h"

/* Moves of running pods within one plan: what moves.c, movable.c and close.c share. */

struct pool {
	str_id name;
	int64_t cost, disruption; /* in the snapshot */
	uint32_t n_nodes, nodes_left;
};

struct watched_alert {
	size_t policy;
	uint32_t alert;
	__int128 figure;
};

struct mover {
	struct economy *e;
	ARRAY(struct watched_alert) watched; /* alert_moves.c */
	ARRAY(struct pool) pools;
	uint32_t *pool_of; /* by node_id */
	uint32_t pods_left;
	bool *is_owner_moving; /* by owner_uid: a pod without an optimizer moves */
};

/* What was moved, to take it back. */
struct step {
	uint32_t cargo;
	node_id from;
};
typedef ARRAY(struct step) steps;

/* movable.c */

/* Why the pod may not be moved for money or power at all; NULL: it may. The limits of what moves at
 * a time are not asked. */
const char *mover_refusal(const struct economy *e, const struct cargo *g);
/* In millionths: Karpenter's eviction cost, and lost work of what starts again from nothing. */
int64_t mover_disruption(const struct economy *e, const struct cargo *g);

/* moves.c */

/* May it move now, after n_moved others that are not committed yet? */
bool mover_may_move_now(const struct mover *m, const struct cargo *g, size_t n_moved);
/* Moves the pod to the best node, and adds what J changes by to *delta; false: nowhere. The place
 * that it leaves stays taken. */
bool mover_move(struct mover *m, uint32_t cargo, bool only_used, steps *done, int64_t *delta);
/* The same to a node that economy_fits(). */
bool mover_move_to(struct mover *m, uint32_t cargo, node_id to, steps *done, int64_t *delta);
/* Takes the moves after the first n back. */
void mover_undo(struct mover *m, steps *done, size_t n);
/* The moves from the first-th on are a group of the plan. m->pods_left is the caller's. */
void mover_commit(struct mover *m, const steps *done, size_t first, enum reason reason,
		  int64_t saving);

/* May these moves be done now, or are they to wait, or to stay since mover_keeps_alerts() does not
 * hold? */
bool mover_is_confirmed(const struct mover *m, const steps *done, size_t first);

/* Of pods that leave a node together. */
struct burden {
	int64_t disruption, share;
};

struct burden mover_burden(const struct economy *e, uint32_t cargo, node_id from);
bool mover_is_worth(const struct mover *m, node_id from, struct burden b, int64_t saving);

/* alert_moves.c: while an alert of a PowerPolicy with action migrate is on, pods of its workloads
 * to nodes in use where they draw or emit less, whatever that costs; limits and budgets hold. */
void mover_heed_alerts(struct mover *m);
/* After moves: has none set such an alert off, nor raised what one is about that is on? Otherwise
 * pods would go there and back. */
bool mover_keeps_alerts(const struct mover *m);

/* close.c: empties nodes where that is worth it. */
void mover_close_nodes(struct mover *m);

#endif
