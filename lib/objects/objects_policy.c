/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/day_time.h"
#include "base/decimal.h"
#include "objects/objects_internal.h"

/* CostPolicies and PowerPolicies in their three dialects, and tables of prices: model/economy.h. */

/* Per cent, or a fraction up to 1: parts per million. */
static int read_share(struct decoder *d, const struct field *f, void *into)
{
	int64_t v = 0;
	int r = read_micro(d, f, &v);

	if (r == 0 && v > MICRO)
		v /= 100;
	if (r == 0 && v > MICRO)
		return decode_refuse(d, "must be up to 1, or a percentage");
	if (r == 0)
		*(int32_t *)into = (int32_t)v;
	return r;
}

/* Always per cent. */
static int read_percent(struct decoder *d, const struct field *f, void *into)
{
	int64_t v = 0;
	int r = read_micro(d, f, &v);

	if (r == 0 && v > 100 * INT64_C(1000000))
		return decode_refuse(d, "must be from 0 to 100");
	if (r == 0)
		*(int32_t *)into = (int32_t)(v / 100);
	return r;
}

/* The other way round: a switch that is on when it is not given. */
static int read_off(struct decoder *d, const struct field *f, void *into)
{
	bool is_on = true;
	int r = read_bool(d, f, &is_on);

	*(bool *)into = !is_on;
	return r;
}

/* Alerts: a list in dialect A, an object in B and C. */

static const struct field alert_fields[] = {
	FIELD_MORE("action", read_default_choice, struct alert, action, alert_action_words),
	FIELD_MORE("type", read_choice, struct alert, type, alert_type_words),
	FIELD("value", read_micro, struct alert, value),
	{ 0 },
};

enum { ANOMALY_FACTOR = 3 };

static bool is_usage(const struct alert *a)
{
	return a->type == ALERT_BUDGET_USAGE || a->type == ALERT_POWER_USAGE ||
	       a->type == ALERT_POWER_EFFICIENCY;
}

static int read_alert(struct decoder *d, void *arg)
{
	struct alert a = { .type = UINT8_MAX };
	int r = decode_object(d, alert_fields, &a);

	(void)arg;
	if (r == 0 && a.type == UINT8_MAX)
		return decode_refuse(d, "type is missing");
	if (r == 0 && is_usage(&a) && a.value > MICRO)
		a.value /= 100;
	if (r == 0 && a.type == ALERT_ANOMALY && !a.value)
		a.value = ANOMALY_FACTOR * (int64_t)MICRO;
	if (r == 0)
		*array_add(&objects_of(d)->c->alerts) = a;
	return r;
}

/* An object has one number for each kind of alert, all of which only notify. */
static int read_alert_member(struct decoder *d, struct slice key, void *arg)
{
	static const struct {
		const char *key;
		uint8_t type;
	} rows[] = {
		{ "budgetUtilization", ALERT_BUDGET_USAGE },
		{ "costIncrease", ALERT_COST_INCREASE },
		{ "costSpike", ALERT_COST_INCREASE },
		{ "powerUsage", ALERT_POWER_USAGE },
		{ "powerUtilization", ALERT_POWER_USAGE },
		{ "efficiency", ALERT_POWER_EFFICIENCY },
		{ "efficiencyDrop", ALERT_POWER_EFFICIENCY },
	};
	struct alert a = { .type = UINT8_MAX };

	(void)arg;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (slice_eq(key, rows[i].key))
			a.type = rows[i].type;
	if (a.type == UINT8_MAX)
		return scan_skip(&d->scan);
	int r = read_micro(d, NULL, &a.value);
	if (r < 0)
		return r;
	/* B: 20 is an increase by 20 %; C: 2.0 is the double. */
	if (slice_eq(key, "costIncrease"))
		a.value = MICRO + a.value / 100;
	else if (is_usage(&a) && a.value > MICRO)
		a.value /= 100;
	/* By how much it is less than where each pod is best, which is 1. */
	if (slice_eq(key, "efficiencyDrop"))
		a.value = a.value < MICRO ? MICRO - a.value : 0;
	*array_add(&objects_of(d)->c->alerts) = a;
	return 0;
}

