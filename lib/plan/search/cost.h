/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_SEARCH_COST_H
#define MCKUBE_PLAN_SEARCH_COST_H

#include <stdbool.h>
#include <stdint.h>

#include "budget/budget.h"

/* What a plan, or a part of one, costs; compared in the order of "The better plan" in
 * plan/file/FORMAT.md: pods that do not run at the end, the most critical first; then evictions
 * likewise; then moves; then the budget that is displaced. Less is better. Costs of parts that do
 * not meet add up. */
enum {
	COST_LOST,			   /* + LEVELS - 1 - rank */
	COST_EVICTED = COST_LOST + LEVELS, /* likewise */
	COST_MOVED = COST_EVICTED + LEVELS,
	COST_DISPLACED, /* ppm */
	COST_PARTS,
};

struct cost {
	int64_t part[COST_PARTS];
};

static inline void cost_lose(struct cost *c, unsigned rank, int by)
{
	c->part[COST_LOST + LEVELS - 1 - (int)rank] += by;
}

static inline void cost_evict(struct cost *c, unsigned rank, int by)
{
	c->part[COST_EVICTED + LEVELS - 1 - (int)rank] += by;
}

static inline bool cost_is_less(const struct cost *a, const struct cost *b)
{
	for (int i = 0; i < COST_PARTS; i++)
		if (a->part[i] != b->part[i])
			return a->part[i] < b->part[i];
	return false;
}

static inline struct cost cost_minus(struct cost a, const struct cost *b)
{
	for (int i = 0; i < COST_PARTS; i++)
		a.part[i] -= b->part[i];
	return a;
}

#endif
