/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/search/search_internal.h"

#include <stdlib.h>

#include "base/auto.h"
#include "plan/search/move_order.h"

static bool is_away(const struct unit *u)
{
	return u->is_evicted || (u->kind == UNIT_RUNNING && u->at != u->origin);
}

/* The node's units that are displaced by now, or the others. */
static void list_node(struct search *s, node_id node, bool are_away)
{
	struct range units = s->w->nodes[node].units;

	for (uint32_t i = 0; i < units.n; i++) {
		unit_id id = s->w->node_units[units.at + i];
		const struct unit *u = &s->w->units.items[id];

		if (u->kind == UNIT_FIXED || is_away(u) != are_away)
			continue;
		*array_add(&s->running) = id;
		if (!u->can_evict || u->pdb != NONE)
			s->has_stubborn = true;
	}
}

/* Those that an earlier search has displaced come first: what it found is found again at once. */
static void list_running(struct search *s)
{
	for (size_t n = 0; n < s->region->n_nodes; n++) {
		list_node(s, s->region->nodes[n], true);
		list_node(s, s->region->nodes[n], false);
	}
	for (size_t i = 0; i < s->region->n_settled; i++)
		*array_add(&s->newcomers) = s->region->settled[i];
	for (size_t i = 0; i < s->region->n_fresh; i++) {
		*array_add(&s->newcomers) = s->region->fresh[i];
		*array_add(&s->fresh) = s->region->fresh[i];
	}
}

static void list_pins(struct search *s)
{
	for (size_t i = 0; i < s->running.n + s->newcomers.n; i++) {
		const struct unit *u = i < s->running.n
					       ? search_unit(s, &s->running, i)
					       : search_unit(s, &s->newcomers, i - s->running.n);

		if (unit_request(s->w, u)->has_pin)
			*array_add(&s->pins) = unit_request(s->w, u)->pin;
	}
}

/* Moves one unit of the region from what it is to what is wanted, cost and all aside. */
static void set_unit(struct world *w, unit_id id, struct saved want)
{
	struct unit *u = &w->units.items[id];

	if (u->at != NONE)
		world_lift(w, id);
	if (want.is_evicted && !u->is_evicted)
		world_evict(w, id);
	else if (!want.is_evicted && u->is_evicted)
		world_bring_back(w, id);
	if (want.at != NONE)
		world_put(w, id, want.at);
}

static void set_fresh(struct world *w, unit_id id, place_id at)
{
	if (w->units.items[id].at != NONE)
		world_go(w, id);
	if (at != NONE)
		world_come(w, id, at);
}

static bool is_settled(const struct search *s, unit_id id)
{
	for (size_t i = 0; i < s->region->n_settled; i++)
		if (s->region->settled[i] == id)
			return true;
	return false;
}

/* Where the region's search begins: the snapshot, with the settled pods in their places. Pods
 * without cores that are neither settled nor fresh stay without. */
static void rewind_region(struct search *s, place_id *before_fresh)
{
	for (size_t i = 0; i < s->running.n; i++) {
		unit_id id = s->running.items[i];
		const struct unit *u = &s->w->units.items[id];

		s->before[i] = (struct saved){ u->at, u->is_evicted };
		if (u->kind != UNIT_RUNNING && is_settled(s, id))
			continue;
		set_unit(s->w, id, (struct saved){ u->is_misplaced ? NONE : u->origin, false });
		if (u->is_misplaced)
			search_mark_displaced(s, u, 1);
	}
	for (size_t i = 0; i < s->fresh.n; i++) {
		before_fresh[i] = search_unit(s, &s->fresh, i)->at;
		set_fresh(s->w, s->fresh.items[i], NONE);
	}
}

void arrange(struct planner *p, const struct region *region, const struct cost *limit,
	     struct arrangement *ret)
{
	struct search s = {
		.p = p,
		.w = &p->w,
		.region = region,
		.best = *limit,
		.found = ret,
	};

