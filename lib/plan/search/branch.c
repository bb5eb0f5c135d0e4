/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "plan/filter/inter_pod.h"
#include "plan/search/search_internal.h"

static void clear_requests(struct search *s, int rank, size_t from);
static void clear_cells(struct search *s, int rank);
static void relocate_rank(struct search *s, int rank);
static void place_rank(struct search *s, int rank, size_t from);

/* ---- 1. Which pods have to leave ---- */

static size_t driven_out(const struct search *s, int rank)
{
	for (size_t i = 0; s->trial->terms && i < s->running.n; i++) {
		const struct unit *u = search_unit(s, &s->running, i);

		if (u->rank == rank && !u->is_evicted && search_is_driven_out(s, u))
			return i;
	}
	return SIZE_MAX;
}

static void try_forced_eviction(struct search *s, int rank, size_t i, size_t next)
{
	unit_id id = s->running.items[i];
	const struct unit *u = &s->trial->units.items[id];
	place_id at = u->at;
	bool is_off = at == NONE && u->kind == UNIT_RUNNING; /* and counted as that */

	if (!search_may_evict(s, u) || !search_step(s))
		return;
	if (at != NONE)
		trial_unassign(s->trial, id);
	if (!is_off)
		search_mark_displaced(s, u, 1);
	search_mark_evicted(s, id, true);
	if (!search_is_pruned(s))
		clear_requests(s, rank, next);
	search_mark_evicted(s, id, false);
	if (!is_off)
		search_mark_displaced(s, u, -1);
	if (at != NONE)
		trial_assign(s->trial, id, at);
}

/* Requests and ports are freed by eviction alone. */
static void clear_requests(struct search *s, int rank, size_t from)
{
	size_t victim = driven_out(s, rank);

	if (victim != SIZE_MAX) {
		try_forced_eviction(s, rank, victim, from);
		return;
	}
	node_id node = search_crowded_node(s, rank);
	if (node == NONE) {
		relocate_rank(s, rank);
		return;
	}
	struct choice choice = { 0 };
	for (size_t i = from; i < s->running.n; i++) {
		const struct unit *u = search_unit(s, &s->running, i);

		if (u->rank != rank || u->node != node || !search_may_evict(s, u))
			continue;
		if (!search_choose(s, &choice))
			return;
		try_forced_eviction(s, rank, i, i + 1);
		search_unchoose(s, &choice);
	}
}

/* Could this pod be taken off the cell at this rank's turn? */
static bool may_leave(const struct search *s, size_t i, int rank, cell_id cell)
{
	const struct unit *u = search_unit(s, &s->running, i);

	return u->rank == rank && u->at != NONE && u->at == u->origin && !s->stays_displaced[i] &&
	       search_has_cell(s->trial, u->at, cell);
}

static bool any_may_leave(const struct search *s, int rank, cell_id cell)
{
	for (size_t i = 0; i < s->running.n; i++)
		if (may_leave(s, i, rank, cell))
			return true;
	return false;
}

static cell_id overfull_cell(const struct search *s, int rank)
{
	const struct trial *t = s->trial;

	for (size_t n = 0; n < s->region->n_nodes; n++) {
		struct range cores = t->cap.nodes.items[s->region->nodes[n]].cores;

		for (uint32_t i = 0; i < cores.n; i++) {
			cell_id cell = t->cell_of_core[cores.at + i];

			if (!cell_holds(&t->cells[cell], (unsigned)rank) &&
			    any_may_leave(s, rank, cell))
				return cell;
		}
	}
	return NONE;
}

/* Takes off one pod of the rank after the other until the cell holds, in every combination. */
static void clear_cell(struct search *s, int rank, cell_id cell, size_t from)
{
	struct choice choice = { 0 };
	for (size_t i = from; i < s->running.n && !search_is_pruned(s); i++) {
		unit_id id = s->running.items[i];
		const struct unit *u = &s->trial->units.items[id];

		if (!may_leave(s, i, rank, cell))
			continue;
		if (!search_step(s) || !search_choose(s, &choice))
			return;
		trial_unassign(s->trial, id);
		search_mark_displaced(s, u, 1);
		if (cell_holds(&s->trial->cells[cell], (unsigned)rank) ||
		    !any_may_leave(s, rank, cell))
			clear_cells(s, rank);
		else
			clear_cell(s, rank, cell, i + 1);
		search_mark_displaced(s, u, -1);
		trial_assign(s->trial, id, u->origin);
		search_unchoose(s, &choice);
	}
}

