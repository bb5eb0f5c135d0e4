/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/enforcement.h"

#include <stdlib.h>

#include "base/auto.h"

static uint32_t ppm_of(const struct budget *b, enum level level)
{
	return (uint32_t)(((int64_t)budget_runtime(b, level) * PPM + b->period - 1) / b->period);
}

static void add(const struct trial *w, const struct unit *u, uint64_t *sum, uint32_t ppm)
{
	struct range cells = w->places.items[u->at].cells;

	for (uint32_t i = 0; i < cells.n; i++)
		sum[w->place_cells.items[cells.at + i]] += ppm;
}

static bool has_room(const struct trial *w, const struct unit *u, const uint64_t *sum,
		     uint32_t more)
{
	struct range cells = w->places.items[u->at].cells;

	for (uint32_t i = 0; i < cells.n; i++) {
		cell_id cell = w->place_cells.items[cells.at + i];

		if (more > 0 && sum[cell] + more > w->cells[cell].cap[LEVEL_HIGH])
			return false;
	}
	return true;
}

uint8_t *enforcement_choose(const struct trial *w)
{
	uint8_t *chosen = xcalloc(w->units.n, sizeof(*chosen));
	AUTO_FREE uint64_t *sum = xcalloc(w->n_cells, sizeof(*sum));

	array_each(u, &w->units)
		if (u->at != NONE)
			add(w, u, sum, ppm_of(&unit_request(w, u)->budget, LEVEL_LOW));

	for (uint32_t turn = 0; turn < w->units.n; turn++) {
		const struct unit *u = &w->units.items[w->by_turn[turn]];
		const struct budget *b = &unit_request(w, u)->budget;

		if (u->at == NONE)
			continue;
		uint32_t more = ppm_of(b, LEVEL_HIGH) - ppm_of(b, LEVEL_LOW);
		bool is_watched = has_room(w, u, sum, more);

		chosen[w->by_turn[turn]] = is_watched ? ENFORCE_WATCH : ENFORCE_RAISE;
		if (is_watched)
			add(w, u, sum, more);
	}
	return chosen;
}
