/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "plan/file/economy_status.h"
#include "plan/file/file_parts.h"

static bool rate_is_absent(const struct file_field *f, const void *value)
{
	(void)f;
	return *(const int64_t *)value == 0;
}

static void integer_write(const struct file_field *f, const void *value, struct json_out *o)
{
	(void)f;
	json_out_int(o, *(const int64_t *)value);
}

static int integer_read(const struct file_field *f, struct decoder *d, void *value)
{
	int64_t n;
	int r = decode_i64(d, &n);

	(void)f;
	if (r == 0 && n < 0)
		return decode_refuse(d, "must be an integer from 0");
	if (r == 0)
		*(int64_t *)value = n;
	return r;
}

/* int64_t from 0. */
static const struct field_type field_integer = { rate_is_absent, integer_write, integer_read };

#define BUDGET(member) offsetof(struct economy_status, budget.member)

/* ---- The share of an action ---- */

#define PAIR(member)                                                                           \
	FILE_FIELD("before", &field_micro, offsetof(struct action_share, member.before),       \
		   .needed = true),                                                            \
		FILE_FIELD("after", &field_micro, offsetof(struct action_share, member.after), \
			   .needed = true),                                                    \
	{                                                                                      \
		0                                                                              \
	}

static const struct field share_cost_fields[] = { PAIR(cost) };
static const struct field share_watts_fields[] = { PAIR(watts) };

static const struct field share_fields[] = {
	FILE_FIELD("costPerHour", &field_object, FIELD_SELF, .of = share_cost_fields,
		   .needed = true),
	FILE_FIELD("watts", &field_object, FIELD_SELF, .of = share_watts_fields, .needed = true),
	{ 0 },
};

static bool share_is_absent(const struct file_field *f, const void *value)
{
	(void)f;
	return !((const struct action_share *)value)->is_given;
}

static void share_write(const struct file_field *f, const void *value, struct json_out *o)
{
	(void)f;
	fields_write(share_fields, value, o);
}

static int share_read(const struct file_field *f, struct decoder *d, void *value)
{
	(void)f;
	((struct action_share *)value)->is_given = true;
	return fields_read(share_fields, d, value, NULL);
}

const struct field_type field_share = { share_is_absent, share_write, share_read };

/* ---- What a pod would cost and draw without us ---- */

static const struct field baseline_fields[] = {
	FILE_FIELD("costPerHour", &field_micro, offsetof(struct action_baseline, cost)),
	FILE_FIELD("watts", &field_micro, offsetof(struct action_baseline, watts)),
	{ 0 },
};

static bool baseline_is_absent(const struct file_field *f, const void *value)
{
	const struct action_baseline *b = value;

	(void)f;
	return !b->cost && !b->watts;
}

static void baseline_write(const struct file_field *f, const void *value, struct json_out *o)
{
	(void)f;
	fields_write(baseline_fields, value, o);
}

static int baseline_read(const struct file_field *f, struct decoder *d, void *value)
{
	const struct action_baseline *b = value;
	int r = fields_read(baseline_fields, d, value, NULL);

	(void)f;
	if (r == 0 && (b->cost < 0 || b->watts < 0 || baseline_is_absent(f, value)))
		return decode_refuse(d, "must be above 0");
	return r;
}

const struct field_type field_baseline = { baseline_is_absent, baseline_write, baseline_read };

/* ---- The status of an optimizer or a policy ---- */

static const struct field budget_fields[] = {
	FILE_FIELD("spent", &field_micro, BUDGET(spent), .needed = true),
	FILE_FIELD("total", &field_micro, BUDGET(total)),
	FILE_FIELD("periodStart", &field_date, BUDGET(period_start)),
	FILE_FIELD("accountedAt", &field_date, BUDGET(accounted_at), .needed = true),
	FILE_FIELD("rateMicroUSD", &field_integer, BUDGET(rate), .needed = true),
	{ 0 },
};

#define DAY(member) offsetof(struct economy_status, day.member)

