/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/economy/savings.h"

#include <string.h>

#include "base/auto.h"
#include "plan/economy/scaling.h"
#include "plan/economy/status.h"

/* ---- Nodes that pods move from, as they are before the plan ---- */

struct origin {
	int64_t cpu;		 /* milli, of all its pods */
	int64_t shares, power;	 /* of all its pods */
	int64_t moved;		 /* shares of those that move */
	bool is_left, is_closed; /* a pod moves from it; all do */
};

static void add_origins(const struct economy *e, struct origin *origins)
{
	for (size_t i = 0; i < e->n_bound; i++) {
		const struct cargo *g = &e->cargo.items[i];
		struct origin *o = &origins[g->origin];

		o->cpu += g->load.cpu_milli;
		o->is_left |= g->group != 0;
		o->is_closed |= g->group && g->reason == REASON_NODE_CLOSED;
	}
	for (size_t i = 0; i < e->n_bound; i++) {
		const struct cargo *g = &e->cargo.items[i];
		struct origin *o = &origins[g->origin];

		if (!o->is_left)
			continue;
		int64_t share = fleet_share(&e->fleet.nodes[g->origin], g->billed);
		o->shares += share;
		o->power += economy_power_of(e, g, g->origin, o->cpu);
		o->moved += g->group ? share : 0;
	}
}

static int64_t part(int64_t of, int64_t share, int64_t shares)
{
	return of > 0 && shares > 0 ? (int64_t)((__int128)of * share / shares) : 0;
}

/* What the pod leaves behind: its share, and its part of what is idle of a node that is emptied. */
static void note_left(struct economy *e, const struct cargo *g, const struct origin *o)
{
	const struct fleet_node *n = &e->fleet.nodes[g->origin];
	struct account *a = &e->accounts[g->of];
	int64_t share = fleet_share(n, g->billed);
	int64_t capacity = e->c->nodes.items[g->origin].capacity_cpu_milli;

	a->moved_cost = n->is_price_assumed ? 0 : share;
	a->moved_power = n->is_power_assumed ? 0 : economy_power_of(e, g, g->origin, o->cpu);
	if (g->reason != REASON_NODE_CLOSED)
		return;
	if (!n->is_price_assumed)
		a->closed_cost = part(n->price - o->shares, share, o->moved);
	if (!n->is_power_assumed)
		a->closed_power =
			part(fleet_power(n, o->cpu, capacity) - o->power, share, o->moved);
}

static void sum_moves(struct economy *e)
{
	AUTO_FREE struct origin *origins = NULL;

	if (!e->n_groups)
		return;
	origins = xcalloc(e->c->nodes.n + 1, sizeof(*origins));
	add_origins(e, origins);
	for (size_t i = 0; i < e->n_bound; i++) {
		const struct cargo *g = &e->cargo.items[i];

		if (g->of != NONE && g->group)
			note_left(e, g, &origins[g->origin]);
	}
}

void economy_sum_savings(struct economy *e)
{
	for (optimizer_id id = 0; id < e->c->optimizers.n; id++) {
		struct account *a = &e->accounts[id];

		a->saved_cost = a->saved_power = a->moved_cost = a->moved_power = 0;
		a->closed_cost = a->closed_power = 0;
	}
	sum_moves(e);
	for (size_t i = 0; i < e->cargo.n; i++) {
		const struct cargo *g = &e->cargo.items[i];

		/* What was moved saves once its replacement is there. */
		if (g->of == NONE || g->node == NONE || g->group)
			continue;
		const struct fleet_node *n = &e->fleet.nodes[g->node];
		struct account *a = &e->accounts[g->of];
		if (g->baseline_cost && !n->is_price_assumed)
			a->saved_cost += g->baseline_cost - g->share;
		if (g->baseline_power && !n->is_power_assumed)
			a->saved_power += g->baseline_power - economy_power_on(e, g, g->node);
	}
}

/* ---- What counts for a while ---- */

