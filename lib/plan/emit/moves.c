/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/str.h"
#include "plan/emit/emit.h"
#include "plan/growth.h"
#include "plan/search/move_order.h"

/* ---- Causes ---- */

enum { MAX_CASCADE = 16 };

static unit_id cause_of(const struct emitter *e, const struct unit *u, int depth);

/* The more critical new pod that has come to where the displaced one was. */
static unit_id incoming_at(const struct emitter *e, const struct unit *u)
{
	for (uint32_t i = e->first_incoming[u->node]; i != NONE; i = e->next_incoming[i]) {
		const struct unit *n = &e->trial->units.items[e->incoming[i]];

		if (n->rank > u->rank && emit_share_cells(e->trial, n->at, u->origin))
			return e->incoming[i];
	}
	return NONE;
}

/* A displaced pod that was placed here: a more critical one, or one of the same criticality, which
 * counts for the pod that displaced it. */
static unit_id displaced_at(const struct emitter *e, const struct unit *u, int depth)
{
	const struct trial *t = e->trial;
	struct range units = t->nodes[u->node].units;
	unit_id cause = NONE;

	for (uint32_t i = 0; i < units.n && cause == NONE; i++) {
		unit_id id = t->node_units[units.at + i];
		const struct unit *m = &t->units.items[id];

		if (m == u || m->rank < u->rank || m->at == NONE || m->at == m->origin ||
		    m->kind != UNIT_RUNNING || !emit_share_cells(t, m->at, u->origin))
			continue;
		cause = m->rank > u->rank ? id : cause_of(e, m, depth + 1);
	}
	return cause;
}

/* The replacement of a more critical evicted pod will need its room; with `shares` its cores. */
static unit_id replacement_on(const struct emitter *e, const struct unit *u, bool shares)
{
	const struct trial *t = e->trial;

	array_each(id, &e->replaced) {
		const struct unit *m = &t->units.items[*id];

		if (m->rank > u->rank && t->places.items[m->replacement].node == u->node &&
		    (!shares || emit_share_cells(t, m->replacement, u->origin)))
			return *id;
	}
	return NONE;
}

/* A more critical pod there whose budget grows. */
static unit_id growing_at(const struct emitter *e, const struct unit *u)
{
	const struct trial *t = e->trial;
	struct range units = t->nodes[u->node].units;

	for (uint32_t i = 0; i < units.n; i++) {
		unit_id id = t->node_units[units.at + i];
		const struct unit *m = &t->units.items[id];

		if (m->rank > u->rank && m->at != NONE && !m->keeps_grant &&
		    growth_is_raised(unit_request(t, m)) && emit_share_cells(t, m->at, u->origin))
			return id;
	}
	return NONE;
}

/* Requests or ports: any more critical one that has come to the node. */
static unit_id incoming_on_node(const struct emitter *e, const struct unit *u)
{
	for (uint32_t i = e->first_incoming[u->node]; i != NONE; i = e->next_incoming[i])
		if (e->trial->units.items[e->incoming[i]].rank > u->rank)
			return e->incoming[i];
	return NONE;
}

/* The pod that this one yields to; NONE for a repair. */
static unit_id cause_of(const struct emitter *e, const struct unit *u, int depth)
{
	unit_id cause = u->origin == NONE ? NONE : incoming_at(e, u);

	if (cause == NONE && u->origin != NONE && depth < MAX_CASCADE)
		cause = displaced_at(e, u, depth);
	if (cause == NONE && u->origin != NONE)
		cause = replacement_on(e, u, true);
	if (cause == NONE && u->origin != NONE)
		cause = growing_at(e, u);
	if (cause == NONE && u->is_evicted)
		cause = incoming_on_node(e, u);
	if (cause == NONE && u->is_evicted)
		cause = replacement_on(e, u, false);
	return cause;
}

