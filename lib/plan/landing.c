/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/landing.h"

#include <stdlib.h>

#include "base/auto.h"
#include "plan/index.h"

static int by_turn(const void *a, const void *b, void *arg)
{
	const struct world *w = arg;
	uint32_t x = w->units.items[*(const unit_id *)a].turn;
	uint32_t y = w->units.items[*(const unit_id *)b].turn;

	return x < y ? -1 : x > y;
}

void landing_find(struct planner *p, const unit_id *evicted, size_t n)
{
	struct world *w = &p->w;
	AUTO_FREE unit_id *queue = xmalloc(n * sizeof(*queue));

	for (size_t i = 0; i < n; i++)
		queue[i] = evicted[i];
	qsort_r(queue, n, sizeof(*queue), by_turn, w);
	for (size_t i = 0; i < n; i++) {
		struct unit *u = &w->units.items[queue[i]];

		u->landing = u->can_land ? index_best(p, u, u->node) : NONE;
		if (u->landing == NONE)
			continue;
		world_enter(w, queue[i], w->places.items[u->landing].node);
		world_put(w, queue[i], u->landing);
	}
	for (size_t i = 0; i < n; i++) {
		const struct unit *u = &w->units.items[queue[i]];

		if (u->landing == NONE)
			continue;
		world_lift(w, queue[i]);
		world_leave(w, queue[i], w->places.items[u->landing].node);
	}
}
