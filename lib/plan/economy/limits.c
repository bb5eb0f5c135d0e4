/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "model/match.h"
#include "model/spending.h"
#include "plan/economy/alerts.h"
#include "plan/economy/kinds.h"

enum { DAY_SECONDS = 86400 };

/* ---- Whose limits count ---- */

static const struct namespace *find_namespace(const struct cluster *c, str_id ns)
{
	array_each(n, &c->namespaces)
		if (n->meta.name == ns)
			return n;
	return NULL;
}

/* Does its namespaceSelector reach other namespaces? One that any tenant may write does not. */
static bool reaches_far(const struct economy *e, const struct meta *m)
{
	const char *own = e->settings->optimise.namespace;

	return !m->ns || (*own && strcmp(cluster_str(e->c, m->ns), own) == 0);
}

/* A policy without a namespace is the cluster's; others speak for their own one, and those of
 * optimise.namespace also for what they select. */
static bool policy_covers(const struct economy *e, const struct meta *m,
			  const struct selector *namespaces, const struct selector *workloads,
			  const struct optimizer *o)
{
	const struct cluster *c = e->c;

	if (workloads->is_set && !selector_matches(c, *workloads, o->labels))
		return false;
	if (m->ns && (!namespaces->is_set || !reaches_far(e, m)))
		return m->ns == o->meta.ns;
	if (!namespaces->is_set)
		return true;
	const struct namespace *ns = find_namespace(c, o->meta.ns);
	return ns && selector_matches(c, *namespaces, ns->labels);
}

static void warn_of_reach(struct economy *e, const char *kind, const struct meta *m,
			  const struct selector *namespaces)
{
	const struct cluster *c = e->c;

	if (!namespaces->is_set || reaches_far(e, m))
		return;
	array_each(ns, &c->namespaces) {
		if (ns->meta.name == m->ns || !selector_matches(c, *namespaces, ns->labels))
			continue;
		warning_add(&e->p->trial.warnings, kind, cluster_str(c, m->ns),
			    cluster_str(c, m->name), "PolicyOutOfReach",
			    "namespaceSelector: selects namespace %s, which only a policy of the "
			    "cluster or of optimise.namespace reaches",
			    cluster_str(c, ns->meta.name));
		return;
	}
}

static uint32_t new_limit(struct economy *e, const char *kind, const struct meta *m,
			  int64_t max_cost, int64_t max_power, bool is_exhausted)
{
	const char *ns = cluster_str(e->c, m->ns), *name = cluster_str(e->c, m->name);
	size_t n = strlen(kind) + strlen(ns) + strlen(name) + 3;
	char *object = arena_alloc(&e->p->trial.arena, n);

	snprintf(object, n, "%s %s%s%s", kind, ns, *ns ? "/" : "", name);
	*array_add(&e->limits) = (struct money_limit){
		.max_cost = max_cost,
		.max_power = max_power,
		.max_carbon = NO_LIMIT,
		.calm_cost = NO_LIMIT,
		.calm_power = NO_LIMIT,
		.calm_carbon = NO_LIMIT,
		.is_exhausted = is_exhausted,
		.object = object,
	};
	return (uint32_t)e->limits.n - 1;
}

/* Spot rules of a policy: all policies must allow it, and the smallest limit counts. */
static void add_spot_rules(struct account *a, const struct cost_policy *p)
{
	a->forbids_spot |= p->forbids_spot;
	a->stays_interrupted |= p->interruption == INTERRUPTION_TERMINATE;
	a->keeps_memory |= p->interruption == INTERRUPTION_MIGRATE;
	if (p->max_spot_ppm >= 0) {
		uint32_t most = (uint32_t)((uint64_t)a->n_pods * (uint32_t)p->max_spot_ppm / PPM);

		a->max_spot = most < a->max_spot ? most : a->max_spot;
	}
	if (p->max_spot_price >= 0 &&
	    (a->max_spot_price < 0 || p->max_spot_price < a->max_spot_price))
		a->max_spot_price = p->max_spot_price;
	if (p->max_interruption_ppm >= 0 &&
	    (a->max_interruption_ppm < 0 || p->max_interruption_ppm < a->max_interruption_ppm))
		a->max_interruption_ppm = p->max_interruption_ppm;
}

static void suspend(struct account *a, const char *why)
{
	a->is_suspended = true;
	a->why = a->why ? a->why : why;
}

/* By the clock of optimise.utcOffset. */
static int64_t second_of_day(const struct economy *e)
{
	int64_t now = settings_local_time(e->settings, e->c->taken_at);

	return (now % DAY_SECONDS + DAY_SECONDS) % DAY_SECONDS;
}

static bool is_in_span(const struct economy *e, struct range spans)
{
	int32_t minute = (int32_t)(second_of_day(e) / 60);

	for (uint32_t i = 0; i < spans.n; i++) {
		const struct day_span *s = &e->c->day_spans.items[spans.at + i];
		bool is_over_midnight = s->from > s->to;
		bool is_in = is_over_midnight ? minute >= s->from || minute < s->to
					      : minute >= s->from && minute < s->to;

		if (is_in)
			return true;
	}
	return false;
}

