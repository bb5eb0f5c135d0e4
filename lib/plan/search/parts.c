/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "model/match.h"
#include "plan/node_index.h"
#include "plan/search/search_internal.h"

bool search_has_lost_ports(const struct search *s, const struct unit *u)
{
	for (size_t i = 0; s->trial->terms && i < s->incoming.n; i++) {
		const struct unit *f = search_unit(s, &s->incoming, i);

		if (f->rank > u->rank && f->at != NONE && f->kind == UNIT_PENDING &&
		    s->trial->places.items[f->at].node == u->node &&
		    match_ports_collide(s->trial->c, unit_pod(s->trial, u), unit_pod(s->trial, f)))
			return true;
	}
	return false;
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

bool search_has_cell(const struct trial *t, place_id place, cell_id cell)
{
	struct range cells = t->places.items[place].cells;

	for (uint32_t i = 0; i < cells.n; i++)
		if (t->place_cells.items[cells.at + i] == cell)
			return true;
	return false;
}

/* Where the region is the whole cluster, the end of the branch finds the replacements. */
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

/* A unit that was taken off costs a move at least. */
void search_mark_displaced(struct search *s, const struct unit *u, int sign)
{
	s->cost.part[COST_MOVED] += sign;
	s->cost.part[COST_DISPLACED] += sign * (int64_t)u->load[0];
}

/* In: everything about the eviction but the pod's budget, which was unassigned before. */
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

/* A less critical pod that may not be evicted counts where it was, for those above it too. */
static bool is_non_evictable(const struct search *s, const struct unit *u, int rank)
{
	return u->rank < rank && u->kind == UNIT_RUNNING && !u->is_evicted &&
	       !search_may_evict(s, u);
}

/* It may become so when others use up its PodDisruptionBudget. */
static bool becomes_non_evictable(const struct search *s, const struct unit *u, int rank)
{
	return is_non_evictable(s, u, rank) ||
	       (u->rank < rank && u->kind == UNIT_RUNNING && !u->is_evicted && u->pdb != NONE);
}

bool search_holds_non_evictable(const struct search *s, cell_id id, int rank, bool and_getting)
{
	struct cell cell = s->trial->cells[id];

	for (size_t i = 0; s->has_non_evictable && i < s->running.n; i++) {
		const struct unit *u = search_unit(s, &s->running, i);

		bool counts = and_getting ? becomes_non_evictable(s, u, rank)
					  : is_non_evictable(s, u, rank);

		if (!counts || !search_has_cell(s->trial, u->origin, id))
			continue;
		for (int k = 0; k < LEVELS; k++)
			cell.used[rank][k] += u->load[k];
	}
	return cell_holds(&cell, (unsigned)rank);
}

/* Does a pod of the region ask for this very core? */
static bool is_named(const struct search *s, uint32_t core)
{
	unsigned cpu = s->trial->cap.cores.items[core].cpu;

	array_each(pin, &s->pins)
		if (cpuset_has(&s->trial->req.sets.items[*pin], cpu))
			return true;
	return false;
}

/* Two cores of a node with the same figures, without a less critical pod, and that no request
 * names, are interchangeable: only the first is tried. */
bool search_is_interchangeable(const struct search *s, const struct candidate *list, size_t i,
			       unsigned rank)
{
	const struct trial *t = s->trial;
	const struct core_set *a = &t->places.items[list[i].place];

	if (i == 0 || a->cells.n != 1 || a->cores.n != 1)
		return false;
	const struct core_set *b = &t->places.items[list[i - 1].place];
	if (a->node != b->node || b->cells.n != 1 || b->cores.n != 1)
		return false;
	const struct cell *x = &t->cells[t->place_cells.items[a->cells.at]];
	const struct cell *y = &t->cells[t->place_cells.items[b->cells.at]];
	return memcmp(x->used, y->used, sizeof(x->used)) == 0 &&
	       memcmp(x->used[0], x->used[rank], sizeof(x->used[0])) == 0 &&
	       !is_named(s, list[i].place) && !is_named(s, list[i - 1].place);
}
