/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/decimal.h"
#include "base/str.h"
#include "model/spending.h"
#include "plan/economy/alerts.h"
#include "plan/economy/status.h"

/* What the statuses of CostPolicies and PowerPolicies say once the plan is done. */

enum { PERCENT = 100 };

/* Of a policy that covers no optimizer. */
static const struct money_limit no_limit = { 0 };

/* A policy of either kind. */
struct subject {
	const struct policy_note *was;
	const struct money_limit *limit;
	struct range alerts;
	int64_t generation;
	bool covers_some;
};

static struct subject subject_of(const struct economy *e, uint32_t limit,
				 const struct policy_note *was, struct range alerts,
				 int64_t generation)
{
	return (struct subject){
		.was = was,
		.limit = limit ? &e->limits.items[limit - 1] : &no_limit,
		.alerts = alerts,
		.generation = generation,
		.covers_some = limit,
	};
}

/* ---- Conditions ---- */

static void add(const struct economy *e, const struct subject *p, const char *type,
		const char *status, const char *reason, const char *message,
		struct economy_status *s)
{
	status_add_condition(e, p->was->conditions, type, status, reason, message, s);
}

static void add_cost(const struct economy *e, const struct subject *p, struct economy_status *s)
{
	static const char type[] = "CostOptimized";

	if (p->limit->is_exhausted)
		add(e, p, type, "False", "BudgetExhausted", "its budget is spent", s);
	else if (p->limit->max_cost >= 0 && p->covers_some && p->limit->cost > p->limit->max_cost)
		add(e, p, type, "False", "OverHourlyLimit",
		    "the pods cost more than costPerHourLimit", s);
	else
		add(e, p, type, "True", "WithinBudget", "", s);
}

static void add_power(const struct economy *e, const struct subject *p, int64_t max_power,
		      struct economy_status *s)
{
	if (max_power >= 0 && p->limit->power > max_power)
		add(e, p, "PowerOptimized", "False", "OverLimit",
		    "the pods draw more than maxPowerUsage", s);
	else
		add(e, p, "PowerOptimized", "True", "WithinLimit", "", s);
}

/* The power-weighted mean of the renewable part, ppm; of no power it is all. */
static int64_t green_part(const struct money_limit *l)
{
	return l->power > 0 ? (int64_t)(l->green / l->power) : PPM;
}

static int64_t carbon_of(const struct money_limit *l)
{
	return (int64_t)(l->carbon / PPM);
}

static void add_green(const struct economy *e, const struct subject *p,
		      const struct power_policy *policy, struct economy_status *s)
{
	if (!policy->is_green_off && policy->min_green_ppm >= 0) {
		if (green_part(p->limit) < policy->min_green_ppm)
			add(e, p, "GreenOptimized", "False", "NotGreenEnough",
			    "less of the energy is renewable than asked for", s);
		else
			add(e, p, "GreenOptimized", "True", "AsWanted", "", s);
	}
	if (!policy->is_green_off && policy->carbon_target >= 0) {
		if (carbon_of(p->limit) > policy->carbon_target)
			add(e, p, "CarbonOptimized", "False", "OverTarget",
			    "more carbon dioxide per hour than carbonFootprintTarget", s);
		else
			add(e, p, "CarbonOptimized", "True", "WithinLimit", "", s);
	}
}

/* ---- Alerts ---- */

static bool is_same_alert(const struct alert_note *n, const struct alert *a)
{
	return n->type == a->type && n->action == a->action && n->value == a->value;
}

/* When it went on: 0, it was not on when the status was written last. */
static int64_t noted_since(const struct economy *e, const struct subject *p, const struct alert *a)
{
	for (uint32_t i = 0; i < p->was->alerts.n; i++) {
		const struct alert_note *n = &e->c->alert_notes.items[p->was->alerts.at + i];

		if (is_same_alert(n, a))
			return n->since;
	}
	return 0;
}

static void list_alerts(const struct economy *e, const struct subject *p, struct economy_status *s)
{
	for (uint32_t i = 0; i < p->alerts.n && s->n_alerts < ECONOMY_ALERTS_MAX; i++) {
		const struct alert *a = &e->c->alerts.items[p->alerts.at + i];

		if (!economy_alert_is_on(e, p->alerts.at + i))
			continue;
		int64_t since = noted_since(e, p, a);

		s->alerts[s->n_alerts++] = (struct plan_alert){
			.type = alert_type_words[a->type],
			.action = alert_action_words[a->action],
			.value = a->value,
			.since = since ? since : e->c->taken_at,
		};
	}
	s->has_alerts = s->n_alerts || p->was->alerts.n;
}

/* "budget_usage 0.8: notify, budget_usage 0.95: pause" */
static const char *describe(const struct economy *e, const struct economy_status *s)
{
	AUTO(str_done) struct str text = STR_INIT;

	economy_describe_alerts(s, &text);
	return arena_strndup(&e->p->trial.arena, text.s, text.n);
}

void economy_describe_alerts(const struct economy_status *s, struct str *out)
{
	for (uint32_t i = 0; i < s->n_alerts; i++) {
		str_addf(out, "%s%s ", i ? ", " : "", s->alerts[i].type);
		decimal_add(out, s->alerts[i].value, 0);
		str_addf(out, ": %s", s->alerts[i].action);
	}
}

