/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/decimal.h"
#include "model/spending.h"
#include "plan/economy/estimate.h"
#include "plan/economy/replicas.h"
#include "plan/economy/savings.h"
#include "plan/economy/scaling.h"
#include "plan/economy/status.h"

/* What the status of WorkloadOptimizers says once the plan is done. */

/* ---- Conditions ---- */

const struct condition_note *status_find_condition(const struct cluster *c, struct range conditions,
						   const char *type)
{
	for (uint32_t i = 0; i < conditions.n; i++) {
		const struct condition_note *n = &c->conditions.items[conditions.at + i];

		if (strcmp(cluster_str(c, n->type), type) == 0)
			return n;
	}
	return NULL;
}

void status_add_condition(const struct economy *e, struct range conditions, const char *type,
			  const char *status, const char *reason, const char *message,
			  struct economy_status *s)
{
	const struct condition_note *was = status_find_condition(e->c, conditions, type);
	bool is_same = was && was->since && strcmp(cluster_str(e->c, was->status), status) == 0;

	s->conditions[s->n_conditions++] = (struct plan_condition){
		.type = type,
		.status = status,
		.reason = reason,
		.message = message,
		.since = is_same ? was->since : e->c->taken_at,
	};
}

static void add_condition(const struct economy *e, const struct optimizer *o, const char *type,
			  const char *status, const char *reason, const char *message,
			  struct economy_status *s)
{
	status_add_condition(e, o->conditions, type, status, reason, message, s);
}

static bool has_failed_move(const struct economy *e, const struct optimizer *o)
{
	const struct account *a = &e->accounts[o - e->c->optimizers.items];

	for (uint32_t i = 0; i < o->avoid.n; i++)
		if (e->c->avoids.items[o->avoid.at + i].until > e->c->taken_at)
			return true;
	return a->failed != NONE;
}

/* What this plan does for it, or an earlier one has begun; NULL: nothing. A pod that was bound
 * keeps it so until it starts: a pass that only bound pods is followed by one that changes nothing.
 */
static const char *action_of(const struct economy *e, optimizer_id id)
{
	const struct account *a = &e->accounts[id];

	return a->is_moved			    ? "a pod moves"
	       : scaling_changes(&e->scalings[id])  ? "the number of its replicas changes"
	       : a->is_in_flight		    ? "a pod was moved, and is not ready yet"
	       : a->starting_until > e->c->taken_at ? "a pod starts"
						    : NULL;
}

/* "no pod names it; one would cost 0.039624 $/h and draw 12.725 W on node c" */
static const char *describe_no_pods(const struct economy *e, optimizer_id id)
{
	AUTO(str_done) struct str text = STR_INIT;
	struct cost_estimate one;

	if (!economy_estimate(e, id, &one))
		return "no pod names it";
	str_add(&text, "no pod names it; one would cost ");
	decimal_add(&text, one.cost, 2);
	str_add(&text, " $/h and draw ");
	decimal_add(&text, one.power * 1000, 0);
	str_addf(&text, " W on node %s", cluster_str(e->c, e->c->nodes.items[one.node].meta.name));
	return arena_strndup(&e->p->trial.arena, text.s, text.n);
}

static void add_progress(const struct economy *e, optimizer_id id, struct economy_status *s)
{
	const struct optimizer *o = &e->c->optimizers.items[id];
	const struct account *a = &e->accounts[id];
	bool is_ready = a->n_ready >= a->n_pods && (int64_t)a->n_ready >= o->min_replicas;

	if (!a->n_pods)
		add_condition(e, o, "Available", "False", "NoPods", describe_no_pods(e, id), s);
	else if (!is_ready)
		add_condition(e, o, "Available", "False", "NotReady", "not all pods are ready", s);
	else
		add_condition(e, o, "Available", "True", "AsWanted", "", s);
	if (action_of(e, id))
		add_condition(e, o, "Progressing", "True", "ActionsPending", action_of(e, id), s);
	else
		add_condition(e, o, "Progressing", "False", "Settled", "", s);
	if (a->is_refused)
		add_condition(e, o, "Degraded", "True", "LimitRefuses",
			      "a limit keeps a pod from being placed", s);
	else if (has_failed_move(e, o))
		add_condition(e, o, "Degraded", "True", "MoveFailed",
			      "a moved pod did not become ready", s);
	else
		add_condition(e, o, "Degraded", "False", "AsExpected", "", s);
}

