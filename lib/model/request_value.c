/* SPDX-License-Identifier: Apache-2.0 */
#include "model/request_value.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "budget/thread_class.h"
#include "model/guarantee.h"

enum { RT_OPERATOR_PERIOD_US = 1000000 };

struct raw raw_of_annotation(str_id id)
{
	return (struct raw){ id == NONE ? 0 : id, id == NONE ? RAW_ABSENT : RAW_STRING };
}

struct request_text request_text_of_annotations(const struct pod_annotations *n)
{
	return (struct request_text){
		.period = ANNOTATION_TEXT(n, period),
		.low = ANNOTATION_TEXT(n, runtime_low),
		.hi = ANNOTATION_TEXT(n, runtime_hi),
		.core = ANNOTATION_TEXT(n, core_request),
		.criticality = ANNOTATION_TEXT(n, criticality),
		.guarantee = ANNOTATION_TEXT(n, guarantee),
		.policy = ANNOTATION_TEXT(n, policy),
		.priority = ANNOTATION_TEXT(n, priority),
	};
}

struct request_text request_text_of_rt_operator(const struct pod_annotations *n)
{
	return (struct request_text){
		.fixed_period = RT_OPERATOR_PERIOD_US,
		.is_high = true,
		.low = ANNOTATION_TEXT(n, rt_runtime_us),
		.hi = ANNOTATION_TEXT(n, rt_runtime_us),
		.guarantee = ANNOTATION_TEXT(n, guarantee),
		.policy = ANNOTATION_TEXT(n, policy),
		.priority = ANNOTATION_TEXT(n, priority),
	};
}

struct request_text request_text_of_assignment(const struct pod_annotations *n)
{
	return (struct request_text){
		.period = ANNOTATION_TEXT(n, period),
		.low = ANNOTATION_TEXT(n, runtime_low),
		.medium = ANNOTATION_TEXT(n, runtime_medium),
		.hi = ANNOTATION_TEXT(n, runtime_hi),
		.floor = ANNOTATION_TEXT(n, runtime_floor),
		.criticality = ANNOTATION_TEXT(n, criticality),
	};
}

