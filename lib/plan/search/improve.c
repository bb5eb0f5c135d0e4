/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/search/improve.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "plan/search/search.h"

/* Of how many pods at a time, and what one try may cost. */
static const uint64_t try_steps[] = { 0, 200, 600, 1500, 3000 };
enum { MAX_AT_A_TIME = ARRAY_LEN(try_steps) - 1 };

struct pool {
	struct planner *p;
	node_list nodes;    /* all of them */
	unit_list to_place; /* new pods, by turn */
	uint64_t until;	    /* planner.steps */
	bool has_improved;
};

static bool is_among(const unit_id *list, size_t n, unit_id id)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == id)
			return true;
	return false;
}

/* Places some of the new pods again; all others keep their places. Returns whether every
 * alternative has been looked at. */
static bool search_again(struct pool *pool, const unit_id *some, size_t n, uint64_t max_steps)
{
	struct trial *t = &pool->p->trial;
	unit_list placed = { 0 };

	array_each(id, &pool->to_place)
		if (t->units.items[*id].at != NONE && !is_among(some, n, *id))
			*array_add(&placed) = *id;
	if (placed.n > 0)
		qsort_r(placed.items, placed.n, sizeof(*placed.items), trial_by_since, t);

	struct region region = {
		.nodes = pool->nodes.items,
		.n_nodes = pool->nodes.n,
		.placed = placed.items,
		.n_placed = placed.n,
		.to_place = some,
		.n_to_place = n,
		.is_whole_cluster = true,
		.max_steps = max_steps,
		.max_discrepancies = UINT32_MAX,
	};
	struct cost limit = search_region_cost(pool->p, &region);
	struct search_result a;

	search_region(pool->p, &region, &limit, &a);
	if (a.was_found) {
		search_commit(pool->p, &region, &a);
		for (size_t i = 0; i < n; i++)
			t->units.items[some[i]].since = ++pool->p->now;
		array_each(id, &a.order)
			t->units.items[*id].since = ++pool->p->now;
		pool->has_improved = true;
	}
	array_done(&placed);
	search_result_done(&a);
	return a.is_exact;
}

/* Every combination of `size` new pods, in the order of their turns. */
static void rearrange_some(struct pool *pool, size_t size)
{
	size_t at[MAX_AT_A_TIME], n = pool->to_place.n;
	unit_id some[MAX_AT_A_TIME];

	for (size_t i = 0; i < size; i++)
		at[i] = i;
	while (pool->p->steps < pool->until) {
		for (size_t i = 0; i < size; i++)
			some[i] = pool->to_place.items[at[i]];
		search_again(pool, some, size, try_steps[size]);

		size_t i = size;
		while (i > 0 && at[i - 1] == n - size + i - 1)
			i--;
		if (i == 0)
			return;
		at[i - 1]++;
		for (; i < size; i++)
			at[i] = at[i - 1] + 1;
	}
}

static void rearrange_groups(struct pool *pool)
{
	do {
		pool->has_improved = false;
		for (size_t size = 1; size <= MAX_AT_A_TIME && size <= pool->to_place.n; size++) {
			rearrange_some(pool, size);
			if (pool->has_improved)
				break;
		}
	} while (pool->has_improved && pool->p->steps < pool->until);
}

void improve(struct planner *p)
{
	struct trial *t = &p->trial;
	uint64_t steps = t->settings->search_steps;
	struct pool pool = { .p = p, .until = p->steps + steps };

	if (t->c->nodes.n > IMPROVE_MAX_NODES || t->units.n > IMPROVE_MAX_UNITS) {
		p->is_exact = false;
		return;
	}
	for (node_id node = 0; node < t->c->nodes.n; node++)
		*array_add(&pool.nodes) = node;
	for (uint32_t turn = 0; turn < t->units.n; turn++) {
		const struct unit *u = &t->units.items[t->by_turn[turn]];

		/* No other pod is displaced to let one in that never preempts. */
		if (unit_is_new(u) && !u->denial &&
		    (u->at != NONE || !unit_pod(t, u)->never_preempts))
			*array_add(&pool.to_place) = t->by_turn[turn];
	}

	p->is_exact = search_again(&pool, pool.to_place.items, pool.to_place.n, steps / 8);
	if (!p->is_exact)
		rearrange_groups(&pool);
	array_done(&pool.nodes);
	array_done(&pool.to_place);
}