/* Is a limit of a policy reached that speaks for it? */
static bool is_over_policy(const struct economy *e, const struct account *a, bool is_power)
{
	for (uint32_t k = 1; k < a->limits.n; k++) { /* the first one is its own */
		const struct money_limit *l =
			&e->limits.items[e->limit_ids.items[a->limits.at + k]];

		if (is_power && !l->is_part && l->max_power >= 0 && l->power > l->max_power)
			return true;
		if (!is_power && (l->is_exhausted || (l->max_cost >= 0 && l->cost > l->max_cost)))
			return true;
	}
	return false;
}

static void add_money(const struct economy *e, optimizer_id id, struct economy_status *s)
{
	static const char type[] = "CostOptimized";
	const struct optimizer *o = &e->c->optimizers.items[id];
	const struct account *a = &e->accounts[id];

	if (a->is_exhausted)
		add_condition(e, o, type, "False", "BudgetExhausted", "budgetLimit is spent", s);
	else if (o->max_cost >= 0 && a->cost > o->max_cost)
		add_condition(e, o, type, "False", "OverHourlyLimit",
			      "the pods cost more than maxCostPerHour", s);
	else if (is_over_policy(e, a, false))
		add_condition(e, o, type, "False", "OverPolicy", "a CostPolicy's limit is reached",
			      s);
	else if (a->has_no_price)
		add_condition(e, o, type, "Unknown", "NoPrice",
			      "the price of a node of its pods is assumed", s);
	else
		add_condition(e, o, type, "True", "WithinBudget", "", s);
}

static void add_power(const struct economy *e, optimizer_id id, struct economy_status *s)
{
	static const char type[] = "PowerOptimized";
	const struct optimizer *o = &e->c->optimizers.items[id];
	const struct account *a = &e->accounts[id];

	if (o->max_power >= 0 && a->power > o->max_power)
		add_condition(e, o, type, "False", "OverLimit",
			      "the pods draw more than maxPowerUsage", s);
	else if (is_over_policy(e, a, true))
		add_condition(e, o, type, "False", "OverLimit", "a PowerPolicy's limit is reached",
			      s);
	else if (a->has_no_power)
		add_condition(e, o, type, "Unknown", "NoPowerModel",
			      "the power of a node of its pods is assumed", s);
	else
		add_condition(e, o, type, "True", "WithinLimit", "", s);
}

static void add_scaling(const struct economy *e, optimizer_id id, struct economy_status *s)
{
	const struct optimizer *o = &e->c->optimizers.items[id];
	const struct scaling *scaling = &e->scalings[id];

	if (!scaling_is_known(scaling))
		return;
	if (scaling->inactive)
		add_condition(e, o, "ScalingActive", "False", scaling->inactive,
			      scaling->active_message, s);
	else
		add_condition(e, o, "ScalingActive", "True", "ValidMetricFound",
			      scaling->active_message, s);
	if (scaling->limited)
		add_condition(e, o, "ScalingLimited", "True", scaling->limited,
			      scaling->limited_message, s);
	else
		add_condition(e, o, "ScalingLimited", "False", "DesiredWithinRange", "", s);
}

/* ---- The rest ---- */

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* One that is not ready has as long as the pods of a Deployment: progressDeadlineSeconds. */
static void note_start(struct economy *e, const struct cargo *g)
{
	enum { START_SECONDS = 600 };
	const struct pod *pod = &e->c->pods.items[g->pod];
	int64_t until = pod->started ? pod->started + START_SECONDS : INT64_MAX;
	struct account *a = &e->accounts[g->of];

	if (g->node != NONE && !pod->is_ready && !pod->is_terminating)
		a->starting_until = later(a->starting_until, until);
}

