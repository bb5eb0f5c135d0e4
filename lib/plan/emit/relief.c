/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/emit/emit.h"

static const struct node *node_of(const struct emitter *e, node_id id)
{
	return &e->trial->c->nodes.items[id];
}

/* "node edge-1 is busy (0.970 of its CPU time)" */
static const char *busy_words(struct emitter *e, node_id id)
{
	int64_t usage = pressure_usage(e->trial->c, node_of(e, id));
	int64_t lost = pressure_lost(e->trial->c, node_of(e, id));
	const char *name = cluster_str(e->trial->c, node_of(e, id)->meta.name);

	if (e->trial->settings->pressure.trigger == PRESSURE_REAL_TIME && lost > 0)
		return plan_strf(e->plan, "pods on node %s lose %lld us of real-time time a second",
				 name, (long long)lost);
	if (e->trial->settings->pressure.trigger == PRESSURE_REAL_TIME)
		return plan_strf(e->plan, "the kernel of node %s refused a budget", name);
	return usage < 0 ? plan_strf(e->plan, "node %s is busy", name)
			 : plan_strf(e->plan, "node %s is busy (%s of its CPU time)", name,
				     emit_ratio(e, (uint64_t)usage));
}

static void fill_protected(struct emitter *e, struct action *a, node_id node, unit_id id)
{
	unit_id by = e->p->reliefs.protected_on[node];

	if (by != NONE && by != id)
		a->by = emit_pod(e, unit_pod(e->trial, &e->trial->units.items[by]));
}

/* Where it is by now, as its annotation names the cores. */
static struct place here(struct emitter *e, const struct unit *u)
{
	return u->at == u->origin ? emit_origin(e, u) : emit_place(e, u->at);
}

static void emit_degrade(struct emitter *e, unit_id id)
{
	const struct unit *u = &e->trial->units.items[id];
	const struct request *q = unit_request(e->trial, u);
	struct action *a =
		emit_action(e, ACTION_DEGRADE, REASON_PRESSURE, emit_pod(e, unit_pod(e->trial, u)));

	emit_depend_on_unit(e, a, id);
	a->from = here(e, u);
	a->to = emit_grant(e, id, u->at, (enum level)q->level);
	a->to.cores = a->from.cores;
	a->to.runtime = unit_budget(e->trial, u)->floor;
	a->since = e->trial->c->taken_at;
	emit_request(e, a, u);
	fill_protected(e, a, u->node, id);
	a->message = plan_strf(e->plan,
			       "%s: of its %d us it keeps its floor of %d us until that is over",
			       busy_words(e, u->node),
			       budget_runtime(unit_budget(e->trial, u), (enum level)q->level),
			       unit_budget(e->trial, u)->floor);
	e->last_action[id] = a->id;
}

static void emit_eviction(struct emitter *e, unit_id id, uint32_t taint)
{
	const struct unit *u = &e->trial->units.items[id];
	struct action *a =
		emit_action(e, ACTION_EVICT, REASON_PRESSURE, emit_pod(e, unit_pod(e->trial, u)));

	emit_after(e, a, &taint, 1);
	a->from = emit_origin(e, u);
	if (u->replacement != NONE)
		a->replacement = emit_place(e, u->replacement);
	fill_protected(e, a, u->node, id);
	a->message =
		plan_strf(e->plan, "%s, and less critical pods have only their floors; %s",
			  busy_words(e, u->node), emit_replacement_words(e, u, &a->replacement));
	e->last_action[id] = a->id;
}

static void emit_cfs_eviction(struct emitter *e, node_id node, uint32_t taint)
{
	const struct pod *pod = &e->trial->c->pods.items[e->p->reliefs.cfs_on[node]];
	struct action *a = emit_action(e, ACTION_EVICT, REASON_PRESSURE, emit_pod(e, pod));

	emit_after(e, a, &taint, 1);
	a->from.node = plan_str(e->plan, cluster_str(e->trial->c, node_of(e, node)->meta.name));
	a->from.cores = "";
	fill_protected(e, a, node, NONE);
	a->message = plan_strf(e->plan, "%s; a %s pod without real-time request yields first",
			       busy_words(e, node),
			       pod->qos == QOS_BEST_EFFORT ? "BestEffort" : "Burstable");
}

static const char *restored_words(struct emitter *e, node_id id)
{
	const char *name = cluster_str(e->trial->c, node_of(e, id)->meta.name);

	return e->p->reliefs.pressure_of[id] == PRESSURE_CALM
		       ? plan_strf(e->plan, "node %s is no longer under pressure", name)
		       : plan_strf(e->plan, "no pod on node %s is more critical", name);
}

