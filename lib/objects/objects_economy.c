/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/decimal.h"
#include "objects/objects_internal.h"
#include "objects/quantity.h"

/* WorkloadOptimizers in their three dialects: model/economy.h. */

/* What users write: a status is written by programs, in numbers as long as they like. */
static bool is_in_spec(const struct decoder *d)
{
	const struct path_step *first = &d->path[0];

	return d->depth && first->key && slice_eq((struct slice){ first->key, first->n }, "spec");
}

/* A number in JSON, never through floating point. */
static int read_decimal(struct decoder *d, int64_t *ret)
{
	enum { SHOWN = 40 };
	struct slice token;
	bool is_rounded = false;
	char first;
	int r = decode_token(d, &token, &first);

	if (r < 0)
		return r;
	int n = (int)(token.n > SHOWN ? SHOWN : token.n);
	if (first == '"' || !decimal_parse(token.s, token.n, ret, &is_rounded))
		return decode_refuse(d, "'%.*s' is not a decimal number", n, token.s);
	if (is_rounded && is_in_spec(d))
		decode_remark(d, UNREAD_DETAIL,
			      "%.*s has more than 6 decimal places: it is rounded", n, token.s);
	return 0;
}

/* Millionths: of a dollar, an hour's dollars, and of what a threshold counts in. */
int read_micro(struct decoder *d, const struct field *f, void *into)
{
	int64_t v = 0;
	int r = read_decimal(d, &v);

	(void)f;
	if (r == 0 && v < 0)
		return decode_refuse(d, "must not be negative");
	if (r == 0)
		*(int64_t *)into = v;
	return r;
}

/* Watts as milliwatts, half up. */
int read_milliwatt(struct decoder *d, const struct field *f, void *into)
{
	int64_t v = 0;
	int r = read_micro(d, f, &v);

	if (r == 0)
		*(int64_t *)into = (v + 500) / 1000;
	return r;
}

/* Of what is saved, which may be less than nothing. */
static int read_signed_micro(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	return read_decimal(d, into);
}

static int read_signed_milliwatt(struct decoder *d, const struct field *f, void *into)
{
	int64_t v = 0;
	int r = read_signed_micro(d, f, &v);

	if (r == 0)
		*(int64_t *)into = v / 1000;
	return r;
}

static int read_limit(struct decoder *d, const struct field *f, void *into)
{
	int64_t v = 0;
	int r = read_micro(d, f, &v);

	if (r == 0 && v == 0)
		return decode_refuse(d, "must be above 0");
	if (r == 0)
		*(int64_t *)into = v;
	return r;
}

static int read_power_limit(struct decoder *d, const struct field *f, void *into)
{
	int64_t v = 0;
	int r = read_limit(d, f, &v);

	if (r == 0)
		*(int64_t *)into = (v + 500) / 1000;
	return r;
}

static int read_estimate(struct decoder *d, int (*read)(struct slice text, int64_t *ret),
			 int64_t *ret)
{
	struct slice text;
	char first;
	int r = decode_token(d, &text, &first);

	if (r == 0 && (read(text, ret) < 0 || *ret < 0))
		return decode_refuse(d, "is not a quantity");
	return r;
}

static int read_estimate_cpu(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	return read_estimate(d, quantity_milli, into);
}

static int read_estimate_memory(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	return read_estimate(d, quantity_value, into);
}

struct optimizer_draft {
	struct object_meta meta;
	struct optimizer o;
};

#define OPT(key, read, member, unread) FIELD(key, read, struct optimizer_draft, o.member, unread)

static const struct field estimate_fields[] = {
	OPT("cpu", read_estimate_cpu, estimate.cpu_milli, UNREAD_DETAIL),
	OPT("gpu", read_i32, estimate.gpu, UNREAD_DETAIL),
	OPT("memory", read_estimate_memory, estimate.memory, UNREAD_DETAIL),
	OPT("npu", read_i32, estimate.npu, UNREAD_DETAIL),
	{ 0 },
};

static const char *const periods[] = { "Total", "Day", "Week", "Month", NULL };

