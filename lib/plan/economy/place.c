/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "plan/economy/economy.h"

/* How far placements are improved: nodes whose new pods are placed again, alone and in pairs. */
enum { MAX_SINGLES = 200, MAX_PAIRS = 16, MAX_ROUNDS = 6, MAX_OPENED = 16, MAX_EMPTY = 8 };

static void place_pod(struct economy *e, uint32_t cargo)
{
	economy_mark_for(e, cargo);
	if (e->cargo.items[cargo].of != NONE && e->accounts[e->cargo.items[cargo].of].is_suspended)
		return;
	optimizer_id of = e->cargo.items[cargo].of;
	if (of != NONE)
		economy_open_kept(e, of);
	node_id node = economy_best(e, cargo, false);
	if (of != NONE)
		economy_keep_again(e, of, node);
	if (node != NONE)
		economy_add(e, cargo, node);
}

/* ---- Improvement: the new pods of a few nodes are placed again ---- */

/* Placed pods on each level of priority, then J: which of two arrangements is better. */
struct merit {
	const struct economy *e;
	uint32_t *placed; /* by level */
	uint32_t n_levels;
	int64_t cost;
};

static bool same_level(const struct economy *e, uint32_t a, uint32_t b)
{
	const struct cargo *x = &e->cargo.items[a], *y = &e->cargo.items[b];

	return e->c->optimizers.items[x->of].priority == e->c->optimizers.items[y->of].priority &&
	       e->c->pods.items[x->pod].priority == e->c->pods.items[y->pod].priority;
}

static void measure(const struct economy *e, struct merit *m)
{
	uint32_t level = 0;

	memset(m->placed, 0, (e->cargo.n - e->n_bound + 1) * sizeof(*m->placed));
	for (uint32_t i = (uint32_t)e->n_bound; i < e->cargo.n; i++) {
		if (i > e->n_bound && !same_level(e, i - 1, i))
			level++;
		m->placed[level] += e->cargo.items[i].node != NONE;
	}
	m->n_levels = level + 1;
	m->cost = economy_total(e);
}

static bool is_better(const struct merit *a, const struct merit *b)
{
	for (uint32_t i = 0; i < a->n_levels; i++)
		if (a->placed[i] != b->placed[i])
			return a->placed[i] > b->placed[i];
	return a->cost < b->cost;
}

struct improver {
	struct economy *e;
	struct merit best, now;
	node_id *saved; /* of pending cargo, in the best arrangement */
};

static size_t n_pending(const struct economy *e)
{
	return e->cargo.n - e->n_bound;
}

static void save(struct improver *m)
{
	for (size_t i = 0; i < n_pending(m->e); i++)
		m->saved[i] = m->e->cargo.items[m->e->n_bound + i].node;
}

static void restore(struct improver *m)
{
	struct economy *e = m->e;

	for (size_t i = 0; i < n_pending(e); i++) {
		uint32_t cargo = (uint32_t)(e->n_bound + i);

		if (e->cargo.items[cargo].node != NONE && e->cargo.items[cargo].node != m->saved[i])
			economy_drop(e, cargo);
	}
	for (size_t i = 0; i < n_pending(e); i++) {
		uint32_t cargo = (uint32_t)(e->n_bound + i);

		if (e->cargo.items[cargo].node == NONE && m->saved[i] != NONE)
			economy_add(e, cargo, m->saved[i]);
	}
}

static bool keep_if_better(struct improver *m)
{
	measure(m->e, &m->now);
	if (!is_better(&m->now, &m->best) || !economy_spots_are_spread(m->e)) {
		restore(m);
		return false;
	}
	struct merit better = m->now;
	m->now = m->best;
	m->best = better;
	save(m);
	return true;
}

/* Takes the new pods off two nodes (which may be one), puts the first that fits on a third, NONE
 * for wherever is best, and then the others, with those that have no place. */
static bool try_again(struct improver *m, node_id a, node_id b, node_id first, bool from_small)
{
	struct economy *e = m->e;
	size_t n = n_pending(e);
	bool is_opened = first == NONE;

	for (uint32_t i = (uint32_t)e->n_bound; i < e->cargo.n; i++)
		if (e->cargo.items[i].node == a || e->cargo.items[i].node == b)
			economy_drop(e, i);
	for (size_t k = 0; k < n; k++) {
		uint32_t i = (uint32_t)(e->n_bound + (from_small ? n - 1 - k : k));

		if (e->cargo.items[i].node != NONE)
			continue;
		economy_mark_for(e, i);
		if (!is_opened && !e->accounts[e->cargo.items[i].of].is_suspended &&
		    economy_fits(e, i, first)) {
			economy_add(e, i, first);
			is_opened = true;
		} else {
			place_pod(e, i);
		}
	}
	return keep_if_better(m);
}

