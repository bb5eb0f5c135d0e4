/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/search/move_order.h"

#include <errno.h>
#include <stdlib.h>

#include "base/auto.h"
#include "plan/candidate.h"

struct mover {
	unit_id unit;
	place_id at, to;
	bool has_rested;
};

/* Loads of one node's cells, replayed from the snapshot without the evicted. */
struct replay {
	struct planner *p;
	const struct trial *trial;
	node_id node;
	cell_id first; /* the node's first cell */
	uint32_t (*load)[LEVELS];
	ARRAY(struct mover) movers;
	order_steps *steps;
	int trials;
};

static void add_load(struct replay *r, const struct unit *u, place_id place, int sign)
{
	struct range cells = r->trial->places.items[place].cells;

	for (uint32_t i = 0; i < cells.n; i++) {
		uint32_t *load = r->load[r->trial->place_cells.items[cells.at + i] - r->first];

		for (int k = 0; k < LEVELS; k++)
			load[k] += sign > 0 ? u->load[k] : -u->load[k];
	}
}

/* After the move, is every cell of the target within its capacity, or no fuller than before? The
 * unit has been taken off `from`; cells that it keeps are as full as they were. */
static bool fits(const struct replay *r, const struct unit *u, place_id from, place_id to)
{
	struct range cells = r->trial->places.items[to].cells;
	struct range old = r->trial->places.items[from].cells;

	for (uint32_t i = 0; i < cells.n; i++) {
		cell_id id = r->trial->place_cells.items[cells.at + i];
		const uint32_t *load = r->load[id - r->first];
		bool is_kept = false;

		for (uint32_t j = 0; j < old.n && !is_kept; j++)
			is_kept = r->trial->place_cells.items[old.at + j] == id;
		for (int k = 0; k < LEVELS && !is_kept; k++)
			if (load[k] + u->load[k] > r->trial->cells[id].cap[k])
				return false;
	}
	return true;
}

static bool move_on(struct replay *r, int rests_left);

/* Makes one step and goes on; undoes it when that leads nowhere. */
static bool try_step(struct replay *r, struct mover *m, place_id to, int rests_left)
{
	const struct unit *u = &r->trial->units.items[m->unit];
	place_id from = m->at;

	if (--r->trials < 0)
		return false;
	add_load(r, u, from, -1);
	bool is_good = fits(r, u, from, to);
	if (is_good) {
		add_load(r, u, to, 1);
		m->at = to;
		*array_add(r->steps) = (struct order_step){ m->unit, to };
		if (move_on(r, rests_left))
			return true;
		r->steps->n--;
		m->at = from;
		add_load(r, u, to, -1);
	}
	add_load(r, u, from, 1);
	return false;
}

static bool try_resting(struct replay *r, struct mover *m, int rests_left)
{
	const struct unit *u = &r->trial->units.items[m->unit];
	candidates list = { 0 };
	bool is_done = false;

	candidates_of(r->p, u, r->node, &list);
	m->has_rested = true;
	for (size_t i = 0; i < list.n && !is_done; i++)
		if (list.items[i].place != m->at && list.items[i].place != m->to)
			is_done = try_step(r, m, list.items[i].place, rests_left - 1);
	m->has_rested = is_done;
	array_done(&list);
	return is_done;
}

static bool move_on(struct replay *r, int rests_left)
{
	bool is_done = true;

	array_each(m, &r->movers) {
		if (m->at == m->to)
			continue;
		is_done = false;
		if (try_step(r, m, m->to, rests_left))
			return true;
	}
	array_each(m, &r->movers)
		if (!is_done && rests_left > 0 && m->at != m->to && !m->has_rested &&
		    try_resting(r, m, rests_left))
			return true;
	return is_done;
}

static void list_movers(struct replay *r)
{
	const struct node_load *n = &r->trial->nodes[r->node];

	for (uint32_t i = 0; i < n->units.n; i++) {
		unit_id id = r->trial->node_units[n->units.at + i];
		const struct unit *u = &r->trial->units.items[id];

		if (u->origin == NONE || u->is_evicted)
			continue;
		add_load(r, u, u->origin, 1);
		if (u->at != NONE && u->at != u->origin)
			*array_add(&r->movers) = (struct mover){ id, u->origin, u->at, false };
	}
}

int order_node(struct planner *p, node_id node, order_steps *ret)
{
	struct range cores = p->trial.cap.nodes.items[node].cores;
	AUTO_FREE uint32_t(*load)[LEVELS] = xcalloc(cores.n, sizeof(*load));
	struct replay r = {
		.p = p,
		.trial = &p->trial,
		.node = node,
		.first = cores.n ? p->trial.cell_of_core[cores.at] : 0,
		.load = load,
		.steps = ret,
	};
	bool is_done = false;

	list_movers(&r);
	for (int rests = 0; rests <= ORDER_MAX_RESTS && !is_done; rests++) {
		r.trials = ORDER_TRIALS;
		is_done = move_on(&r, rests);
	}
	array_done(&r.movers);
	return is_done ? 0 : -EDEADLK;
}

static size_t count_movers(const struct trial *t, node_id node)
{
	size_t n = 0;

	for (uint32_t i = 0; i < t->nodes[node].units.n; i++) {
		const struct unit *u = &t->units.items[t->node_units[t->nodes[node].units.at + i]];

		n += u->origin != NONE && u->at != NONE && u->at != u->origin && !u->is_evicted;
	}
	return n;
}

int order_rests(struct planner *p, const node_id *nodes, size_t n)
{
	int rests = 0;

	for (size_t i = 0; i < n; i++) {
		size_t movers = count_movers(&p->trial, nodes[i]);
		order_steps steps = { 0 };

		if (movers < 2) /* what fits in the end fits now */
			continue;
		int r = order_node(p, nodes[i], &steps);
		rests += (int)steps.n - (int)movers;
		array_done(&steps);
		if (r < 0)
			return r;
	}
	return rests;
}