static bool is_squeezing(const struct search *s, size_t i, int rank)
{
	const struct unit *u = search_unit(s, &s->running, i);

	if (u->rank != rank || u->at == NONE || u->at != u->origin || s->stays_displaced[i])
		return false;
	struct range cells = s->trial->places.items[u->origin].cells;
	for (uint32_t c = 0; c < cells.n; c++)
		if (!search_holds_non_evictable(s, s->trial->place_cells.items[cells.at + c], rank,
						true))
			return true;
	return false;
}

/* Where a core holds this rank, but not with less critical pods that may not be evicted, either
 * side may have to leave. */
static void clear_for_non_evictable(struct search *s, int rank, size_t from)
{
	struct choice choice = { 0 };

	if (search_choose(s, &choice)) {
		clear_requests(s, rank, 0);
		search_unchoose(s, &choice);
	}
	for (size_t i = from; s->has_non_evictable && i < s->running.n && !search_is_pruned(s);
	     i++) {
		unit_id id = s->running.items[i];

		if (!is_squeezing(s, i, rank))
			continue;
		if (!search_step(s) || !search_choose(s, &choice))
			return;
		trial_unassign(s->trial, id);
		search_mark_displaced(s, &s->trial->units.items[id], 1);
		clear_for_non_evictable(s, rank, i + 1);
		search_mark_displaced(s, &s->trial->units.items[id], -1);
		trial_assign(s->trial, id, s->trial->units.items[id].origin);
		search_unchoose(s, &choice);
	}
}

static void clear_cells(struct search *s, int rank)
{
	cell_id cell = overfull_cell(s, rank);

	if (cell == NONE)
		clear_for_non_evictable(s, rank, 0);
	else
		clear_cell(s, rank, cell, 0);
}

void search_clear_rank(struct search *s, int rank)
{
	if (rank < 0)
		search_finish(s);
	else
		clear_cells(s, rank);
}

/* ---- 2. Where they go ---- */

static bool is_displaced(const struct unit *u, int rank)
{
	return u->rank == rank && u->kind == UNIT_RUNNING && u->at == NONE && !u->is_evicted;
}

/* A place with room, or one where others of the same rank would have to leave in their turn: for
 * the more critical one that caused it, so a repair does not go that far. */
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
			clear_cells(s, u->rank);
		else
			relocate_rank(s, u->rank);
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
	if (choices.n)
		begin_with(s->choices.items + choices.at, choices.n, s->before[i].at);
	try_moves(s, i, choices, false, choice);
	try_moves(s, i, choices, true, choice);
	s->choices.n = choices.at;
}

/* Even if it finds a replacement, would a unit that was taken off cost too much evicted? */
static bool is_too_dear(const struct search *s, const struct unit *u)
{
	struct cost cost = search_least_cost(s);

	cost.part[COST_MOVED] -= !s->trial->nodes[u->node].is_broken;
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
		relocate_rank(s, u->rank);
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
		/* Its cell was cleared without it: others there would not run either. */
		clear_cells(s, u->rank);
		search_unchoose(s, choice);
	}
	trial_unassign(s->trial, id);
	cost_lose(&s->cost, u->rank, -(int)u->is_misplaced);
	search_mark_displaced(s, u, 1);
	s->stays_displaced[i] = false;
}