/* To avoid peaks is to schedule by power. */
static bool avoids_peaks(const struct power_policy *p)
{
	return p->avoids_peak && !p->is_unaware;
}

/* Seconds, of which there is at least one, until it is that minute of the day. */
static int64_t seconds_until(int32_t minute, int64_t now)
{
	return (INT64_C(60) * minute - now - 1 + DAY_SECONDS) % DAY_SECONDS + 1;
}

int64_t economy_peak_change(const struct economy *e)
{
	int64_t now = second_of_day(e), least = 0;

	for (size_t i = 0; i < e->c->power_policies.n; i++) {
		const struct power_policy *p = &e->c->power_policies.items[i];

		for (uint32_t k = 0; k < p->peak_hours.n && avoids_peaks(p); k++) {
			const struct day_span *s = &e->c->day_spans.items[p->peak_hours.at + k];
			int64_t from = seconds_until(s->from, now), to = seconds_until(s->to, now);
			int64_t next = from < to ? from : to;

			least = !least || next < least ? next : least;
		}
	}
	return least;
}

/* The first use of each policy's limit, plus 1, by policy. */
struct policy_ids {
	uint32_t *cost, *power;
};

static bool policy_is_exhausted(const struct economy *e, const struct cost_policy *p)
{
	struct policy_budget budgets[POLICY_BUDGETS];
	uint32_t n = spending_of_policy(p, e->c->taken_at, budgets);
	bool is_exhausted = false;

	for (uint32_t i = 0; i < n; i++)
		is_exhausted |= budgets[i].spent >= budgets[i].limit;
	return is_exhausted;
}

static void apply_cost_policies(struct economy *e, optimizer_id id, const struct policy_ids *ids)
{
	const struct optimizer *o = &e->c->optimizers.items[id];
	struct account *a = &e->accounts[id];

	for (size_t i = 0; i < e->c->cost_policies.n; i++) {
		const struct cost_policy *p = &e->c->cost_policies.items[i];

		if (!policy_covers(e, &p->meta, &p->namespaces, &p->workloads, o))
			continue;
		if (p->is_unread)
			suspend(a, "a CostPolicy that covers it cannot be read");
		add_spot_rules(a, p);
		if (!ids->cost[i])
			ids->cost[i] = new_limit(e, "CostPolicy", &p->meta, p->per_hour, NO_LIMIT,
						 policy_is_exhausted(e, p)) +
				       1;
		*array_add(&e->limit_ids) = ids->cost[i] - 1;
	}
}

static bool power_policy_covers(const struct economy *e, size_t policy, optimizer_id id)
{
	const struct power_policy *p = &e->c->power_policies.items[policy];

	return policy_covers(e, &p->meta, &p->namespaces, &p->workloads,
			     &e->c->optimizers.items[id]);
}

static void add_part(struct economy *e, size_t policy, optimizer_id id)
{
	const struct power_policy *p = &e->c->power_policies.items[policy];

	if (p->max_power < 0 || p->allocation == ALLOCATE_NONE)
		return;
	uint32_t limit =
		new_limit(e, "PowerPolicy", &p->meta, NO_LIMIT, economy_part(e, policy, id), false);

	e->limits.items[limit].is_part = e->has_parts = true;
	*array_add(&e->limit_ids) = limit;
}

/* Is the target more than something to be told of? */
static bool caps_carbon(const struct cluster *c, const struct power_policy *p)
{
	for (uint32_t i = 0; i < p->alerts.n; i++) {
		const struct alert *a = &c->alerts.items[p->alerts.at + i];

		if (a->type == ALERT_CARBON && a->action != ALERT_NOTIFY)
			return !p->is_green_off && p->carbon_target >= 0;
	}
	return false;
}

/* The policy's limit, which is made when it first counts. */
static uint32_t limit_of_power(struct economy *e, const struct power_policy *p, uint32_t *id)
{
	if (!*id) {
		uint32_t limit =
			new_limit(e, "PowerPolicy", &p->meta, NO_LIMIT, p->max_power, false);

		if (caps_carbon(e->c, p))
			e->limits.items[limit].max_carbon = (__int128)p->carbon_target * PPM;
		*id = limit + 1;
	}
	return *id - 1;
}

static void apply_power_policies(struct economy *e, optimizer_id id, const struct policy_ids *ids)
{
	const struct optimizer *o = &e->c->optimizers.items[id];
	struct account *a = &e->accounts[id];

	for (size_t i = 0; i < e->c->power_policies.n; i++) {
		const struct power_policy *p = &e->c->power_policies.items[i];
		bool is_peak = avoids_peaks(p) && is_in_span(e, p->peak_hours);

		if (!power_policy_covers(e, i, id))
			continue;
		if (p->is_unread)
			suspend(a, "a PowerPolicy that covers it cannot be read");
		if (!p->is_green_off && p->min_green_ppm > a->min_green_ppm)
			a->min_green_ppm = p->min_green_ppm;
		e->is_peak |= is_peak;
		a->is_unaware |= p->is_unaware;
		a->avoids_power |=
			is_peak && (o->type == WORKLOAD_TRAINING || o->type == WORKLOAD_BATCH);
		*array_add(&e->limit_ids) = limit_of_power(e, p, &ids->power[i]);
		add_part(e, i, id);
	}
}