static int read_alerts(struct decoder *d, const struct field *f, void *into)
{
	struct cluster *c = objects_of(d)->c;
	struct range *run = into;
	uint32_t at = run->n ? run->at : (uint32_t)c->alerts.n;
	int r = scan_blank(&d->scan) == '[' ? decode_list(d, read_alert, NULL)
					    : decode_map(d, read_alert_member, NULL);

	(void)f;
	if (r == 0)
		*run = (struct range){ at, (uint32_t)c->alerts.n - at };
	return r;
}

/* What was on when the status was written. */
static const struct field note_fields[] = {
	FIELD_MORE("action", read_choice, struct alert_note, action, alert_action_words),
	FIELD("since", read_time, struct alert_note, since),
	FIELD_MORE("type", read_choice, struct alert_note, type, alert_type_words),
	FIELD("value", read_micro, struct alert_note, value),
	{ 0 },
};

static int read_note(struct decoder *d, void *arg)
{
	struct alert_note n = { .type = UINT8_MAX, .action = UINT8_MAX };
	int r = decode_object(d, note_fields, &n);

	(void)arg;
	if (r == 0)
		*array_add(&objects_of(d)->c->alert_notes) = n;
	return r;
}

static int read_notes(struct decoder *d, const struct field *f, void *into)
{
	struct cluster *c = objects_of(d)->c;
	uint32_t at = (uint32_t)c->alert_notes.n;
	int r = decode_list(d, read_note, NULL);

	(void)f;
	if (r == 0)
		*(struct range *)into = (struct range){ at, (uint32_t)c->alert_notes.n - at };
	return r;
}

/* CostPolicy */

struct cost_draft {
	struct object_meta meta;
	struct cost_policy p;
};

#define COST(key, read, member, ...) FIELD(key, read, struct cost_draft, p.member, ##__VA_ARGS__)

static const char *const interruptions[] = { "drain", "terminate", "migrate", NULL };

static const struct field spot_fields[] = {
	COST("enabled", read_off, forbids_spot),
	FIELD_MORE("interruptionHandling", read_default_choice, struct cost_draft, p.interruption,
		   interruptions, UNREAD_DETAIL),
	COST("maxInterruptionRate", read_share, max_interruption_ppm),
	COST("maxPrice", read_micro, max_spot_price),
	COST("maxSpotPercentage", read_percent, max_spot_ppm),
	{ 0 },
};

static const struct field rate_fields[] = {
	COST("cpuCostPerCore", read_micro, cpu_rate),
	COST("cpuCostPerCorePerHour", read_micro, cpu_rate),
	COST("gpuCostPerHour", read_micro, gpu_rate),
	COST("gpuCostPerUnit", read_micro, gpu_rate),
	COST("memoryCostPerGB", read_micro, memory_rate),
	COST("memoryCostPerGiPerHour", read_micro, memory_rate),
	COST("npuCostPerHour", read_micro, npu_rate),
	COST("npuCostPerUnit", read_micro, npu_rate),
	{ 0 },
};

static const struct field cost_spec_fields[] = {
	COST("alertThresholds", read_alerts, alerts, UNREAD_DETAIL),
	COST("budgetLimit", read_micro, budget, UNREAD_BUDGET),
	COST("costPerHourLimit", read_micro, per_hour, UNREAD_BUDGET),
	COST("monthlyBudget", read_micro, monthly, UNREAD_BUDGET),
	COST("namespaceSelector", read_selector, namespaces, UNREAD_TARGET),
	FIELD_SUB("resourceCostPolicy", rate_fields, UNREAD_DETAIL),
	FIELD_SUB("spotInstancePolicy", spot_fields, UNREAD_BUDGET),
	COST("workloadSelector", read_selector, workloads, UNREAD_TARGET),
	{ 0 },
};

static const struct field cost_budget_fields[] = {
	COST("accountedAt", read_time, budget_note.accounted_at, UNREAD_BUDGET),
	COST("periodStart", read_time, budget_note.period_start, UNREAD_DETAIL),
	COST("rateMicroUSD", read_generation, budget_note.rate, UNREAD_BUDGET),
	COST("spent", read_micro, budget_note.spent, UNREAD_BUDGET),
	COST("total", read_micro, budget_note.total, UNREAD_BUDGET),
	{ 0 },
};

static const struct field day_fields[] = {
	COST("lastPerHour", read_micro, day.last, UNREAD_DETAIL),
	COST("since", read_time, day.since, UNREAD_DETAIL),
	COST("spent", read_micro, day.spent, UNREAD_DETAIL),
	{ 0 },
};