/* Does it leave because it may not use its cores, and not for the pod that needs its room? */
static bool leaves_wrong_cores(const struct unit *u, unit_id cause)
{
	return u->is_misplaced && (cause == NONE || !u->is_evicted || u->replacement != NONE);
}

static enum reason reason_of(const struct unit *u, unit_id cause)
{
	if (leaves_wrong_cores(u, cause))
		return REASON_CORES_NOT_ALLOWED;
	return cause == NONE ? REASON_OVERCOMMITTED : REASON_PREEMPTED;
}

/* Cell and mode that would be over their capacity by most if the pod were back. */
static cell_id tightest(const struct trial *t, const struct unit *u, int *ret_mode)
{
	struct range cells =
		u->origin == NONE ? (struct range){ 0 } : t->places.items[u->origin].cells;
	cell_id worst = NONE;
	int64_t most = 0;

	for (uint32_t i = 0; i < cells.n; i++) {
		cell_id id = t->place_cells.items[cells.at + i];

		for (int k = 0; k < LEVELS; k++) {
			int64_t over =
				(int64_t)t->cells[id].used[0][k] + u->load[k] - t->cells[id].cap[k];
			if (over <= most)
				continue;
			most = over;
			worst = id;
			*ret_mode = k;
		}
	}
	return worst;
}

/* With its load in the mode that is talked about. */
static const char *pod_title(struct emitter *e, const struct unit *u, int mode)
{
	const struct cluster *c = e->trial->c;

	return plan_strf(e->plan, "%s (%s, %s)", cluster_str(c, unit_pod(e->trial, u)->meta.name),
			 criticality_name(u->rank), emit_ratio(e, u->load[mode]));
}

/* "core 2 would be at 1.000 of 0.900" and what is left without the pod. */
static const char *explain_overload(struct emitter *e, const struct unit *u, unit_id cause,
				    const char *verb)
{
	int mode = 0;
	cell_id id = tightest(e->trial, u, &mode);

	if (leaves_wrong_cores(u, cause))
		return plan_strf(e->plan,
				 "its request does not allow its cores; "
				 "%s %s",
				 verb, pod_title(e, u, LEVEL_LOW));
	if (id == NONE)
		return plan_strf(e->plan, "%s %s makes room", verb, pod_title(e, u, LEVEL_LOW));

	const struct cell *cell = &e->trial->cells[id];
	return plan_strf(e->plan, "%s would be at %s of %s%s; %s %s leaves %s",
			 emit_cell_name(e, id), emit_ratio(e, cell->used[0][mode] + u->load[mode]),
			 emit_ratio(e, cell->cap[mode]), emit_mode_words(e, mode), verb,
			 pod_title(e, u, mode), emit_ratio(e, cell->used[0][mode]));
}

static void fill_cause(struct emitter *e, struct action *a, unit_id cause)
{
	if (cause != NONE)
		a->by = emit_pod(e, unit_pod(e->trial, &e->trial->units.items[cause]));
}

/* ---- Evictions and moves ---- */

static void emit_eviction(struct emitter *e, unit_id id)
{
	const struct unit *u = &e->trial->units.items[id];
	unit_id cause = cause_of(e, u, 0);
	struct action *a = emit_action(e, ACTION_EVICT, reason_of(u, cause),
				       emit_pod(e, unit_pod(e->trial, u)));

	a->from = emit_origin(e, u);
	if (u->replacement != NONE)
		a->replacement = emit_place(e, u->replacement);
	fill_cause(e, a, cause);
	a->message = plan_strf(e->plan, "%s; no other core of %s takes it, and %s",
			       explain_overload(e, u, cause, "evicting"), a->from.node,
			       emit_replacement_words(e, u, &a->replacement));
	e->last_action[id] = a->id;
}

