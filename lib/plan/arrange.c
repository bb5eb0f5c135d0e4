/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/arrange.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "plan/candidate.h"
#include "plan/index.h"
#include "plan/landing.h"
#include "plan/order.h"
#include "plan/pod_terms.h"

/* What a unit was before the search. */
struct saved {
	place_id at;
	bool is_evicted;
};

struct search {
	struct planner *p;
	struct world *w;
	const struct region *region;
	unit_list running;    /* bound in the region, by node, then by turn */
	unit_list fresh;      /* region->fresh */
	unit_list newcomers;  /* settled and fresh */
	ARRAY(uint32_t) pins; /* the core sets that pods of the region ask for, in requests.sets */
	bool *is_left;	      /* by position in running */
	struct saved *before; /* likewise */
	struct cost cost, best;
	struct arrangement *found;
	struct bound *bound;
	uint64_t steps;
	uint32_t slack;	  /* how many more times this branch may depart from the first choice */
	bool has_stubborn; /* somebody who may not be evicted runs here */
	bool was_cut;	  /* something was left out for want of slack */
	bool is_reversed; /* worst score first */
};

static struct unit *unit_at(const struct search *s, const unit_list *list, size_t i)
{
	return &s->w->units.items[list->items[i]];
}

/* One more trial; false when the search is over. */
static bool step(struct search *s)
{
	if (s->steps >= s->region->max_steps) {
		s->found->is_exact = false;
		return false;
	}
	s->steps++;
	return true;
}

/* Choices of one decision in their order: the first is free, any other takes from the slack. */
struct choice {
	uint32_t taken;
};

static bool choose(struct search *s, struct choice *c)
{
	if (c->taken++ == 0)
		return true;
	if (s->slack == 0) {
		s->was_cut = true;
		return false;
	}
	s->slack--;
	return true;
}

static void unchoose(struct search *s, const struct choice *c)
{
	if (c->taken > 1)
		s->slack++;
}

static bool is_hopeless(const struct search *s)
{
	return !cost_is_less(&s->cost, &s->best);
}

/* ---- What is lost in any case ---- */

/* Before anything is decided about the pods of a rank and below, all of them together: how many can
 * there be on the cores, if they could be cut and spread at will? Loads by rank and mode, the
 * smallest first. */
struct bound {
	size_t n[LEVELS];
	uint32_t *load[LEVELS][LEVELS];
	uint32_t loads[];
};

