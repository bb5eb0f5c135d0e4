/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/economy/alerts.h"

#include "base/auto.h"
#include "model/spending.h"

bool economy_alert_is_on(const struct economy *e, uint32_t alert)
{
	return e->alerts_on && e->alerts_on[alert];
}

/* ---- Is one reached? ---- */

/* From which cost of its workloads it has risen, as a factor of the mean of the last day; NO_LIMIT:
 * there was no cost. */
static int64_t cost_threshold(const struct economy *e, const struct cost_policy *p,
			      const struct alert *a)
{
	struct day_note day = spending_day(&p->day, &p->budget_note, e->c->taken_at);
	__int128 cost = ((__int128)day.last * a->value + PPM - 1) / PPM;

	return day.last <= 0 ? NO_LIMIT : (int64_t)(cost < INT64_MAX ? cost : INT64_MAX);
}

static bool cost_alert_is_on(const struct economy *e, const struct cost_policy *p,
			     const struct alert *a, uint32_t limit)
{
	int64_t threshold;

	if (a->type == ALERT_BUDGET_USAGE)
		return spending_part(p, e->c->taken_at) >= a->value;
	if (a->type > ALERT_ANOMALY || !limit)
		return false;
	threshold = cost_threshold(e, p, a);
	return threshold >= 0 && e->limits.items[limit - 1].cost >= threshold;
}

bool economy_limit_is_of(const struct economy *e, uint32_t limit, optimizer_id of)
{
	const struct account *a = of == NONE ? NULL : &e->accounts[of];

	for (uint32_t k = 0; a && k < a->limits.n; k++)
		if (e->limit_ids.items[a->limits.at + k] + 1 == limit)
			return true;
	return false;
}

int64_t economy_efficiency(const struct economy *e, uint32_t limit, const struct power_parts *parts)
{
	int64_t best = 0, now = 0;

	for (optimizer_id id = 0; id < e->c->optimizers.n; id++) {
		if (!economy_limit_is_of(e, limit, id))
			continue;
		best += parts[id].best;
		now += parts[id].now;
	}
	return now > 0 ? (int64_t)((__int128)best * PPM / now) : PPM;
}

/* Per cent of the target, or a fraction of it up to 1; without one, mg per hour. */
static int64_t carbon_threshold(const struct power_policy *p, int64_t value)
{
	if (p->carbon_target < 0)
		return value;
	return (int64_t)((__int128)p->carbon_target * (value > PPM ? value / 100 : value) / PPM);
}

static int64_t power_threshold(const struct power_policy *p, int64_t value)
{
	return p->max_power < 0 ? NO_LIMIT : (int64_t)((__int128)p->max_power * value / PPM);
}

static bool power_alert_is_on(struct economy *e, size_t policy, const struct alert *a)
{
	const struct power_policy *p = &e->c->power_policies.items[policy];
	uint32_t limit = e->limit_of_power_policy[policy];
	const struct money_limit *l = &e->limits.items[limit - 1];

	if (a->type == ALERT_POWER_USAGE)
		return p->max_power >= 0 && l->power >= power_threshold(p, a->value);
	if (a->type == ALERT_CARBON)
		return l->carbon / PPM >= carbon_threshold(p, a->value);
	if (a->type != ALERT_POWER_EFFICIENCY)
		return false;
	AUTO_FREE struct power_parts *parts = economy_power_parts(e);
	return economy_efficiency(e, limit, parts) < a->value;
}

bool economy_power_alert_goes_on(struct economy *e, size_t policy, uint32_t alert)
{
	const struct alert *a = &e->c->alerts.items[alert];

	return a->type == ALERT_POWER_EFFICIENCY || power_alert_is_on(e, policy, a);
}

/* ---- What stays below all of them ---- */

/* Below the threshold, if there is one. */
static __int128 below(__int128 threshold)
{
	return threshold < 0 ? NO_LIMIT : threshold > 0 ? threshold - 1 : 0;
}

static void read_cost_alerts(struct economy *e, const struct cost_policy *p, struct money_limit *l)
{
	for (uint32_t k = 0; k < p->alerts.n; k++) {
		const struct alert *a = &e->c->alerts.items[p->alerts.at + k];

		if (a->action == ALERT_SCALE_DOWN &&
		    (a->type == ALERT_COST_INCREASE || a->type == ALERT_ANOMALY))
			l->calm_cost =
				(int64_t)lower_limit(l->calm_cost, below(cost_threshold(e, p, a)));
	}
}

static void read_power_alerts(struct economy *e, const struct power_policy *p,
			      struct money_limit *l)
{
	for (uint32_t k = 0; k < p->alerts.n; k++) {
		const struct alert *a = &e->c->alerts.items[p->alerts.at + k];

		if (a->action != ALERT_SCALE_DOWN)
			continue;
		if (a->type == ALERT_POWER_USAGE)
			l->calm_power = (int64_t)lower_limit(l->calm_power,
							     below(power_threshold(p, a->value)));
		else if (a->type == ALERT_CARBON)
			l->calm_carbon =
				lower_limit(l->calm_carbon,
					    below((__int128)carbon_threshold(p, a->value) * PPM));
	}
}