static const struct field cost_fields[] = {
	OPT("budgetLimit", read_limit, budget_limit, UNREAD_BUDGET),
	FIELD_MORE("budgetPeriod", read_default_choice, struct optimizer_draft, o.period, periods,
		   UNREAD_BUDGET),
	OPT("maxCostPerHour", read_limit, max_cost, UNREAD_BUDGET),
	OPT("preferSpot", read_bool, prefers_spot, UNREAD_BUDGET),
	{ 0 },
};

static const struct field power_fields[] = {
	OPT("maxPowerUsage", read_power_limit, max_power, UNREAD_BUDGET),
	OPT("preferGreen", read_bool, prefers_green, UNREAD_BUDGET),
	{ 0 },
};

/* Dialect A: {type, key, value, weight}. */
enum { WEIGHT_DEFAULT = 50, WEIGHT_MAX = 100 };

struct affinity_draft {
	str_id key, value;
	int32_t weight;
};

static const struct field affinity_fields[] = {
	FIELD("key", read_text, struct affinity_draft, key),
	FIELD("value", read_text, struct affinity_draft, value),
	FIELD("weight", read_i32, struct affinity_draft, weight),
	{ 0 },
};

static int add_preference(struct decoder *d, struct node_term term, int32_t weight)
{
	if (weight < 0 || weight > WEIGHT_MAX)
		return decode_refuse(d, "weight: must be from 0 to %d", WEIGHT_MAX);
	*array_add(&objects_of(d)->c->preferences) = (struct preference){ term, weight };
	return 0;
}

static int read_affinity(struct decoder *d, void *arg)
{
	struct affinity_draft draft = { .weight = WEIGHT_DEFAULT };
	struct cluster *c = objects_of(d)->c;
	int r = decode_object(d, affinity_fields, &draft);

	(void)arg;
	if (r < 0)
		return r;
	if (!draft.key)
		return decode_refuse(d, "key is missing");
	struct requirement req = { draft.key, MATCH_IN, { (uint32_t)c->names.n, 1 } };
	*array_add(&c->names) = draft.value;
	*array_add(&c->requirements) = req;
	return add_preference(
		d, (struct node_term){ .expressions = { (uint32_t)c->requirements.n - 1, 1 } },
		draft.weight);
}

static int read_preferences_by(struct decoder *d, struct range *run, element_reader read)
{
	struct cluster *c = objects_of(d)->c;
	uint32_t at = run->n ? run->at : (uint32_t)c->preferences.n;
	int r = decode_list(d, read, NULL);

	if (r == 0)
		*run = (struct range){ at, (uint32_t)c->preferences.n - at };
	return r;
}

static int read_affinities(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	return read_preferences_by(d, into, read_affinity);
}

/* Dialect B: the nodeAffinity of a pod. A preference is a list of one term, as read_node_terms()
 * reads it. */
struct preferred_draft {
	struct range term; /* cluster.node_terms */
	int32_t weight;
};

static const struct field preferred_fields[] = {
	FIELD("preference", read_node_term_alone, struct preferred_draft, term),
	FIELD("weight", read_i32, struct preferred_draft, weight),
	{ 0 },
};

static int read_preferred(struct decoder *d, void *arg)
{
	struct preferred_draft draft = { .weight = 1 };
	int r = decode_object(d, preferred_fields, &draft);

	(void)arg;
	if (r < 0)
		return r;
	if (!draft.term.n)
		return decode_refuse(d, "preference is missing");
	return add_preference(d, objects_of(d)->c->node_terms.items[draft.term.at], draft.weight);
}

static int read_preferences(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	return read_preferences_by(d, into, read_preferred);
}

static const struct field required_fields[] = {
	OPT("nodeSelectorTerms", read_node_terms, node_terms, UNREAD_RULES),
	{ 0 },
};

static int read_required(struct decoder *d, const struct field *f, void *into)
{
	struct optimizer_draft *draft = into;

	draft->o.has_node_affinity = true;
	return read_object(d, f, into);
}

