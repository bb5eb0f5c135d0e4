/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/index.h"

#include <string.h>

#include "base/auto.h"
#include "plan/candidate.h"

/* What is best on a node, each figure by itself: a pod that does not fit these does not fit. */
struct summary {
	uint32_t free[LEVELS][LEVELS];	 /* [rank][mode]: most that a cell has left */
	int64_t room[LEVELS][RES_KINDS]; /* [rank] */
};

/* Where a pod would land as of some version of the index, NONE: nowhere. */
struct hope {
	uint32_t version; /* 0: not looked yet */
	node_id node;
};

enum { RECENT = 1024 };

struct index {
	struct summary *nodes;
	uint32_t *scores;	/* of each node's best core */
	struct hope *hopes;	/* by unit */
	candidates list;	/* of one node at a time */
	uint32_t version;	/* counts updates, from 1 */
	node_id recent[RECENT]; /* the node of each update, by version */
};

struct index *index_new(struct planner *p)
{
	struct index *x = xcalloc(1, sizeof(*x));

	x->nodes = xcalloc(p->w.c->nodes.n, sizeof(*x->nodes));
	x->scores = xcalloc(p->w.c->nodes.n, sizeof(*x->scores));
	x->hopes = xcalloc(p->w.units.n, sizeof(*x->hopes));
	return x;
}

void index_free(struct index *x)
{
	if (!x)
		return;
	free(x->nodes);
	free(x->scores);
	free(x->hopes);
	array_done(&x->list);
	free(x);
}

void index_update(struct planner *p, node_id node)
{
	const struct world *w = &p->w;
	struct range cores = w->cap.nodes.items[node].cores;
	struct summary *s = &p->index->nodes[node];
	uint32_t score = 0;

	*s = (struct summary){ 0 };
	for (uint32_t i = 0; i < cores.n; i++) {
		const struct cell *cell = &w->cells[w->cell_of_core[cores.at + i]];

		if (p->score[cores.at + i] > score)
			score = p->score[cores.at + i];
		for (int r = 0; r < LEVELS; r++)
			for (int k = 0; k < LEVELS; k++)
				if (cell->used[r][k] < cell->cap[k] &&
				    cell->cap[k] - cell->used[r][k] > s->free[r][k])
					s->free[r][k] = cell->cap[k] - cell->used[r][k];
	}
	for (int r = 0; r < LEVELS; r++)
		for (int i = 0; i < RES_KINDS; i++)
			s->room[r][i] = w->nodes[node].have[i] - w->nodes[node].used[r][i];
	p->index->scores[node] = score;
	p->index->recent[++p->index->version % RECENT] = node;
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
	candidates *list = &p->index->list;

	array_clear(list);
	candidates_of(p, u, node, list);
	for (size_t i = 0; i < list->n && list->items[i].score >= *score; i++) {
		if (!world_fits(&p->w, u, list->items[i].place, 0))
			continue;
		*score = list->items[i].score + 1;
		return list->items[i].place;
	}
	return NONE;
}

/* The nodes that the pod could be on by its pins and rules. */
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

/* The first node of the walk from n on. */
static node_id next_node(const struct walk *walk, node_id n)
{
	if (!walk->allowed || n >= walk->last)
		return n;
	uint64_t word = walk->allowed[n / 64] >> n % 64;

	while (!word) {
		n = (n / 64 + 1) * 64;
		if (n >= walk->last)
			return n;
		word = walk->allowed[n / 64];
	}
	return n + (node_id)__builtin_ctzll(word);
}