static void emit_move(struct emitter *e, const struct order_step *step, place_id from,
		      const freed_list *freed)
{
	const struct unit *u = &e->trial->units.items[step->unit];
	unit_id cause = cause_of(e, u, 0);
	struct action *a = emit_action(e, ACTION_MOVE, reason_of(u, cause),
				       emit_pod(e, unit_pod(e->trial, u)));

	a->from = from == u->origin ? emit_origin(e, u) : emit_place(e, from);
	a->to = emit_grant(e, step->unit, step->to, (enum level)unit_request(e->trial, u)->level);
	fill_cause(e, a, cause);
	emit_request(e, a, u);
	emit_depend(e, a, step->unit, freed, step->to, false);
	a->message = step->to == u->at
			     ? explain_overload(e, u, cause, "moving")
			     : plan_strf(e->plan, "waits on core %s until core %s is free",
					 a->to.cores, emit_place(e, u->at).cores);
	e->last_action[step->unit] = a->id;
}

static void emit_moves(struct emitter *e, node_id node)
{
	order_steps steps = { 0 };
	freed_list freed = { 0 };

	/* search_region() has made sure that there is an order. */
	order_node(e->p, node, &steps);
	if (steps.n)
		emit_list_freed(e, node, &freed);
	for (size_t i = 0; i < steps.n; i++) {
		unit_id id = steps.items[i].unit;
		place_id from = e->trial->units.items[id].origin;

		for (size_t k = 0; k < i; k++)
			if (steps.items[k].unit == id)
				from = steps.items[k].to;
		emit_move(e, &steps.items[i], from, &freed);
		*array_add(&freed) = (struct freed){ e->last_action[id], from, false };
		if (from != e->trial->units.items[id].origin)
			*array_add(&e->rests) = freed.items[freed.n - 1];
	}
	array_done(&steps);
	array_done(&freed);
}

void emit_displacements(struct emitter *e)
{
	const struct trial *t = e->trial;

	for (unit_id id = 0; id < t->units.n; id++) {
		enum relief relief = relief_of(&e->p->reliefs, id);

		if (t->units.items[id].is_evicted && relief != RELIEF_EVICT &&
		    relief != RELIEF_MIGRATE)
			emit_eviction(e, id);
	}
	for (node_id node = 0; node < t->c->nodes.n; node++)
		emit_moves(e, node);
}

/* ---- New pods ---- */

static const char *explain_fit(struct emitter *e, place_id place)
{
	const struct trial *t = e->trial;
	struct range cells = t->places.items[place].cells;
	AUTO(str_done) struct str text = STR_INIT;

	for (uint32_t i = 0; i < cells.n; i++) {
		cell_id id = t->place_cells.items[cells.at + i];
		const struct cell *cell = &t->cells[id];

		str_addf(&text, "%s%s: ", i ? "; " : "", emit_cell_name(e, id));
		for (int k = 0; k < LEVELS; k++)
			str_addf(&text, "%s%s %s of %s", k ? ", " : "", criticality_name(k),
				 emit_ratio(e, cell->used[0][k]), emit_ratio(e, cell->cap[k]));
	}
	return plan_str(e->plan, text.s);
}

void emit_placements(struct emitter *e)
{
	for (size_t i = 0; i < e->n_incoming; i++) {
		unit_id id = e->incoming[i];
		const struct unit *u = &e->trial->units.items[id];
		bool is_pending = u->kind == UNIT_PENDING;
		enum level level =
			is_pending ? LEVEL_LOW : (enum level)unit_request(e->trial, u)->level;
		struct action *a = emit_action(e, is_pending ? ACTION_BIND : ACTION_ASSIGN,
					       REASON_PLACED, emit_pod(e, unit_pod(e->trial, u)));
		freed_list freed = { 0 };

		a->to = emit_grant(e, id, u->at, level);
		emit_request(e, a, u);
		emit_list_freed(e, e->trial->places.items[u->at].node, &freed);
		emit_depend(e, a, id, &freed, u->at, is_pending);
		a->message = explain_fit(e, u->at);
		e->last_action[id] = a->id;
		array_done(&freed);
	}
}
