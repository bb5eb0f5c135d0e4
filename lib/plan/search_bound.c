/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/search.h"

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
	size_t most = s->running.n + s->fresh.n;

	s->bound = xcalloc(1, sizeof(*s->bound) + most * LEVELS * LEVELS * sizeof(uint32_t));
	for (int r = 0; r < LEVELS; r++)
		for (int k = 0; k < LEVELS; k++)
			s->bound->load[r][k] = s->bound->loads + most * (size_t)(r * LEVELS + k);
	for (size_t i = 0; i < most; i++) {
		const struct unit *u = i < s->running.n
					       ? search_unit(s, &s->running, i)
					       : search_unit(s, &s->fresh, i - s->running.n);
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

/* So many pods of a rank cannot have room here. Where the region is not all there is, they may land
 * elsewhere: an eviction is what each costs at least. */
static void lose_room(const struct search *s, int rank, size_t n, struct cost *cost)
{
	if (s->region->lands)
		cost_lose(cost, (unsigned)rank, (int)n);
	else
		cost_evict(cost, (unsigned)rank, (int)n);
}

/* With the new pods of this rank from the i-th on still to be placed, and everything below open:
 * is the best of what can come no better than what has been found? */
bool search_bound_is_hopeless(const struct search *s, int rank, size_t i)
{
	uint64_t room[LEVELS] = { 0 };
	struct cost cost = s->cost;
	uint32_t loads[LEVELS][64];
	size_t n = 0;

	sum_room(s, rank, room);
	for (; i < s->fresh.n && n < ARRAY_LEN(loads[0]); i++) {
		const struct unit *u = search_unit(s, &s->fresh, i);

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
