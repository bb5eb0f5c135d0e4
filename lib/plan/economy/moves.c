/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/date.h"
#include "base/decimal.h"
#include "model/pdb.h"
#include "plan/economy/kinds.h"
#include "plan/economy/scaling.h"

/* Running pods are moved where that is worth it: whole nodes are emptied, then pods go alone. The
 * place that a pod leaves stays taken. */

enum { MAX_SUBSET_NODES = 8, MAX_SINGLE_ROUNDS = 64 };

/* Least savings: micro-USD per hour, and the part of what the moved pods cost. */
enum { LEAST_SAVING = 1000, LEAST_PART = 100 };

/* A move is worth it when its part of the pool's cost is at least this part of its disruption. */
enum { WORTH = 2 };

enum { COOLDOWN_SECONDS = 1800, MAX_COOLDOWNS = 8, MAX_AGE_SECONDS = 4 * 3600 };

struct pool {
	str_id name;
	int64_t cost, disruption; /* in the snapshot */
	uint32_t n_nodes, nodes_left;
};

struct mover {
	struct economy *e;
	ARRAY(struct pool) pools;
	uint32_t *pool_of; /* by node_id */
	uint32_t pods_left;
	str_id replica_set;
	bool *is_owner_moving; /* by owner_uid: a pod without an optimizer moves */
};

/* What was moved, to take it back. */
struct step {
	uint32_t cargo;
	node_id from;
};
typedef ARRAY(struct step) steps;

/* ---- Which pods may move ---- */

static const char *text_of(const struct economy *e, str_id id)
{
	return id == NONE ? NULL : cluster_str(e->c, id);
}

static bool says(const char *text, const char *word)
{
	return text && strcmp(text, word) == 0;
}

/* 30 minutes after a move, twice as long for each further one of the last day. */
static bool is_within_cooldown(const struct economy *e, int64_t moved, long n)
{
	long doubled = n < 1 ? 0 : (n < MAX_COOLDOWNS ? n : MAX_COOLDOWNS) - 1;

	return e->c->taken_at < moved + ((int64_t)COOLDOWN_SECONDS << doubled);
}

static bool is_cooling(const struct economy *e, const struct pod_annotations *a)
{
	const char *at = text_of(e, a->moved_at), *moves = text_of(e, a->moves);
	int64_t moved = 0;

	return at && date_parse(at, strlen(at), &moved) &&
	       is_within_cooldown(e, moved, moves ? strtol(moves, NULL, 10) : 1);
}

/* What replaces a pod that was moved is no older than the last move of its workload. */
static bool may_have_moved(const struct economy *e, const struct cargo *g)
{
	const struct optimizer *o = g->of == NONE ? NULL : &e->c->optimizers.items[g->of];

	return o && o->moved_at && e->c->pods.items[g->pod].meta.created >= o->moved_at &&
	       is_within_cooldown(e, o->moved_at, o->moves);
}

static bool is_marked(const struct economy *e, const struct pod *pod)
{
	if (pod->annotations == NONE)
		return false;
	const struct pod_annotations *a = &e->c->annotations.items[pod->annotations];
	const char *disrupt = text_of(e, a->do_not_disrupt);

	return (disrupt && strcmp(disrupt, "false") != 0) ||
	       says(text_of(e, a->safe_to_evict), "false") || a->no_eviction != NONE ||
	       says(text_of(e, a->is_disabled), "true") || is_cooling(e, a);
}

static bool pdb_lets_go(const struct economy *e, pod_id pod)
{
	struct pdb_cover cover = e->covers[pod];

	return !cover.is_several && evictions_allow(&e->p->trial.evictions, pod, cover.pdb);
}

static bool may_move(const struct mover *m, const struct cargo *g)
{
	const struct economy *e = m->e;
	const struct trial *t = &e->p->trial;
	const struct pod *pod = &e->c->pods.items[g->pod];
	const struct rules *rules = &e->c->rules.items[pod->rules];
	const struct account *a = g->of == NONE ? NULL : &e->accounts[g->of];

	if (pod->node == NONE || pod->node != g->origin || t->req.of_pod[g->pod] != NONE ||
	    t->unit_of_pod[g->pod] != NONE || trial_is_untouchable(t, pod) ||
	    trial_may_not_evict(t, pod))
		return false;
	if (g->has_failed)
		return a && !a->is_suspended && !a->is_exhausted;
	if (may_have_moved(e, g) || (a && a->is_in_flight) || (!a && !pod->is_ours) ||
	    (a && (a->is_suspended || a->is_exhausted)))
		return false;
	if (!pod->owner_kind ||
	    (pod->owner_kind != m->replica_set && pod->owner_kind != t->owner.stateful_set))
		return false;
	return !pod->has_local_data && rules->claims.n == 0 && rules->devices.n == 0 &&
	       !is_marked(e, pod);
}