static const struct field node_affinity_fields[] = {
	OPT("preferredDuringSchedulingIgnoredDuringExecution", read_preferences, preferences,
	    UNREAD_RULES),
	FIELD_WHOLE("requiredDuringSchedulingIgnoredDuringExecution", read_required,
		    required_fields, UNREAD_RULES),
	{ 0 },
};

static const struct field placement_fields[] = {
	OPT("affinity", read_affinities, preferences, UNREAD_RULES),
	FIELD_SUB("nodeAffinity", node_affinity_fields, UNREAD_RULES),
	OPT("nodeSelector", read_equalities, node_selector, UNREAD_RULES),
	{ 0 },
};

enum { NO_TYPE = UINT8_MAX };

static const struct field metric_fields[] = {
	FIELD("metricName", read_text, struct scaling_metric, metric_name),
	FIELD("query", read_text, struct scaling_metric, query),
	FIELD("threshold", read_limit, struct scaling_metric, threshold),
	FIELD_MORE("type", read_choice, struct scaling_metric, type, metric_type_words),
	{ 0 },
};

static int read_metric(struct decoder *d, void *arg)
{
	struct scaling_metric m = { .type = NO_TYPE };
	int r = decode_object(d, metric_fields, &m);

	(void)arg;
	if (r == 0 && (m.type == NO_TYPE || !m.threshold))
		return decode_refuse(d, "type or threshold is missing");
	if (r == 0)
		*array_add(&objects_of(d)->c->scaling_metrics) = m;
	return r;
}

static int read_metrics(struct decoder *d, const struct field *f, void *into)
{
	struct cluster *c = objects_of(d)->c;
	uint32_t at = (uint32_t)c->scaling_metrics.n;
	int r = decode_list(d, read_metric, NULL);

	(void)f;
	if (r == 0)
		*(struct range *)into = (struct range){ at, (uint32_t)c->scaling_metrics.n - at };
	return r;
}

static int read_enabled(struct decoder *d, const struct field *f, void *into)
{
	bool is_enabled = true;
	int r = read_bool(d, f, &is_enabled);

	*(bool *)into = !is_enabled;
	return r;
}

static const struct field scaling_fields[] = {
	OPT("enabled", read_enabled, is_scaling_off, UNREAD_DETAIL),
	OPT("fill", read_bool, fills, UNREAD_DETAIL),
	OPT("maxReplicas", read_i32, max_replicas, UNREAD_BUDGET),
	OPT("metrics", read_metrics, metrics, UNREAD_BUDGET),
	OPT("minReplicas", read_i32, min_replicas, UNREAD_BUDGET),
	OPT("targetCPU", read_i32, target_cpu, UNREAD_BUDGET),
	OPT("targetMemory", read_i32, target_memory, UNREAD_BUDGET),
	{ 0 },
};

static int read_scaling(struct decoder *d, const struct field *f, void *into)
{
	struct optimizer_draft *draft = into;

	draft->o.has_scaling = true;
	return read_object(d, f, into);
}

static const struct field target_fields[] = {
	OPT("apiVersion", read_text, target_version, UNREAD_DETAIL),
	OPT("kind", read_text, target_kind, UNREAD_DETAIL),
	OPT("name", read_text, target_name, UNREAD_DETAIL),
	{ 0 },
};

/* Dialect A's training, serving, inference, batch; B's streaming is serving. */
static const char *const types[] = {
	"serving", "training", "inference", "batch", "streaming", NULL
};

static const struct field optimizer_spec_fields[] = {
	FIELD_WHOLE("autoScaling", read_scaling, scaling_fields, UNREAD_BUDGET),
	FIELD_SUB("costConstraints", cost_fields, UNREAD_BUDGET),
	FIELD_SUB("placementPolicy", placement_fields, UNREAD_RULES),
	FIELD_SUB("powerConstraints", power_fields, UNREAD_BUDGET),
	OPT("priority", read_i32_saturated, priority, UNREAD_DETAIL),
	FIELD_SUB("resourceRequirements", estimate_fields, UNREAD_DETAIL),
	FIELD_SUB("resources", estimate_fields, UNREAD_DETAIL),
	FIELD_SUB("targetRef", target_fields, UNREAD_DETAIL),
	FIELD_MORE("workloadType", read_default_choice, struct optimizer_draft, o.type, types,
		   UNREAD_DETAIL),
	{ 0 },
};

