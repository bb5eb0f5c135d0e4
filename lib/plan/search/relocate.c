/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/search/search_internal.h"

#include <string.h>

#include "plan/node_index.h"

static bool is_displaced(const struct unit *u, int rank)
{
	return u->rank == rank && u->kind == UNIT_RUNNING && u->at == NONE && !u->is_evicted;
}

/* A place with room, or one where others of the same rank would have to leave in their turn: for
 * the sake of the more critical one who started it, so a repair does not go that far. */
static bool suits(const struct search *s, const struct unit *u, place_id place, bool ejects)
{
	bool fits_now = trial_fits(s->trial, u, place, u->rank);

	if (!ejects)
		return fits_now;
	return !fits_now && !u->is_repair && trial_fits(s->trial, u, place, u->rank + 1u);
}

/* Puts the place that an earlier search has found in front. */
static void begin_with(struct candidate *list, size_t n, place_id place)
{
	for (size_t i = 1; i < n; i++) {
		struct candidate c = list[i];

		if (c.place != place)
			continue;
		memmove(list + 1, list, i * sizeof(c));
		list[0] = c;
		return;
	}
}

static void try_moves(struct search *s, size_t i, struct range choices, bool ejects,
		      struct choice *choice)
{
	unit_id id = s->running.items[i];
	const struct unit *u = &s->trial->units.items[id];

	for (uint32_t n = 0; n < choices.n && !search_is_pruned(s); n++) {
		const struct candidate *list = s->choices.items + choices.at;
		uint32_t k = s->is_reversed ? choices.n - 1 - n : n;
		place_id place = list[k].place;

		if (place == u->origin || !suits(s, u, place, ejects) ||
		    search_is_interchangeable(s, list, k, u->rank))
			continue;
		if (!search_step(s) || !search_choose(s, choice))
			break;
		trial_assign(s->trial, id, place);
		if (ejects)
			search_clear_cells(s, u->rank);
		else
			search_relocate(s, u->rank);
		trial_unassign(s->trial, id);
		search_unchoose(s, choice);
	}
}

static void try_moving(struct search *s, size_t i, struct choice *choice)
{
	const struct unit *u = search_unit(s, &s->running, i);
	struct range choices = { (uint32_t)s->choices.n, 0 };

	candidates_of(s->p, u, u->node, &s->choices);
	choices.n = (uint32_t)s->choices.n - choices.at;
	begin_with(s->choices.items + choices.at, choices.n, s->before[i].at);
	try_moves(s, i, choices, false, choice);
	try_moves(s, i, choices, true, choice);
	s->choices.n = choices.at;
}

/* Where all nodes are in sight, the end of the branch finds the replacements. */
bool search_has_replacement_node(const struct search *s, unit_id id)
{
	return s->trial->units.items[id].is_reschedulable &&
	       (s->region->is_whole_cluster || index_holds_replacement(s->p, id));
}

/* A pod on cores that it may not use is evicted only for a replacement. */
bool search_may_evict(const struct search *s, const struct unit *u)
{
	unit_id id = (unit_id)(u - s->trial->units.items);

	if (!u->can_evict || u->is_evicted ||
	    (u->is_misplaced && !search_has_replacement_node(s, id)))
		return false;
	return u->pdb == NONE || s->trial->evictions_left[u->pdb] > 0;
}

/* Whoever has been taken off costs a move at least. */
void search_mark_displaced(struct search *s, const struct unit *u, int sign)
{
	s->cost.part[COST_MOVED] += sign;
	s->cost.part[COST_DISPLACED] += sign * (int64_t)u->load[0];
}

/* In: everything about the eviction but the pod's budget, which was lifted before. */
void search_mark_evicted(struct search *s, unit_id id, bool is_evicted)
{
	struct unit *u = &s->trial->units.items[id];
	int sign = is_evicted ? 1 : -1;

	if (is_evicted)
		trial_evict(s->trial, id);
	else
		trial_unevict(s->trial, id);
	s->cost.part[COST_MOVED] -= sign;
	cost_evict(&s->cost, u->rank, sign);
	if (!search_has_replacement_node(s, id))
		cost_lose(&s->cost, u->rank, sign);
}

/* Even if it finds a replacement, would one who was taken off cost too much evicted? */
static bool is_too_dear(const struct search *s, const struct unit *u)
{
	struct cost cost = s->cost;

	cost.part[COST_MOVED]--;
	cost_evict(&cost, u->rank, 1);
	return !cost_is_less(&cost, &s->best);
}

static void try_eviction(struct search *s, size_t i, struct choice *choice)
{
	unit_id id = s->running.items[i];
	const struct unit *u = &s->trial->units.items[id];

	if (!search_may_evict(s, u) || is_too_dear(s, u))
		return;
	search_mark_evicted(s, id, true);
	if (!search_is_pruned(s) && search_step(s) && search_choose(s, choice)) {
		search_relocate(s, u->rank);
		search_unchoose(s, choice);
	}
	search_mark_evicted(s, id, false);
}

/* A pod that has to leave for a repair, and cannot, stays and does not run. */
static void try_leaving_it(struct search *s, size_t i, struct choice *choice)
{
	unit_id id = s->running.items[i];
	struct unit *u = &s->trial->units.items[id];

	if (!s->trial->nodes[u->node].is_broken)
		return;
	s->stays_displaced[i] = true;
	search_mark_displaced(s, u, -1);
	cost_lose(&s->cost, u->rank, u->is_misplaced);
	trial_assign(s->trial, id, u->origin);
	if (!search_is_pruned(s) && search_step(s) && search_choose(s, choice)) {
		/* One on wrong cores was not there when its cell was cleared. */
		if (u->is_misplaced)
			search_clear_cells(s, u->rank);
		else
			search_relocate(s, u->rank);
		search_unchoose(s, choice);
	}
	trial_unassign(s->trial, id);
	cost_lose(&s->cost, u->rank, -(int)u->is_misplaced);
	search_mark_displaced(s, u, 1);
	s->stays_displaced[i] = false;
}

void search_relocate(struct search *s, int rank)
{
	size_t i = 0;

	while (i < s->running.n && !is_displaced(search_unit(s, &s->running, i), rank))
		i++;
	if (i == s->running.n) {
		if (!search_is_needless(s, rank))
			search_place(s, rank, 0);
		return;
	}
	if (search_bound_must_evict(s, rank))
		return;
	struct choice choice = { 0 };
	if (s->before[i].is_evicted)
		try_eviction(s, i, &choice);
	try_moving(s, i, &choice);
	if (!s->before[i].is_evicted)
		try_eviction(s, i, &choice);
	try_leaving_it(s, i, &choice);
}