static const struct field day_fields[] = {
	FILE_FIELD("since", &field_date, DAY(since), .needed = true),
	FILE_FIELD("spent", &field_micro, DAY(spent), .needed = true),
	FILE_FIELD("lastPerHour", &field_micro, DAY(last)),
	{ 0 },
};

static bool has_day(const void *status)
{
	return ((const struct economy_status *)status)->day.since;
}

#define CONDITION(key, type_, member) \
	FILE_FIELD(key, type_, offsetof(struct plan_condition, member), .needed = true)

static const struct field condition_fields[] = {
	CONDITION("type", &field_text, type),
	CONDITION("status", &field_text, status),
	CONDITION("lastTransitionTime", &field_date, since),
	CONDITION("reason", &field_text, reason),
	CONDITION("message", &field_text, message),
	{ 0 },
};

static const struct field last_move_fields[] = {
	FILE_FIELD("from", &field_text, offsetof(struct economy_status, moved_from), .needed = true,
		   .max = FIELD_NAME_MAX),
	FILE_FIELD("to", &field_text, offsetof(struct economy_status, moved_to), .needed = true,
		   .max = FIELD_NAME_MAX),
	FILE_FIELD("costPerHour", &field_micro, offsetof(struct economy_status, moved_cost),
		   .needed = true),
	FILE_FIELD("watts", &field_micro, offsetof(struct economy_status, moved_watts),
		   .needed = true),
	FILE_FIELD("podUID", &field_text, offsetof(struct economy_status, moved_pod),
		   .max = FIELD_NAME_MAX),
	{ 0 },
};

static bool has_moved(const void *status)
{
	const struct economy_status *s = status;

	return s->moved_from && s->moved_to;
}

static const struct field avoid_fields[] = {
	FILE_FIELD("node", &field_text, offsetof(struct plan_avoid, node), .needed = true,
		   .max = FIELD_NAME_MAX),
	FILE_FIELD("until", &field_date, offsetof(struct plan_avoid, until), .needed = true),
	{ 0 },
};

static bool avoid_is_absent(const struct file_field *f, const void *value)
{
	(void)f;
	return !((const struct economy_status *)value)->has_avoid;
}

static void avoid_write(const struct file_field *f, const void *value, struct json_out *o)
{
	const struct economy_status *s = value;

	(void)f;
	json_out_array(o);
	for (uint32_t i = 0; i < s->n_avoid; i++)
		fields_write(avoid_fields, &s->avoid[i], o);
	json_out_end(o);
}

static int read_avoid(struct decoder *d, void *arg)
{
	struct economy_status *s = arg;

	if (s->n_avoid == ECONOMY_AVOID_MAX)
		return decode_refuse(d, "more than %d nodes to avoid", ECONOMY_AVOID_MAX);
	return fields_read(avoid_fields, d, &s->avoid[s->n_avoid++], NULL);
}

static int avoid_read(const struct file_field *f, struct decoder *d, void *value)
{
	(void)f;
	((struct economy_status *)value)->has_avoid = true;
	return decode_list(d, read_avoid, value);
}

static const struct field_type field_avoid = { avoid_is_absent, avoid_write, avoid_read };

/* ---- Savings ---- */

#define PAST(member) offsetof(struct plan_saving, member)

static const struct field past_fields[] = {
	FILE_FIELD("node", &field_text, PAST(node), .max = FIELD_NAME_MAX),
	FILE_FIELD("costPerHour", &field_micro, PAST(cost), .needed = true),
	FILE_FIELD("powerWatts", &field_micro, PAST(watts), .needed = true),
	FILE_FIELD("since", &field_date, PAST(since), .needed = true),
	{ 0 },
};

static bool past_is_absent(const struct file_field *f, const void *value)
{
	(void)f;
	return !((const struct economy_status *)value)->has_past;
}

static void past_write(const struct file_field *f, const void *value, struct json_out *o)
{
	const struct economy_status *s = value;

	(void)f;
	json_out_array(o);
	for (uint32_t i = 0; i < s->n_past; i++)
		fields_write(past_fields, &s->past[i], o);
	json_out_end(o);
}