static const struct field budget_fields[] = {
	OPT("accountedAt", read_time, budget.accounted_at, UNREAD_BUDGET),
	OPT("periodStart", read_time, budget.period_start, UNREAD_DETAIL),
	OPT("rateMicroUSD", read_generation, budget.rate, UNREAD_BUDGET),
	OPT("spent", read_micro, budget.spent, UNREAD_BUDGET),
	{ 0 },
};

static const struct field avoid_fields[] = {
	FIELD("node", read_text, struct avoid, node),
	FIELD("until", read_time, struct avoid, until),
	{ 0 },
};

static int read_avoid(struct decoder *d, void *arg)
{
	struct avoid avoid = { 0 };
	int r = decode_object(d, avoid_fields, &avoid);

	(void)arg;
	if (r == 0)
		*array_add(&objects_of(d)->c->avoids) = avoid;
	return r;
}

static int read_avoids(struct decoder *d, const struct field *f, void *into)
{
	struct cluster *c = objects_of(d)->c;
	uint32_t at = (uint32_t)c->avoids.n;
	int r = decode_list(d, read_avoid, NULL);

	(void)f;
	if (r == 0)
		*(struct range *)into = (struct range){ at, (uint32_t)c->avoids.n - at };
	return r;
}

static const struct field past_saving_fields[] = {
	FIELD("costPerHour", read_signed_micro, struct past_saving, cost),
	FIELD("node", read_text, struct past_saving, node),
	FIELD("powerWatts", read_signed_milliwatt, struct past_saving, power),
	FIELD("since", read_time, struct past_saving, since),
	{ 0 },
};

static int read_past_saving(struct decoder *d, void *arg)
{
	struct past_saving saving = { 0 };
	int r = decode_object(d, past_saving_fields, &saving);

	(void)arg;
	if (r == 0)
		*array_add(&objects_of(d)->c->past_savings) = saving;
	return r;
}

static int read_past_savings(struct decoder *d, const struct field *f, void *into)
{
	struct cluster *c = objects_of(d)->c;
	uint32_t at = (uint32_t)c->past_savings.n;
	int r = decode_list(d, read_past_saving, NULL);

	(void)f;
	if (r == 0)
		*(struct range *)into = (struct range){ at, (uint32_t)c->past_savings.n - at };
	return r;
}

static const struct field savings_fields[] = {
	OPT("costPerHour", read_signed_micro, saved_cost, UNREAD_DETAIL),
	OPT("past", read_past_savings, past_savings, UNREAD_DETAIL),
	OPT("powerWatts", read_signed_milliwatt, saved_power, UNREAD_DETAIL),
	{ 0 },
};

static const struct field condition_fields[] = {
	FIELD("lastTransitionTime", read_time, struct condition_note, since),
	FIELD("reason", read_text, struct condition_note, reason),
	FIELD("status", read_text, struct condition_note, status),
	FIELD("type", read_text, struct condition_note, type),
	{ 0 },
};

static int read_condition(struct decoder *d, void *arg)
{
	struct condition_note note = { 0 };
	int r = decode_object(d, condition_fields, &note);

	(void)arg;
	if (r == 0)
		*array_add(&objects_of(d)->c->conditions) = note;
	return r;
}

int read_condition_notes(struct decoder *d, const struct field *f, void *into)
{
	struct cluster *c = objects_of(d)->c;
	uint32_t at = (uint32_t)c->conditions.n;
	int r = decode_list(d, read_condition, NULL);

	(void)f;
	if (r == 0)
		*(struct range *)into = (struct range){ at, (uint32_t)c->conditions.n - at };
	return r;
}