static int cmp_load(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Only where everything is in sight: elsewhere an evicted pod may land out of it. */
static void bound_init(struct search *s)
{
	size_t most = s->running.n + s->fresh.n;

	if (!s->region->lands)
		return;
	s->bound = xcalloc(1, sizeof(*s->bound) + most * LEVELS * LEVELS * sizeof(uint32_t));
	for (int r = 0; r < LEVELS; r++)
		for (int k = 0; k < LEVELS; k++)
			s->bound->load[r][k] = s->bound->loads + most * (size_t)(r * LEVELS + k);
	for (size_t i = 0; i < most; i++) {
		const struct unit *u = i < s->running.n ? unit_at(s, &s->running, i)
							: unit_at(s, &s->fresh, i - s->running.n);
		size_t n = s->bound->n[u->rank];

		if (i < s->running.n && u->kind == UNIT_HOMELESS)
			continue;
		for (int k = 0; k < LEVELS; k++)
			s->bound->load[u->rank][k][n] = u->load[k];
		s->bound->n[u->rank]++;
	}
	for (int r = 0; r < LEVELS; r++)
		for (int k = 0; k < LEVELS; k++)
			qsort(s->bound->load[r][k], s->bound->n[r], sizeof(uint32_t), cmp_load);
}

/* How many of n sorted loads fit into this much. */
static size_t count_fitting(const uint32_t *load, size_t n, uint64_t room)
{
	size_t i = 0;

	while (i < n && load[i] <= room)
		room -= load[i++];
	return i;
}

/* What the cells have left by mode for ranks up to `rank`. */
static void sum_room(const struct search *s, int rank, uint64_t room[LEVELS])
{
	const struct world *w = s->w;

	for (size_t n = 0; n < s->region->n_nodes; n++) {
		const struct node_capacity *nc = &w->cap.nodes.items[s->region->nodes[n]];
		uint32_t n_cells = nc->scope == SCOPE_NODE ? nc->cores.n > 0 : nc->cores.n;

		for (uint32_t i = 0; i < n_cells; i++) {
			const struct cell *cell = &w->cells[w->cell_of_core[nc->cores.at] + i];

			for (int k = 0; k < LEVELS; k++)
				if (cell->used[rank][k] < cell->cap[k])
					room[k] += cell->cap[k] - cell->used[rank][k];
		}
	}
}

/* With the new pods of this rank from the i-th on still to be placed, and everything below open:
 * is the best of what can come no better than what has been found? */
static bool bound_is_hopeless(const struct search *s, int rank, size_t i)
{
	uint64_t room[LEVELS] = { 0 };
	struct cost cost = s->cost;
	uint32_t loads[LEVELS][64];
	size_t n = 0;

	if (!s->bound)
		return false;
	sum_room(s, rank, room);
	for (; i < s->fresh.n && n < ARRAY_LEN(loads[0]); i++) {
		const struct unit *u = unit_at(s, &s->fresh, i);

		for (int k = 0; k < LEVELS && u->rank == rank; k++)
			loads[k][n] = u->load[k];
		n += u->rank == rank;
	}
	size_t most = n;
	for (int k = 0; k < LEVELS; k++) {
		qsort(loads[k], n, sizeof(uint32_t), cmp_load);
		size_t fit = count_fitting(loads[k], n, room[k]);
		most = fit < most ? fit : most;
	}
	cost_lose(&cost, (unsigned)rank, (int)(n - most));
	for (int r = rank - 1; r >= 0; r--) {
		most = s->bound->n[r];
		for (int k = 0; k < LEVELS; k++) {
			size_t fit = count_fitting(s->bound->load[r][k], s->bound->n[r], room[k]);
			most = fit < most ? fit : most;
		}
		cost_lose(&cost, (unsigned)r, (int)(s->bound->n[r] - most));
	}
	return !cost_is_less(&cost, &s->best);
}

/* ---- The end of a branch ---- */

static bool is_broken(const struct world *w, const struct unit *u)
{
	struct range cells = w->places.items[u->at].cells;

	for (uint32_t i = 0; i < cells.n; i++)
		if (!cell_holds(&w->cells[w->place_cells.items[cells.at + i]], 0))
			return true;
	return false;
}

/* A core that was over its capacity may stay so, but nobody may be put there. */
static bool adds_to_broken(const struct search *s, const unit_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct unit *u = unit_at(s, list, i);

		if (u->at != NONE && u->at != u->origin && is_broken(s->w, u))
			return true;
	}
	return false;
}

/* On a core that is over its capacity nobody counts as running. */
static void lose_broken(const struct search *s, struct cost *cost)
{
	for (size_t n = 0; n < s->region->n_nodes; n++) {
		const struct node_load *node = &s->w->nodes[s->region->nodes[n]];

		for (uint32_t i = 0; node->is_broken && i < node->units.n; i++) {
			unit_id id = s->w->node_units[node->units.at + i];
			const struct unit *u = &s->w->units.items[id];

			if (u->at != NONE && !u->is_misplaced &&
			    !unit_pod(s->w, u)->is_terminating && is_broken(s->w, u))
				cost_lose(cost, u->rank, 1);
		}
	}
}

/* The index knows the world as it was before the search. */
static void update_index(const struct search *s)
{
	for (size_t i = 0; i < s->region->n_nodes; i++)
		index_update(s->p, s->region->nodes[i]);
}

/* False when somebody is evicted who may be so only for a landing, and there is none. */
static bool lose_unlanded(struct search *s, struct cost *cost)
{
	unit_list evicted = { 0 };
	bool is_good = true;

	for (size_t i = 0; i < s->running.n; i++)
		if (unit_at(s, &s->running, i)->is_evicted)
			*array_add(&evicted) = s->running.items[i];
	if (evicted.n)
		update_index(s);
	landing_find(s->p, evicted.items, evicted.n);
	for (size_t i = 0; i < evicted.n; i++) {
		const struct unit *u = unit_at(s, &evicted, i);

		if (u->can_land && u->landing == NONE)
			cost_lose(cost, u->rank, 1);
		if (u->is_misplaced && u->landing == NONE)
			is_good = false;
	}
	array_done(&evicted);
	return is_good;
}