static int read_past(struct decoder *d, void *arg)
{
	struct economy_status *s = arg;

	if (s->n_past == ECONOMY_PAST_MAX)
		return decode_refuse(d, "more than %d savings", ECONOMY_PAST_MAX);
	struct plan_saving *saving = &s->past[s->n_past++];
	saving->node = "";
	return fields_read(past_fields, d, saving, NULL);
}

static int past_read(const struct file_field *f, struct decoder *d, void *value)
{
	(void)f;
	((struct economy_status *)value)->has_past = true;
	return decode_list(d, read_past, value);
}

static const struct field_type field_past = { past_is_absent, past_write, past_read };

static const struct field savings_fields[] = {
	FILE_FIELD("costPerHour", &field_micro, offsetof(struct economy_status, saved_cost),
		   .needed = true),
	FILE_FIELD("powerWatts", &field_micro, offsetof(struct economy_status, saved_watts),
		   .needed = true),
	FILE_FIELD("past", &field_past, FIELD_SELF),
	{ 0 },
};

/* ---- Conditions, nodes, scaling ---- */

static bool conditions_are_absent(const struct file_field *f, const void *value)
{
	(void)f;
	return ((const struct economy_status *)value)->n_conditions == 0;
}

static void conditions_write(const struct file_field *f, const void *value, struct json_out *o)
{
	const struct economy_status *s = value;

	(void)f;
	json_out_array(o);
	for (uint32_t i = 0; i < s->n_conditions; i++)
		fields_write(condition_fields, &s->conditions[i], o);
	json_out_end(o);
}

static int read_condition(struct decoder *d, void *arg)
{
	struct economy_status *s = arg;

	if (s->n_conditions == ECONOMY_CONDITIONS_MAX)
		return decode_refuse(d, "more than %d conditions", ECONOMY_CONDITIONS_MAX);
	return fields_read(condition_fields, d, &s->conditions[s->n_conditions++], NULL);
}

static int conditions_read(const struct file_field *f, struct decoder *d, void *value)
{
	(void)f;
	return decode_list(d, read_condition, value);
}

static const struct field_type field_conditions = { conditions_are_absent, conditions_write,
						    conditions_read };

static bool is_of_optimizer(const void *status)
{
	return economy_status_kind(status) == STATUS_OPTIMIZER;
}

static bool is_of_cost_policy(const void *status)
{
	return economy_status_kind(status) == STATUS_COST_POLICY;
}

static bool is_of_power_policy(const void *status)
{
	return economy_status_kind(status) == STATUS_POWER_POLICY;
}

static bool has_budget(const void *status)
{
	return !is_of_power_policy(status);
}

static bool has_alerts(const void *status)
{
	return ((const struct economy_status *)status)->has_alerts;
}

static bool nodes_are_absent(const struct file_field *f, const void *value)
{
	(void)f;
	return !is_of_optimizer(value);
}

static void nodes_write(const struct file_field *f, const void *value, struct json_out *o)
{
	const struct economy_status *s = value;

	(void)f;
	json_out_array(o);
	for (uint32_t i = 0; i < s->n_nodes; i++)
		json_out_text(o, s->nodes[i]);
	json_out_end(o);
}

static int read_node(struct decoder *d, void *arg)
{
	struct economy_status *s = arg;
	struct plan *plan = d->owner;
	const char *text;

	if (s->n_nodes == ECONOMY_NODES_MAX)
		return decode_refuse(d, "more than %d nodes", ECONOMY_NODES_MAX);
	int r = field_string(d, FIELD_NAME_MAX, &text);
	if (r == 0)
		s->nodes[s->n_nodes++] = plan_str(plan, text);
	return r;
}

static int nodes_read(const struct file_field *f, struct decoder *d, void *value)
{
	(void)f;
	return decode_list(d, read_node, value);
}

static const struct field_type field_nodes = { nodes_are_absent, nodes_write, nodes_read };

#define TARGET(key, member)                                                                   \
	FILE_FIELD(key, &field_text, offsetof(struct economy_status, member), .needed = true, \
		   .max = FIELD_NAME_MAX)