static bool has_new_pods(const struct economy *e, node_id node)
{
	array_each(i, &e->sites[node].cargo)
		if (*i >= e->n_bound)
			return true;
	return false;
}

/* Nodes that are worth opening: the first empty one of each kind. */
static size_t list_openable(const struct economy *e, node_id ret[MAX_OPENED])
{
	size_t n = 0;

	for (node_id node = 0; node < e->c->nodes.n && n < MAX_OPENED; node++) {
		bool is_known = false;

		for (size_t i = 0; i < n; i++)
			is_known |= e->c->nodes.items[ret[i]].labels.at ==
					    e->c->nodes.items[node].labels.at &&
				    e->fleet.nodes[ret[i]].price == e->fleet.nodes[node].price;
		if (!is_known || e->c->nodes.n <= MAX_OPENED)
			ret[n++] = node;
	}
	return n;
}

static bool improve_pair(struct improver *m, node_id a, node_id b)
{
	node_id openable[MAX_OPENED];
	size_t n = list_openable(m->e, openable);
	bool is_improved = false;

	for (int from_small = 0; from_small < 2; from_small++) {
		is_improved |= try_again(m, a, b, NONE, from_small);
		for (size_t i = 0; i < n; i++)
			is_improved |= try_again(m, a, b, openable[i], from_small);
	}
	return is_improved;
}

/* Nodes that nothing but new pods would open; more than a few: none. */
static size_t list_empty(const struct economy *e, node_id ret[MAX_EMPTY])
{
	size_t n = 0;

	for (node_id node = 0; node < e->c->nodes.n; node++) {
		uint32_t n_new = 0;

		array_each(i, &e->sites[node].cargo)
			n_new += *i >= e->n_bound && e->cargo.items[*i].counts;
		if (e->sites[node].n_in_use > n_new || !e->fleet.nodes[node].is_removable)
			continue;
		if (n == MAX_EMPTY)
			return 0;
		ret[n++] = node;
	}
	return n;
}

struct node_set {
	const node_id *empty;
	size_t n;
	unsigned bits; /* the ones that may be opened */
};

/* Do some nodes of the set refuse it, as they are now, when others take it? */
static bool is_choosy(struct economy *e, uint32_t cargo, const struct node_set *set)
{
	uint32_t n_open = 0;

	for (size_t i = 0; i < set->n; i++)
		n_open += set->bits >> i & 1 && economy_fits(e, cargo, set->empty[i]);
	return n_open && n_open < (uint32_t)__builtin_popcount(set->bits);
}

/* Places all new pods again, where of the empty nodes only those in the set are opened; pods that
 * only some of them take may come first. */
static void try_set(struct improver *m, const struct node_set *set, bool are_choosy_first)
{
	struct economy *e = m->e;
	size_t n = n_pending(e);
	AUTO_FREE bool *is_second = xcalloc(n + 1, sizeof(*is_second));

	for (size_t i = 0; i < set->n; i++)
		e->sites[set->empty[i]].is_closed = !(set->bits >> i & 1);
	for (size_t i = 0; i < n; i++)
		if (e->cargo.items[e->n_bound + i].node != NONE)
			economy_drop(e, (uint32_t)(e->n_bound + i));
	for (size_t i = 0; i < n && are_choosy_first; i++) {
		economy_mark_for(e, (uint32_t)(e->n_bound + i));
		is_second[i] = !is_choosy(e, (uint32_t)(e->n_bound + i), set);
	}
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < n; i++)
			if (is_second[i] == pass)
				place_pod(e, (uint32_t)(e->n_bound + i));
	for (size_t i = 0; i < set->n; i++)
		e->sites[set->empty[i]].is_closed = false;
	keep_if_better(m);
}

/* Does the set cost as much without pods as the best arrangement with all of them? */
static bool is_dearer(const struct improver *m, const struct node_set *set)
{
	int64_t least = 0;

	for (size_t i = 0; i < n_pending(m->e); i++)
		if (m->saved[i] == NONE)
			return false;
	for (size_t i = 0; i < set->n; i++)
		if (set->bits >> i & 1)
			least += economy_cost_with(m->e, set->empty[i], 0, true, false);
	return least >= m->best.cost;
}

static void improve_sets(struct improver *m)
{
	node_id empty[MAX_EMPTY];
	struct node_set set = { .empty = empty, .n = list_empty(m->e, empty) };

	for (set.bits = 1; set.n && set.bits < 1u << set.n; set.bits++) {
		if (is_dearer(m, &set))
			continue;
		try_set(m, &set, false);
		try_set(m, &set, true);
	}
}

