/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/index.h"

#include <string.h>

#include "base/auto.h"
#include "plan/candidate.h"

/* What is best on a node, each figure by itself: a pod that does not fit these does not fit. */
struct summary {
	uint32_t score;			 /* of its best core */
	uint32_t free[LEVELS][LEVELS];	 /* [rank][mode]: most that a cell has left */
	int64_t room[LEVELS][RES_KINDS]; /* [rank] */
};

struct index {
	struct summary *nodes;
};

struct index *index_new(struct planner *p)
{
	struct index *x = xcalloc(1, sizeof(*x));

	x->nodes = xcalloc(p->w.c->nodes.n, sizeof(*x->nodes));
	return x;
}

void index_free(struct index *x)
{
	if (!x)
		return;
	free(x->nodes);
	free(x);
}

void index_update(struct planner *p, node_id node)
{
	const struct world *w = &p->w;
	struct range cores = w->cap.nodes.items[node].cores;
	struct summary *s = &p->index->nodes[node];

	*s = (struct summary){ 0 };
	for (uint32_t i = 0; i < cores.n; i++) {
		const struct cell *cell = &w->cells[w->cell_of_core[cores.at + i]];

		if (p->score[cores.at + i] > s->score)
			s->score = p->score[cores.at + i];
		for (int r = 0; r < LEVELS; r++)
			for (int k = 0; k < LEVELS; k++)
				if (cell->used[r][k] < cell->cap[k] &&
				    cell->cap[k] - cell->used[r][k] > s->free[r][k])
					s->free[r][k] = cell->cap[k] - cell->used[r][k];
	}
	for (int r = 0; r < LEVELS; r++)
		for (int i = 0; i < RES_KINDS; i++)
			s->room[r][i] = w->nodes[node].have[i] - w->nodes[node].used[r][i];
}

static bool may_fit(const struct summary *s, const struct pod *pod, const struct unit *u,
		    unsigned rank)
{
	for (int k = 0; k < LEVELS; k++)
		if (u->load[k] > s->free[rank][k])
			return false;
	return pod->cpu_milli <= s->room[rank][RES_CPU] &&
	       pod->memory <= s->room[rank][RES_MEMORY] && s->room[rank][RES_PODS] >= 1;
}

/* The best place on one node that scores more than *score. */
static place_id best_on_node(struct planner *p, const struct unit *u, node_id node, uint32_t *score)
{
	candidates list = { 0 };
	place_id best = NONE;

	candidates_of(p, u, node, &list);
	for (size_t i = 0; i < list.n && best == NONE; i++) {
		if (list.items[i].score < *score)
			break;
		if (!world_fits(&p->w, u, list.items[i].place, 0))
			continue;
		best = list.items[i].place;
		*score = list.items[i].score + 1;
	}
	array_done(&list);
	return best;
}

/* Calls for each node that the pod could be on by its pins and rules. */
struct walk {
	node_id first, last;
	const uint64_t *allowed;
};

static struct walk walk_nodes(struct planner *p, const struct unit *u)
{
	const struct world *w = &p->w;
	const struct request *q = unit_request(w, u);
	node_id n = (node_id)w->c->nodes.n;
	struct walk walk = { 0, n, NULL };

	if (u->kind == UNIT_HOMELESS) {
		walk = (struct walk){ u->node, u->node + 1, NULL };
		return walk;
	}
	if (q->has_node_pin)
		walk = (struct walk){ q->node_pin, q->node_pin == NONE ? NONE : q->node_pin + 1,
				      NULL };
	walk.allowed = filters_allowed(&p->filters, unit_pod(w, u)->rules);
	return walk;
}

place_id index_best(struct planner *p, const struct unit *u, node_id except)
{
	const struct world *w = &p->w;
	const struct pod *pod = unit_pod(w, u);
	struct walk walk = walk_nodes(p, u);
	place_id best = NONE;
	uint32_t score = 0;

	for (node_id n = walk.first; n < walk.last; n++) {
		const struct summary *s = &p->index->nodes[n];

		if (n == except || (walk.allowed && !filter_bit(walk.allowed, n)) ||
		    s->score * 100 + 99 < score)
			continue;
		if (walk.allowed && (!may_fit(s, pod, u, 0) ||
				     filter_node_now(w, u, n, 0, NULL, 0) != REFUSE_NOTHING))
			continue;
		place_id place = best_on_node(p, u, n, &score);
		best = place == NONE ? best : place;
	}
	return best;
}

/* Is there a place where it would fit if the less critical were gone? */
static bool could_fit(struct planner *p, const struct unit *u, node_id node)
{
	candidates list = { 0 };
	bool is_found = false;

	candidates_of(p, u, node, &list);
	for (size_t i = 0; i < list.n && !is_found; i++)
		is_found = world_fits(&p->w, u, list.items[i].place, u->rank);
	array_done(&list);
	return is_found;
}

size_t index_yielding(struct planner *p, const struct unit *u, node_id *ret, size_t max)
{
	const struct world *w = &p->w;
	const struct pod *pod = unit_pod(w, u);
	struct walk walk = walk_nodes(p, u);
	size_t n_found = 0;
	uint32_t scores[MAX_PREEMPTION_NODES];

	for (node_id n = walk.first; n < walk.last; n++) {
		const struct summary *s = &p->index->nodes[n];

		if (walk.allowed && !filter_bit(walk.allowed, n))
			continue;
		if (walk.allowed && (!may_fit(s, pod, u, u->rank) ||
				     filter_node_now(w, u, n, u->rank, NULL, 0) != REFUSE_NOTHING))
			continue;
		size_t at = n_found;
		while (at > 0 && scores[at - 1] < s->score)
			at--;
		if (at == max || !could_fit(p, u, n))
			continue;
		size_t n_kept = n_found < max ? n_found : max - 1;
		memmove(ret + at + 1, ret + at, (n_kept - at) * sizeof(*ret));
		memmove(scores + at + 1, scores + at, (n_kept - at) * sizeof(*scores));
		ret[at] = n;
		scores[at] = s->score;
		n_found = n_kept + 1;
	}
	return n_found;
}