static const struct field target_fields[] = {
	TARGET("kind", target_kind),
	TARGET("name", target_name),
	{ 0 },
};

static bool has_target(const void *status)
{
	const struct economy_status *s = status;

	return s->target_kind && s->target_name;
}

static bool has_scaled(const void *status)
{
	return ((const struct economy_status *)status)->scaled_from != 0;
}

static bool history_is_absent(const struct file_field *f, const void *value)
{
	(void)f;
	return !((const struct economy_status *)value)->has_history;
}

static void history_write(const struct file_field *f, const void *value, struct json_out *o)
{
	const struct economy_status *s = value;

	(void)f;
	json_out_array(o);
	for (uint32_t i = 0; i < s->n_history; i++)
		json_out_text(o, s->history[i]);
	json_out_end(o);
}

static int read_proposal(struct decoder *d, void *arg)
{
	struct economy_status *s = arg;
	struct plan *plan = d->owner;
	const char *text;

	if (s->n_history == ECONOMY_HISTORY_MAX)
		return decode_refuse(d, "more than %d proposals", ECONOMY_HISTORY_MAX);
	int r = field_string(d, FIELD_NAME_MAX, &text);
	if (r == 0)
		s->history[s->n_history++] = plan_str(plan, text);
	return r;
}

static int history_read(const struct file_field *f, struct decoder *d, void *value)
{
	(void)f;
	((struct economy_status *)value)->has_history = true;
	return decode_list(d, read_proposal, value);
}

static const struct field_type field_history = { history_is_absent, history_write, history_read };

static bool utilization_is_absent(const struct file_field *f, const void *value)
{
	(void)f;
	return !((const struct economy_status *)value)->has_utilization;
}

static void utilization_write(const struct file_field *f, const void *value, struct json_out *o)
{
	field_micro.write(f, &((const struct economy_status *)value)->utilization, o);
}

static int utilization_read(const struct file_field *f, struct decoder *d, void *value)
{
	struct economy_status *s = value;

	s->has_utilization = true;
	return field_micro.read(f, d, &s->utilization);
}

/* Of a budget, which a policy need not have. */
static const struct field_type field_utilization = { utilization_is_absent, utilization_write,
						     utilization_read };

#define ALERT(key, type_, member) \
	FILE_FIELD(key, type_, offsetof(struct plan_alert, member), .needed = true)

static const struct field alert_fields[] = {
	ALERT("type", &field_text, type),
	ALERT("action", &field_text, action),
	ALERT("value", &field_micro, value),
	ALERT("since", &field_date, since),
	{ 0 },
};

static bool alerts_are_absent(const struct file_field *f, const void *value)
{
	(void)f;
	return !has_alerts(value);
}

static void alerts_write(const struct file_field *f, const void *value, struct json_out *o)
{
	const struct economy_status *s = value;

	(void)f;
	json_out_array(o);
	for (uint32_t i = 0; i < s->n_alerts; i++)
		fields_write(alert_fields, &s->alerts[i], o);
	json_out_end(o);
}

static int read_alert(struct decoder *d, void *arg)
{
	struct economy_status *s = arg;

	if (s->n_alerts == ECONOMY_ALERTS_MAX)
		return decode_refuse(d, "more than %d alerts", ECONOMY_ALERTS_MAX);
	return fields_read(alert_fields, d, &s->alerts[s->n_alerts++], NULL);
}

static int alerts_read(const struct file_field *f, struct decoder *d, void *value)
{
	(void)f;
	((struct economy_status *)value)->has_alerts = true;
	return decode_list(d, read_alert, value);
}

static const struct field_type field_alerts = { alerts_are_absent, alerts_write, alerts_read };

/* Of an optimizer, also what is zero: it stands for what was there before. */
#define STATUS(key, type_, member) \
	FILE_FIELD(key, type_, offsetof(struct economy_status, member), .is_given = is_of_optimizer)