/* In millionths: Karpenter's eviction cost, and lost work of what starts again from nothing. */
static int64_t disruption_of(const struct economy *e, const struct cargo *g)
{
	const struct pod *pod = &e->c->pods.items[g->pod];
	const char *text =
		pod->annotations == NONE
			? NULL
			: text_of(e, e->c->annotations.items[pod->annotations].deletion_cost);
	int64_t deletion = text ? strtoll(text, NULL, 10) : 0;
	int64_t d =
		MICRO + deletion * MICRO / (1 << 27) + (int64_t)pod->priority * MICRO / (1 << 25);
	bool loses_work =
		g->of != NONE && (e->c->optimizers.items[g->of].type == WORKLOAD_TRAINING ||
				  e->c->optimizers.items[g->of].type == WORKLOAD_BATCH);
	int64_t age =
		pod->started && e->c->taken_at > pod->started ? e->c->taken_at - pod->started : 0;

	d = d < 0 ? 0 : d > 10 * INT64_C(1000000) ? 10 * INT64_C(1000000) : d;
	age = age > MAX_AGE_SECONDS ? MAX_AGE_SECONDS : age;
	return loses_work ? d + d * age / 3600 : d;
}

/* ---- Pools ---- */

static uint32_t find_pool(struct mover *m, str_id name)
{
	for (uint32_t i = 0; i < m->pools.n; i++)
		if (m->pools.items[i].name == name)
			return i;
	*array_add(&m->pools) = (struct pool){ .name = name };
	return (uint32_t)m->pools.n - 1;
}

static uint32_t part_of(uint32_t n, uint32_t ppm)
{
	uint32_t part = (uint32_t)((uint64_t)n * ppm / PPM);

	return part ? part : 1;
}

static void read_pools(struct mover *m)
{
	struct economy *e = m->e;
	uint32_t n_movable = 0;

	for (node_id node = 0; node < e->c->nodes.n; node++) {
		uint32_t id = find_pool(m, e->fleet.nodes[node].pool);

		m->pool_of[node] = id;
		m->pools.items[id].cost += e->sites[node].cost_before;
		m->pools.items[id].disruption += MICRO;
		m->pools.items[id].n_nodes++;
	}
	for (uint32_t i = 0; i < e->n_bound; i++) {
		struct cargo *g = &e->cargo.items[i];

		g->disruption = disruption_of(e, g);
		g->is_movable = may_move(m, g);
		n_movable += g->is_movable;
		if (g->counts)
			m->pools.items[m->pool_of[g->origin]].disruption += g->disruption;
	}
	array_each(pool, &m->pools)
		pool->nodes_left = part_of(pool->n_nodes, e->settings->optimise.disruption_nodes);
	m->pods_left = part_of(n_movable, e->settings->optimise.disruption_pods);
}

/* ---- One pod to another node, and back ---- */

static bool is_workload_moving(const struct mover *m, const struct cargo *g)
{
	if (g->of != NONE)
		return m->e->accounts[g->of].is_moved || scaling_changes(&m->e->scalings[g->of]);
	return m->is_owner_moving[m->e->c->pods.items[g->pod].owner_uid];
}

static void note_move(struct mover *m, const struct cargo *g, bool is_moved)
{
	struct economy *e = m->e;
	pdb_id pdb = e->covers[g->pod].pdb;

	if (g->of != NONE)
		e->accounts[g->of].is_moved = is_moved;
	else
		m->is_owner_moving[e->c->pods.items[g->pod].owner_uid] = is_moved;
	evictions_count(&e->p->trial.evictions, g->pod, pdb, is_moved ? 1 : -1);
}

static bool may_move_now(const struct mover *m, const struct cargo *g, size_t n_moved)
{
	return g->is_movable && g->node == g->origin && m->pods_left > n_moved &&
	       !is_workload_moving(m, g) && pdb_lets_go(m->e, g->pod);
}

