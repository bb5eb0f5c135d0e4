/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/auto.h"
#include "base/decimal.h"
#include "model/pdb.h"
#include "plan/economy/held.h"
#include "plan/economy/mover.h"
#include "plan/economy/scaling.h"

/* Running pods are moved where that is worth it: whole nodes are emptied, then pods go alone. The
 * place that a pod leaves stays taken. */

/* Least savings: micro-USD per hour, and the part of what the moved pods cost. */
enum { LEAST_SAVING = 1000, LEAST_PART = 100 };

/* A move is worth it when its part of the pool's cost is at least this part of its disruption. */
enum { WORTH = 2 };

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

		g->disruption = mover_disruption(e, g);
		g->is_movable = !mover_refusal(e, g);
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

static bool pdb_lets_go(const struct economy *e, pod_id pod)
{
	struct pdb_cover cover = e->covers[pod];

	return !cover.is_several && evictions_allow(&e->p->trial.evictions, pod, cover.pdb);
}

bool mover_may_move_now(const struct mover *m, const struct cargo *g, size_t n_moved)
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

/* To `to`, or to the best node if that is NONE. */
static bool move(struct mover *m, uint32_t cargo, node_id to, bool only_used, steps *done,
		 int64_t *delta)
{
	struct economy *e = m->e;
	struct cargo *g = &e->cargo.items[cargo];
	node_id from = g->node;

	if (!mover_may_move_now(m, g, done->n))
		return false;
	int64_t saved = leaving_saves(e, cargo);
	economy_mark_for(e, cargo);
	economy_take(e, cargo);
	to = to == NONE ? economy_best(e, cargo, only_used) : to;
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

bool mover_move(struct mover *m, uint32_t cargo, bool only_used, steps *done, int64_t *delta)
{
	return move(m, cargo, NONE, only_used, done, delta);
}

bool mover_move_to(struct mover *m, uint32_t cargo, node_id to, steps *done, int64_t *delta)
{
	return move(m, cargo, to, true, done, delta);
}

void mover_undo(struct mover *m, steps *done, size_t n)
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

struct burden mover_burden(const struct economy *e, uint32_t cargo, node_id from)
{
	const struct cargo *g = &e->cargo.items[cargo];

	return (struct burden){ g->disruption, fleet_share(&e->fleet.nodes[from], g->billed) };
}

bool mover_is_worth(const struct mover *m, node_id from, struct burden b, int64_t saving)
{
	const struct pool *pool = &m->pools.items[m->pool_of[from]];

	return saving >= LEAST_SAVING && saving >= b.share / LEAST_PART &&
	       (__int128)saving * WORTH * pool->disruption >= (__int128)pool->cost * b.disruption;
}

void mover_commit(struct mover *m, const steps *done, size_t first, enum reason reason,
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
}

/* Each of them is noted, also where one waits, unless an alert keeps them where they are. */
bool mover_is_confirmed(const struct mover *m, const steps *done, size_t first)
{
	const struct economy *e = m->e;
	const struct cluster *c = e->c;
	bool is_kept = mover_keeps_alerts(m), is_confirmed = is_kept;

	for (size_t i = first; is_kept && e->p->held && i < done->n; i++) {
		const struct cargo *g = &e->cargo.items[done->items[i].cargo];

		is_confirmed &= held_confirm(
			e->p->held, cluster_str(c, c->pods.items[g->pod].meta.uid), c->taken_at);
	}
	return is_confirmed;
}

struct undecided {
	const struct cluster *c;
	const bool *is_uid; /* by str_id */
};

static bool is_undecided(const char *uid, const void *arg)
{
	const struct undecided *u = arg;
	str_id id = intern_find(&u->c->strings, uid, strlen(uid));

	return id != INTERN_NONE && u->is_uid[id];
}

/* A workload that scales is not moved in the same plan, and keeps its node from being emptied. */
static void keep_undecided(const struct economy *e)
{
	const struct cluster *c = e->c;
	AUTO_FREE bool *is_uid = xcalloc(c->strings.n + 1, sizeof(*is_uid));
	AUTO_FREE bool *scales = xcalloc(c->nodes.n + 1, sizeof(*scales));
	const struct undecided u = { c, is_uid };

	for (uint32_t i = 0; i < e->n_bound; i++) {
		const struct cargo *g = &e->cargo.items[i];

		scales[g->origin] |= g->of != NONE && scaling_changes(&e->scalings[g->of]);
	}
	for (uint32_t i = 0; i < e->n_bound; i++) {
		const struct cargo *g = &e->cargo.items[i];

		is_uid[c->pods.items[g->pod].meta.uid] |= scales[g->origin];
	}
	held_keep(e->p->held, is_undecided, &u);
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
	struct burden burden = mover_burden(e, cargo, from);
	steps done = { 0 };
	int64_t delta = 0;

	/* The pods of a node that is to be emptied go together; one that goes away anyway saves
	 * nothing when they leave sooner. */
	if (e->sites[from].is_closed || e->fleet.nodes[from].leaving ||
	    !mover_may_move_now(m, g, 0) ||
	    !mover_is_worth(m, from, burden,
			    leaving_saves(e, cargo) - economy_least_increase(e, cargo)))
		return;
	bool is_good = mover_move(m, cargo, true, &done, &delta);
	/* Not from one spot node to another one, for the price alone. */
	is_good = is_good && !(is_spot(e, from) && is_spot(e, g->node)) &&
		  mover_is_worth(m, from, burden, -delta) && mover_is_confirmed(m, &done, 0);
	if (is_good) {
		bool is_greener =
			fleet_share(&e->fleet.nodes[g->node], g->billed) >=
				fleet_share(&e->fleet.nodes[from], g->billed) &&
			e->fleet.nodes[g->node].green_ppm > e->fleet.nodes[from].green_ppm;

		mover_commit(m, &done, 0, is_greener ? REASON_GREENER : REASON_CHEAPER, -delta);
		m->pods_left--;
	} else {
		mover_undo(m, &done, 0);
	}
	array_done(&done);
}

static void move_singles(struct mover *m, bool is_for_limits)
{
	struct economy *e = m->e;

	for (uint32_t i = 0; i < e->n_bound && m->pods_left; i++)
		if (!is_for_limits || economy_is_over_cost(e, e->cargo.items[i].of))
			move_single(m, i);
}

/* Pods of workloads that cost more than a limit allows have the first of what is moved at a time.
 * Of a few nodes the set to be emptied is the one that saves most all the same. */
static void consolidate(struct mover *m)
{
	mover_close_nodes(m);
	move_singles(m, true);
	move_singles(m, false);
}

/* ---- Spot nodes that are about to go ---- */

static bool is_interrupted(const struct economy *e, const struct cargo *g)
{
	return e->fleet.nodes[g->origin].is_interrupted &&
	       !(g->of != NONE && e->accounts[g->of].stays_interrupted);
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
		if (mover_move(m, i, false, &done, &delta))
			mover_commit(m, &done, 0, reason, -delta);
		m->pods_left--;
	}
	array_done(&done);
}

void economy_move(struct economy *e)
{
	AUTO_FREE uint32_t *pool_of = xcalloc(e->c->nodes.n + 1, sizeof(*pool_of));
	AUTO_FREE bool *is_owner_moving = xcalloc(e->c->strings.n + 1, sizeof(*is_owner_moving));
	struct mover m = { .e = e, .pool_of = pool_of, .is_owner_moving = is_owner_moving };

	for (node_id node = 0; node < e->c->nodes.n; node++)
		e->sites[node].is_used_before = e->sites[node].n_in_use > 0;
	read_pools(&m);
	leave(&m, economy_has_failed, REASON_ROLLED_BACK);
	leave(&m, is_interrupted, REASON_SPOT_INTERRUPTED);
	if (!e->p->trial.evictions.closed) {
		mover_heed_alerts(&m);
		if (e->settings->optimise.consolidate != CONSOLIDATE_NONE)
			consolidate(&m);
	}
	if (e->p->held && e->p->held->list.n)
		keep_undecided(e);
	array_done(&m.watched);
	array_done(&m.pools);
}
