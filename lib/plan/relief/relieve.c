/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/relief/relieve.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/date.h"
#include "base/names.h"
#include "model/heartbeat.h"
#include "plan/node_index.h"
#include "plan/relief/relieve_internal.h"
#include "plan/replacement.h"

/* ---- Readings of nodes and pods ---- */

int64_t relieve_degraded_since(const struct cluster *c, const struct pod *pod)
{
	str_id note =
		pod->annotations == NONE ? NONE : c->annotations.items[pod->annotations].degraded;
	int64_t since = 0;

	if (note == NONE)
		return -1;
	date_parse(cluster_str(c, note), intern_len(&c->strings, note), &since);
	return since;
}

/* ---- One node ---- */

/* The node waits: time alone may change the plan then. */
static void requeue_after(const struct pressured_node *x, int64_t seconds)
{
	if (seconds <= INT32_MAX && (!x->r->requeue_after || seconds < x->r->requeue_after))
		x->r->requeue_after = (uint32_t)seconds;
}

/* Have `seconds` passed since then? `unknown` where the snapshot has no time. */
static bool has_passed(const struct pressured_node *x, int64_t since, uint32_t seconds,
		       bool unknown)
{
	int64_t now = x->p->trial.c->taken_at;

	if (!now)
		return unknown;
	if (now - since < seconds)
		requeue_after(x, since + seconds - now);
	return now - since >= seconds;
}

static const struct node *node_of(const struct pressured_node *x)
{
	return &x->p->trial.c->nodes.items[x->node];
}

static int64_t degraded_since(const struct pressured_node *x, const struct unit *u)
{
	return relieve_degraded_since(x->p->trial.c, unit_pod(&x->p->trial, u));
}

static bool is_lesser(const struct pressured_node *x, const struct unit *u)
{
	return stays(u) && x->protected && u->rank < x->protected->rank;
}

/* Has the last step had its time to help? */
static bool is_step_due(const struct pressured_node *x)
{
	uint32_t seconds = x->p->trial.settings->pressure.step_seconds;

	if (x->taint && !has_passed(x, x->taint->added, seconds, false))
		return false;
	for (uint32_t i = 0; i < n_units(x); i++) {
		int64_t since = degraded_since(x, unit_at(x, i));

		if (since >= 0 && !has_passed(x, since, seconds, false))
			return false;
	}
	return true;
}

/* What degrading it would take from its cores, in ppm of one core. */
static int64_t gain_of(const struct trial *t, const struct unit *u)
{
	const struct budget *b = unit_budget(t, u);
	int64_t less = budget_runtime(b, (enum level)unit_request(t, u)->level) - b->floor;

	return less * PPM / b->period * u->core_count;
}

static bool degrade(const struct pressured_node *x)
{
	int64_t excess = pressure_excess(x->p->trial.c, node_of(x), x->p->trial.settings);
	int64_t freed = 0;

	for (uint32_t i = n_units(x); i-- > 0 && freed < excess;) {
		const struct unit *u = unit_at(x, i);
		int64_t gain = is_lesser(x, u) ? gain_of(&x->p->trial, u) : 0;

		if (gain <= 0 || degraded_since(x, u) >= 0)
			continue;
		*mark_of(x, u) = RELIEF_DEGRADE;
		freed += gain;
	}
	return freed > 0;
}

static place_id find_replacement(struct planner *p, const struct unit *u)
{
	replacement_hold(&p->trial, true);
	place_id replacement = index_best(p, u, u->node);
	replacement_hold(&p->trial, false);
	return replacement;
}

/* Evicts the pod if the settings allow it: PRESSURE_EVICT_CONTROLLED only with a replacement. */
static bool evict(const struct pressured_node *x, struct unit *u)
{
	struct planner *p = x->p;
	struct trial *t = &p->trial;
	unit_id id = (unit_id)(u - t->units.items);
	place_id at = u->at, replacement = NONE;

	if (t->settings->pressure.evict == PRESSURE_EVICT_NONE || !is_lesser(x, u) ||
	    u->at != u->origin || !trial_may_evict(t, u))
		return false;
	trial_unassign(t, id);
	trial_evict(t, id);
	planner_refresh(p, u->node);
	if (u->is_reschedulable)
		replacement = find_replacement(p, u);
	if (replacement == NONE && t->settings->pressure.evict != PRESSURE_EVICT_ALL) {
		trial_unevict(t, id);
		trial_assign(t, id, at);
		planner_refresh(p, u->node);
		return false;
	}
	u->replacement = replacement;
	return true;
}