void economy_survey(struct economy *e)
{
	AUTO_FREE uint32_t *n = xcalloc(e->c->optimizers.n + 1, sizeof(*n));
	AUTO_FREE uint32_t *n_most = xcalloc(e->c->optimizers.n + 1, sizeof(*n_most));

	for (optimizer_id id = 0; id < e->c->optimizers.n; id++) {
		e->accounts[id].most = NONE;
		e->accounts[id].n_nodes = 0;
		e->accounts[id].starting_until = 0;
	}
	for (size_t i = 0; i < e->cargo.n; i++) {
		const struct cargo *g = &e->cargo.items[i];

		if (g->of == NONE)
			continue;
		note_start(e, g);
		if (!g->group)
			continue;
		e->accounts[g->of].moved_from = g->origin;
		e->accounts[g->of].moved_to = g->node;
		e->accounts[g->of].moved_pod = g->pod;
	}
	for (node_id node = 0; node < e->c->nodes.n; node++) {
		array_each(i, &e->sites[node].cargo)
			if (e->cargo.items[*i].of != NONE)
				n[e->cargo.items[*i].of]++;
		array_each(i, &e->sites[node].cargo) {
			optimizer_id of = e->cargo.items[*i].of;
			struct account *a = of == NONE ? NULL : &e->accounts[of];

			if (!a || !n[of])
				continue;
			if (a->n_nodes < ECONOMY_NODES_MAX)
				a->nodes[a->n_nodes++] = node;
			a->has_no_price |= e->fleet.nodes[node].is_price_assumed;
			a->has_no_power |= e->fleet.nodes[node].is_power_assumed;
			if (n[of] > n_most[of]) { /* the first by name among equals */
				n_most[of] = n[of];
				a->most = node;
			}
			n[of] = 0;
		}
	}
	economy_sum_savings(e);
}

static const char *phase_of(const struct economy *e, optimizer_id id)
{
	const struct account *a = &e->accounts[id];

	if (a->is_suspended)
		return "Suspended";
	if (a->is_refused)
		return "Failed";
	if (!a->n_bound)
		return "Pending";
	return action_of(e, id) ? "Optimizing" : "Optimized";
}

int64_t status_to_cents(int64_t micro)
{
	enum { CENT = 10000 };

	return (micro + CENT / 2) / CENT * CENT;
}

void status_fill_budget(const struct economy *e, enum budget_period period,
			const struct budget_note *was, int64_t rate, struct economy_status *s)
{
	s->budget.spent = spending_now(period, was, e->c->taken_at);
	s->budget.rate = rate;
	s->budget.period_start = spending_period_start(period, e->c->taken_at);
	/* A clock that went back must not make the time since count twice. */
	s->budget.accounted_at = later(e->c->taken_at, was->accounted_at);
}

/* More than one per cent of the limit, or of what was spent, and more than a cent. */
static bool has_grown(int64_t spent, int64_t was, int64_t limit)
{
	enum { LEAST = 10000, PARTS = 100 };
	int64_t grown = spent - was;

	return grown < 0 || (grown > LEAST && grown > (limit >= 0 ? limit : was) / PARTS);
}

bool status_budget_differs(const struct economy_status *s, const struct budget_note *was,
			   int64_t limit)
{
	return !was->accounted_at || s->budget.rate != was->rate ||
	       s->budget.period_start != was->period_start ||
	       has_grown(s->budget.spent, was->spent, limit);
}

bool status_conditions_differ(const struct cluster *c, struct range conditions,
			      const struct economy_status *s)
{
	if (conditions.n != s->n_conditions)
		return true;
	for (uint32_t i = 0; i < s->n_conditions; i++) {
		const struct condition_note *was =
			status_find_condition(c, conditions, s->conditions[i].type);

		if (!was || strcmp(cluster_str(c, was->status), s->conditions[i].status) != 0 ||
		    strcmp(cluster_str(c, was->reason), s->conditions[i].reason) != 0)
			return true;
	}
	return false;
}