static void add_alerts(const struct economy *e, const struct subject *p, struct economy_status *s)
{
	list_alerts(e, p, s);
	if (s->n_alerts)
		add(e, p, "Alerting", "True", "ThresholdReached", describe(e, s), s);
	else if (p->alerts.n)
		add(e, p, "Alerting", "False", "NoAlert", "", s);
}

static bool alerts_differ(const struct economy *e, const struct subject *p,
			  const struct economy_status *s)
{
	if (s->n_alerts != p->was->alerts.n)
		return true;
	for (uint32_t i = 0; i < p->alerts.n; i++)
		if (economy_alert_is_on(e, p->alerts.at + i) &&
		    !noted_since(e, p, &e->c->alerts.items[p->alerts.at + i]))
			return true;
	return false;
}

/* ---- The rest ---- */

static const char *phase_of(const struct subject *p, const struct economy_status *s)
{
	for (uint32_t i = 0; i < s->n_conditions; i++)
		if (strcmp(s->conditions[i].type, "Alerting") != 0 &&
		    strcmp(s->conditions[i].status, "False") == 0)
			return "Violated";
	return p->covers_some ? "Active" : "Pending";
}

static bool differs(const struct economy *e, const struct subject *p,
		    const struct economy_status *s)
{
	return strcmp(cluster_str(e->c, p->was->phase), s->phase) != 0 ||
	       p->was->observed != s->generation || alerts_differ(e, p, s) ||
	       status_conditions_differ(e->c, p->was->conditions, s);
}

enum budget_period policy_period(const struct cost_policy *p)
{
	return p->monthly >= 0 ? BUDGET_MONTH : BUDGET_TOTAL;
}

/* True: another day has begun. */
static bool fill_day(const struct economy *e, const struct cost_policy *p, struct economy_status *s)
{
	bool is_wanted = false;

	for (uint32_t i = 0; i < p->alerts.n; i++) {
		uint8_t type = e->c->alerts.items[p->alerts.at + i].type;

		is_wanted |= type == ALERT_COST_INCREASE || type == ALERT_ANOMALY;
	}
	if (!is_wanted)
		return false;
	struct day_note day = spending_day(&p->day, &p->budget_note, e->c->taken_at);

	s->day.since = day.since;
	s->day.spent = day.spent;
	s->day.last = day.last;
	return day.since != p->day.since;
}

bool economy_policy_status(struct economy *e, size_t policy, struct economy_status *ret)
{
	const struct cost_policy *p = &e->c->cost_policies.items[policy];
	struct policy_budget budgets[POLICY_BUDGETS];
	uint32_t n = spending_of_policy(p, e->c->taken_at, budgets);
	int64_t limit = NO_LIMIT;
	const struct subject subject =
		subject_of(e, e->limit_of_policy[policy], &p->note, p->alerts, p->generation);

	if (!e->c->taken_at || p->is_unread)
		return false;
	*ret = (struct economy_status){ .generation = p->generation };
	status_fill_budget(e, policy_period(p), &p->budget_note, subject.limit->cost, ret);
	ret->cost = status_to_cents(subject.limit->cost);
	for (uint32_t i = 0; i < n; i++) {
		limit = limit < 0 || budgets[i].limit < limit ? budgets[i].limit : limit;
		ret->has_utilization |= budgets[i].limit > 0;
	}
	if (n)
		ret->budget.spent = budgets[0].spent;
	if (n > 1)
		ret->budget.total = budgets[1].spent;
	ret->spend = status_to_cents(ret->budget.spent);
	ret->utilization = status_to_cents(spending_part(p, e->c->taken_at) * PERCENT);
	bool is_later = fill_day(e, p, ret);
	add_cost(e, &subject, ret);
	add_alerts(e, &subject, ret);
	ret->phase = phase_of(&subject, ret);
	return is_later || differs(e, &subject, ret) ||
	       status_budget_differs(ret, &p->budget_note, limit);
}

/* The part of what its pods draw at full load that they would where each is best, ppm. */
static int64_t efficiency_of(struct economy *e, uint32_t limit)
{
	if (!e->parts)
		e->parts = economy_power_parts(e);
	return economy_efficiency(e, limit, e->parts);
}

bool economy_power_policy_status(struct economy *e, size_t policy, struct economy_status *ret)
{
	const struct power_policy *p = &e->c->power_policies.items[policy];
	uint32_t limit = e->limit_of_power_policy[policy];
	const struct subject subject = subject_of(e, limit, &p->note, p->alerts, p->generation);

	if (!e->c->taken_at || p->is_unread)
		return false;
	*ret = (struct economy_status){
		.generation = p->generation,
		.power = status_to_cents(subject.limit->power * 1000),
		.carbon = carbon_of(subject.limit),
		.green = status_to_cents(green_part(subject.limit) * PERCENT),
		.efficiency = status_to_cents(efficiency_of(e, limit)),
	};
	add_power(e, &subject, p->max_power, ret);
	add_green(e, &subject, p, ret);
	add_alerts(e, &subject, ret);
	ret->phase = phase_of(&subject, ret);
	return differs(e, &subject, ret) || status_power_differs(ret->power, p->status_power);
}
