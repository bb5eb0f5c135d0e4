/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_RELIEF_RELIEVE_INTERNAL_H
#define MCKUBE_PLAN_RELIEF_RELIEVE_INTERNAL_H

#include "plan/planner.h"

/* One node while it is looked at. */
struct pressured_node {
	struct planner *p;
	struct reliefs *r;
	node_id node;
	enum pressure pressure;
	const struct taint *taint; /* NULL: it has none of ours */
	const struct unit *protected;
	bool has_noted; /* a pod here is degraded, or was refused its budget */
};

static inline uint32_t n_units(const struct pressured_node *x)
{
	return x->p->trial.nodes[x->node].units.n;
}

/* By turn. */
static inline struct unit *unit_at(const struct pressured_node *x, uint32_t i)
{
	struct trial *t = &x->p->trial;

	return &t->units.items[t->node_units[t->nodes[x->node].units.at + i]];
}

static inline uint8_t *mark_of(const struct pressured_node *x, const struct unit *u)
{
	return &x->r->of_unit[u - x->p->trial.units.items];
}

/* It runs here, and does so when this plan is done. */
static inline bool stays(const struct unit *u)
{
	return u->kind == UNIT_RUNNING && u->at != NONE;
}

static inline bool is_degraded(const struct pressured_node *x, const struct unit *u)
{
	return relieve_degraded_since(x->p->trial.c, unit_pod(&x->p->trial, u)) >= 0;
}

/* plan/relief/raise.c: gives each pod of a node under pressure the highest of hi, low and floor
 * that fits, the most critical first. */
void relieve_raise(const struct pressured_node *x);

/* plan/relief/cfs.c: chooses a pod without real-time request to be evicted from the node. */
bool relieve_evict_cfs(const struct pressured_node *x);

#endif