/* The last resort. True: the node's taint is written, which says when that was. */
static bool taint_and_evict(struct pressured_node *x)
{
	bool has_lesser = false;

	for (uint32_t i = n_units(x); i-- > 0;) {
		struct unit *u = unit_at(x, i);

		has_lesser |= is_lesser(x, u);
		if (!evict(x, u))
			continue;
		*mark_of(x, u) = RELIEF_EVICT;
		return true;
	}
	return has_lesser && !x->taint;
}

static bool may_restore(const struct pressured_node *x, const struct unit *u)
{
	return stays(u) &&
	       (x->pressure == PRESSURE_CALM || (x->pressure == PRESSURE_BUSY && !is_lesser(x, u)));
}

static void restore(const struct pressured_node *x)
{
	for (uint32_t i = 0; x->has_noted && i < n_units(x); i++) {
		const struct unit *u = unit_at(x, i);
		int64_t since = may_restore(x, u) ? degraded_since(x, u) : -1;

		if (since >= 0 &&
		    has_passed(x, since, x->p->trial.settings->pressure.hold_seconds, true))
			*mark_of(x, u) = RELIEF_RESTORE;
	}
}

/* The other half of relieve_raise(): what was raised comes down when the node is calm. */
static void lower(const struct pressured_node *x)
{
	for (uint32_t i = 0; i < n_units(x); i++) {
		const struct unit *u = unit_at(x, i);

		if (stays(u) && unit_request(&x->p->trial, u)->level > LEVEL_LOW &&
		    (!is_degraded(x, u) || *mark_of(x, u) == RELIEF_RESTORE))
			*mark_of(x, u) = RELIEF_LOWER;
	}
}

/* ---- The guarantee ---- */

/* Is the cell over what the kernel grants, in any mode? (That mode Low may have less is for the
 * placing of pods.) */
static bool is_over(const struct trial *t, const struct cell *cell)
{
	const struct node_capacity *node =
		&t->cap.nodes.items[cell->node]; /* the cell may be closed */

	for (int k = 0; k < LEVELS; k++)
		if (cell->used[0][k] > node->cap[LEVEL_HIGH])
			return true;
	return false;
}

bool relieve_breaks_guarantee(const struct trial *t, node_id node)
{
	struct range cores = t->cap.nodes.items[node].cores;

	if (!t->settings->pressure.enabled)
		return false;

	for (uint32_t i = cores.at; i < cores.at + cores.n; i++) {
		cell_id cell = t->cell_of_core[i];

		if (!cell_holds(&t->cells[cell], 0) && is_over(t, &t->cells[cell]))
			return true;
	}
	return false;
}

/* The kernel does not hold what the pod was granted, and this plan grants nothing else. */
static bool was_refused(const struct pressured_node *x, const struct unit *u)
{
	const struct trial *t = &x->p->trial;

	return stays(u) && u->at == u->origin &&
	       unit_request(t, u)->assignment == ASSIGNMENT_CURRENT &&
	       pressure_is_refused(t->c, unit_pod(t, u));
}

/* The most critical pod whose budget was refused; NULL: none. */
static const struct unit *find_refused(const struct pressured_node *x)
{
	if (helper_state(x->p->trial.c, node_of(x)) == HELPER_SILENT)
		return NULL;
	for (uint32_t i = 0; x->has_noted && i < n_units(x); i++)
		if (was_refused(x, unit_at(x, i)))
			return unit_at(x, i);
	return NULL;
}

static enum node_relief taint(const struct pressured_node *x, bool is_refused)
{
	const struct trial *t = &x->p->trial;

	if (relieve_breaks_guarantee(t, x->node) || (is_refused && t->settings->pressure.enabled))
		return x->taint ? NODE_RELIEF_NONE : NODE_RELIEF_GUARANTEE;
	if (!x->taint || x->pressure != PRESSURE_CALM ||
	    !has_passed(x, x->taint->added, x->p->trial.settings->pressure.hold_seconds, true))
		return NODE_RELIEF_NONE;
	return NODE_RELIEF_UNTAINT;
}

/* One step on a busy node; the relief of the node itself that goes with it. */
static enum node_relief take_step(struct pressured_node *x)
{
	if (!is_step_due(x))
		return NODE_RELIEF_NONE;
	if (relieve_evict_cfs(x))
		return NODE_RELIEF_TAINT_FIRST;
	if (degrade(x))
		return NODE_RELIEF_NONE;
	return taint_and_evict(x) ? NODE_RELIEF_TAINT : NODE_RELIEF_NONE;
}