/* What J falls by when the pod leaves its node. */
static int64_t leaving_saves(struct economy *e, uint32_t cargo)
{
	const struct cargo *g = &e->cargo.items[cargo];
	const struct site *site = &e->sites[g->node];
	int64_t after = economy_cost_with(e, g->node, site->cpu - g->load.cpu_milli,
					  site->n_in_use > g->counts,
					  site->n_no_spot > (uint32_t)economy_wants_no_spot(e, g));

	return economy_node_cost(e, g->node) - after + economy_penalty(e, cargo, g->node);
}

/* Moves the pod to the best node, and returns what J changes by; false: nowhere. The place that it
 * leaves stays taken. */
static bool move_pod(struct mover *m, uint32_t cargo, bool only_used, steps *done, int64_t *delta)
{
	struct economy *e = m->e;
	struct cargo *g = &e->cargo.items[cargo];
	node_id from = g->node;

	if (!may_move_now(m, g, done->n))
		return false;
	int64_t saved = leaving_saves(e, cargo);
	economy_mark_for(e, cargo);
	economy_take(e, cargo);
	node_id to = economy_best(e, cargo, only_used);
	if (to == NONE) {
		economy_put(e, cargo, from);
		return false;
	}
	*delta += economy_increase(e, cargo, to) - saved;
	economy_add(e, cargo, to);
	kinds_refresh(e, from);
	note_move(m, g, true);
	*array_add(done) = (struct step){ cargo, from };
	return true;
}

static void undo_moves(struct mover *m, steps *done, size_t n)
{
	struct economy *e = m->e;

	while (done->n > n) {
		struct step s = done->items[--done->n];
		const struct cargo *g = &e->cargo.items[s.cargo];

		economy_drop(e, s.cargo);
		economy_put(e, s.cargo, s.from);
		kinds_refresh(e, s.from);
		note_move(m, g, false);
	}
}

/* ---- What is worth it ---- */

/* Of pods that leave a node together. */
struct burden {
	int64_t disruption, share;
};

static struct burden burden_of(const struct economy *e, uint32_t cargo, node_id from)
{
	const struct cargo *g = &e->cargo.items[cargo];

	return (struct burden){ g->disruption, fleet_share(&e->fleet.nodes[from], g->load) };
}

static bool is_worth(const struct mover *m, node_id from, struct burden b, int64_t saving)
{
	const struct pool *pool = &m->pools.items[m->pool_of[from]];

	return saving >= LEAST_SAVING && saving >= b.share / LEAST_PART &&
	       (__int128)saving * WORTH * pool->disruption >= (__int128)pool->cost * b.disruption;
}

/* ---- Emptying nodes ---- */

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
		if (!may_move_now(m, &e->cargo.items[list[i]], n_moved++))
			return false;
		struct burden b = burden_of(e, list[i], node);
		ret->disruption += b.disruption;
		ret->share += b.share;
		most += economy_penalty(e, list[i], node) - economy_least_increase(e, list[i]);
	}
	return is_worth(m, node, *ret, most);
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
		is_done =
			!e->cargo.items[list[i]].counts || move_pod(m, list[i], true, done, &delta);
	if (!is_done || done->n == first || !is_worth(m, node, burden, -delta)) {
		undo_moves(m, done, first);
		return false;
	}
	pool->nodes_left--;
	*total -= delta;
	return true;
}

static void commit(struct mover *m, const steps *done, size_t first, enum reason reason,
		   int64_t saving)
{
	struct economy *e = m->e;

	e->n_groups++;
	for (size_t i = first; i < done->n; i++) {
		struct cargo *g = &e->cargo.items[done->items[i].cargo];

		g->group = e->n_groups;
		g->reason = (uint8_t)reason;
		g->saving = saving;
	}
	m->pods_left -= (uint32_t)(done->n - first);
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

static void reopen(struct mover *m, const node_id *nodes, size_t n, bool is_backward, size_t n_done,
		   steps *done)
{
	(void)is_backward;
	undo_moves(m, done, n_done);
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
			reopen(m, set, k, backward, 0, &done);
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
			m->pods_left += (uint32_t)first;
			commit(m, &done, first, REASON_NODE_CLOSED, saving);
			m->pods_left -= (uint32_t)first;
			m->pods_left += (uint32_t)done.n;
		}
		m->pods_left -= (uint32_t)done.n;
	}
	array_done(&done);
}

struct ranked {
	node_id node;
	int64_t cost, disruption;
};

