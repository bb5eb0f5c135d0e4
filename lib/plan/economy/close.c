/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/decimal.h"
#include "plan/economy/mover.h"

/* Whole nodes are emptied: of a few candidates the best set, of many one after the other. */

enum { MAX_SUBSET_NODES = 8 };

/* Has it a pod of a workload that is over a limit of cost? */
static bool is_over(const struct economy *e, node_id node)
{
	array_each(i, &e->sites[node].cargo)
		if (economy_is_over_cost(e, e->cargo.items[*i].of))
			return true;
	return false;
}

static bool may_close(const struct mover *m, node_id node)
{
	const struct economy *e = m->e;
	const struct fleet_node *n = &e->fleet.nodes[node];
	bool is_ours = e->settings->optimise.consolidate == CONSOLIDATE_ALL || !n->is_consolidated;

	if (!n->is_removable || n->is_kept || !is_ours || n->leaving || !e->sites[node].n_in_use)
		return false;
	array_each(i, &e->sites[node].cargo) {
		const struct cargo *g = &e->cargo.items[*i];

		if (g->counts && !g->is_movable)
			return false;
	}
	return true;
}

static int larger_first(const void *x, const void *y, void *arg)
{
	const struct economy *e = arg;
	const struct cargo *a = &e->cargo.items[*(const uint32_t *)x];
	const struct cargo *b = &e->cargo.items[*(const uint32_t *)y];

	if (a->load.cpu_milli != b->load.cpu_milli)
		return a->load.cpu_milli > b->load.cpu_milli ? -1 : 1;
	if (a->load.memory != b->load.memory)
		return a->load.memory > b->load.memory ? -1 : 1;
	return a->pod < b->pod ? -1 : a->pod > b->pod;
}

/* Could all of these pods leave, and would it be worth it where J grows least elsewhere? */
static bool may_be_worth(struct mover *m, node_id node, const uint32_t *list, size_t n,
			 size_t n_moved, struct burden *ret)
{
	struct economy *e = m->e;
	int64_t most = economy_node_cost(e, node);

	*ret = (struct burden){ .disruption = MICRO };
	for (size_t i = 0; i < n; i++) {
		if (!e->cargo.items[list[i]].counts)
			continue;
		if (!mover_may_move_now(m, &e->cargo.items[list[i]], n_moved++))
			return false;
		struct burden b = mover_burden(e, list[i], node);
		ret->disruption += b.disruption;
		ret->share += b.share;
		most += economy_penalty(e, list[i], node) - economy_least_increase(e, list[i]);
	}
	return mover_is_worth(m, node, *ret, most);
}

/* Empties the node, if that is worth it; *total gets what it saves. */
static bool close_node(struct mover *m, node_id node, steps *done, int64_t *total)
{
	struct economy *e = m->e;
	struct pool *pool = &m->pools.items[m->pool_of[node]];
	struct site *site = &e->sites[node];
	size_t n = site->cargo.n, first = done->n;
	AUTO_FREE uint32_t *list = xcalloc(n + 1, sizeof(*list));
	struct burden burden;
	int64_t delta = 0;

	memcpy(list, site->cargo.items, n * sizeof(*list));
	if (!pool->nodes_left || !may_be_worth(m, node, list, n, first, &burden))
		return false;
	qsort_r(list, n, sizeof(*list), larger_first, e);
	bool is_done = true;
	for (size_t i = 0; i < n && is_done; i++)
		is_done = !e->cargo.items[list[i]].counts ||
			  mover_move(m, list[i], true, done, &delta);
	if (!is_done || done->n == first || !mover_is_worth(m, node, burden, -delta)) {
		mover_undo(m, done, first);
		return false;
	}
	pool->nodes_left--;
	*total -= delta;
	return true;
}

/* Tries to close the nodes of a set in order: all or nothing. */
static bool close_set(struct mover *m, const node_id *nodes, size_t n, bool is_backward,
		      steps *done, int64_t *total)
{
	struct economy *e = m->e;
	size_t n_closed = 0;

	for (size_t i = 0; i < n; i++)
		e->sites[nodes[i]].is_closed = true;
	for (size_t i = 0; i < n; i++)
		if (close_node(m, nodes[is_backward ? n - 1 - i : i], done, total))
			n_closed++;
		else
			break;
	for (size_t i = 0; i < n && n_closed < n; i++)
		e->sites[nodes[i]].is_closed = false;
	return n_closed == n;
}

static void reopen(struct mover *m, const node_id *nodes, size_t n, steps *done)
{
	mover_undo(m, done, 0);
	for (size_t i = 0; i < n; i++)
		m->e->sites[nodes[i]].is_closed = false;
}