/* Do the new pods' inter-pod rules hold as they come in one after the other, now that it is known
 * who has left? */
static bool may_stay(struct search *s)
{
	bool is_good = true;

	if (!s->w->terms)
		return true;
	for (size_t i = 0; i < s->newcomers.n; i++) {
		const struct unit *u = unit_at(s, &s->newcomers, i);

		if (u->kind == UNIT_PENDING && u->at != NONE)
			world_leave(s->w, s->newcomers.items[i], s->w->places.items[u->at].node);
	}
	for (size_t i = 0; i < s->newcomers.n; i++) {
		const struct unit *u = unit_at(s, &s->newcomers, i);

		if (u->kind != UNIT_PENDING || u->at == NONE)
			continue;
		node_id node = s->w->places.items[u->at].node;
		is_good = is_good &&
			  pod_terms_refuse(s->w->terms, s->w, u, node, 0) == REFUSE_NOTHING;
		world_enter(s->w, s->newcomers.items[i], node);
	}
	return is_good;
}

static void save(struct search *s)
{
	struct arrangement *a = s->found;

	array_clear(&a->outcomes);
	for (size_t i = 0; i < s->running.n; i++) {
		const struct unit *u = unit_at(s, &s->running, i);

		*array_add(&a->outcomes) = (struct outcome){ s->running.items[i], u->at,
							     u->is_evicted, s->is_left[i] };
	}
	/* Those without cores are bound in the region, so they were among the running. */
	for (size_t i = 0; i < s->fresh.n; i++)
		if (unit_at(s, &s->fresh, i)->kind == UNIT_PENDING)
			*array_add(&a->outcomes) =
				(struct outcome){ s->fresh.items[i], unit_at(s, &s->fresh, i)->at,
						  false, false };
	a->cost = s->best;
	a->was_found = true;
}

static void finish(struct search *s)
{
	struct cost total = s->cost;

	lose_broken(s, &total);
	if (!cost_is_less(&total, &s->best) || adds_to_broken(s, &s->running) ||
	    adds_to_broken(s, &s->newcomers))
		return;
	if (!may_stay(s))
		return;
	if (s->region->lands && !lose_unlanded(s, &total))
		return;
	if (!cost_is_less(&total, &s->best))
		return;

	int rests = order_rests(s->p, s->region->nodes, s->region->n_nodes);
	if (rests < 0)
		return;
	total.part[COST_MOVED] += rests;
	if (!cost_is_less(&total, &s->best))
		return;
	s->best = total;
	save(s);
}

/* ---- 3. New pods of a rank ---- */

static void clear_rank(struct search *s, int rank);

static void place_fresh(struct search *s, int rank, size_t from);

static void try_fresh(struct search *s, size_t i, place_id place)
{
	unit_id id = s->fresh.items[i];
	struct unit *u = &s->w->units.items[id];
	node_id node = s->w->places.items[place].node;

	if (u->kind == UNIT_PENDING)
		world_enter(s->w, id, node);
	world_put(s->w, id, place);
	place_fresh(s, u->rank, i + 1);
	world_lift(s->w, id);
	if (u->kind == UNIT_PENDING)
		world_leave(s->w, id, node);
}

static bool may_enter(struct search *s, const struct unit *u, node_id node)
{
	return u->kind == UNIT_HOMELESS
		       ? u->node == node
		       : filter_node(&s->p->filters, u, node, u->rank, NULL, 0) == REFUSE_NOTHING;
}

/* Does a pod of the region ask for this very core? */
static bool is_named(const struct search *s, uint32_t core)
{
	unsigned cpu = s->w->cap.cores.items[core].cpu;

	array_each(pin, &s->pins)
		if (cpuset_has(&s->w->req.sets.items[*pin], cpu))
			return true;
	return false;
}

/* Two cores of a node with the same figures, without anybody less critical, and that nobody asks
 * for by number, are as good as one another: the first will do. */