bool status_power_differs(int64_t microwatts, int64_t was)
{
	return llabs(microwatts / 1000 - was) * 100 > llabs(was);
}

static const char *name_of(const struct economy *e, node_id node)
{
	return node == NONE ? NULL : cluster_str(e->c, e->c->nodes.items[node].meta.name);
}

/* A day without a move ends the count; one that is tried again was none before. */
static void fill_moves(const struct economy *e, optimizer_id id, struct economy_status *s)
{
	enum { DAY_SECONDS = 86400 };
	const struct optimizer *o = &e->c->optimizers.items[id];
	const struct account *a = &e->accounts[id];
	bool is_recent = o->moved_at && e->c->taken_at < o->moved_at + DAY_SECONDS;

	s->moved_at = o->moved_at;
	s->moves = (uint32_t)o->moves;
	if (o->moved_from && o->moved_to) {
		s->moved_from = cluster_str(e->c, o->moved_from);
		s->moved_to = cluster_str(e->c, o->moved_to);
		s->moved_pod = o->moved_pod ? cluster_str(e->c, o->moved_pod) : NULL;
		s->moved_cost = o->moved_cost;
		s->moved_watts = o->moved_power * 1000;
	}
	if (!a->is_moved)
		return;
	str_id uid = e->c->pods.items[a->moved_pod].meta.uid;

	s->moved_at = e->c->taken_at;
	s->moves = is_recent ? s->moves + !(uid && uid == o->moved_pod) : 1;
	s->moved_pod = uid ? cluster_str(e->c, uid) : NULL;
	s->moved_from = name_of(e, a->moved_from);
	s->moved_to = name_of(e, a->moved_to);
	s->moved_cost = a->moved_cost;
	s->moved_watts = a->moved_power * 1000;
}

static void add_avoid(struct economy_status *s, const char *node, int64_t until)
{
	if (s->n_avoid < ECONOMY_AVOID_MAX)
		s->avoid[s->n_avoid++] = (struct plan_avoid){ node, until };
}

/* A node that has just failed first; those whose time is over go. */
static void fill_avoid(const struct economy *e, optimizer_id id, struct economy_status *s)
{
	enum { AVOID_SECONDS = 3600 };
	const struct optimizer *o = &e->c->optimizers.items[id];
	const char *failed = name_of(e, e->accounts[id].failed);
	bool is_new = failed;

	for (uint32_t i = 0; i < o->avoid.n && is_new; i++) {
		const struct avoid *a = &e->c->avoids.items[o->avoid.at + i];

		is_new = a->until <= e->c->taken_at ||
			 strcmp(cluster_str(e->c, a->node), failed) != 0;
	}
	if (is_new)
		add_avoid(s, failed, e->c->taken_at + AVOID_SECONDS);
	for (uint32_t i = 0; i < o->avoid.n; i++) {
		const struct avoid *a = &e->c->avoids.items[o->avoid.at + i];

		if (a->until > e->c->taken_at)
			add_avoid(s, cluster_str(e->c, a->node), a->until);
	}
	s->has_avoid = s->n_avoid || o->avoid.n;
}

static bool avoid_differs(const struct economy *e, const struct optimizer *o,
			  const struct economy_status *s)
{
	bool differs = s->n_avoid != o->avoid.n;

	for (uint32_t i = 0; i < s->n_avoid && !differs; i++) {
		const struct avoid *was = &e->c->avoids.items[o->avoid.at + i];

		differs = was->until != s->avoid[i].until ||
			  strcmp(cluster_str(e->c, was->node), s->avoid[i].node) != 0;
	}
	return differs;
}