void emit_restore(struct emitter *e, unit_id id, enum level level)
{
	const struct unit *u = &e->trial->units.items[id];
	struct action *a = emit_action(e, ACTION_SET_LEVEL, REASON_RELIEVED,
				       emit_pod(e, unit_pod(e->trial, u)));

	emit_depend_on_unit(e, a, id);
	a->from = here(e, u);
	a->to = emit_grant(e, id, u->at, level);
	a->to.cores = a->from.cores;
	emit_request(e, a, u);
	a->message = plan_strf(e->plan, "%s: it gets back its %d us", restored_words(e, u->node),
			       a->to.runtime);
	e->last_action[id] = a->id;
}

void emit_level(struct emitter *e, unit_id id, enum level level)
{
	const struct unit *u = &e->trial->units.items[id];
	const struct request *q = unit_request(e->trial, u);
	bool is_calm = e->p->reliefs.pressure_of[u->node] != PRESSURE_BUSY;
	struct action *a =
		emit_action(e, ACTION_SET_LEVEL, is_calm ? REASON_RECOVERED : REASON_PRESSURE,
			    emit_pod(e, unit_pod(e->trial, u)));

	emit_depend_on_unit(e, a, id);
	a->from = here(e, u);
	a->to = emit_grant(e, id, u->at, level);
	a->to.cores = a->from.cores;
	emit_request(e, a, u);
	if (is_calm)
		a->message =
			plan_strf(e->plan, "node %s is no longer busy: from %s back to %s",
				  a->to.node, level_name((enum level)q->level), level_name(level));
	else
		a->message = plan_strf(e->plan, "%s: level %s is the highest that fits",
				       busy_words(e, u->node), level_name(level));
	e->last_action[id] = a->id;
}

static const char *taint_words(struct emitter *e, node_id node, enum node_relief relief)
{
	if (relief == NODE_RELIEF_TAINT)
		return plan_strf(e->plan, "%s, and less critical pods have only their floors",
				 busy_words(e, node));
	if (relief == NODE_RELIEF_TAINT_FIRST)
		return busy_words(e, node);
	return "it cannot keep its pods' budgets: a core is over its capacity, or the kernel refused "
	       "a budget";
}

static uint32_t emit_taint(struct emitter *e, node_id node, enum node_relief relief)
{
	enum reason reason =
		relief == NODE_RELIEF_GUARANTEE ? REASON_GUARANTEE_BROKEN : REASON_PRESSURE;
	struct action *a = emit_action(e, ACTION_TAINT, reason, emit_node(e, node));

	a->since = e->trial->c->taken_at;
	a->message = taint_words(e, node, relief);
	return a->id;
}

static void emit_untaint(struct emitter *e, node_id node)
{
	struct action *a = emit_action(e, ACTION_UNTAINT, REASON_RELIEVED, emit_node(e, node));

	a->message = "it is not under pressure, and keeps its pods' budgets";
}

/* The units of a node stand by turn: the least important one comes first here. */
static void emit_steps(struct emitter *e, node_id node, uint32_t taint)
{
	struct range units = e->trial->nodes[node].units;
	bool is_busy = e->p->reliefs.pressure_of[node] == PRESSURE_BUSY;

	for (uint32_t i = units.n; i-- > 0;) {
		unit_id id = e->trial->node_units[units.at + i];
		enum relief relief = relief_of(&e->p->reliefs, id);

		if (relief == RELIEF_DEGRADE)
			emit_degrade(e, id);
		else if (relief == RELIEF_EVICT)
			emit_eviction(e, id, taint);
		else if (relief == RELIEF_LOWER && is_busy)
			emit_level(e, id, LEVEL_LOW);
	}
	if (e->p->reliefs.cfs_on[node] != NONE)
		emit_cfs_eviction(e, node, taint);
}

/* After all that makes room on the node. */
static void emit_raises(struct emitter *e, node_id node, uint32_t first_id)
{
	struct range units = e->trial->nodes[node].units;
	uint32_t end = (uint32_t)e->plan->actions.n + 1;
	ARRAY(uint32_t) before = { 0 };

	for (uint32_t id = first_id; id < end; id++)
		*array_add(&before) = id;
	for (uint32_t i = 0; i < units.n; i++) {
		unit_id id = e->trial->node_units[units.at + i];

		if (relief_of(&e->p->reliefs, id) != RELIEF_RAISE)
			continue;
		emit_level(e, id, LEVEL_HIGH);
		emit_after(e, &e->plan->actions.items[e->plan->actions.n - 1], before.items,
			   (uint32_t)before.n);
	}
	array_done(&before);
}

void emit_reliefs(struct emitter *e)
{
	const struct reliefs *r = &e->p->reliefs;

	for (node_id node = 0; r->of_node && node < e->trial->c->nodes.n; node++) {
		uint32_t first_id = (uint32_t)e->plan->actions.n + 1, taint = 0;
		enum node_relief relief = (enum node_relief)r->of_node[node];

		if (relief == NODE_RELIEF_UNTAINT)
			emit_untaint(e, node);
		else if (relief != NODE_RELIEF_NONE)
			taint = emit_taint(e, node, relief);
		emit_steps(e, node, taint);
		emit_raises(e, node, first_id);
	}
}