/* The pod that the others yield to: where only a budget was refused, the one that it belongs to. */
static void choose_protected(struct pressured_node *x, const struct unit *refused)
{
	const struct trial *t = &x->p->trial;
	unit_id *protected = &x->r->protected_on[x->node];

	if (refused && t->settings->pressure.trigger == PRESSURE_REAL_TIME &&
	    pressure_lost(t->c, node_of(x)) == 0)
		*protected = (unit_id)(refused - t->units.items);
	if (*protected != NONE)
		x->protected = &t->units.items[*protected];
}

static void relieve_node(struct pressured_node *x)
{
	const struct trial *t = &x->p->trial;
	const struct unit *refused = find_refused(x);
	bool is_raise = t->settings->pressure.on_busy == PRESSURE_RAISE;
	enum node_relief relief = NODE_RELIEF_NONE;

	x->taint = cluster_taint(t->c, node_of(x), MCKUBE_TAINT);
	x->pressure = pressure_of(t->c, node_of(x), t->settings, refused);
	choose_protected(x, refused);
	if (x->pressure == PRESSURE_SOON)
		requeue_after(x, t->settings->pressure.delay_seconds);
	if (x->pressure == PRESSURE_BUSY && is_raise)
		relieve_raise(x);
	else if (x->pressure == PRESSURE_BUSY)
		relief = take_step(x);
	if (x->pressure != PRESSURE_BUSY || !is_raise)
		restore(x);
	if (x->pressure == PRESSURE_CALM && is_raise && t->settings->pressure.enabled)
		lower(x);
	if (n_units(x) > 0 && helper_seconds_left(t->c, node_of(x)) > 0)
		requeue_after(x, helper_seconds_left(t->c, node_of(x)));
	x->r->pressure_of[x->node] = (uint8_t)x->pressure;
	x->r->of_node[x->node] = (uint8_t)(relief == NODE_RELIEF_NONE ? taint(x, refused) : relief);
}

/* The most important pod on each node in the end, also a new one. */
static void find_protected(const struct trial *t, unit_id *protected_on)
{
	memset(protected_on, 0xff, t->c->nodes.n * sizeof(*protected_on)); /* NONE */
	for (uint32_t turn = 0; turn < t->units.n; turn++) {
		unit_id id = t->by_turn[turn];
		const struct unit *u = &t->units.items[id];
		bool is_there = u->kind != UNIT_FIXED && u->at != NONE;
		node_id node = is_there ? t->places.items[u->at].node : NONE;

		if (node != NONE && protected_on[node] == NONE)
			protected_on[node] = id;
	}
}

/* Most nodes have no such pod, and then nothing of theirs needs to be looked at: all pods are gone
 * through once, in the order in which they lie in memory. */
static void find_noted(const struct trial *t, bool *has_noted)
{
	array_each(u, &t->units) {
		const struct pod *pod = unit_pod(t, u);

		if (u->node != NONE &&
		    (relieve_degraded_since(t->c, pod) >= 0 || pressure_is_refused(t->c, pod)))
			has_noted[u->node] = true;
	}
}

void relieve(struct planner *p)
{
	struct reliefs *r = &p->reliefs;
	size_t n_nodes = p->trial.c->nodes.n;
	AUTO_FREE bool *has_noted = xcalloc(n_nodes, sizeof(*has_noted));

	r->of_unit = xcalloc(p->trial.units.n, sizeof(*r->of_unit));
	r->of_node = xcalloc(n_nodes, sizeof(*r->of_node));
	r->pressure_of = xcalloc(n_nodes, sizeof(*r->pressure_of));
	r->protected_on = xcalloc(n_nodes, sizeof(*r->protected_on));
	r->cfs_on = xcalloc(n_nodes, sizeof(*r->cfs_on));
	memset(r->cfs_on, 0xff, n_nodes * sizeof(*r->cfs_on)); /* NONE */
	find_protected(&p->trial, r->protected_on);
	find_noted(&p->trial, has_noted);
	for (node_id node = 0; node < n_nodes; node++)
		relieve_node(&(struct pressured_node){
			.p = p,
			.r = r,
			.node = node,
			.has_noted = has_noted[node],
		});
}

void reliefs_done(struct reliefs *r)
{
	free(r->of_unit);
	free(r->of_node);
	free(r->pressure_of);
	free(r->protected_on);
	free(r->cfs_on);
	free(r->covers);
	*r = (struct reliefs){ 0 };
}
