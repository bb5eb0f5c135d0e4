/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/node_index.h"

#include <stdlib.h>

#include "base/auto.h"
#include "plan/candidate.h"
#include "plan/score_buckets.h"

/* What is best on a node for one rank, each figure by itself: a pod that does not fit these does
 * not fit. */
struct summary {
	uint32_t free[LEVELS]; /* by mode: most that a cell has left */
	int64_t cpu, memory, pods;
};

/* Where a pod's replacement would fit as of some version of the index; NONE: nowhere. */
struct cached_node {
	uint32_t version; /* 0: not looked yet */
	node_id node;
};

enum { RECENT = 1024 };

struct index {
	struct summary *of_rank[LEVELS];    /* by node_id: those of a rank are looked at together */
	struct score_buckets score_buckets; /* nodes by the score of their best core */
	struct cached_node *replacements;   /* by unit */
	candidates list;		    /* of one node at a time */
	uint32_t version;		    /* counts updates, from 1 */
	node_id recent[RECENT];		    /* the node of each update, by version */
	uint32_t *changed;		    /* the version of each node's last update */
};

struct index *index_new(struct planner *p)
{
	struct index *x = xcalloc(1, sizeof(*x));

	for (int r = 0; r < LEVELS; r++)
		x->of_rank[r] = xcalloc(p->trial.c->nodes.n, sizeof(*x->of_rank[r]));
	score_buckets_init(&x->score_buckets, p->trial.c->nodes.n);
	x->changed = xcalloc(p->trial.c->nodes.n, sizeof(*x->changed));
	x->replacements = xcalloc(p->trial.units.n, sizeof(*x->replacements));
	return x;
}

void index_free(struct index *x)
{
	if (!x)
		return;
	for (int r = 0; r < LEVELS; r++)
		free(x->of_rank[r]);
	score_buckets_done(&x->score_buckets);
	free(x->changed);
	free(x->replacements);
	array_done(&x->list);
	free(x);
}

static void raise_free(const struct cell *cell, int rank, struct summary *s)
{
	for (int k = 0; k < LEVELS; k++)
		if (cell->used[rank][k] < cell->cap[k] &&
		    cell->cap[k] - cell->used[rank][k] > s->free[k])
			s->free[k] = cell->cap[k] - cell->used[rank][k];
}

static struct summary summarize(const struct trial *t, node_id node, int rank)
{
	struct range cores = t->cap.nodes.items[node].cores;
	const struct node_load *n = &t->nodes[node];
	struct summary s = {
		.cpu = n->have[RES_CPU] - n->used[rank][RES_CPU],
		.memory = n->have[RES_MEMORY] - n->used[rank][RES_MEMORY],
		.pods = n->have[RES_PODS] - n->used[rank][RES_PODS],
	};

	for (uint32_t i = 0; i < cores.n; i++)
		raise_free(&t->cells[t->cell_of_core[cores.at + i]], rank, &s);
	return s;
}

void index_update(struct planner *p, node_id node)
{
	struct range cores = p->trial.cap.nodes.items[node].cores;
	struct index *x = p->index;
	uint32_t score = 0;

	for (int r = 0; r < LEVELS; r++)
		x->of_rank[r][node] = summarize(&p->trial, node, r);
	for (uint32_t i = cores.at; i < cores.at + cores.n; i++)
		score = p->score[i] > score ? p->score[i] : score;
	score_buckets_set(&x->score_buckets, node, score);
	x->changed[node] = ++x->version;
	x->recent[x->version % RECENT] = node;
}

static bool may_fit(const struct summary *s, const struct pod *pod, const struct unit *u)
{
	for (int k = 0; k < LEVELS; k++)
		if (u->load[k] > s->free[k])
			return false;
	/* What it does not ask for may be overcommitted. */
	return (!pod->cpu_milli || pod->cpu_milli <= s->cpu) &&
	       (!pod->memory || pod->memory <= s->memory) && s->pods >= 1;
}

/* What it finds on a node is better than this. */
struct best {
	place_id place; /* NONE: nothing yet */
	node_id node;
	uint32_t score;
};

/* Of equal places the one on the first node counts, in whatever order they are found. */
static uint32_t least_score(const struct best *b, node_id node)
{
	return b->place == NONE ? 0 : b->score + (node > b->node);
}

static void look_on_node(struct planner *p, const struct unit *u, node_id node, struct best *b)
{
	candidates *list = &p->index->list;
	uint32_t least = least_score(b, node);

	array_clear(list);
	candidates_of(p, u, node, list);
	for (size_t i = 0; i < list->n && list->items[i].score >= least; i++) {
		if (!trial_fits(&p->trial, u, list->items[i].place, 0))
			continue;
		*b = (struct best){ list->items[i].place, node, list->items[i].score };
		return;
	}
}

