/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/enforcement.h"

#include <stdlib.h>

#include "base/auto.h"

static uint32_t ppm_of(const struct budget *b, enum level level)
{
	return (uint32_t)(((int64_t)budget_runtime(b, level) * PPM + b->period - 1) / b->period);
}

static void add(const struct trial *t, const struct unit *u, uint64_t *sum, uint32_t ppm)
{
	struct range cells = t->places.items[u->at].cells;

	for (uint32_t i = 0; i < cells.n; i++)
		sum[t->place_cells.items[cells.at + i]] += ppm;
}

static bool has_room(const struct trial *t, const struct unit *u, const uint64_t *sum,
		     uint32_t more)
{
	struct range cells = t->places.items[u->at].cells;

	for (uint32_t i = 0; i < cells.n; i++) {
		cell_id cell = t->place_cells.items[cells.at + i];

		if (more > 0 && sum[cell] + more > t->cells[cell].cap[LEVEL_HIGH])
			return false;
	}
	return true;
}

uint8_t *enforcement_choose(const struct trial *t)
{
	uint8_t *chosen = xcalloc(t->units.n, sizeof(*chosen));
	AUTO_FREE uint64_t *sum = xcalloc(t->n_cells, sizeof(*sum));

	array_each(u, &t->units)
		if (u->at != NONE)
			add(t, u, sum, ppm_of(unit_budget(t, u), LEVEL_LOW));

	for (uint32_t turn = 0; turn < t->units.n; turn++) {
		const struct unit *u = &t->units.items[t->by_turn[turn]];
		const struct budget *b = unit_budget(t, u);

		if (u->at == NONE)
			continue;
		uint32_t more = ppm_of(b, LEVEL_HIGH) - ppm_of(b, LEVEL_LOW);
		bool is_watched = has_room(t, u, sum, more);

		chosen[t->by_turn[turn]] = is_watched ? ENFORCE_WATCH : ENFORCE_RAISE;
		if (is_watched)
			add(t, u, sum, more);
	}
	return chosen;
}
