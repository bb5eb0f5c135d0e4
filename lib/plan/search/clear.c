/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/search/search_internal.h"

bool search_has_lost_ports(const struct search *s, const struct unit *u)
{
	for (size_t i = 0; s->trial->terms && i < s->incoming.n; i++) {
		const struct unit *f = search_unit(s, &s->incoming, i);

		if (f->rank > u->rank && f->at != NONE && f->kind == UNIT_PENDING &&
		    s->trial->places.items[f->at].node == u->node &&
		    filter_ports_collide(s->trial->c, unit_pod(s->trial, u), unit_pod(s->trial, f)))
			return true;
	}
	return false;
}

static size_t port_victim(const struct search *s, int rank)
{
	for (size_t i = 0; s->trial->terms && i < s->running.n; i++) {
		const struct unit *u = search_unit(s, &s->running, i);

		if (u->rank == rank && !u->is_evicted && search_has_lost_ports(s, u))
			return i;
	}
	return SIZE_MAX;
}

static void clear_requests(struct search *s, int rank, size_t from);

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

node_id search_crowded_node(const struct search *s, int rank)
{
	for (size_t i = 0; i < s->incoming.n; i++) {
		const struct unit *u = search_unit(s, &s->incoming, i);

		if (u->kind != UNIT_PENDING || u->rank <= rank || u->at == NONE)
			continue;
		node_id node = s->trial->places.items[u->at].node;
		if (!trial_keeps_room(s->trial, u, node, (unsigned)rank))
			return node;
	}
	return NONE;
}

/* Requests and ports are freed by eviction alone. */
static void clear_requests(struct search *s, int rank, size_t from)
{
	size_t victim = port_victim(s, rank);

	if (victim != SIZE_MAX) {
		try_forced_eviction(s, rank, victim, from);
		return;
	}
	node_id node = search_crowded_node(s, rank);
	if (node == NONE) {
		search_relocate(s, rank);
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

static bool anyone_may_leave(const struct search *s, int rank, cell_id cell)
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
			    anyone_may_leave(s, rank, cell))
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
		    !anyone_may_leave(s, rank, cell))
			search_clear_cells(s, rank);
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

void search_clear_cells(struct search *s, int rank)
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
		search_clear_cells(s, rank);
}
