/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/replacement.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "plan/node_index.h"

static int by_turn(const void *a, const void *b, void *arg)
{
	const struct trial *t = arg;
	uint32_t x = t->units.items[*(const unit_id *)a].turn;
	uint32_t y = t->units.items[*(const unit_id *)b].turn;

	return x < y ? -1 : x > y;
}

static bool fits(struct planner *p, const struct unit *u, place_id place)
{
	node_id node = p->trial.places.items[place].node;

	return !(p->avoided && p->avoided[node]) && trial_fits(&p->trial, u, place, 0) &&
	       filter_node(&p->filters, u, node, 0, NULL, 0) == REFUSE_NOTHING;
}

/* Places them one after the other; returns how many, the more critical ones weighing more. With
 * `keeps` what they have already comes first. */
static uint64_t place_replacements(struct planner *p, const unit_id *queue, size_t n, bool keeps)
{
	struct trial *t = &p->trial;
	uint64_t placed = 0;

	for (size_t i = 0; i < n; i++) {
		struct unit *u = &t->units.items[queue[i]];

		if (!keeps || u->replacement == NONE || !fits(p, u, u->replacement))
			u->replacement = index_best(p, u, u->node);
		if (u->replacement == NONE)
			continue;
		trial_add(t, queue[i], u->replacement);
		placed += (uint64_t)1 << 16 * u->rank;
	}
	for (size_t i = 0; i < n; i++)
		if (t->units.items[queue[i]].replacement != NONE)
			trial_remove(t, queue[i]);
	return placed;
}

/* The first pod to choose may take the only place of another: of few pods, each order is tried. */
static uint64_t try_orders(struct planner *p, unit_id *queue, size_t n, size_t fixed, unit_id *best,
			   uint64_t most)
{
	if (fixed == n) {
		uint64_t placed = place_replacements(p, queue, n, false);

		if (placed > most)
			memcpy(best, queue, n * sizeof(*best));
		return placed > most ? placed : most;
	}
	for (size_t i = fixed; i < n; i++) {
		unit_id first = queue[i];

		queue[i] = queue[fixed];
		queue[fixed] = first;
		most = try_orders(p, queue, n, fixed + 1, best, most);
		queue[fixed] = queue[i];
		queue[i] = first;
	}
	return most;
}

enum { ALL_ORDERS = 4 };

void replacement_find(struct planner *p, const unit_id *evicted, size_t n)
{
	struct trial *t = &p->trial;
	AUTO_FREE unit_id *queue = xmalloc(n * sizeof(*queue));
	AUTO_FREE unit_id *best = xmalloc(n * sizeof(*best));
	AUTO_FREE place_id *kept = xmalloc(n * sizeof(*kept));
	size_t n_queue = 0;
	uint64_t wanted = 0;

	for (size_t i = 0; i < n; i++) {
		struct unit *u = &t->units.items[evicted[i]];

		if (!u->is_reschedulable)
			continue;
		queue[n_queue++] = evicted[i];
		wanted += (uint64_t)1 << 16 * u->rank;
	}
	if (n_queue == 0)
		return;
	qsort_r(queue, n_queue, sizeof(*queue), by_turn, t);

	uint64_t placed = place_replacements(p, queue, n_queue, true);
	if (placed == wanted || n_queue > ALL_ORDERS)
		return;
	for (size_t i = 0; i < n_queue; i++)
		kept[i] = t->units.items[queue[i]].replacement;
	memcpy(best, queue, n_queue * sizeof(*best));
	uint64_t most = try_orders(p, queue, n_queue, 0, best, placed);
	if (most > placed)
		place_replacements(p, best, n_queue, false);
	for (size_t i = 0; i < n_queue && most == placed; i++)
		t->units.items[best[i]].replacement = kept[i];
}

void replacement_hold(struct trial *t, bool holds)
{
	for (unit_id id = 0; id < t->units.n; id++) {
		const struct unit *u = &t->units.items[id];

		if (!u->is_evicted || u->replacement == NONE)
			continue;
		if (holds)
			trial_add(t, id, u->replacement);
		else
			trial_remove(t, id);
	}
}