static void restore_pools(struct mover *m, const uint32_t *left)
{
	for (size_t i = 0; i < m->pools.n; i++)
		m->pools.items[i].nodes_left = left[i];
}

static size_t pick(const node_id *from, size_t n, unsigned bits, node_id ret[MAX_SUBSET_NODES])
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (bits >> i & 1)
			ret[k++] = from[i];
	return k;
}

/* A node that waits for being emptied takes no other pods meanwhile. */
static void commit_or_wait(struct mover *m, steps *done, size_t first, int64_t saving)
{
	if (done->n == first)
		return;
	if (mover_is_confirmed(m, done, first)) {
		mover_commit(m, done, first, REASON_NODE_CLOSED, saving);
		return;
	}
	m->pools.items[m->pool_of[done->items[first].from]].nodes_left++;
	mover_undo(m, done, first);
}

/* Every set of a few candidates is tried. */
static void close_best_set(struct mover *m, const node_id *candidates, size_t n)
{
	AUTO_FREE uint32_t *left = xcalloc(m->pools.n + 1, sizeof(*left));
	int64_t most = 0;
	unsigned best = 0;
	bool best_backward = false;
	node_id set[MAX_SUBSET_NODES];
	steps done = { 0 };

	for (size_t i = 0; i < m->pools.n; i++)
		left[i] = m->pools.items[i].nodes_left;
	for (unsigned bits = 1; bits < 1u << n; bits++) {
		size_t k = pick(candidates, n, bits, set);

		for (int backward = 0; backward < (k > 1 ? 2 : 1); backward++) {
			int64_t total = 0;
			bool is_all = close_set(m, set, k, backward, &done, &total);

			if (is_all && total > most) {
				most = total;
				best = bits;
				best_backward = backward;
			}
			reopen(m, set, k, &done);
			restore_pools(m, left);
		}
	}
	if (best) {
		size_t k = pick(candidates, n, best, set);

		for (size_t i = 0; i < k; i++)
			m->e->sites[set[i]].is_closed = true;
		for (size_t i = 0; i < k; i++) {
			int64_t saving = 0;
			size_t first = done.n;

			close_node(m, set[best_backward ? k - 1 - i : i], &done, &saving);
			commit_or_wait(m, &done, first, saving);
		}
		m->pods_left -= (uint32_t)done.n;
	}
	array_done(&done);
}

struct ranked {
	node_id node;
	bool is_over;
	int64_t cost, disruption;
};

/* Those of workloads over a limit first, then most cost for the disruption. */
static int by_ratio(const void *x, const void *y)
{
	const struct ranked *a = x, *b = y;
	__int128 left = (__int128)a->cost * b->disruption,
		 right = (__int128)b->cost * a->disruption;

	if (a->is_over != b->is_over)
		return a->is_over ? -1 : 1;
	if (left != right)
		return left > right ? -1 : 1;
	return a->node < b->node ? -1 : a->node > b->node;
}

static void close_in_order(struct mover *m, const struct ranked *order, size_t n)
{
	steps done = { 0 };

	for (size_t i = 0; i < n && m->pods_left; i++) {
		int64_t saving = 0;

		array_clear(&done);
		m->e->sites[order[i].node].is_closed = true;
		if (!close_node(m, order[i].node, &done, &saving)) {
			m->e->sites[order[i].node].is_closed = false;
			continue;
		}
		commit_or_wait(m, &done, 0, saving);
		m->pods_left -= (uint32_t)done.n;
	}
	array_done(&done);
}

void mover_close_nodes(struct mover *m)
{
	struct economy *e = m->e;
	AUTO_FREE struct ranked *order = xcalloc(e->c->nodes.n + 1, sizeof(*order));
	node_id few[MAX_SUBSET_NODES];
	size_t n = 0;

	for (node_id node = 0; node < e->c->nodes.n; node++) {
		if (!may_close(m, node))
			continue;
		if (n < MAX_SUBSET_NODES)
			few[n] = node;
		order[n] = (struct ranked){ node, is_over(e, node), economy_node_cost(e, node),
					    MICRO };
		array_each(i, &e->sites[node].cargo)
			if (e->cargo.items[*i].counts)
				order[n].disruption += e->cargo.items[*i].disruption;
		n++;
	}
	if (n <= MAX_SUBSET_NODES) {
		close_best_set(m, few, n);
		return;
	}
	qsort(order, n, sizeof(*order), by_ratio);
	close_in_order(m, order, n);
}