static void read_account(struct economy *e, optimizer_id id, const struct policy_ids *ids)
{
	const struct optimizer *o = &e->c->optimizers.items[id];
	struct account *a = &e->accounts[id];
	uint32_t base = workload_serves(o->type) && a->n_pods >= 2
				? e->settings->optimise.on_demand_base
				: 0;

	a->max_spot = base < a->n_pods ? a->n_pods - base : 0;
	a->max_spot_price = a->max_interruption_ppm = a->min_green_ppm = NO_LIMIT;
	a->spent = spending_now((enum budget_period)o->period, &o->budget, e->c->taken_at);
	a->is_exhausted = o->budget_limit >= 0 && a->spent >= o->budget_limit;
	if (o->is_unread)
		suspend(a, "the WorkloadOptimizer cannot be read: see the warning");
	if (o->is_disabled)
		suspend(a, "annotation kcloud.io/optimization-disabled");
	if (o->is_deleting)
		suspend(a, "the WorkloadOptimizer is being deleted");
	a->is_elsewhere = !settings_optimise_in(e->settings, cluster_str(e->c, o->meta.ns));
	a->limits.at = (uint32_t)e->limit_ids.n;
	*array_add(&e->limit_ids) = new_limit(e, "WorkloadOptimizer", &o->meta, o->max_cost,
					      o->max_power, a->is_exhausted);
	apply_cost_policies(e, id, ids);
	apply_power_policies(e, id, ids);
	a->limits.n = (uint32_t)e->limit_ids.n - a->limits.at;
}

/* The first workload that no PowerPolicy excepts; NONE: each is excepted. */
static optimizer_id find_aware(const struct economy *e)
{
	for (optimizer_id id = 0; id < e->c->optimizers.n; id++)
		if (!e->accounts[id].is_unaware)
			return id;
	return NONE;
}

/* J is of all nodes: energy counts in it while it counts for one workload. */
static void weigh_power(struct economy *e)
{
	const struct cluster *c = e->c;
	optimizer_id aware = find_aware(e);

	e->power_weight = e->is_peak ? 2 : 1;
	if (aware == NONE && c->optimizers.n)
		e->power_weight = 0;
	for (size_t i = 0; aware != NONE && i < c->power_policies.n; i++) {
		const struct meta *m = &c->power_policies.items[i].meta;
		const struct meta *of = &c->optimizers.items[aware].meta;

		if (c->power_policies.items[i].is_unaware && e->limit_of_power_policy[i])
			warning_add(&e->p->trial.warnings, "PowerPolicy", cluster_str(c, m->ns),
				    cluster_str(c, m->name), "PowerStillCounts",
				    "powerAwareScheduling: false counts once it is said of all "
				    "workloads, and WorkloadOptimizer %s/%s is not covered",
				    cluster_str(c, of->ns), cluster_str(c, of->name));
	}
}

void economy_read_limits(struct economy *e)
{
	const struct cluster *c = e->c;

	e->limit_of_policy = xcalloc(c->cost_policies.n + 1, sizeof(*e->limit_of_policy));
	e->limit_of_power_policy =
		xcalloc(c->power_policies.n + 1, sizeof(*e->limit_of_power_policy));
	struct policy_ids ids = { e->limit_of_policy, e->limit_of_power_policy };

	array_each(p, &c->cost_policies)
		warn_of_reach(e, "CostPolicy", &p->meta, &p->namespaces);
	array_each(p, &c->power_policies)
		warn_of_reach(e, "PowerPolicy", &p->meta, &p->namespaces);
	economy_read_weights(e, power_policy_covers);
	for (optimizer_id id = 0; id < c->optimizers.n; id++)
		read_account(e, id, &ids);
	weigh_power(e);
	economy_read_alerts(e);
	for (uint32_t i = 0; i < e->limits.n; i++) {
		const struct money_limit *l = &e->limits.items[i];

		if (l->max_power >= 0 || l->max_carbon >= 0 || l->calm_carbon >= 0)
			*array_add(&e->power_limits) = i;
	}
	e->tracks_power = e->power_limits.n > 0;
	for (optimizer_id id = 0; id < c->optimizers.n; id++)
		e->tracks_power |= e->accounts[id].min_green_ppm >= 0;
}

bool economy_is_over_cost(const struct economy *e, optimizer_id of)
{
	const struct range ids = of == NONE ? (struct range){ 0 } : e->accounts[of].limits;

	for (uint32_t k = 0; k < ids.n; k++) {
		const struct money_limit *l = &e->limits.items[e->limit_ids.items[ids.at + k]];

		if (l->max_cost >= 0 && l->cost > l->max_cost)
			return true;
	}
	return false;
}
