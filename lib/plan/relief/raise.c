/* SPDX-License-Identifier: Apache-2.0 */
#include "base/auto.h"
#include "plan/relief/relieve_internal.h"

/* Levels on a busy node as the first controller had them, within what the cores can hold: each pod,
 * the most critical first, gets the highest of hi, low and its floor with which the floors of the
 * pods after it still fit. */

static uint32_t load_of(const struct budget *b, int32_t runtime)
{
	return (uint32_t)(((int64_t)runtime * PPM + b->period - 1) / b->period);
}

static struct range cells_of(const struct trial *t, const struct unit *u)
{
	return t->places.items[u->at].cells;
}

static void add_load(const struct trial *t, const struct unit *u, int64_t load, int64_t *sums)
{
	struct range cells = cells_of(t, u);

	for (uint32_t i = 0; i < cells.n; i++)
		sums[t->place_cells.items[cells.at + i]] += load;
}

static bool fits(const struct trial *t, const struct unit *u, int64_t load, const int64_t *sums)
{
	struct range cells = cells_of(t, u);

	for (uint32_t i = 0; i < cells.n; i++) {
		cell_id cell = t->place_cells.items[cells.at + i];

		if (sums[cell] + load > t->cells[cell].cap[LEVEL_HIGH])
			return false;
	}
	return true;
}

/* Is it one that changes its level here? Others keep C(Low). */
static bool is_raisable(const struct pressured_node *x, const struct unit *u)
{
	return stays(u) && x->p->trial.places.items[u->at].node == x->node;
}

static enum relief choose(const struct pressured_node *x, const struct unit *u, int64_t *sums)
{
	const struct trial *t = &x->p->trial;
	const struct request *q = unit_request(t, u);
	const struct budget *b = unit_budget(t, u);
	int64_t floor = load_of(b, b->floor);
	int64_t low = load_of(b, b->low) - floor, hi = load_of(b, b->hi) - floor;
	bool was_degraded = is_degraded(x, u);

	if (b->hi > b->low && fits(t, u, hi, sums)) {
		add_load(t, u, hi, sums);
		return q->level == LEVEL_HIGH && !was_degraded ? RELIEF_NONE : RELIEF_RAISE;
	}
	if (fits(t, u, low, sums)) {
		add_load(t, u, low, sums);
		return q->level == LEVEL_LOW && !was_degraded ? RELIEF_NONE : RELIEF_LOWER;
	}
	return was_degraded ? RELIEF_NONE : RELIEF_DEGRADE;
}

/* All units with a place: those that come to the node are not in its list. */
static void add_present(const struct pressured_node *x, int64_t *sums)
{
	const struct trial *t = &x->p->trial;

	for (unit_id id = 0; id < t->units.n; id++) {
		const struct unit *u = &t->units.items[id];

		if (u->at == NONE || t->places.items[u->at].node != x->node)
			continue;
		if (is_raisable(x, u))
			add_load(t, u, load_of(unit_budget(t, u), unit_budget(t, u)->floor), sums);
		else
			add_load(t, u, u->load[LEVEL_LOW], sums);
	}
}

void relieve_raise(const struct pressured_node *x)
{
	AUTO_FREE int64_t *sums = xcalloc(x->p->trial.n_cells, sizeof(*sums));

	add_present(x, sums);
	for (uint32_t i = 0; i < n_units(x); i++) {
		const struct unit *u = unit_at(x, i);

		if (is_raisable(x, u))
			*mark_of(x, u) = (uint8_t)choose(x, u, sums);
	}
}