#define OF_COST(key, type_, member)                                     \
	FILE_FIELD(key, type_, offsetof(struct economy_status, member), \
		   .is_given = is_of_cost_policy)
#define OF_POWER(key, type_, member)                                    \
	FILE_FIELD(key, type_, offsetof(struct economy_status, member), \
		   .is_given = is_of_power_policy)

static const struct field status_fields[] = {
	FILE_FIELD("phase", &field_text, offsetof(struct economy_status, phase), .needed = true,
		   .max = FIELD_NAME_MAX),
	OF_COST("currentSpend", &field_micro, spend),
	FILE_FIELD("budgetUtilization", &field_utilization, FIELD_SELF),
	OF_POWER("currentPowerUsage", &field_micro, power),
	OF_POWER("powerEfficiency", &field_micro, efficiency),
	OF_POWER("greenEnergyPercentage", &field_micro, green),
	OF_POWER("carbonFootprint", &field_micro, carbon),
	FILE_FIELD("currentCost", &field_micro, offsetof(struct economy_status, cost),
		   .is_given = has_budget),
	STATUS("currentPower", &field_micro, power),
	STATUS("assignedNode", &field_text, node),
	FILE_FIELD("nodes", &field_nodes, FIELD_SELF),
	FILE_FIELD("targetRef", &field_object, FIELD_SELF, .of = target_fields,
		   .is_given = has_target),
	STATUS("optimizationScore", &field_micro, score),
	FILE_FIELD("lastOptimizationTime", &field_date,
		   offsetof(struct economy_status, optimized_at)),
	FILE_FIELD("lastMoveTime", &field_date, offsetof(struct economy_status, moved_at)),
	FILE_FIELD("lastMove", &field_object, FIELD_SELF, .of = last_move_fields,
		   .is_given = has_moved),
	FILE_FIELD("moves", &field_u32, offsetof(struct economy_status, moves)),
	FILE_FIELD("avoid", &field_avoid, FIELD_SELF),
	FILE_FIELD("observedGeneration", &field_integer,
		   offsetof(struct economy_status, generation)),
	FILE_FIELD("savings", &field_object, FIELD_SELF, .of = savings_fields,
		   .is_given = is_of_optimizer),
	STATUS("replicas", &field_u32, replicas),
	STATUS("readyReplicas", &field_u32, ready),
	FILE_FIELD("budget", &field_object, FIELD_SELF, .of = budget_fields,
		   .is_given = has_budget),
	FILE_FIELD("day", &field_object, FIELD_SELF, .of = day_fields, .is_given = has_day),
	FILE_FIELD("lastScaleTime", &field_date, offsetof(struct economy_status, scaled_at)),
	FILE_FIELD("lastScaleFrom", &field_u32, offsetof(struct economy_status, scaled_from)),
	FILE_FIELD("lastScaleTo", &field_u32, offsetof(struct economy_status, scaled_to),
		   .is_given = has_scaled),
	FILE_FIELD("scalesUndone", &field_u32, offsetof(struct economy_status, undone),
		   .is_given = has_scaled),
	FILE_FIELD("history", &field_history, FIELD_SELF),
	FILE_FIELD("alerts", &field_alerts, FIELD_SELF, .is_given = has_alerts),
	FILE_FIELD("conditions", &field_conditions, FIELD_SELF),
	{ 0 },
};

void economy_status_write(const struct economy_status *s, struct json_out *o)
{
	fields_write(status_fields, s, o);
}

static bool status_is_absent(const struct file_field *f, const void *value)
{
	(void)f;
	return !((const struct action *)value)->status;
}

static void status_write(const struct file_field *f, const void *value, struct json_out *o)
{
	(void)f;
	economy_status_write(((const struct action *)value)->status, o);
}

static int status_read(const struct file_field *f, struct decoder *d, void *value)
{
	struct action *a = value;
	struct plan *plan = d->owner;

	(void)f;
	a->status = arena_new(&plan->arena, struct economy_status, 1);
	return fields_read(status_fields, d, a->status, NULL);
}

const struct field_type field_economy_status = { status_is_absent, status_write, status_read };