/* Its texts are in the trial's memory. */
static void fill_scaling(const struct economy *e, optimizer_id id, struct economy_status *s)
{
	const struct scaling *scaling = &e->scalings[id];
	enum { TEXT = 40 };

	s->scaled_at = e->c->optimizers.items[id].scaled_at;
	s->scaled_from = (uint32_t)e->c->optimizers.items[id].scaled_from;
	s->scaled_to = (uint32_t)e->c->optimizers.items[id].scaled_to;
	s->undone = (uint32_t)e->c->optimizers.items[id].undone;
	if (!scaling->target)
		return;
	s->has_history = true;
	for (uint32_t i = 0; i < scaling->n_history; i++) {
		char *text = arena_alloc(&e->p->trial.arena, TEXT);

		snprintf(text, TEXT, "%" PRId64 ":%" PRId32, scaling->history[i].at,
			 scaling->history[i].n);
		s->history[s->n_history++] = text;
	}
	s->scaled_at = scaling->scaled_at;
	s->scaled_from = (uint32_t)scaling->scaled_from;
	s->scaled_to = (uint32_t)scaling->scaled_to;
	s->undone = (uint32_t)scaling->undone;
}

static bool history_differs(const struct economy *e, const struct optimizer *o,
			    const struct economy_status *s)
{
	if (!s->has_history)
		return false;
	if (s->n_history != o->history.n)
		return true;
	for (uint32_t i = 0; i < s->n_history; i++)
		if (strcmp(cluster_str(e->c, e->c->names.items[o->history.at + i]),
			   s->history[i]) != 0)
			return true;
	return false;
}

static void fill_places(const struct economy *e, optimizer_id id, struct economy_status *s)
{
	const struct account *a = &e->accounts[id];
	const struct scaling *scaling = &e->scalings[id];

	for (uint32_t i = 0; i < a->n_nodes; i++)
		s->nodes[s->n_nodes++] = name_of(e, a->nodes[i]);
	if (!scaling->target)
		return;
	s->target_kind = cluster_str(e->c, scaling->target->kind);
	s->target_name = cluster_str(e->c, scaling->target->name);
}

static bool places_differ(const struct economy *e, const struct optimizer *o,
			  const struct economy_status *s)
{
	if (s->n_nodes != o->status_nodes.n)
		return true;
	for (uint32_t i = 0; i < s->n_nodes; i++)
		if (strcmp(cluster_str(e->c, e->c->names.items[o->status_nodes.at + i]),
			   s->nodes[i]) != 0)
			return true;
	return s->target_name && (strcmp(cluster_str(e->c, o->scaled_kind), s->target_kind) != 0 ||
				  strcmp(cluster_str(e->c, o->scaled_name), s->target_name) != 0);
}

static bool status_differs(const struct economy *e, optimizer_id id, const struct economy_status *s)
{
	const struct optimizer *o = &e->c->optimizers.items[id];

	return s->optimized_at != o->optimized_at || s->moved_at != o->moved_at ||
	       avoid_differs(e, o, s) || places_differ(e, o, s) ||
	       economy_savings_differ(e, o, s) ||
	       status_budget_differs(s, &o->budget, o->budget_limit) ||
	       strcmp(cluster_str(e->c, o->phase), s->phase) != 0 ||
	       strcmp(cluster_str(e->c, o->status_node), s->node) != 0 ||
	       s->replicas != (uint32_t)o->status_replicas ||
	       s->ready != (uint32_t)o->status_ready || s->generation != o->observed ||
	       s->score != o->status_score || s->scaled_at != o->scaled_at ||
	       s->scaled_to != (uint32_t)o->scaled_to || s->undone != (uint32_t)o->undone ||
	       history_differs(e, o, s) || status_power_differs(s->power, o->status_power) ||
	       status_conditions_differ(e->c, o->conditions, s);
}

bool economy_status_of(const struct economy *e, optimizer_id id, int64_t score,
		       struct economy_status *ret)
{
	const struct optimizer *o = &e->c->optimizers.items[id];
	const struct account *a = &e->accounts[id];

