/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/relieve.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/date.h"
#include "base/names.h"
#include "base/units.h"
#include "plan/node_index.h"
#include "plan/planner.h"

/* ---- Readings of nodes and pods ---- */

/* A number of at most six digits before the point; what follows the point is dropped. -1: none. */
static int64_t read_number(const char *text)
{
	char *end;
	size_t n = strspn(text, "0123456789");

	if (n == 0 || n > 6)
		return -1;
	int64_t value = strtol(text, &end, 10);
	return *end == '\0' || *end == '.' || *end == '%' ? value : -1;
}

int64_t relieve_usage(const struct cluster *c, const struct node *node)
{
	int64_t percent = read_number(cluster_str(c, node->annotations.cpu_usage));

	return percent < 0 ? -1 : percent * (PPM / PER_CENT);
}

enum pressure relieve_pressure(const struct cluster *c, const struct node *node,
			       const struct settings *settings)
{
	const char *flag = cluster_str(c, node->annotations.is_busy);
	int64_t usage = relieve_usage(c, node);
	int64_t seconds = read_number(cluster_str(c, node->annotations.busy_seconds));
	bool is_flagged = strcmp(flag, "true") == 0;

	if (!is_flagged && (usage < 0 || usage < settings->pressure.calm))
		return PRESSURE_CALM;
	if ((*flag && !is_flagged) || (usage >= 0 && usage < settings->pressure.busy))
		return PRESSURE_BETWEEN;
	return seconds >= 0 && seconds < settings->pressure.delay_seconds ? PRESSURE_SOON
									  : PRESSURE_BUSY;
}

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

/* Does the pod's annotation say that the kernel refused its budget? */
static bool is_budget_refused(const struct cluster *c, const struct pod *pod)
{
	str_id applied =
		pod->annotations == NONE ? NONE : c->annotations.items[pod->annotations].applied;

	return applied != NONE && strcmp(cluster_str(c, applied), "false") == 0;
}

static const struct taint *taint_of(const struct cluster *c, const struct node *node)
{
	for (uint32_t i = 0; i < node->taints.n; i++) {
		const struct taint *t = &c->taints.items[node->taints.at + i];

		if (strcmp(cluster_str(c, t->key), MCKUBE_TAINT) == 0)
			return t;
	}
	return NULL;
}

/* ---- One node ---- */

struct pressured_node {
	struct planner *p;
	struct reliefs *r;
	node_id node;
	const struct taint *taint; /* NULL: it has none of ours */
	const struct unit *protected;
	bool has_noted; /* a pod here is degraded, or was refused its budget */
};

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

static const struct unit *unit_at(const struct pressured_node *x, uint32_t i)
{
	const struct trial *t = &x->p->trial;

	return &t->units.items[t->node_units[t->nodes[x->node].units.at + i]];
}

static uint32_t n_units(const struct pressured_node *x)
{
	return x->p->trial.nodes[x->node].units.n;
}

static uint8_t *mark_of(const struct pressured_node *x, const struct unit *u)
{
	return &x->r->of_unit[u - x->p->trial.units.items];
}

static const struct node *node_of(const struct pressured_node *x)
{
	return &x->p->trial.c->nodes.items[x->node];
}

/* It runs here, now and after this plan. */
static bool stays(const struct unit *u)
{
	return u->kind == UNIT_RUNNING && u->at != NONE;
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
	const struct request *q = unit_request(t, u);
	int64_t less = budget_runtime(&q->budget, (enum level)q->level) - q->budget.floor;

	return less * PPM / q->budget.period * u->core_count;
}

/* By how much the node is too busy, in ppm of one core; at least a little. */
static int64_t excess_of(const struct pressured_node *x)
{
	const struct node *node = node_of(x);
	int64_t usage = relieve_usage(x->p->trial.c, node);
	int64_t over = usage - x->p->trial.settings->pressure.busy;

	return usage < 0 || over <= 0 ? 1 : over * node->capacity_cpu_milli / 1000;
}