static bool improve_round(struct improver *m)
{
	const struct economy *e = m->e;
	bool is_improved = false;
	uint32_t n_tried = 0;

	for (node_id a = 0; a < e->c->nodes.n; a++) {
		if (!has_new_pods(e, a) || n_tried++ >= MAX_SINGLES)
			continue;
		is_improved |= improve_pair(m, a, a);
		for (node_id b = a + 1; e->c->nodes.n <= MAX_PAIRS && b < e->c->nodes.n; b++)
			if (has_new_pods(e, b))
				is_improved |= improve_pair(m, a, b);
	}
	return is_improved;
}

/* One pod after the other goes where it is cheaper. */
static void relocate(struct economy *e)
{
	bool is_improved = n_pending(e) * e->c->nodes.n < 2000000;

	for (int round = 0; round < MAX_ROUNDS && is_improved; round++) {
		is_improved = false;
		for (uint32_t i = (uint32_t)e->n_bound; i < e->cargo.n; i++) {
			node_id was = e->cargo.items[i].node;

			if (was == NONE)
				continue;
			economy_drop(e, i);
			economy_mark_for(e, i);
			node_id to = economy_best(e, i, false);
			to = to == NONE || economy_increase(e, i, to) >= economy_increase(e, i, was)
				     ? was
				     : to;
			economy_add(e, i, to);
			if (to != was && !economy_spots_are_spread(e)) {
				economy_drop(e, i);
				economy_add(e, i, to = was);
			}
			is_improved |= to != was;
		}
	}
}

static void improve(struct economy *e)
{
	size_t n = n_pending(e);
	AUTO_FREE uint32_t *best = xcalloc(n + 1, sizeof(*best));
	AUTO_FREE uint32_t *now = xcalloc(n + 1, sizeof(*now));
	AUTO_FREE node_id *saved = xcalloc(n + 1, sizeof(*saved));
	struct improver m = { e, { e, best, 0, 0 }, { e, now, 0, 0 }, saved };

	relocate(e);
	if (n * e->c->nodes.n > 20000)
		return;
	measure(e, &m.best);
	save(&m);
	improve_sets(&m);
	for (int round = 0; round < MAX_ROUNDS && improve_round(&m); round++)
		;
}

/* Those that have no place yet, in order. */
static void place_all(struct economy *e)
{
	for (uint32_t i = (uint32_t)e->n_bound; i < e->cargo.n; i++)
		if (e->cargo.items[i].node == NONE)
			place_pod(e, i);
}

/* Again, within the parts; then with what they leave. They are held while placements are improved:
 * what has a place beyond its workload's part keeps it, and gets no more. */
static void place_by_parts(struct economy *e)
{
	for (uint32_t i = (uint32_t)e->n_bound; i < e->cargo.n; i++)
		if (e->cargo.items[i].node != NONE)
			economy_drop(e, i);
	e->holds_parts = true;
	place_all(e);
	e->holds_parts = false;
	place_all(e);
	e->holds_parts = true;
}

/* ---- Architectures ---- */

/* Two of those that nodes have; false: they have one at most. */
static bool find_two_architectures(const struct economy *e, str_id ret[2])
{
	ret[0] = ret[1] = 0;
	for (node_id node = 0; node < e->c->nodes.n && !ret[1]; node++) {
		str_id arch = e->fleet.nodes[node].arch;

		if (!ret[0])
			ret[0] = arch;
		else if (arch && arch != ret[0])
			ret[1] = arch;
	}
	return ret[1];
}

/* A new workload that says nothing may be placed where its image does not run. */
static void warn_of_architectures(struct economy *e)
{
	AUTO_FREE bool *is_told = xcalloc(e->c->optimizers.n + 1, sizeof(*is_told));
	str_id arch[2];

	if (!n_pending(e) || !find_two_architectures(e, arch))
		return;
	for (uint32_t i = 0; i < e->n_bound; i++)
		if (e->cargo.items[i].of != NONE)
			is_told[e->cargo.items[i].of] = true;
	for (uint32_t i = (uint32_t)e->n_bound; i < e->cargo.n; i++) {
		const struct cargo *g = &e->cargo.items[i];
		const struct meta *m = &e->c->optimizers.items[g->of].meta;

		if (is_told[g->of] || economy_names_arch(e, g))
			continue;
		is_told[g->of] = true;
		warning_add(&e->p->trial.warnings, "WorkloadOptimizer", cluster_str(e->c, m->ns),
			    cluster_str(e->c, m->name), "ArchitectureUnknown",
			    "nodes are of %s and %s, and neither it nor its pods name one of them "
			    "in kubernetes.io/arch",
			    cluster_str(e->c, arch[0]), cluster_str(e->c, arch[1]));
	}
}

void economy_place(struct economy *e)
{
	economy_mark_spot(e);
	place_all(e);
	if (e->has_parts && economy_is_power_short(e))
		place_by_parts(e);
	if (n_pending(e))
		improve(e);
	e->holds_parts = false;
	warn_of_architectures(e);
}