static bool is_twin(const struct search *s, const candidates *list, size_t i, unsigned rank)
{
	const struct world *w = s->w;
	const struct core_set *a = &w->places.items[list->items[i].place];

	if (i == 0 || a->cells.n != 1 || a->cores.n != 1)
		return false;
	const struct core_set *b = &w->places.items[list->items[i - 1].place];
	if (a->node != b->node || b->cells.n != 1 || b->cores.n != 1)
		return false;
	const struct cell *x = &w->cells[w->place_cells.items[a->cells.at]];
	const struct cell *y = &w->cells[w->place_cells.items[b->cells.at]];
	return memcmp(x->used, y->used, sizeof(x->used)) == 0 &&
	       memcmp(x->used[0], x->used[rank], sizeof(x->used[0])) == 0 &&
	       !is_named(s, list->items[i].place) && !is_named(s, list->items[i - 1].place);
}

static void place_fresh(struct search *s, int rank, size_t from)
{
	size_t i = from;

	while (i < s->fresh.n &&
	       (unit_at(s, &s->fresh, i)->rank != rank || unit_at(s, &s->fresh, i)->is_evicted))
		i++;
	if (i == s->fresh.n) {
		clear_rank(s, rank - 1);
		return;
	}

	if (bound_is_hopeless(s, rank, i))
		return;
	struct unit *u = unit_at(s, &s->fresh, i);
	struct choice choice = { 0 };
	candidates list = { 0 };
	for (size_t n = 0; n < s->region->n_nodes; n++)
		if (may_enter(s, u, s->region->nodes[n]))
			candidates_of(s->p, u, s->region->nodes[n], &list);
	for (size_t n = 0; n < list.n && !is_hopeless(s); n++) {
		size_t k = s->is_reversed ? list.n - 1 - n : n;
		place_id place = list.items[k].place;

		if (!world_fits(s->w, u, place, u->rank) || is_twin(s, &list, k, u->rank))
			continue;
		if (!step(s) || !choose(s, &choice))
			break;
		try_fresh(s, i, place);
		unchoose(s, &choice);
		u = unit_at(s, &s->fresh, i);
	}
	array_done(&list);

	cost_lose(&s->cost, (unsigned)rank, 1);
	if (!is_hopeless(s) && step(s) && choose(s, &choice)) {
		place_fresh(s, rank, i + 1);
		unchoose(s, &choice);
	}
	cost_lose(&s->cost, (unsigned)rank, -1);
}

/* ---- 2. Displaced pods of a rank ---- */

static bool is_displaced(const struct unit *u, int rank)
{
	return u->rank == rank && u->kind == UNIT_RUNNING && u->at == NONE && !u->is_evicted;
}

static void rehome(struct search *s, int rank);
static void clear_cells(struct search *s, int rank);

/* A place with room, or one where others of the same rank would have to leave in their turn: for
 * the sake of the more critical one who started it, so a repair does not go that far. */
static bool suits(const struct search *s, const struct unit *u, place_id place, bool ejects)
{
	bool fits_now = world_fits(s->w, u, place, u->rank);

	if (!ejects)
		return fits_now;
	return !fits_now && !u->is_repair && world_fits(s->w, u, place, u->rank + 1u);
}

/* Puts the place that an earlier search has found in front. */
static void begin_with(candidates *list, place_id place)
{
	for (size_t i = 1; i < list->n; i++) {
		struct candidate c = list->items[i];

		if (c.place != place)
			continue;
		memmove(list->items + 1, list->items, i * sizeof(c));
		list->items[0] = c;
		return;
	}
}

static void try_moves(struct search *s, size_t i, bool ejects, struct choice *choice)
{
	unit_id id = s->running.items[i];
	const struct unit *u = &s->w->units.items[id];
	candidates list = { 0 };

	candidates_of(s->p, u, u->node, &list);
	begin_with(&list, s->before[i].at);
	for (size_t n = 0; n < list.n && !is_hopeless(s); n++) {
		size_t k = s->is_reversed ? list.n - 1 - n : n;
		place_id place = list.items[k].place;

		if (place == u->origin || !suits(s, u, place, ejects) ||
		    is_twin(s, &list, k, u->rank))
			continue;
		if (!step(s) || !choose(s, choice))
			break;
		world_put(s->w, id, place);
		if (ejects)
			clear_cells(s, u->rank);
		else
			rehome(s, u->rank);
		world_lift(s->w, id);
		unchoose(s, choice);
	}
	array_done(&list);
}