static const struct field last_move_fields[] = {
	OPT("costPerHour", read_micro, moved_cost, UNREAD_DETAIL),
	OPT("from", read_text, moved_from, UNREAD_DETAIL),
	OPT("podUID", read_text, moved_pod, UNREAD_DETAIL),
	OPT("to", read_text, moved_to, UNREAD_DETAIL),
	OPT("watts", read_milliwatt, moved_power, UNREAD_DETAIL),
	{ 0 },
};

static const struct field scaled_fields[] = {
	OPT("kind", read_text, scaled_kind, UNREAD_DETAIL),
	OPT("name", read_text, scaled_name, UNREAD_DETAIL),
	{ 0 },
};

static const struct field optimizer_status_fields[] = {
	OPT("assignedNode", read_text, status_node, UNREAD_DETAIL),
	OPT("avoid", read_avoids, avoid, UNREAD_DETAIL),
	FIELD_SUB("budget", budget_fields, UNREAD_BUDGET),
	OPT("conditions", read_condition_notes, conditions, UNREAD_DETAIL),
	OPT("currentPower", read_milliwatt, status_power, UNREAD_DETAIL),
	OPT("history", read_names, history, UNREAD_DETAIL),
	FIELD_SUB("lastMove", last_move_fields, UNREAD_DETAIL),
	OPT("lastMoveTime", read_time, moved_at, UNREAD_BUDGET),
	OPT("lastOptimizationTime", read_time, optimized_at, UNREAD_DETAIL),
	OPT("lastScaleFrom", read_i32, scaled_from, UNREAD_DETAIL),
	OPT("lastScaleTime", read_time, scaled_at, UNREAD_DETAIL),
	OPT("lastScaleTo", read_i32, scaled_to, UNREAD_DETAIL),
	OPT("moves", read_i32, moves, UNREAD_BUDGET),
	OPT("nodes", read_names, status_nodes, UNREAD_DETAIL),
	OPT("observedGeneration", read_generation, observed, UNREAD_DETAIL),
	OPT("optimizationScore", read_micro, status_score, UNREAD_DETAIL),
	OPT("phase", read_text, phase, UNREAD_DETAIL),
	OPT("readyReplicas", read_i32, status_ready, UNREAD_DETAIL),
	OPT("replicas", read_i32, status_replicas, UNREAD_DETAIL),
	FIELD_SUB("savings", savings_fields, UNREAD_DETAIL),
	OPT("scalesUndone", read_i32, undone, UNREAD_DETAIL),
	FIELD_SUB("targetRef", scaled_fields, UNREAD_DETAIL),
	{ 0 },
};

static const struct field optimizer_fields[] = {
	FIELD_META(struct optimizer_draft),
	FIELD_SUB("spec", optimizer_spec_fields, UNREAD_BUDGET),
	FIELD_SUB("status", optimizer_status_fields, UNREAD_BUDGET),
	{ 0 },
};

/* The annotation that takes a workload out: "true". */
static bool is_disabled(const struct objects *o, const struct object_meta *m)
{
	return m->has_pod_annotations && m->annotations.is_disabled != NONE &&
	       strcmp(intern_str(&o->c->strings, m->annotations.is_disabled), "true") == 0;
}

int decode_optimizer(struct objects *o, str_id kind, str_id version)
{
	struct optimizer_draft p = {
		.o = { .max_cost = NO_LIMIT, .budget_limit = NO_LIMIT, .max_power = NO_LIMIT },
	};
	int r = decode_whole(o, optimizer_fields, &p, &p.meta, SCOPE_NAMESPACE);

	(void)kind;
	(void)version;
	if (r < 0)
		return r;
	p.o.meta = p.meta.meta;
	p.o.labels = p.meta.labels;
	p.o.generation = p.meta.generation;
	if (p.o.type > WORKLOAD_BATCH)
		p.o.type = WORKLOAD_SERVING;
	p.o.is_deleting = p.meta.is_terminating;
	p.o.has_finalizer = p.meta.has_kcloud_finalizer;
	p.o.is_disabled = is_disabled(o, &p.meta);
	p.o.is_unread = o->d.unread & ~(unsigned)UNREAD_DETAIL;
	*array_add(&o->c->optimizers) = p.o;
	return 0;
}