void economy_read_alerts(struct economy *e)
{
	const struct cluster *c = e->c;

	for (size_t i = 0; i < c->cost_policies.n; i++)
		if (e->limit_of_policy[i])
			read_cost_alerts(e, &c->cost_policies.items[i],
					 &e->limits.items[e->limit_of_policy[i] - 1]);
	for (size_t i = 0; i < c->power_policies.n; i++)
		if (e->limit_of_power_policy[i])
			read_power_alerts(e, &c->power_policies.items[i],
					  &e->limits.items[e->limit_of_power_policy[i] - 1]);
}

/* ---- What is done ---- */

/* One text for each alert that stops a workload, and that scales it down. */
static const char *const pauses[ALERT_TYPES] = {
	[ALERT_BUDGET_USAGE] = "a CostPolicy pauses it: alert budget_usage",
	[ALERT_COST_INCREASE] = "a CostPolicy pauses it: alert cost_increase",
	[ALERT_ANOMALY] = "a CostPolicy pauses it: alert anomaly",
	[ALERT_POWER_USAGE] = "a PowerPolicy pauses it: alert power_usage",
	[ALERT_POWER_EFFICIENCY] = "a PowerPolicy pauses it: alert power_efficiency",
	[ALERT_CARBON] = "a PowerPolicy pauses it: alert carbon_footprint",
};

static const char *const scale_downs[ALERT_TYPES] = {
	[ALERT_BUDGET_USAGE] = "a CostPolicy scales it down: alert budget_usage",
	[ALERT_COST_INCREASE] = "a CostPolicy scales it down: alert cost_increase",
	[ALERT_ANOMALY] = "a CostPolicy scales it down: alert anomaly",
	[ALERT_POWER_USAGE] = "a PowerPolicy scales it down: alert power_usage",
	[ALERT_POWER_EFFICIENCY] = "a PowerPolicy scales it down: alert power_efficiency",
	[ALERT_CARBON] = "a PowerPolicy scales it down: alert carbon_footprint",
};

static const char *const ends[ALERT_TYPES] = {
	[ALERT_BUDGET_USAGE] = "a CostPolicy ends it: alert budget_usage",
	[ALERT_COST_INCREASE] = "a CostPolicy ends it: alert cost_increase",
	[ALERT_ANOMALY] = "a CostPolicy ends it: alert anomaly",
	[ALERT_POWER_USAGE] = "a PowerPolicy ends it: alert power_usage",
	[ALERT_POWER_EFFICIENCY] = "a PowerPolicy ends it: alert power_efficiency",
	[ALERT_CARBON] = "a PowerPolicy ends it: alert carbon_footprint",
};

static void warn_of_terminate(struct economy *e, const char *kind, const struct meta *m,
			      const struct alert *alert)
{
	if (alert->action != ALERT_TERMINATE || e->settings->optimise.allow_terminate)
		return;
	warning_add(&e->p->trial.warnings, kind, cluster_str(e->c, m->ns),
		    cluster_str(e->c, m->name), "TerminateNotAllowed",
		    "alert %s: its workloads are paused, since optimise.allowTerminate is not set",
		    alert_type_words[alert->type]);
}

/* What is ended is paused as well. */
static void act_on(const struct economy *e, struct account *a, const struct alert *alert)
{
	if (alert->action == ALERT_TERMINATE && e->settings->optimise.allow_terminate)
		a->end_why = ends[alert->type];
	if (alert->action == ALERT_PAUSE || alert->action == ALERT_TERMINATE) {
		a->is_suspended = true;
		a->why = a->why ? a->why : pauses[alert->type];
	}
	if (alert->action == ALERT_SCALE_DOWN) {
		a->is_least_for_power = alert->type >= ALERT_POWER_USAGE;
		a->least_why = scale_downs[alert->type];
	}
}

static void act(struct economy *e, uint32_t limit, struct range alerts, const char *kind,
		const struct meta *m)
{
	for (uint32_t i = 0; i < alerts.n; i++) {
		if (!e->alerts_on[alerts.at + i])
			continue;
		warn_of_terminate(e, kind, m, &e->c->alerts.items[alerts.at + i]);
		for (optimizer_id id = 0; id < e->c->optimizers.n; id++)
			if (economy_limit_is_of(e, limit, id))
				act_on(e, &e->accounts[id], &e->c->alerts.items[alerts.at + i]);
	}
}

void economy_heed_alerts(struct economy *e)
{
	const struct cluster *c = e->c;

	if (!c->alerts.n)
		return;
	e->alerts_on = xcalloc(c->alerts.n, sizeof(*e->alerts_on));
	for (size_t i = 0; i < c->power_policies.n; i++)
		if (c->power_policies.items[i].alerts.n)
			economy_sum_power(e);
	for (size_t i = 0; i < c->cost_policies.n; i++) {
		const struct cost_policy *p = &c->cost_policies.items[i];

		for (uint32_t k = 0; k < p->alerts.n; k++)
			e->alerts_on[p->alerts.at + k] = cost_alert_is_on(
				e, p, &c->alerts.items[p->alerts.at + k], e->limit_of_policy[i]);
		act(e, e->limit_of_policy[i], p->alerts, "CostPolicy", &p->meta);
	}
	for (size_t i = 0; i < c->power_policies.n; i++) {
		const struct power_policy *p = &c->power_policies.items[i];

		for (uint32_t k = 0; k < p->alerts.n && e->limit_of_power_policy[i]; k++)
			e->alerts_on[p->alerts.at + k] =
				power_alert_is_on(e, i, &c->alerts.items[p->alerts.at + k]);
		act(e, e->limit_of_power_policy[i], p->alerts, "PowerPolicy", &p->meta);
	}
}