/* The nodes that the pod could be on by its pins and rules, the best first. A pod that is bound
 * has been through the filters. */
static struct score_iterator iterate_nodes(struct planner *p, const struct unit *u)
{
	const struct score_buckets *score_buckets = &p->index->score_buckets;
	const struct request *q = unit_request(&p->trial, u);

	if (u->kind == UNIT_UNASSIGNED && filter_guarantees(&p->filters, u, u->node))
		return score_iterator_start(score_buckets, NULL, u->node);
	if (u->kind == UNIT_UNASSIGNED || (q->has_node_pin && q->node_pin == NONE))
		return (struct score_iterator){ .score_buckets = score_buckets };
	return score_iterator_start(score_buckets, filters_allowed(&p->filters, u),
				    q->has_node_pin ? q->node_pin : NONE);
}

/* Do the node's sums and filters leave room for the pod, if those below `rank` were gone? */
static bool takes(const struct planner *p, const struct unit *u, node_id node, unsigned rank)
{
	return u->kind == UNIT_UNASSIGNED ||
	       (may_fit(&p->index->of_rank[rank][node], unit_pod(&p->trial, u), u) &&
		filter_node_now(&p->trial, u, node, rank, NULL, 0) == REFUSE_NOTHING);
}

place_id index_best(struct planner *p, const struct unit *u, node_id except)
{
	struct score_iterator score_iterator = iterate_nodes(p, u);
	uint32_t closest = u->core_count > 1 ? MAX_CLOSENESS : 0;
	struct best best = { .place = NONE };
	node_id n;

	while ((n = score_iterator_next(&score_iterator)) != NONE) {
		if (p->index->score_buckets.score[n] * 100 + closest < least_score(&best, n))
			break;
		if (n != except && !(p->avoided && p->avoided[n]) && takes(p, u, n, 0))
			look_on_node(p, u, n, &best);
	}
	return best.place;
}

/* Is there a place where it would fit if those below `rank` were gone? */
static bool could_fit(struct planner *p, const struct unit *u, node_id node, unsigned rank)
{
	candidates *list = &p->index->list;

	array_clear(list);
	candidates_of(p, u, node, list);
	for (size_t i = 0; i < list->n; i++)
		if (trial_fits(&p->trial, u, list->items[i].place, rank))
			return true;
	return false;
}

static bool replacement_fits_on(struct planner *p, const struct unit *u, node_id n)
{
	return n != u->node && takes(p, u, n, 0) && could_fit(p, u, n, 0);
}

/* May the pod be on the node by its pins and rules? */
static bool is_open_to(struct planner *p, const struct unit *u, node_id n)
{
	const struct request *q = unit_request(&p->trial, u);

	return (!q->has_node_pin || q->node_pin == n) &&
	       filter_bit(filters_allowed(&p->filters, u), n);
}

/* A node that has not changed has room as before; rules about other pods look beyond the node. */
static bool has_replacement_still(const struct planner *p, const struct cached_node *last)
{
	return !p->trial.terms && p->index->changed[last->node] <= last->version;
}

/* Where no node had room, there is room only on nodes that have changed since. */
static node_id find_replacement(struct planner *p, const struct unit *u,
				const struct cached_node *last)
{
	const struct index *x = p->index;

	if (last->version && last->node == NONE && x->version - last->version < RECENT &&
	    !p->trial.terms) {
		for (uint32_t v = last->version + 1; v <= x->version; v++)
			if (is_open_to(p, u, x->recent[v % RECENT]) &&
			    replacement_fits_on(p, u, x->recent[v % RECENT]))
				return x->recent[v % RECENT];
		return NONE;
	}
	if (last->version && last->node != NONE &&
	    (has_replacement_still(p, last) || replacement_fits_on(p, u, last->node)))
		return last->node;

	struct score_iterator score_iterator = iterate_nodes(p, u);
	node_id n;
	while ((n = score_iterator_next(&score_iterator)) != NONE)
		if (replacement_fits_on(p, u, n))
			return n;
	return NONE;
}

bool index_holds_replacement(struct planner *p, unit_id id)
{
	struct index *x = p->index;
	struct cached_node *cached = &x->replacements[id];

	if (cached->version != x->version)
		*cached = (struct cached_node){
			x->version, find_replacement(p, &p->trial.units.items[id], cached)
		};
	return cached->node != NONE;
}

size_t index_yielding(struct planner *p, const struct unit *u, node_id *ret, size_t max)
{
	struct score_iterator score_iterator = iterate_nodes(p, u);
	size_t n_found = 0;
	node_id n;

	while (n_found < max && (n = score_iterator_next(&score_iterator)) != NONE)
		if (takes(p, u, n, u->rank) && could_fit(p, u, n, u->rank))
			ret[n_found++] = n;
	return n_found;
}