	*ret = (struct arrangement){ .is_exact = true };
	list_running(&s);
	s.is_left = xcalloc(s.running.n, sizeof(*s.is_left));
	s.before = xcalloc(s.running.n, sizeof(*s.before));
	AUTO_FREE place_id *before_fresh = xcalloc(s.fresh.n, sizeof(*before_fresh));

	rewind_region(&s, before_fresh);
	search_bound_init(&s);
	list_pins(&s);
	do {
		s.was_cut = false;
		for (int order = 0; order < (region->lands ? 2 : 1) && ret->is_exact; order++) {
			s.is_reversed = order;
			search_clear_rank(&s, LEVEL_HIGH);
		}
		s.slack++;
		ret->is_exact = ret->is_exact && (!s.was_cut || s.slack <= region->max_slack);
	} while (s.was_cut && ret->is_exact);
	free(s.bound);
	array_done(&s.pins);
	array_done(&s.choices);
	for (size_t i = 0; i < s.fresh.n; i++)
		set_fresh(s.w, s.fresh.items[i], before_fresh[i]);
	for (size_t i = 0; i < s.running.n; i++)
		set_unit(s.w, s.running.items[i], s.before[i]);

	if (region->lands)
		search_update_index(&s);
	p->steps += s.steps;
	free(s.is_left);
	free(s.before);
	array_done(&s.running);
	array_done(&s.fresh);
	array_done(&s.newcomers);
	array_done(&s.order);
}

void arrangement_done(struct arrangement *a)
{
	array_done(&a->outcomes);
	array_done(&a->order);
}

void arrange_commit(struct planner *p, const struct region *region, const struct arrangement *a)
{
	struct world *w = &p->w;

	for (size_t i = 0; i < a->outcomes.n; i++) {
		const struct outcome *o = &a->outcomes.items[i];

		if (w->units.items[o->unit].kind != UNIT_PENDING)
			set_unit(w, o->unit, (struct saved){ NONE, o->is_evicted });
	}
	for (size_t i = 0; i < a->outcomes.n; i++) {
		const struct outcome *o = &a->outcomes.items[i];

		if (w->units.items[o->unit].kind != UNIT_PENDING)
			set_unit(w, o->unit, (struct saved){ o->at, o->is_evicted });
		else
			set_fresh(w, o->unit, o->at);
	}
	for (size_t i = 0; i < region->n_nodes; i++)
		planner_refresh(p, region->nodes[i]);
}

enum { IMPOSSIBLE = 1 << 20 };

struct cost arrange_cost(struct planner *p, const struct region *region)
{
	struct search s = { .p = p, .w = &p->w, .region = region };

	list_running(&s);
	for (size_t i = 0; i < s.running.n; i++) {
		const struct unit *u = search_unit(&s, &s.running, i);

		if (u->is_evicted) {
			cost_evict(&s.cost, u->rank, 1);
			if (!search_hopes_to_land(&s, s.running.items[i]))
				cost_lose(&s.cost, u->rank, 1);
		} else if (u->at != u->origin && u->kind == UNIT_RUNNING) {
			s.cost.part[COST_MOVED]++;
		} else if (u->is_misplaced) {
			cost_lose(&s.cost, u->rank, 1);
		}
		if (u->is_evicted || (u->at != u->origin && u->kind == UNIT_RUNNING))
			s.cost.part[COST_DISPLACED] += u->load[0];
	}
	for (size_t i = 0; i < s.fresh.n; i++) {
		const struct unit *u = search_unit(&s, &s.fresh, i);

		if (u->at == NONE && !u->is_evicted)
			cost_lose(&s.cost, u->rank, 1);
	}
	search_lose_broken(&s, &s.cost);
	/* What must not be is dearer than anything that may. */
	if (region->lands && !search_lose_unlanded(&s, &s.cost))
		s.cost.part[COST_LOST] += IMPOSSIBLE;
	s.cost.part[COST_MOVED] += order_rests(p, region->nodes, region->n_nodes);
	array_done(&s.running);
	array_done(&s.fresh);
	array_done(&s.newcomers);
	return s.cost;
}
