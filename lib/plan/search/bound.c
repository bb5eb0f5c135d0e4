/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/search/search_internal.h"

#include <stdlib.h>

#include "base/auto.h"

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

void search_bound_init(struct search *s)
{
	size_t most = s->running.n + s->to_place.n;

	s->bound = xcalloc(1, sizeof(*s->bound) + most * LEVELS * LEVELS * sizeof(uint32_t));
	for (int r = 0; r < LEVELS; r++)
		for (int k = 0; k < LEVELS; k++)
			s->bound->load[r][k] = s->bound->loads + most * (size_t)(r * LEVELS + k);
	for (size_t i = 0; i < most; i++) {
		const struct unit *u = i < s->running.n
					       ? search_unit(s, &s->running, i)
					       : search_unit(s, &s->to_place, i - s->running.n);
		size_t n = s->bound->n[u->rank];

		if (i < s->running.n && u->kind == UNIT_UNASSIGNED)
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

/* The cells of a node: one for each of its cores, or one for all. */
struct cells {
	const struct cell *items;
	uint32_t n;
};

static struct cells cells_of(const struct trial *t, node_id node)
{
	struct range cores = t->cap.nodes.items[node].cores;
	const cell_id *ids = t->cell_of_core + cores.at;

	if (cores.n == 0)
		return (struct cells){ NULL, 0 };
	return (struct cells){ &t->cells[ids[0]], ids[cores.n - 1] - ids[0] + 1 };
}

/* What the cells have left by mode for ranks up to `rank`. */
static void sum_room(const struct search *s, int rank, uint64_t room[LEVELS])
{
	for (size_t n = 0; n < s->region->n_nodes; n++) {
		struct cells cells = cells_of(s->trial, s->region->nodes[n]);

		for (uint32_t i = 0; i < cells.n; i++) {
			const struct cell *cell = &cells.items[i];

			for (int k = 0; k < LEVELS; k++)
				if (cell->used[rank][k] < cell->cap[k])
					room[k] += cell->cap[k] - cell->used[rank][k];
		}
	}
}

/* This many pods of a rank cannot have room here. Where the region is not the whole cluster, their
 * replacements may fit elsewhere: an eviction is what each costs at least. */
static void lose_room(const struct search *s, int rank, size_t n, struct cost *cost)
{
	if (s->region->is_whole_cluster)
		cost_lose(cost, (unsigned)rank, (int)n);
	else
		cost_evict(cost, (unsigned)rank, (int)n);
}

/* With the new pods of this rank from the i-th on still to be placed, and everything below open:
 * is the best of what can come no better than what has been found? */
bool search_bound_prunes(const struct search *s, int rank, size_t i)
{
	uint64_t room[LEVELS] = { 0 };
	struct cost cost = search_least_cost(s);
	uint32_t loads[LEVELS][64];
	size_t n = 0;

	sum_room(s, rank, room);
	for (; i < s->to_place.n && n < ARRAY_LEN(loads[0]); i++) {
		const struct unit *u = search_unit(s, &s->to_place, i);

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
		lose_room(s, r, s->bound->n[r] - most, &cost);
	}
	return !cost_is_less(&cost, &s->best);
}

/* How many of the rank's pods one cell can hold at most, below the ranks from `above` on. */
static size_t count_slots(const struct search *s, const struct cell *cell, int above, int rank)
{
	size_t most = s->bound->n[rank];

	for (int k = 0; k < LEVELS; k++) {
		uint32_t used = cell->used[above][k];
		uint64_t room = used < cell->cap[k] ? cell->cap[k] - used : 0;

		most = count_fitting(s->bound->load[rank][k], most, room);
	}
	return most;
}

static size_t count_all_slots(const struct search *s, struct cells cells, int above, int rank)
{
	size_t sum = 0;

	for (uint32_t i = 0; i < cells.n; i++)
		sum += count_slots(s, &cells.items[i], above, rank);
	return sum;
}

/* A pod without a slot in any cell is evicted, or left out, which costs more. One of this rank that
 * was taken off costs a move less then. Without replacements the region is one node. */
bool search_bound_must_evict(const struct search *s, int rank)
{
	node_id node = s->region->nodes[0];
	struct cost cost = s->cost;

	if (s->region->is_whole_cluster || s->trial->nodes[node].is_broken)
		return false;

	struct cells cells = cells_of(s->trial, node);
	for (int r = rank; r >= 0; r--) {
		int64_t *evicted = &cost.part[COST_EVICTED + LEVELS - 1 - r];
		int64_t more = (int64_t)s->bound->n[r] - *evicted -
			       (int64_t)count_all_slots(s, cells, rank + 1, r);

		if (more <= 0)
			continue;
		*evicted += more;
		if (r == rank)
			cost.part[COST_MOVED] -= more;
	}
	return !cost_is_less(&cost, &s->best);
}
