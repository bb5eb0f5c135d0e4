/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/search/search_internal.h"

#include <stdlib.h>

#include "base/auto.h"
#include "plan/replacement.h"
#include "plan/search/move_order.h"

static bool is_away(const struct unit *u)
{
	return u->is_evicted || (u->kind == UNIT_RUNNING && u->at != u->origin);
}

/* The node's units that are displaced by now, or the others. */
static void list_node(struct search *s, node_id node, bool are_away)
{
	struct range units = s->trial->nodes[node].units;

	for (uint32_t i = 0; i < units.n; i++) {
		unit_id id = s->trial->node_units[units.at + i];
		const struct unit *u = &s->trial->units.items[id];

		if (u->kind == UNIT_FIXED || is_away(u) != are_away)
			continue;
		*array_add(&s->running) = id;
		bool becomes_kept = trial_may_become_kept(s->trial, u);

		s->has_non_evictable |= !u->can_evict || becomes_kept;
		s->is_late |= becomes_kept || u->is_misplaced;
	}
}

/* Those that an earlier search has displaced come first: its result is found again at once. */
static void list_running(struct search *s)
{
	for (size_t n = 0; n < s->region->n_nodes; n++) {
		s->has_broken |= s->trial->nodes[s->region->nodes[n]].is_broken;
		list_node(s, s->region->nodes[n], true);
		list_node(s, s->region->nodes[n], false);
	}
	for (size_t i = 0; i < s->region->n_placed; i++)
		*array_add(&s->incoming) = s->region->placed[i];
	for (size_t i = 0; i < s->region->n_to_place; i++) {
		*array_add(&s->incoming) = s->region->to_place[i];
		*array_add(&s->to_place) = s->region->to_place[i];
	}
}

static void list_pins(struct search *s)
{
	for (size_t i = 0; i < s->running.n + s->incoming.n; i++) {
		const struct unit *u = i < s->running.n
					       ? search_unit(s, &s->running, i)
					       : search_unit(s, &s->incoming, i - s->running.n);

		if (unit_request(s->trial, u)->has_pin)
			*array_add(&s->pins) = unit_request(s->trial, u)->pin;
	}
}

/* Makes one unit of the region what is wanted; the cost does not change. */
static void set_unit(struct trial *t, unit_id id, struct saved want)
{
	struct unit *u = &t->units.items[id];

	if (u->at != NONE)
		trial_unassign(t, id);
	if (want.is_evicted && !u->is_evicted)
		trial_evict(t, id);
	else if (!want.is_evicted && u->is_evicted)
		trial_unevict(t, id);
	if (want.at != NONE)
		trial_assign(t, id, want.at);
}

static void set_to_place(struct trial *t, unit_id id, place_id at)
{
	if (t->units.items[id].at != NONE)
		trial_remove(t, id);
	if (at != NONE)
		trial_add(t, id, at);
}

static bool is_placed(const struct search *s, unit_id id)
{
	for (size_t i = 0; i < s->region->n_placed; i++)
		if (s->region->placed[i] == id)
			return true;
	return false;
}

/* Where the region's search begins: the snapshot, with the placed pods in their places. Pods
 * without cores that are neither placed nor to_place stay without. */
static void rewind_region(struct search *s, place_id *before_placing)
{
	for (size_t i = 0; i < s->running.n; i++) {
		unit_id id = s->running.items[i];
		const struct unit *u = &s->trial->units.items[id];

		s->before[i] = (struct saved){ u->at, u->is_evicted };
		if (u->kind != UNIT_RUNNING && is_placed(s, id))
			continue;
		set_unit(s->trial, id, (struct saved){ u->is_misplaced ? NONE : u->origin, false });
		if (u->is_misplaced)
			search_mark_displaced(s, u, 1);
	}
	for (size_t i = 0; i < s->to_place.n; i++) {
		before_placing[i] = search_unit(s, &s->to_place, i)->at;
		set_to_place(s->trial, s->to_place.items[i], NONE);
	}
}

void search_region(struct planner *p, const struct region *region, const struct cost *limit,
		   struct search_result *ret)
{
	struct search s = {
		.p = p,
		.trial = &p->trial,
		.region = region,
		.best = *limit,
		.found = ret,
	};

	*ret = (struct search_result){ .is_exact = true };
	list_running(&s);
	s.stays_displaced = xcalloc(s.running.n, sizeof(*s.stays_displaced));
	s.before = xcalloc(s.running.n, sizeof(*s.before));
	AUTO_FREE place_id *before_placing = xcalloc(s.to_place.n, sizeof(*before_placing));

