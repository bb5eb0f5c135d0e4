/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/search/search_internal.h"

#include "base/auto.h"

/* Up to this many displaced pods are looked at: the first few in every combination, more one at a
 * time. */
enum { MAX_DISPLACED = 32, ALL_SUBSETS = 6 };

static void swap_back(struct search *s, const unit_list *displaced, uint32_t set, place_id *at)
{
	for (size_t i = 0; i < displaced->n; i++) {
		unit_id id = displaced->items[i];
		struct unit *u = &s->trial->units.items[id];

		if (!(set >> i & 1))
			continue;
		place_id now = u->at;
		if (now != NONE)
			trial_unassign(s->trial, id);
		if (at[i] != NONE)
			trial_assign(s->trial, id, at[i]);
		at[i] = now;
	}
}

/* Do the less critical pods that may not be evicted leave the pod's cells room, with it back? */
static bool holds_back(struct search *s, const struct unit *u, int rank, bool is_final)
{
	struct range cells =
		u->origin == NONE ? (struct range){ 0 } : s->trial->places.items[u->origin].cells;

	for (uint32_t c = 0; c < cells.n; c++)
		if (!search_holds_non_evictable(s, s->trial->place_cells.items[cells.at + c], rank,
						!is_final))
			return false;
	return true;
}

/* Of a set of displaced pods, those that were evicted are brought back, or evicted again. */
static void set_evicted(struct search *s, const unit_list *displaced, uint32_t set, bool is_evicted)
{
	for (size_t i = 0; i < displaced->n; i++) {
		if (!(set >> i & 1))
			continue;
		if (is_evicted)
			trial_evict(s->trial, displaced->items[i]);
		else
			trial_unevict(s->trial, displaced->items[i]);
	}
}

static bool could_go_back(struct search *s, const unit_list *displaced, uint32_t set, int rank,
			  bool is_final)
{
	place_id at[MAX_DISPLACED];
	uint32_t evicted = 0;
	bool is_good = true;

	for (size_t i = 0; i < displaced->n; i++) {
		at[i] = search_unit(s, displaced, i)->origin;
		evicted |= (uint32_t)search_unit(s, displaced, i)->is_evicted << i;
	}
	evicted &= set;
	swap_back(s, displaced, set, at);
	for (size_t i = 0; i < displaced->n && is_good; i++)
		is_good = !(set >> i & 1) ||
			  holds_back(s, search_unit(s, displaced, i), rank, is_final);
	if (is_good && evicted) {
		set_evicted(s, displaced, evicted, false);
		for (size_t i = 0; i < displaced->n && is_good; i++) {
			const struct unit *u = search_unit(s, displaced, i);

			is_good = !(evicted >> i & 1) || (!search_is_crowded(s, u->node, rank) &&
							  !search_is_driven_out(s, u));
		}
		set_evicted(s, displaced, evicted, true);
	}
	swap_back(s, displaced, set, at);
	return is_good;
}

/* Those of a rank that took their cores newly may not keep others from where they were. */
static void list_new(const struct search *s, int rank, unit_list *ret)
{
	for (size_t i = 0; i < s->running.n; i++) {
		const struct unit *u = search_unit(s, &s->running, i);

		if (u->rank == rank && u->at != NONE && u->at != u->origin &&
		    (u->is_repair || u->is_evicted || u->kind == UNIT_UNASSIGNED))
			*array_add(ret) = s->running.items[i];
	}
	for (size_t i = 0; i < s->incoming.n; i++) {
		const struct unit *u = search_unit(s, &s->incoming, i);

		if (u->rank == rank && u->at != NONE && u->kind == UNIT_PENDING)
			*array_add(ret) = s->incoming.items[i];
	}
}

/* Is there a place that it could be back at, though it was on cores that it may not use? */
static bool is_lost_from_wrong_cores(const struct search *s, const struct unit *u, bool is_final)
{
	if (!u->is_evicted)
		return false;
	if (is_final && s->region->is_whole_cluster)
		return u->at == NONE;
	return !search_has_replacement_node(s, (unit_id)(u - s->trial->units.items));
}

static bool is_displaced(const struct search *s, const struct unit *u, bool is_final)
{
	if (u->kind == UNIT_UNASSIGNED)
		return u->is_evicted;
	if (u->kind != UNIT_RUNNING || u->at == u->origin)
		return false;
	return !u->is_misplaced || is_lost_from_wrong_cores(s, u, is_final);
}

/* The first few, without those that would have no room if all of their rank were gone. */
static void list_displaced(const struct search *s, int rank, bool is_final, unit_list *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < s->running.n && n < MAX_DISPLACED; i++) {
		const struct unit *u = search_unit(s, &s->running, i);

		if (u->rank != rank || !is_displaced(s, u, is_final))
			continue;
		n++;
		if (u->origin == NONE || trial_fits(s->trial, u, u->origin, (unsigned)rank + 1))
			*array_add(ret) = s->running.items[i];
	}
}

/* A pod without room even with all the displaced ones away is in no such set. */
static void skip_pruned(struct search *s, unit_list *displaced, int rank)
{
	place_id at[MAX_DISPLACED];
	size_t n = 0;

	for (size_t i = 0; i < displaced->n; i++) {
		at[i] = search_unit(s, displaced, i)->at;
		if (at[i] != NONE)
			trial_unassign(s->trial, displaced->items[i]);
	}
	uint32_t may = 0;
	for (size_t i = 0; i < displaced->n; i++) {
		const struct unit *u = search_unit(s, displaced, i);

		if (u->origin == NONE || trial_fits(s->trial, u, u->origin, (unsigned)rank))
			may |= 1u << i;
	}
	for (size_t i = 0; i < displaced->n; i++)
		if (at[i] != NONE)
			trial_assign(s->trial, displaced->items[i], at[i]);
	for (size_t i = 0; i < displaced->n; i++)
		if (may >> i & 1)
			displaced->items[n++] = displaced->items[i];
	displaced->n = n;
}

static bool any_could_go_back(struct search *s, const unit_list *displaced, int rank, bool is_final)
{
	uint32_t all = displaced->n <= ALL_SUBSETS ? (1u << displaced->n) - 1 : 0;

	for (uint32_t set = 1; set <= all; set++)
		if (could_go_back(s, displaced, set, rank, is_final))
			return true;
	for (size_t i = 0; !all && i < displaced->n; i++)
		if (could_go_back(s, displaced, 1u << i, rank, is_final))
			return true;
	return false;
}

/* With the more critical pods and those of this rank where they are now, could some of the
 * displaced ones of this rank be where they were? */
bool search_is_needless(struct search *s, int rank, bool is_final)
{
	unit_list displaced = { 0 }, incoming = { 0 };

	list_displaced(s, rank, is_final, &displaced);
	if (displaced.n == 0)
		return false;
	list_new(s, rank, &incoming);
	AUTO_FREE place_id *at = xcalloc(incoming.n, sizeof(*at));

	for (size_t i = 0; i < incoming.n; i++) {
		at[i] = search_unit(s, &incoming, i)->at;
		trial_remove(s->trial, incoming.items[i]);
	}
	skip_pruned(s, &displaced, rank);
	bool is_found = any_could_go_back(s, &displaced, rank, is_final);
	for (size_t i = 0; i < incoming.n; i++)
		trial_add(s->trial, incoming.items[i], at[i]);
	array_done(&incoming);
	array_done(&displaced);
	return is_found;
}