/* A pod on cores that it may not use is evicted only for a landing. */
static bool may_evict(const struct search *s, const struct unit *u)
{
	if (!u->can_evict || u->is_evicted || (u->is_misplaced && !u->can_land))
		return false;
	return u->pdb == NONE || s->w->evictions_left[u->pdb] > 0;
}

/* Whoever has been taken off costs a move at least. */
static void mark_displaced(struct search *s, const struct unit *u, int sign)
{
	s->cost.part[COST_MOVED] += sign;
	s->cost.part[COST_DISPLACED] += sign * (int64_t)u->load[0];
}

/* In: everything about the eviction but the pod's budget, which was lifted before. */
static void mark_evicted(struct search *s, unit_id id, bool is_evicted)
{
	struct unit *u = &s->w->units.items[id];
	int sign = is_evicted ? 1 : -1;

	if (is_evicted)
		world_evict(s->w, id);
	else
		world_bring_back(s->w, id);
	s->cost.part[COST_MOVED] -= sign;
	cost_evict(&s->cost, u->rank, sign);
	if (!u->can_land)
		cost_lose(&s->cost, u->rank, sign);
}

static void try_eviction(struct search *s, size_t i, struct choice *choice)
{
	unit_id id = s->running.items[i];
	const struct unit *u = &s->w->units.items[id];

	if (!may_evict(s, u))
		return;
	mark_evicted(s, id, true);
	if (!is_hopeless(s) && step(s) && choose(s, choice)) {
		rehome(s, u->rank);
		unchoose(s, choice);
	}
	mark_evicted(s, id, false);
}

/* A pod that has to leave for a repair, and cannot, stays and does not run. */
static void try_leaving_it(struct search *s, size_t i, struct choice *choice)
{
	unit_id id = s->running.items[i];
	struct unit *u = &s->w->units.items[id];

	if (!s->w->nodes[u->node].is_broken)
		return;
	s->is_left[i] = true;
	mark_displaced(s, u, -1);
	cost_lose(&s->cost, u->rank, u->is_misplaced);
	world_put(s->w, id, u->origin);
	if (!is_hopeless(s) && step(s) && choose(s, choice)) {
		rehome(s, u->rank);
		unchoose(s, choice);
	}
	world_lift(s->w, id);
	cost_lose(&s->cost, u->rank, -(int)u->is_misplaced);
	mark_displaced(s, u, 1);
	s->is_left[i] = false;
}

/* ---- Nobody is displaced in vain ---- */

enum { ALL_SUBSETS = 6 }; /* of so many displaced pods; of more, one at a time */

static void swap_back(struct search *s, const unit_list *displaced, uint32_t set, place_id *at)
{
	for (size_t i = 0; i < displaced->n; i++) {
		unit_id id = displaced->items[i];
		struct unit *u = &s->w->units.items[id];

		if (!(set >> i & 1))
			continue;
		place_id now = u->at;
		if (now != NONE)
			world_lift(s->w, id);
		if (at[i] != NONE)
			world_put(s->w, id, at[i]);
		at[i] = now;
	}
}

static bool has_cell(const struct world *w, place_id place, cell_id cell)
{
	struct range cells = w->places.items[place].cells;

	for (uint32_t i = 0; i < cells.n; i++)
		if (w->place_cells.items[cells.at + i] == cell)
			return true;
	return false;
}

/* A less critical pod that may not be evicted counts where it was, for those above it too. */
static bool is_stubborn(const struct search *s, const struct unit *u, int rank)
{
	return u->rank < rank && u->kind == UNIT_RUNNING && !u->is_evicted && !may_evict(s, u);
}

/* Does the cell hold this rank and above, and the stubborn below? */
static bool holds_stubborn(const struct search *s, cell_id id, int rank)
{
	struct cell cell = s->w->cells[id];

	for (size_t i = 0; s->has_stubborn && i < s->running.n; i++) {
		const struct unit *u = unit_at(s, &s->running, i);

		if (!is_stubborn(s, u, rank) || !has_cell(s->w, u->origin, id))
			continue;
		for (int k = 0; k < LEVELS; k++)
			cell.used[rank][k] += u->load[k];
	}
	return cell_holds(&cell, (unsigned)rank);
}

