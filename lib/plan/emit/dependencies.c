/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "plan/emit/emit.h"

void emit_list_freed(const struct emitter *e, node_id node, freed_list *ret)
{
	struct range units = e->trial->nodes[node].units;

	for (uint32_t i = 0; i < units.n; i++) {
		unit_id id = e->trial->node_units[units.at + i];
		const struct unit *u = &e->trial->units.items[id];

		if (e->last_action[id] && emit_makes_room(e, id))
			*array_add(ret) =
				(struct freed){ e->last_action[id], u->origin, u->is_evicted };
	}
	array_each(rest, &e->rests)
		if (e->trial->places.items[rest->place].node == node)
			*array_add(ret) = *rest;
}

void emit_after(struct emitter *e, struct action *a, const uint32_t *ids, uint32_t n)
{
	if (n == 0)
		return;
	a->after = arena_new(&e->plan->arena, uint32_t, n);
	a->n_after = n;
	memcpy(a->after, ids, n * sizeof(*ids));
}

/* A pod that rests on the way frees two places by its last move. */
static bool is_listed(const uint32_t *ids, size_t n, uint32_t id)
{
	for (size_t i = 0; i < n; i++)
		if (ids[i] == id)
			return true;
	return false;
}

void emit_depend(struct emitter *e, struct action *a, unit_id id, const freed_list *freed,
		 place_id to, bool needs_requests)
{
	uint32_t own = e->last_action[id] ? e->last_action[id] : emit_finalizer_of(e, id);
	ARRAY(uint32_t) ids = { 0 };

	if (own)
		*array_add(&ids) = own;
	array_each(f, freed)
		if (f->action != own && !is_listed(ids.items, ids.n, f->action) &&
		    ((f->is_eviction && needs_requests) ||
		     (f->place != NONE && emit_share_cells(e->trial, f->place, to))))
			*array_add(&ids) = f->action;
	emit_after(e, a, ids.items, (uint32_t)ids.n);
	array_done(&ids);
}

void emit_depend_on_unit(struct emitter *e, struct action *a, unit_id id)
{
	if (id != NONE)
		emit_after(e, a, &e->last_action[id], e->last_action[id] != 0);
}