/* Most cost for the disruption first. */
static int by_ratio(const void *x, const void *y)
{
	const struct ranked *a = x, *b = y;
	__int128 left = (__int128)a->cost * b->disruption,
		 right = (__int128)b->cost * a->disruption;

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
		if (close_node(m, order[i].node, &done, &saving))
			commit(m, &done, 0, REASON_NODE_CLOSED, saving);
		else
			m->e->sites[order[i].node].is_closed = false;
	}
	array_done(&done);
}

static void close_nodes(struct mover *m)
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
		order[n] = (struct ranked){ node, economy_node_cost(e, node), MICRO };
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

/* ---- Single pods ---- */

static bool is_spot(const struct economy *e, node_id node)
{
	return e->fleet.nodes[node].capacity_type == CAPACITY_SPOT;
}

/* Tries one pod. */
static void move_single(struct mover *m, uint32_t cargo)
{
	struct economy *e = m->e;
	struct cargo *g = &e->cargo.items[cargo];
	node_id from = g->origin;
	struct burden burden = burden_of(e, cargo, from);
	steps done = { 0 };
	int64_t delta = 0;

	if (!may_move_now(m, g, 0) ||
	    !is_worth(m, from, burden, leaving_saves(e, cargo) - economy_least_increase(e, cargo)))
		return;
	bool is_good = move_pod(m, cargo, true, &done, &delta);
	/* Not from one spot node to another one, for the price alone. */
	is_good = is_good && !(is_spot(e, from) && is_spot(e, g->node)) &&
		  is_worth(m, from, burden, -delta);
	if (is_good) {
		bool is_greener =
			fleet_share(&e->fleet.nodes[g->node], g->load) >=
				fleet_share(&e->fleet.nodes[from], g->load) &&
			e->fleet.nodes[g->node].green_ppm > e->fleet.nodes[from].green_ppm;

		commit(m, &done, 0, is_greener ? REASON_GREENER : REASON_CHEAPER, -delta);
	} else {
		undo_moves(m, &done, 0);
	}
	array_done(&done);
}

static void move_singles(struct mover *m)
{
	struct economy *e = m->e;

	for (uint32_t i = 0; i < e->n_bound && m->pods_left; i++)
		move_single(m, i);
}

/* ---- Spot nodes that are about to go ---- */

static bool wants_drain(const struct economy *e, const struct cargo *g)
{
	const struct optimizer *o = g->of == NONE ? NULL : &e->c->optimizers.items[g->of];

	array_each(p, &e->c->cost_policies)
		if (o && (!p->meta.ns || p->meta.ns == o->meta.ns) &&
		    p->interruption == INTERRUPTION_TERMINATE)
			return false;
	return true;
}

static bool is_interrupted(const struct economy *e, const struct cargo *g)
{
	return e->fleet.nodes[g->origin].is_interrupted && wants_drain(e, g);
}

/* Those that have to leave: no limit but the budgets of evictions holds them back. */
static void leave(struct mover *m, bool (*has_to)(const struct economy *e, const struct cargo *g),
		  enum reason reason)
{
	struct economy *e = m->e;
	steps done = { 0 };

	for (uint32_t i = 0; i < e->n_bound; i++) {
		int64_t delta = 0;

		if (!has_to(e, &e->cargo.items[i]))
			continue;
		array_clear(&done);
		m->pods_left++;
		if (move_pod(m, i, false, &done, &delta))
			commit(m, &done, 0, reason, -delta);
		else
			m->pods_left--;
	}
	array_done(&done);
}

void economy_move(struct economy *e)
{
	AUTO_FREE uint32_t *pool_of = xcalloc(e->c->nodes.n + 1, sizeof(*pool_of));
	AUTO_FREE bool *is_owner_moving = xcalloc(e->c->strings.n + 1, sizeof(*is_owner_moving));
	struct mover m = { .e = e, .pool_of = pool_of, .is_owner_moving = is_owner_moving };

	m.replica_set = intern_find(&e->c->strings, "ReplicaSet", 10);
	for (node_id node = 0; node < e->c->nodes.n; node++)
		e->sites[node].is_used_before = e->sites[node].n_in_use > 0;
	read_pools(&m);
	leave(&m, economy_has_failed, REASON_ROLLED_BACK);
	leave(&m, is_interrupted, REASON_SPOT_INTERRUPTED);
	if (e->settings->optimise.consolidate != CONSOLIDATE_NONE) {
		close_nodes(&m);
		move_singles(&m);
	}
	array_done(&m.pools);
}