static bool bad(struct value_error *err, const char *reason, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Adds to what is wrong; the first reason stands for all. */
static bool bad(struct value_error *err, const char *reason, const char *fmt, ...)
{
	size_t n = err->reason ? strlen(err->message) : 0;
	va_list ap;

	if (n && n + 2 < sizeof(err->message))
		n += (size_t)snprintf(err->message + n, sizeof(err->message) - n, "; ");
	err->reason = err->reason ? err->reason : reason;
	va_start(ap, fmt);
	vsnprintf(err->message + n, sizeof(err->message) - n, fmt, ap);
	va_end(ap);
	return false;
}

struct int_field {
	struct raw raw;
	const char *path;
	int32_t min, max, by_default;
	bool is_required;
};

static bool read_int(const struct cluster *c, struct int_field f, bool takes_strings, int32_t *ret,
		     struct value_error *err)
{
	if (f.raw.kind == RAW_ABSENT) {
		*ret = f.by_default;
		return !f.is_required || bad(err, "BadBudget", "%s: is missing", f.path);
	}
	bool is_number = f.raw.kind == RAW_NUMBER || (takes_strings && f.raw.kind == RAW_STRING);
	if (!is_number || !intern_number(&c->strings, f.raw.text, ret))
		return bad(err, "BadBudget", "%s: '%.40s' is not a whole number", f.path,
			   cluster_str(c, f.raw.text));
	if (*ret < f.min || *ret > f.max)
		return bad(err, "BadBudget", "%s: %d is not between %d and %d", f.path, *ret, f.min,
			   f.max);
	return true;
}

static bool read_budget(const struct cluster *c, const struct request_text *t, bool takes_strings,
			struct budget *b, struct value_error *err)
{
	struct int_field period = { t->period.raw, t->period.path, PERIOD_MIN_US, PERIOD_MAX_US, 0,
				    true };
	if (t->fixed_period)
		b->period = t->fixed_period;
	else if (!read_int(c, period, takes_strings, &b->period, err))
		return false;

	struct int_field low = { t->low.raw, t->low.path, 1, INT32_MAX, 0, true };
	struct int_field hi = { t->hi.raw, t->hi.path, 1, INT32_MAX, 0, true };
	struct int_field medium = { t->medium.raw, t->medium.path, 1, INT32_MAX, 0, false };
	if (!read_int(c, low, takes_strings, &b->low, err) ||
	    !read_int(c, hi, takes_strings, &b->hi, err) ||
	    !read_int(c, medium, takes_strings, &b->medium, err))
		return false;

	if (b->hi > b->period)
		return bad(err, "BadBudget", "%s: %d is more than the period %d", hi.path, b->hi,
			   b->period);
	if (b->hi < b->low)
		return bad(err, "BadBudget", "%s: %d is less than %s, %d", hi.path, b->hi, low.path,
			   b->low);
	if (b->medium && (b->medium < b->low || b->medium > b->hi))
		return bad(err, "BadBudget",
			   "%s: %d is not between the low budget %d and the high "
			   "one %d",
			   medium.path, b->medium, b->low, b->hi);

	struct int_field floor = {
		t->floor.raw, t->floor.path, 1, INT32_MAX, budget_default_floor(b->low), false
	};
	if (!read_int(c, floor, takes_strings, &b->floor, err))
		return false;
	if (b->floor > b->low)
		b->floor = b->low;
	return true;
}

static bool read_criticality(const struct cluster *c, const struct request_text *t,
			     struct budget *b, struct value_error *err)
{
	const char *text = cluster_str(c, t->criticality.raw.text);
	enum level level = t->is_high ? LEVEL_HIGH : LEVEL_LOW;

	if (t->criticality.raw.kind != RAW_ABSENT &&
	    (t->criticality.raw.kind != RAW_STRING || !criticality_parse(text, &level)))
		return bad(err, "BadCriticality", "%s: '%.40s' is not Low, Middle or High",
			   t->criticality.path, text);
	b->criticality = (uint8_t)level;
	return true;
}

static bool read_guarantee(const struct cluster *c, const struct request_text *t,
			   struct request_value *v, struct value_error *err)
{
	const char *text = cluster_str(c, t->guarantee.raw.text);
	enum guarantee g = GUARANTEE_ANY;

	if (t->guarantee.raw.kind != RAW_ABSENT &&
	    (t->guarantee.raw.kind != RAW_STRING || !guarantee_parse(text, &g)))
		return bad(err, "BadGuarantee", "%s: '%.40s' is not Any, Cap, RealTime or Kernel",
			   t->guarantee.path, text);
	v->guarantee = (uint8_t)g;
	return true;
}

static bool read_cores(const struct cluster *c, const struct request_text *t, bool takes_strings,
		       struct request_value *v, struct value_error *err)
{
	struct int_field count = { t->core_count.raw, t->core_count.path, 1, CPUSET_MAX, 1, false };
	int32_t n = 0;

	if (!read_int(c, count, takes_strings, &n, err))
		return false;
	v->core_count = (uint16_t)n;
	v->has_cores = t->core.raw.kind != RAW_ABSENT;
	if (!v->has_cores)
		return true;

	const char *text = cluster_str(c, t->core.raw.text);
	if (t->core.raw.kind != RAW_STRING || cpuset_parse(text, strlen(text), &v->cores, NULL) < 0)
		return bad(err, "BadCpuset", "%s: '%.40s' is not a list of CPUs such as \"2-3\"",
			   t->core.path, text);
	v->core_count = (uint16_t)cpuset_count(&v->cores);
	return true;
}

/* Absent, empty, or a text; a priority may be a number. */
static const char *class_text(const struct cluster *c, const struct text_field *f, bool is_number)
{
	bool is_text = f->raw.kind == RAW_STRING || (is_number && f->raw.kind == RAW_NUMBER);

	if (f->raw.kind == RAW_ABSENT)
		return "";
	return is_text ? cluster_str(c, f->raw.text) : NULL;
}

static bool read_class(const struct cluster *c, const struct request_text *t,
		       struct request_value *v, struct value_error *err)
{
	const char *policy = class_text(c, &t->policy, false);
	const char *priority = class_text(c, &t->priority, true);

	if (!policy || !thread_policy_is_valid(policy))
		return bad(err, "BadPolicy",
			   "%s: '%.40s' is not FIFO, RR, or one for each container such as "
			   "\"app=FIFO\"",
			   t->policy.path, cluster_str(c, t->policy.raw.text));
	if (!priority || !thread_priority_is_valid(priority))
		return bad(err, "BadPolicy",
			   "%s: '%.40s' is not from %d to %d, or one for each container such as "
			   "\"app=20\"",
			   t->priority.path, cluster_str(c, t->priority.raw.text),
			   THREAD_PRIORITY_MIN, THREAD_PRIORITY_MAX);
	if (*priority && !*policy)
		return bad(err, "BadPolicy", "%s: needs %s", t->priority.path, t->policy.path);
	v->policy = *policy ? t->policy.raw.text : 0;
	v->priority = *priority ? t->priority.raw.text : 0;
	return true;
}

bool request_value_read(const struct cluster *c, const struct request_text *text,
			bool takes_strings, struct request_value *ret, struct value_error *err)
{
	*ret = (struct request_value){ 0 };
	err->reason = NULL;
	bool is_good = read_criticality(c, text, &ret->budget, err);

	is_good &= read_guarantee(c, text, ret, err);
	is_good &= read_budget(c, text, takes_strings, &ret->budget, err);
	is_good &= read_cores(c, text, takes_strings, ret, err);
	is_good &= read_class(c, text, ret, err);
	return is_good;
}