static bool degrade(const struct pressured_node *x)
{
	int64_t excess = excess_of(x), freed = 0;

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

static bool may_evict(const struct pressured_node *x, const struct unit *u)
{
	const struct trial *t = &x->p->trial;
	uint8_t which = t->settings->pressure.evict;

	return is_lesser(x, u) && u->at == u->origin && u->can_evict &&
	       (u->pdb == NONE || t->evictions_left[u->pdb] > 0) &&
	       (which == PRESSURE_EVICT_ALL ||
		(which == PRESSURE_EVICT_CONTROLLED && unit_pod(t, u)->owner_kind));
}

/* The replacements of those that were evicted before are taken. */
static void reserve_replacements(struct trial *t, bool holds)
{
	for (unit_id id = 0; id < t->units.n; id++) {
		const struct unit *u = &t->units.items[id];

		if (!u->is_evicted || u->replacement == NONE)
			continue;
		if (holds)
			trial_add(t, id, u->replacement);
		else
			trial_remove(t, id);
	}
}

static void evict(struct planner *p, unit_id id)
{
	struct trial *t = &p->trial;
	struct unit *u = &t->units.items[id];

	trial_unassign(t, id);
	trial_evict(t, id);
	planner_refresh(p, u->node);
	if (!u->is_reschedulable)
		return;
	reserve_replacements(t, true);
	place_id replacement = index_best(p, u, u->node);
	reserve_replacements(t, false);
	u->replacement = replacement;
}

/* The last resort. True: the node's taint is written, which says when that was. */
static bool taint_and_evict(struct pressured_node *x)
{
	bool has_lesser = false;

	for (uint32_t i = n_units(x); i-- > 0;) {
		const struct unit *u = unit_at(x, i);

		has_lesser |= is_lesser(x, u);
		if (!may_evict(x, u))
			continue;
		*mark_of(x, u) = RELIEF_EVICT;
		evict(x->p, (unit_id)(u - x->p->trial.units.items));
		return true;
	}
	return has_lesser && !x->taint;
}

static bool may_restore(const struct pressured_node *x, const struct unit *u,
			enum pressure pressure)
{
	return stays(u) &&
	       (pressure == PRESSURE_CALM || (pressure == PRESSURE_BUSY && !is_lesser(x, u)));
}

static void restore(const struct pressured_node *x, enum pressure pressure)
{
	for (uint32_t i = 0; x->has_noted && i < n_units(x); i++) {
		const struct unit *u = unit_at(x, i);
		int64_t since = may_restore(x, u, pressure) ? degraded_since(x, u) : -1;

		if (since >= 0 &&
		    has_passed(x, since, x->p->trial.settings->pressure.hold_seconds, true))
			*mark_of(x, u) = RELIEF_RESTORE;
	}
}

/* ---- The guarantee ---- */

/* What a pod that waits for room to grow is counted with, and does not hold yet. */
static uint32_t ungranted(const struct unit *u, const struct request *q, int mode)
{
	uint32_t held = q->granted.period ? budget_load(&q->granted, (enum level)mode) : 0;

	return q->assignment == ASSIGNMENT_OTHER && u->load[mode] > held ? u->load[mode] - held : 0;
}

static bool is_on(const struct trial *t, const struct unit *u, cell_id cell)
{
	struct range cells = u->at == NONE ? (struct range){ 0 } : t->places.items[u->at].cells;

	for (uint32_t i = 0; i < cells.n; i++)
		if (t->place_cells.items[cells.at + i] == cell)
			return true;
	return false;
}

/* Is the cell over what the kernel grants, in any mode, with what its pods hold? (That mode Low may
 * have less is for the placing of pods.) */
static bool is_over(const struct pressured_node *x, cell_id cell)
{
	const struct trial *t = &x->p->trial;

	for (int k = 0; k < LEVELS; k++) {
		int64_t load = t->cells[cell].used[0][k];

		for (uint32_t i = 0; i < n_units(x); i++) {
			const struct unit *u = unit_at(x, i);

			if (u->at == u->origin && is_on(t, u, cell))
				load -= ungranted(u, unit_request(t, u), k);
		}
		if (load > t->cells[cell].cap[LEVEL_HIGH])
			return true;
	}
	return false;
}

static bool is_overcommitted(const struct pressured_node *x)
{
	const struct trial *t = &x->p->trial;
	struct range cores = t->cap.nodes.items[x->node].cores;

	for (uint32_t i = cores.at; i < cores.at + cores.n; i++) {
		cell_id cell = t->cell_of_core[i];

		if (!cell_holds(&t->cells[cell], 0) && is_over(x, cell))
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
	       is_budget_refused(t->c, unit_pod(t, u));
}

static bool is_broken(const struct pressured_node *x)
{
	for (uint32_t i = 0; x->has_noted && i < n_units(x); i++)
		if (was_refused(x, unit_at(x, i)))
			return true;
	return is_overcommitted(x);
}

static enum node_relief taint(const struct pressured_node *x, enum pressure pressure,
			      bool is_last_resort)
{
	if (is_last_resort)
		return NODE_RELIEF_TAINT;
	if (is_broken(x))
		return x->taint ? NODE_RELIEF_NONE : NODE_RELIEF_GUARANTEE;
	if (!x->taint || pressure != PRESSURE_CALM ||
	    !has_passed(x, x->taint->added, x->p->trial.settings->pressure.hold_seconds, true))
		return NODE_RELIEF_NONE;
	return NODE_RELIEF_UNTAINT;
}

static void relieve_node(struct pressured_node *x)
{
	const struct trial *t = &x->p->trial;
	enum pressure pressure = relieve_pressure(t->c, node_of(x), t->settings);
	bool is_last_resort = false;

	x->taint = taint_of(t->c, node_of(x));
	if (x->r->protected_on[x->node] != NONE)
		x->protected = &t->units.items[x->r->protected_on[x->node]];
	if (pressure == PRESSURE_SOON)
		requeue_after(x, t->settings->pressure.delay_seconds);
	if (pressure == PRESSURE_BUSY && is_step_due(x) && !degrade(x))
		is_last_resort = taint_and_evict(x);
	restore(x, pressure);
	x->r->of_node[x->node] = (uint8_t)taint(x, pressure, is_last_resort);
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
		    (relieve_degraded_since(t->c, pod) >= 0 || is_budget_refused(t->c, pod)))
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
	r->protected_on = xcalloc(n_nodes, sizeof(*r->protected_on));
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
	free(r->protected_on);
	*r = (struct reliefs){ 0 };
}