static const struct field cost_status_fields[] = {
	COST("alerts", read_notes, note.alerts, UNREAD_DETAIL),
	FIELD_SUB("budget", cost_budget_fields, UNREAD_BUDGET),
	COST("conditions", read_condition_notes, note.conditions, UNREAD_DETAIL),
	FIELD_SUB("day", day_fields, UNREAD_DETAIL),
	COST("observedGeneration", read_generation, note.observed, UNREAD_DETAIL),
	COST("phase", read_text, note.phase, UNREAD_DETAIL),
	{ 0 },
};

static const struct field cost_policy_fields[] = {
	FIELD_META(struct cost_draft),
	FIELD_SUB("spec", cost_spec_fields, UNREAD_BUDGET),
	FIELD_SUB("status", cost_status_fields, UNREAD_BUDGET),
	{ 0 },
};

/* Policies are of the whole cluster where a foreign definition says so: then they have no
 * namespace. */
int decode_cost_policy(struct objects *o, str_id kind, str_id version)
{
	struct cost_draft d = {
		.p = { .per_hour = NO_LIMIT,
		       .budget = NO_LIMIT,
		       .monthly = NO_LIMIT,
		       .max_spot_price = NO_LIMIT,
		       .max_spot_ppm = NO_LIMIT,
		       .max_interruption_ppm = NO_LIMIT,
		       .cpu_rate = NO_LIMIT,
		       .memory_rate = NO_LIMIT,
		       .gpu_rate = NO_LIMIT,
		       .npu_rate = NO_LIMIT },
	};
	int r = decode_whole(o, cost_policy_fields, &d, &d.meta, SCOPE_EITHER);

	(void)kind;
	(void)version;
	if (r < 0)
		return r;
	d.p.meta = d.meta.meta;
	d.p.generation = d.meta.generation;
	if (d.p.max_spot_price == 0)
		d.p.max_spot_price = NO_LIMIT;
	d.p.is_unread = o->d.unread & ~(unsigned)UNREAD_DETAIL;
	*array_add(&o->c->cost_policies) = d.p;
	return 0;
}

/* PowerPolicy */

struct power_draft {
	struct object_meta meta;
	struct power_policy p;
};

#define POWER(key, read, member, ...) FIELD(key, read, struct power_draft, p.member, ##__VA_ARGS__)

/* kg/h as mg/h: the millionths of a decimal of kilograms. */
static const struct field green_fields[] = {
	POWER("carbonFootprintTarget", read_micro, carbon_target),
	POWER("enabled", read_off, is_green_off),
	POWER("minGreenEnergyPercentage", read_percent, min_green_ppm),
	POWER("renewablePercentage", read_share, min_green_ppm),
	{ 0 },
};

static int read_span(struct decoder *d, void *arg)
{
	struct day_span span;
	struct slice text;
	int r = decode_text(d, &text);

	(void)arg;
	if (r < 0)
		return r;
	const char *end = text.s + text.n, *p = day_time_take(text.s, end, &span.from);
	if (p && p == end)
		span.to = span.from + 60;
	else if (p && *p == '-')
		p = day_time_take(p + 1, end, &span.to);
	if (p != end || span.from == DAY_MINUTES)
		return decode_refuse(d, "'%.*s' is no time of day such as 9-17",
				     (int)(text.n > 40 ? 40 : text.n), text.s);
	*array_add(&objects_of(d)->c->day_spans) = span;
	return 0;
}

static int read_spans(struct decoder *d, const struct field *f, void *into)
{
	struct cluster *c = objects_of(d)->c;
	uint32_t at = (uint32_t)c->day_spans.n;
	int r = decode_list(d, read_span, NULL);

	(void)f;
	if (r == 0)
		*(struct range *)into = (struct range){ at, (uint32_t)c->day_spans.n - at };
	return r;
}

static const char *const allocations[] = { "", "equal", "priority_based", "workload_based", NULL };

static const struct field scheduling_fields[] = {
	POWER("peakPowerAvoidance", read_bool, avoids_peak),
	POWER("peakPowerHours", read_spans, peak_hours),
	POWER("powerAwareScheduling", read_off, is_unaware),
	FIELD_MORE("powerBudgetAllocation", read_default_choice, struct power_draft, p.allocation,
		   allocations),
	{ 0 },
};