	if (!e->c->taken_at || o->is_unread || o->is_deleting)
		return false;
	*ret = (struct economy_status){
		.phase = phase_of(e, id),
		.node = a->most == NONE ? ""
					: cluster_str(e->c, e->c->nodes.items[a->most].meta.name),
		.cost = status_to_cents(a->cost),
		.power = status_to_cents(a->power * 1000),
		.score = score,
		.optimized_at = a->is_moved || a->is_placed || scaling_changes(&e->scalings[id])
					? e->c->taken_at
					: o->optimized_at,
		.generation = o->generation,
		.replicas = a->n_pods,
		.ready = a->n_ready,
	};
	fill_places(e, id, ret);
	fill_moves(e, id, ret);
	fill_avoid(e, id, ret);
	economy_fill_savings(e, id, ret);
	status_fill_budget(e, (enum budget_period)o->period, &o->budget, a->cost, ret);
	add_progress(e, id, ret);
	add_money(e, id, ret);
	add_power(e, id, ret);
	add_scaling(e, id, ret);
	fill_scaling(e, id, ret);
	return status_differs(e, id, ret);
}

/* ---- When time alone changes it ---- */

static void sooner(uint32_t *seconds, int64_t left)
{
	if (left > 0 && left < UINT32_MAX && (!*seconds || left < *seconds))
		*seconds = (uint32_t)left;
}

static void look_ahead(const struct economy *e, enum budget_period period, int64_t spent,
		       int64_t limit, int64_t rate, uint32_t *seconds)
{
	if (limit < 0)
		return;
	sooner(seconds, spending_seconds_left(spent, limit, rate));
	sooner(seconds, spending_period_end(period, e->c->taken_at) - e->c->taken_at);
}

/* A proposal that is too old to count lets the number go down; what the rate held back goes up. */
static void look_ahead_scaling(const struct economy *e, const struct scaling *s, uint32_t *seconds)
{
	if (s->n_history > 1) {
		/* The low one has to be there still when the high one no longer counts. */
		int64_t last = s->history[s->n_history - 1].at;

		sooner(seconds, s->history[0].at + STABLE_SECONDS - e->c->taken_at);
		sooner(seconds, last + STABLE_SECONDS / 2 - e->c->taken_at);
	}
	if (s->limited && strcmp(s->limited, "ScaleUpLimit") == 0)
		sooner(seconds, s->scaled_at + RATE_SECONDS - e->c->taken_at);
	if (s->undone >= UNDONE_MAX)
		sooner(seconds, s->scaled_at + UNDONE_SECONDS - e->c->taken_at);
}

uint32_t economy_requeue_after(const struct economy *e)
{
	uint32_t seconds = e->held_seconds;

	if (!e->is_active || !e->c->taken_at)
		return 0;
	sooner(&seconds, economy_peak_change(e));
	for (optimizer_id id = 0; id < e->c->optimizers.n; id++) {
		const struct optimizer *o = &e->c->optimizers.items[id];

		if (e->accounts[id].is_elsewhere)
			continue;
		look_ahead(e, (enum budget_period)o->period, e->accounts[id].spent, o->budget_limit,
			   e->accounts[id].cost, &seconds);
		sooner(&seconds, economy_move_deadline(e, id) - e->c->taken_at);
		sooner(&seconds, e->accounts[id].starting_until - e->c->taken_at);
		for (uint32_t k = 0; k < o->avoid.n; k++)
			sooner(&seconds,
			       e->c->avoids.items[o->avoid.at + k].until - e->c->taken_at);
		for (uint32_t k = 0; k < o->past_savings.n; k++)
			sooner(&seconds, e->c->past_savings.items[o->past_savings.at + k].since +
						 PAST_SECONDS - e->c->taken_at);
		look_ahead_scaling(e, &e->scalings[id], &seconds);
	}
	for (size_t i = 0; i < e->c->cost_policies.n; i++) {
		const struct cost_policy *p = &e->c->cost_policies.items[i];
		uint32_t id = e->limit_of_policy[i];

		struct policy_budget budgets[POLICY_BUDGETS];
		uint32_t n = spending_of_policy(p, e->c->taken_at, budgets);

		for (uint32_t k = 0; k < n; k++)
			look_ahead(e, budgets[k].period, budgets[k].spent, budgets[k].limit,
				   id ? e->limits.items[id - 1].cost : 0, &seconds);
	}
	return seconds;
}