static void relocate_rank(struct search *s, int rank)
{
	size_t i = 0;

	while (i < s->running.n && !is_displaced(search_unit(s, &s->running, i), rank))
		i++;
	if (i == s->running.n) {
		if (!search_is_needless(s, rank, false))
			place_rank(s, rank, 0);
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

/* ---- 3. The new pods ---- */

/* What step 3 places: the new pods, and behind them the replacements of evicted ones. */
static unit_id arriving(const struct search *s, size_t i)
{
	return i < s->to_place.n ? s->to_place.items[i] : s->running.items[i - s->to_place.n];
}

static size_t n_arriving(const struct search *s)
{
	return s->to_place.n + (s->region->is_whole_cluster ? s->running.n : 0);
}

static bool is_arriving(const struct search *s, size_t i, int rank)
{
	const struct unit *u = &s->trial->units.items[arriving(s, i)];

	if (u->rank != rank)
		return false;
	return i < s->to_place.n ? !u->is_evicted : u->is_evicted && u->is_reschedulable;
}

static void try_to_place(struct search *s, size_t i, place_id place)
{
	unit_id id = arriving(s, i);

	trial_add(s->trial, id, place);
	place_rank(s, s->trial->units.items[id].rank, i + 1);
	trial_remove(s->trial, id);
}

/* A pod that it has affinity to may still be placed. */
static bool awaits_company(const struct search *s, const struct unit *u)
{
	const struct cluster *c = s->trial->c;

	for (size_t i = 0; i < s->to_place.n; i++) {
		const struct unit *other = search_unit(s, &s->to_place, i);

		if (other != u && other->at == NONE &&
		    inter_pod_wants(c, unit_pod(s->trial, u), unit_pod(s->trial, other)))
			return true;
	}
	return false;
}

/* A pod that it has anti-affinity to may still have to leave. */
static bool awaits_leaving(const struct search *s, const struct unit *u)
{
	const struct cluster *c = s->trial->c;

	for (size_t i = 0; i < s->running.n; i++) {
		const struct unit *other = search_unit(s, &s->running, i);

		if (other->rank < u->rank && !other->is_evicted && other->can_evict &&
		    inter_pod_avoids(c, unit_pod(s->trial, u), unit_pod(s->trial, other)))
			return true;
	}
	return false;
}

enum entry {
	ENTRY_NO,
	ENTRY_YES,
	ENTRY_LATER, /* depends on pods still to be placed or evicted: checked at the end */
};

static enum entry may_enter(struct search *s, const struct unit *u, node_id node)
{
	if (u->kind == UNIT_UNASSIGNED)
		return u->node == node && filter_guarantees(&s->p->filters, u, node) ? ENTRY_YES
										     : ENTRY_NO;
	if (u->is_evicted && u->node == node)
		return ENTRY_NO;
	enum refusal r = filter_node(&s->p->filters, u, node, u->rank, NULL, 0);
	bool may_wait =
		s->region->is_whole_cluster && filter_bit(filters_allowed(&s->p->filters, u), node);

	if (r == REFUSE_NOTHING)
		return ENTRY_YES;
	if ((r == REFUSE_POD_AFFINITY && may_wait && awaits_company(s, u)) ||
	    (r == REFUSE_POD_ANTI_AFFINITY && may_wait && awaits_leaving(s, u)))
		return ENTRY_LATER;
	return ENTRY_NO;
}

/* Tries the choices that fit without displacing a pod, or the others. */
static void try_choices(struct search *s, size_t i, struct range choices, bool yields,
			struct choice *choice)
{
	const struct unit *u = &s->trial->units.items[arriving(s, i)];

	for (uint32_t n = 0; n < choices.n && !search_is_pruned(s); n++) {
		const struct candidate *list = s->choices.items + choices.at;
		uint32_t k = s->is_reversed ? choices.n - 1 - n : n;
		place_id place = list[k].place;

		if (!trial_fits(s->trial, u, place, u->rank) ||
		    trial_fits(s->trial, u, place, 0) == yields ||
		    search_is_interchangeable(s, list, k, u->rank))
			continue;
		if (!search_step(s) || !search_choose(s, choice))
			break;
		try_to_place(s, i, place);
		search_unchoose(s, choice);
	}
}

static void try_places(struct search *s, size_t i, enum entry entry, struct choice *choice)
{
	const struct unit *u = &s->trial->units.items[arriving(s, i)];
	struct range choices = { (uint32_t)s->choices.n, 0 };

	for (size_t n = 0; n < s->region->n_nodes; n++)
		if (may_enter(s, u, s->region->nodes[n]) == entry)
			candidates_of(s->p, u, s->region->nodes[n], &s->choices);
	choices.n = (uint32_t)s->choices.n - choices.at;
	try_choices(s, i, choices, false, choice);
	try_choices(s, i, choices, true, choice);
	s->choices.n = choices.at;
}

static void try_leaving_out(struct search *s, size_t i, struct choice *choice)
{
	unsigned rank = s->trial->units.items[arriving(s, i)].rank;

	cost_lose(&s->cost, rank, 1);
	if (!search_is_pruned(s) && search_step(s) && search_choose(s, choice)) {
		place_rank(s, (int)rank, i + 1);
		search_unchoose(s, choice);
	}
	cost_lose(&s->cost, rank, -1);
}

static void place_rank(struct search *s, int rank, size_t from)
{
	struct choice choice = { 0 };
	size_t i = from;

	while (i < n_arriving(s) && !is_arriving(s, i, rank))
		i++;
	if (i == n_arriving(s)) {
		search_clear_rank(s, rank - 1);
		return;
	}
	if (search_bound_prunes(s, rank, i))
		return;
	try_places(s, i, ENTRY_YES, &choice);
	try_leaving_out(s, i, &choice);
	if (s->trial->terms)
		try_places(s, i, ENTRY_LATER, &choice);
}
