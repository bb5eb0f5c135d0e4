/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "plan/node_index.h"
#include "plan/search/search_internal.h"

/* New pods with a place, and replacements of evicted ones: both bring requests and ports. */
static size_t n_arrivals(const struct search *s)
{
	return s->incoming.n + s->running.n;
}

/* NULL: it does not arrive. */
static const struct unit *arrival(const struct search *s, size_t i)
{
	bool is_new = i < s->incoming.n;
	const struct unit *u = is_new ? search_unit(s, &s->incoming, i)
				      : search_unit(s, &s->running, i - s->incoming.n);

	return u->at != NONE && (is_new ? u->kind == UNIT_PENDING : u->is_evicted) ? u : NULL;
}

bool search_is_driven_out(const struct search *s, const struct unit *u)
{
	for (size_t i = 0; s->trial->terms && i < n_arrivals(s); i++) {
		const struct unit *f = arrival(s, i);

		if (f && f->rank > u->rank && s->trial->places.items[f->at].node == u->node &&
		    filter_clash(s->trial, f->pod, u->pod, u->node))
			return true;
	}
	return false;
}

/* The node of a more critical new pod that misses requests while this rank stays, or NONE. */
static node_id crowded_node_of(const struct search *s, size_t i, int rank)
{
	const struct unit *u = arrival(s, i);

	if (!u || u->rank <= rank)
		return NONE;
	node_id node = s->trial->places.items[u->at].node;
	return trial_keeps_room(s->trial, u, node, (unsigned)rank) ? NONE : node;
}

node_id search_crowded_node(const struct search *s, int rank)
{
	node_id node = NONE;

	for (size_t i = 0; i < n_arrivals(s) && node == NONE; i++)
		node = crowded_node_of(s, i, rank);
	return node;
}

bool search_is_crowded(const struct search *s, node_id node, int rank)
{
	for (size_t i = 0; i < n_arrivals(s); i++)
		if (crowded_node_of(s, i, rank) == node)
			return true;
	return false;
}

bool search_has_cell(const struct trial *t, place_id place, cell_id cell)
{
	struct range cells = t->places.items[place].cells;

	for (uint32_t i = 0; i < cells.n; i++)
		if (t->place_cells.items[cells.at + i] == cell)
			return true;
	return false;
}

/* Where the region is the whole cluster, step 3 places the replacements. */
bool search_has_replacement_node(const struct search *s, unit_id id)
{
	return s->trial->units.items[id].is_reschedulable &&
	       (s->region->is_whole_cluster || index_holds_replacement(s->p, id));
}

bool search_may_evict(const struct search *s, const struct unit *u)
{
	return !u->is_evicted && trial_may_evict(s->trial, u);
}

struct cost search_least_cost(const struct search *s)
{
	struct cost least = s->cost;

	for (size_t i = 0; i < s->running.n && s->has_broken; i++) {
		const struct unit *u = search_unit(s, &s->running, i);

		if (u->kind != UNIT_RUNNING || u->at != NONE || u->is_evicted ||
		    !s->trial->nodes[u->node].is_broken)
			continue;
		least.part[COST_MOVED]--;
		least.part[COST_DISPLACED] -= u->load[0];
	}
	return least;
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

/* It may become so when others use up its PodDisruptionBudget, or a limit. */
static bool becomes_non_evictable(const struct search *s, const struct unit *u, int rank)
{
	return is_non_evictable(s, u, rank) ||
	       (u->rank < rank && u->kind == UNIT_RUNNING && !u->is_evicted &&
		trial_may_become_kept(s->trial, u));
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
/* Is there a displaced pod that could be back on the cell, or stay there? */
static bool is_origin(const struct search *s, cell_id cell)
{
	for (size_t i = 0; i < s->running.n; i++) {
		const struct unit *u = search_unit(s, &s->running, i);

		if (u->origin != NONE && u->at != u->origin &&
		    search_has_cell(s->trial, u->origin, cell))
			return true;
	}
	return false;
}

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
	       !is_named(s, list[i].place) && !is_named(s, list[i - 1].place) &&
	       !is_origin(s, (cell_id)(x - t->cells)) && !is_origin(s, (cell_id)(y - t->cells));
}