static bool could_go_back(struct search *s, const unit_list *displaced, uint32_t set, int rank)
{
	place_id at[32];
	bool is_good = true;

	for (size_t i = 0; i < displaced->n; i++)
		at[i] = unit_at(s, displaced, i)->origin;
	swap_back(s, displaced, set, at);
	for (size_t i = 0; i < displaced->n && is_good; i++) {
		const struct unit *u = unit_at(s, displaced, i);

		if (!(set >> i & 1))
			continue;
		struct range cells = s->w->places.items[u->origin].cells;
		for (uint32_t c = 0; c < cells.n; c++)
			if (!holds_stubborn(s, s->w->place_cells.items[cells.at + c], rank))
				is_good = false;
		if (u->is_evicted && !world_has_room(s->w, u, u->node, (unsigned)rank))
			is_good = false;
	}
	swap_back(s, displaced, set, at);
	return is_good;
}

/* Those of a rank that took their cores newly may not keep others from where they were. */
static void list_new(const struct search *s, int rank, unit_list *ret)
{
	for (size_t i = 0; i < s->running.n; i++) {
		const struct unit *u = unit_at(s, &s->running, i);

		if (u->rank == rank && u->at != NONE && u->at != u->origin &&
		    (u->is_repair || u->kind == UNIT_HOMELESS))
			*array_add(ret) = s->running.items[i];
	}
	for (size_t i = 0; i < s->newcomers.n; i++) {
		const struct unit *u = unit_at(s, &s->newcomers, i);

		if (u->rank == rank && u->at != NONE && u->kind == UNIT_PENDING)
			*array_add(ret) = s->newcomers.items[i];
	}
}

static bool any_could_go_back(struct search *s, const unit_list *displaced, int rank)
{
	uint32_t all = displaced->n <= ALL_SUBSETS ? (1u << displaced->n) - 1 : 0;

	for (uint32_t set = 1; set <= all; set++)
		if (could_go_back(s, displaced, set, rank))
			return true;
	for (size_t i = 0; !all && i < displaced->n; i++)
		if (could_go_back(s, displaced, 1u << i, rank))
			return true;
	return false;
}

/* With the more critical pods and those of this rank where they are now, could some of the
 * displaced ones of this rank be where they were? */
static bool is_in_vain(struct search *s, int rank)
{
	unit_list displaced = { 0 }, fresh = { 0 };
	ARRAY(place_id) places = { 0 };

	for (size_t i = 0; i < s->running.n && displaced.n < 32; i++) {
		const struct unit *u = unit_at(s, &s->running, i);

		if (u->rank == rank && u->kind == UNIT_RUNNING && !u->is_misplaced &&
		    u->at != u->origin)
			*array_add(&displaced) = s->running.items[i];
	}
	if (displaced.n == 0)
		return false;
	list_new(s, rank, &fresh);
	for (size_t i = 0; i < fresh.n; i++) {
		*array_add(&places) = unit_at(s, &fresh, i)->at;
		world_lift(s->w, fresh.items[i]);
	}
	bool is_found = any_could_go_back(s, &displaced, rank);
	for (size_t i = 0; i < fresh.n; i++)
		world_put(s->w, fresh.items[i], places.items[i]);
	array_done(&places);
	array_done(&fresh);
	array_done(&displaced);
	return is_found;
}

static void rehome(struct search *s, int rank)
{
	size_t i = 0;

	while (i < s->running.n && !is_displaced(unit_at(s, &s->running, i), rank))
		i++;
	if (i == s->running.n) {
		if (!is_in_vain(s, rank))
			place_fresh(s, rank, 0);
		return;
	}
	struct choice choice = { 0 };
	if (s->before[i].is_evicted)
		try_eviction(s, i, &choice);
	try_moves(s, i, false, &choice);
	try_moves(s, i, true, &choice);
	if (!s->before[i].is_evicted)
		try_eviction(s, i, &choice);
	try_leaving_it(s, i, &choice);
}