	rewind_region(&s, before_placing);
	search_bound_init(&s);
	list_pins(&s);
	do {
		s.was_cut = false;
		for (int order = 0; order < (region->is_whole_cluster ? 2 : 1) && ret->is_exact;
		     order++) {
			s.is_reversed = order;
			search_clear_rank(&s, LEVEL_HIGH);
		}
		s.discrepancies++;
		ret->is_exact = ret->is_exact &&
				(!s.was_cut || s.discrepancies <= region->max_discrepancies);
	} while (s.was_cut && ret->is_exact);
	free(s.bound);
	array_done(&s.pins);
	array_done(&s.choices);
	for (size_t i = 0; i < s.to_place.n; i++)
		set_to_place(s.trial, s.to_place.items[i], before_placing[i]);
	for (size_t i = 0; i < s.running.n; i++)
		set_unit(s.trial, s.running.items[i], s.before[i]);

	p->steps += s.steps;
	free(s.stays_displaced);
	free(s.before);
	array_done(&s.running);
	array_done(&s.to_place);
	array_done(&s.incoming);
	array_done(&s.order);
}

void search_result_done(struct search_result *a)
{
	array_done(&a->outcomes);
	array_done(&a->order);
}

void search_commit(struct planner *p, const struct region *region, const struct search_result *a)
{
	struct trial *t = &p->trial;

	for (size_t i = 0; i < a->outcomes.n; i++) {
		const struct outcome *o = &a->outcomes.items[i];

		if (t->units.items[o->unit].kind != UNIT_PENDING)
			set_unit(t, o->unit, (struct saved){ NONE, o->is_evicted });
	}
	for (size_t i = 0; i < a->outcomes.n; i++) {
		const struct outcome *o = &a->outcomes.items[i];

		if (o->is_evicted)
			t->units.items[o->unit].replacement = o->at;
		else if (t->units.items[o->unit].kind != UNIT_PENDING)
			set_unit(t, o->unit, (struct saved){ o->at, false });
		else
			set_to_place(t, o->unit, o->at);
	}
	for (size_t i = 0; i < region->n_nodes; i++)
		planner_refresh(p, region->nodes[i]);
}

enum { IMPOSSIBLE = 1 << 20 };

/* Finds the replacements of the evicted pods, and charges those without one. */
static void charge_evicted(struct search *s)
{
	unit_list evicted = { 0 };

	for (size_t i = 0; i < s->running.n; i++)
		if (search_unit(s, &s->running, i)->is_evicted)
			*array_add(&evicted) = s->running.items[i];
	replacement_find(s->p, evicted.items, evicted.n);
	for (size_t i = 0; i < evicted.n; i++) {
		const struct unit *u = search_unit(s, &evicted, i);

		if (u->replacement != NONE)
			trial_add(s->trial, evicted.items[i], u->replacement);
		else if (u->is_reschedulable)
			cost_lose(&s->cost, u->rank, 1);
	}
	/* What is not permitted costs more than anything that is. */
	if (search_has_needless(s))
		s->cost.part[COST_LOST] += IMPOSSIBLE;
	for (size_t i = 0; i < evicted.n; i++)
		if (search_unit(s, &evicted, i)->at != NONE)
			trial_remove(s->trial, evicted.items[i]);
	array_done(&evicted);
}

struct cost search_region_cost(struct planner *p, const struct region *region)
{
	struct search s = { .p = p, .trial = &p->trial, .region = region };

	list_running(&s);
	for (size_t i = 0; i < s.running.n; i++) {
		const struct unit *u = search_unit(&s, &s.running, i);

		if (u->is_evicted) {
			cost_evict(&s.cost, u->rank, 1);
			if (!search_has_replacement_node(&s, s.running.items[i]))
				cost_lose(&s.cost, u->rank, 1);
		} else if (u->at != u->origin && u->kind == UNIT_RUNNING) {
			s.cost.part[COST_MOVED]++;
		} else if (u->is_misplaced) {
			cost_lose(&s.cost, u->rank, 1);
		}
		if (u->is_evicted || (u->at != u->origin && u->kind == UNIT_RUNNING))
			s.cost.part[COST_DISPLACED] += u->load[0];
	}
	for (size_t i = 0; i < s.to_place.n; i++) {
		const struct unit *u = search_unit(&s, &s.to_place, i);

		if (u->at == NONE && !u->is_evicted)
			cost_lose(&s.cost, u->rank, 1);
	}
	search_charge_overcommitted(&s, &s.cost);
	if (region->is_whole_cluster)
		charge_evicted(&s);
	s.cost.part[COST_MOVED] += order_rests(p, region->nodes, region->n_nodes);
	array_done(&s.running);
	array_done(&s.to_place);
	array_done(&s.incoming);
	return s.cost;
}