static const struct field aware_fields[] = {
	POWER("enabled", read_off, is_unaware),
	{ 0 },
};

/* A boolean in dialect A, an object in C. */
static int read_aware(struct decoder *d, const struct field *f, void *into)
{
	struct power_draft *draft = into;

	if (scan_blank(&d->scan) == '{')
		return read_object(d, f, into);
	return read_off(d, f, &draft->p.is_unaware);
}

static const struct field power_spec_fields[] = {
	POWER("alertThresholds", read_alerts, alerts, UNREAD_DETAIL),
	FIELD_SUB("greenEnergyPolicy", green_fields, UNREAD_BUDGET),
	POWER("maxPowerUsage", read_milliwatt, max_power, UNREAD_BUDGET),
	POWER("namespaceSelector", read_selector, namespaces, UNREAD_TARGET),
	POWER("powerAlertThresholds", read_alerts, alerts, UNREAD_DETAIL),
	FIELD_WHOLE("powerAwareScheduling", read_aware, aware_fields, UNREAD_DETAIL),
	FIELD_SUB("powerSchedulingPolicy", scheduling_fields, UNREAD_BUDGET),
	POWER("workloadSelector", read_selector, workloads, UNREAD_TARGET),
	{ 0 },
};

static const struct field power_status_fields[] = {
	POWER("alerts", read_notes, note.alerts, UNREAD_DETAIL),
	POWER("conditions", read_condition_notes, note.conditions, UNREAD_DETAIL),
	POWER("currentPowerUsage", read_milliwatt, status_power, UNREAD_DETAIL),
	POWER("observedGeneration", read_generation, note.observed, UNREAD_DETAIL),
	POWER("phase", read_text, note.phase, UNREAD_DETAIL),
	{ 0 },
};

static const struct field power_policy_fields[] = {
	FIELD_META(struct power_draft),
	FIELD_SUB("spec", power_spec_fields, UNREAD_BUDGET),
	FIELD_SUB("status", power_status_fields, UNREAD_DETAIL),
	{ 0 },
};

int decode_power_policy(struct objects *o, str_id kind, str_id version)
{
	struct power_draft d = {
		.p = { .max_power = NO_LIMIT,
		       .carbon_target = NO_LIMIT,
		       .min_green_ppm = NO_LIMIT },
	};
	int r = decode_whole(o, power_policy_fields, &d, &d.meta, SCOPE_EITHER);

	(void)kind;
	(void)version;
	if (r < 0)
		return r;
	d.p.meta = d.meta.meta;
	d.p.generation = d.meta.generation;
	d.p.is_unread = o->d.unread & ~(unsigned)UNREAD_DETAIL;
	*array_add(&o->c->power_policies) = d.p;
	return 0;
}

/* ConfigMaps: all data that may be a table. */

struct table_draft {
	struct object_meta meta;
	struct str text; /* every value, each with a NUL behind it */
};

static bool may_be_table(struct slice text)
{
	static const char *const words[] = { "instanceType", "offerings", "Offerings", "\"k0\"" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (memmem(text.s, text.n, words[i], strlen(words[i])))
			return true;
	return false;
}

static int read_datum(struct decoder *d, struct slice key, void *arg)
{
	struct table_draft *t = arg;
	struct slice text;
	int r = decode_text(d, &text);

	(void)key;
	if (r == 0 && may_be_table(text) && !memchr(text.s, 0, text.n)) {
		str_addn(&t->text, text.s, text.n);
		str_addc(&t->text, '\0');
	}
	return r;
}

static int read_data(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	return decode_map(d, read_datum, into);
}

static const struct field table_fields[] = {
	FIELD_WHOLE("data", read_data, NULL, UNREAD_DETAIL),
	FIELD_META(struct table_draft),
	{ 0 },
};

int decode_config_map(struct objects *o, str_id kind, str_id version)
{
	struct table_draft t = { .text = STR_INIT };
	int r = decode_whole(o, table_fields, &t, &t.meta, SCOPE_NAMESPACE);

	(void)kind;
	(void)version;
	if (r == 0)
		*array_add(&o->c->price_tables) = (struct price_table){
			.meta = t.meta.meta,
			.text = intern_add(&o->c->strings, t.text.s, t.text.n),
		};
	str_done(&t.text);
	return r;
}