/* ---- 1. Room for the more critical ---- */

/* A unit of this rank whose ports a more critical new pod has taken. */
static size_t port_victim(const struct search *s, int rank)
{
	const struct cluster *c = s->w->c;

	for (size_t i = 0; s->w->terms && i < s->running.n; i++) {
		const struct unit *u = unit_at(s, &s->running, i);

		if (u->rank != rank || u->is_evicted)
			continue;
		for (size_t k = 0; k < s->newcomers.n; k++) {
			const struct unit *f = unit_at(s, &s->newcomers, k);

			if (f->rank > rank && f->at != NONE && f->kind == UNIT_PENDING &&
			    s->w->places.items[f->at].node == u->node &&
			    filter_ports_collide(c, unit_pod(s->w, u), unit_pod(s->w, f)))
				return i;
		}
	}
	return SIZE_MAX;
}

static void clear_requests(struct search *s, int rank, size_t from);

static void try_forced_eviction(struct search *s, int rank, size_t i, size_t next)
{
	unit_id id = s->running.items[i];
	const struct unit *u = &s->w->units.items[id];
	place_id at = u->at;

	if (!may_evict(s, u) || !step(s))
		return;
	if (at != NONE)
		world_lift(s->w, id);
	mark_displaced(s, u, 1);
	mark_evicted(s, id, true);
	if (!is_hopeless(s))
		clear_requests(s, rank, next);
	mark_evicted(s, id, false);
	mark_displaced(s, u, -1);
	if (at != NONE)
		world_put(s->w, id, at);
}