place_id index_best(struct planner *p, const struct unit *u, node_id except)
{
	const struct world *w = &p->w;
	const struct pod *pod = unit_pod(w, u);
	struct walk walk = walk_nodes(p, u);
	uint32_t closest = u->core_count > 1 ? MAX_CLOSENESS : 0;
	place_id best = NONE;
	uint32_t score = 0;

	for (node_id n = next_node(&walk, walk.first); n < walk.last; n = next_node(&walk, n + 1)) {
		if (n == except || p->index->scores[n] * 100 + closest < score)
			continue;
		if (walk.allowed && (!may_fit(&p->index->nodes[n], pod, u, 0) ||
				     filter_node_now(w, u, n, 0, NULL, 0) != REFUSE_NOTHING))
			continue;
		place_id place = best_on_node(p, u, n, &score);
		best = place == NONE ? best : place;
	}
	return best;
}

/* Is there a place where it would fit if those below `rank` were gone? */
static bool could_fit(struct planner *p, const struct unit *u, node_id node, unsigned rank)
{
	candidates *list = &p->index->list;

	array_clear(list);
	candidates_of(p, u, node, list);
	for (size_t i = 0; i < list->n; i++)
		if (world_fits(&p->w, u, list->items[i].place, rank))
			return true;
	return false;
}

static bool lands_on(struct planner *p, const struct unit *u, const struct walk *walk, node_id n)
{
	return n != u->node && n >= walk->first && n < walk->last &&
	       (!walk->allowed || filter_bit(walk->allowed, n)) &&
	       may_fit(&p->index->nodes[n], unit_pod(&p->w, u), u, 0) &&
	       filter_node_now(&p->w, u, n, 0, NULL, 0) == REFUSE_NOTHING && could_fit(p, u, n, 0);
}

/* Where nobody had room, there is room only on nodes that have changed since. */
static node_id find_landing(struct planner *p, const struct unit *u, const struct hope *last)
{
	const struct index *x = p->index;
	struct walk walk = walk_nodes(p, u);

	if (last->version && last->node == NONE && x->version - last->version < RECENT &&
	    !p->w.terms) {
		for (uint32_t v = last->version + 1; v <= x->version; v++)
			if (lands_on(p, u, &walk, x->recent[v % RECENT]))
				return x->recent[v % RECENT];
		return NONE;
	}
	if (last->version && last->node != NONE && lands_on(p, u, &walk, last->node))
		return last->node;
	for (node_id n = next_node(&walk, walk.first); n < walk.last; n = next_node(&walk, n + 1))
		if (lands_on(p, u, &walk, n))
			return n;
	return NONE;
}

bool index_lands(struct planner *p, unit_id id)
{
	struct index *x = p->index;
	struct hope *hope = &x->hopes[id];

	if (hope->version != x->version)
		*hope = (struct hope){ x->version, find_landing(p, &p->w.units.items[id], hope) };
	return hope->node != NONE;
}

size_t index_yielding(struct planner *p, const struct unit *u, node_id *ret, size_t max)
{
	const struct world *w = &p->w;
	const struct pod *pod = unit_pod(w, u);
	struct walk walk = walk_nodes(p, u);
	size_t n_found = 0;
	uint32_t scores[MAX_PREEMPTION_NODES];

	for (node_id n = next_node(&walk, walk.first); n < walk.last; n = next_node(&walk, n + 1)) {
		uint32_t score = p->index->scores[n];

		if (n_found > 0 && n_found == max && score <= scores[n_found - 1])
			continue;
		if (walk.allowed && (!may_fit(&p->index->nodes[n], pod, u, u->rank) ||
				     filter_node_now(w, u, n, u->rank, NULL, 0) != REFUSE_NOTHING))
			continue;
		size_t at = n_found;
		while (at > 0 && scores[at - 1] < score)
			at--;
		if (!could_fit(p, u, n, u->rank))
			continue;
		size_t n_kept = n_found < max ? n_found : max - 1;
		memmove(ret + at + 1, ret + at, (n_kept - at) * sizeof(*ret));
		memmove(scores + at + 1, scores + at, (n_kept - at) * sizeof(*scores));
		ret[at] = n;
		scores[at] = score;
		n_found = n_kept + 1;
	}
	return n_found;
}