static void add_past(struct economy_status *s, struct plan_saving saving)
{
	if (s->n_past < ECONOMY_PAST_MAX && (saving.cost || saving.watts))
		s->past[s->n_past++] = saving;
}

static bool is_gone(const struct economy *e, const char *node)
{
	return !*node || cluster_node(e->c, node) == NONE;
}

/* Where a scaling failed, the next pass decides it again. */
static bool is_decided_again(const struct optimizer *o, const struct scaling *s)
{
	return o->scaled_at && o->scaled_from == s->from && o->scaled_to == s->to;
}

/* The replicas that this plan ends, with those that were ended before. */
static void add_ended(const struct economy *e, optimizer_id id, const struct past_saving *was,
		      struct economy_status *s)
{
	const struct scaling *scaling = &e->scalings[id];
	const struct account *a = &e->accounts[id];
	struct plan_saving saving = { "", 0, 0, e->c->taken_at };

	if (was)
		saving = (struct plan_saving){ "", was->cost, was->power * 1000, was->since };
	if (scaling_changes(scaling) && !is_decided_again(&e->c->optimizers.items[id], scaling)) {
		int64_t n = scaling->from - scaling->to;

		if (n < 0 || scaling->reason != REASON_CEILING || !a->n_bound)
			return;
		n = n < a->n_bound ? n : a->n_bound;
		if (!a->has_no_price)
			saving.cost += a->cost * n / a->n_bound;
		if (!a->has_no_power)
			saving.watts += a->power * n / a->n_bound * 1000;
	}
	add_past(s, saving);
}

static void add_closed(const struct economy *e, optimizer_id id, struct economy_status *s)
{
	const struct account *a = &e->accounts[id];

	if (!a->is_moved || a->moved_from == NONE)
		return;
	add_past(s, (struct plan_saving){
			    cluster_str(e->c, e->c->nodes.items[a->moved_from].meta.name),
			    a->closed_cost, a->closed_power * 1000, e->c->taken_at });
}

void economy_fill_savings(const struct economy *e, optimizer_id id, struct economy_status *s)
{
	const struct optimizer *o = &e->c->optimizers.items[id];
	const struct past_saving *ended = NULL;

	s->saved_cost = e->accounts[id].saved_cost;
	s->saved_watts = e->accounts[id].saved_power * 1000;
	add_closed(e, id, s);
	for (uint32_t i = 0; i < o->past_savings.n; i++) {
		const struct past_saving *p = &e->c->past_savings.items[o->past_savings.at + i];

		if (p->since + PAST_SECONDS <= e->c->taken_at)
			continue;
		if (!p->node)
			ended = p;
		else if (s->n_past && strcmp(s->past[0].node, cluster_str(e->c, p->node)) == 0)
			continue; /* it is emptied again */
		else
			add_past(s, (struct plan_saving){ cluster_str(e->c, p->node), p->cost,
							  p->power * 1000, p->since });
	}
	add_ended(e, id, ended, s);
	s->has_past = s->n_past || o->past_savings.n;
	for (uint32_t i = 0; i < s->n_past; i++) {
		if (!is_gone(e, s->past[i].node))
			continue;
		s->saved_cost += s->past[i].cost;
		s->saved_watts += s->past[i].watts;
	}
}

static bool past_differs(const struct economy *e, const struct optimizer *o,
			 const struct economy_status *s)
{
	bool differs = s->n_past != o->past_savings.n;

	for (uint32_t i = 0; i < s->n_past && !differs; i++) {
		const struct past_saving *was = &e->c->past_savings.items[o->past_savings.at + i];

		differs = s->past[i].since != was->since || s->past[i].cost != was->cost ||
			  strcmp(s->past[i].node, cluster_str(e->c, was->node)) != 0;
	}
	return differs;
}

bool economy_savings_differ(const struct economy *e, const struct optimizer *o,
			    const struct economy_status *s)
{
	return s->saved_cost != o->saved_cost ||
	       status_power_differs(s->saved_watts, o->saved_power) || past_differs(e, o, s);
}