/* A node where a more critical new pod misses requests as long as this rank stays. */
static node_id crowded_node(const struct search *s, int rank)
{
	for (size_t i = 0; i < s->newcomers.n; i++) {
		const struct unit *u = unit_at(s, &s->newcomers, i);

		if (u->kind != UNIT_PENDING || u->rank <= rank || u->at == NONE)
			continue;
		node_id node = s->w->places.items[u->at].node;
		if (!world_keeps_room(s->w, u, node, (unsigned)rank))
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
	node_id node = crowded_node(s, rank);
	if (node == NONE) {
		rehome(s, rank);
		return;
	}
	struct choice choice = { 0 };
	for (size_t i = from; i < s->running.n; i++) {
		const struct unit *u = unit_at(s, &s->running, i);

		if (u->rank != rank || u->node != node || !may_evict(s, u))
			continue;
		if (!choose(s, &choice))
			return;
		try_forced_eviction(s, rank, i, i + 1);
		unchoose(s, &choice);
	}
}

/* Could this pod be taken off the cell at this rank's turn? */
static bool may_leave(const struct search *s, size_t i, int rank, cell_id cell)
{
	const struct unit *u = unit_at(s, &s->running, i);

	return u->rank == rank && u->at != NONE && u->at == u->origin && !s->is_left[i] &&
	       has_cell(s->w, u->at, cell);
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
	const struct world *w = s->w;

	for (size_t n = 0; n < s->region->n_nodes; n++) {
		struct range cores = w->cap.nodes.items[s->region->nodes[n]].cores;

		for (uint32_t i = 0; i < cores.n; i++) {
			cell_id cell = w->cell_of_core[cores.at + i];

			if (!cell_holds(&w->cells[cell], (unsigned)rank) &&
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
	for (size_t i = from; i < s->running.n && !is_hopeless(s); i++) {
		unit_id id = s->running.items[i];
		const struct unit *u = &s->w->units.items[id];

		if (!may_leave(s, i, rank, cell))
			continue;
		if (!step(s) || !choose(s, &choice))
			return;
		world_lift(s->w, id);
		mark_displaced(s, u, 1);
		if (cell_holds(&s->w->cells[cell], (unsigned)rank) ||
		    !anyone_may_leave(s, rank, cell))
			clear_cells(s, rank);
		else
			clear_cell(s, rank, cell, i + 1);
		mark_displaced(s, u, -1);
		world_put(s->w, id, u->origin);
		unchoose(s, &choice);
	}
}

static bool is_squeezing(const struct search *s, size_t i, int rank)
{
	const struct unit *u = unit_at(s, &s->running, i);

	if (u->rank != rank || u->at == NONE || u->at != u->origin || s->is_left[i])
		return false;
	struct range cells = s->w->places.items[u->origin].cells;
	for (uint32_t c = 0; c < cells.n; c++)
		if (!holds_stubborn(s, s->w->place_cells.items[cells.at + c], rank))
			return true;
	return false;
}

/* Where a core holds this rank, but not with less critical pods that may not be evicted, either side
 * may have to leave. */
static void clear_for_stubborn(struct search *s, int rank, size_t from)
{
	struct choice choice = { 0 };

	if (choose(s, &choice)) {
		clear_requests(s, rank, 0);
		unchoose(s, &choice);
	}
	for (size_t i = from; s->has_stubborn && i < s->running.n && !is_hopeless(s); i++) {
		unit_id id = s->running.items[i];

		if (!is_squeezing(s, i, rank))
			continue;
		if (!step(s) || !choose(s, &choice))
			return;
		world_lift(s->w, id);
		mark_displaced(s, &s->w->units.items[id], 1);
		clear_for_stubborn(s, rank, i + 1);
		mark_displaced(s, &s->w->units.items[id], -1);
		world_put(s->w, id, s->w->units.items[id].origin);
		unchoose(s, &choice);
	}
}

static void clear_cells(struct search *s, int rank)
{
	cell_id cell = overfull_cell(s, rank);

	if (cell == NONE)
		clear_for_stubborn(s, rank, 0);
	else
		clear_cell(s, rank, cell, 0);
}

static void clear_rank(struct search *s, int rank)
{
	if (rank < 0)
		finish(s);
	else
		clear_cells(s, rank);
}

/* ---- The frame ---- */


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
					       ? unit_at(s, &s->running, i)
					       : unit_at(s, &s->newcomers, i - s->running.n);

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
	struct unit *u = &w->units.items[id];

	if (u->kind == UNIT_PENDING && u->at != NONE)
		world_leave(w, id, w->places.items[u->at].node);
	if (u->kind == UNIT_PENDING && at != NONE)
		world_enter(w, id, w->places.items[at].node);
	set_unit(w, id, (struct saved){ at, u->is_evicted });
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
			mark_displaced(s, u, 1);
	}
	for (size_t i = 0; i < s->fresh.n; i++) {
		before_fresh[i] = unit_at(s, &s->fresh, i)->at;
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
	bound_init(&s);
	list_pins(&s);
	do {
		s.was_cut = false;
		for (int order = 0; order < (region->lands ? 2 : 1) && ret->is_exact; order++) {
			s.is_reversed = order;
			clear_rank(&s, LEVEL_HIGH);
		}
		s.slack++;
	} while (s.was_cut && ret->is_exact);
	free(s.bound);
	array_done(&s.pins);
	for (size_t i = 0; i < s.fresh.n; i++)
		set_fresh(s.w, s.fresh.items[i], before_fresh[i]);
	for (size_t i = 0; i < s.running.n; i++)
		set_unit(s.w, s.running.items[i], s.before[i]);

	if (region->lands)
		update_index(&s);
	p->steps += s.steps;
	free(s.is_left);
	free(s.before);
	array_done(&s.running);
	array_done(&s.fresh);
	array_done(&s.newcomers);
}

void arrangement_done(struct arrangement *a)
{
	array_done(&a->outcomes);
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

struct cost arrange_cost(struct planner *p, const struct region *region)
{
	struct search s = { .p = p, .w = &p->w, .region = region };

	list_running(&s);
	for (size_t i = 0; i < s.running.n; i++) {
		const struct unit *u = unit_at(&s, &s.running, i);

		if (u->is_evicted) {
			cost_evict(&s.cost, u->rank, 1);
			if (!u->can_land)
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
		const struct unit *u = unit_at(&s, &s.fresh, i);

		if (u->at == NONE && !u->is_evicted)
			cost_lose(&s.cost, u->rank, 1);
	}
	lose_broken(&s, &s.cost);
	if (region->lands)
		lose_unlanded(&s, &s.cost);
	s.cost.part[COST_MOVED] += order_rests(p, region->nodes, region->n_nodes);
	array_done(&s.running);
	array_done(&s.fresh);
	array_done(&s.newcomers);
	return s.cost;
}
