/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/file/file_parts.h"

#include <string.h>

#include "budget/recovery.h"
#include "budget/thread_class.h"

static const char *level_word(unsigned v)
{
	return level_name(v);
}

static const char *criticality_word(unsigned v)
{
	return criticality_name(v);
}

static const char *enforcement_word(unsigned v)
{
	return enforcement_name(v);
}

static const struct field_words levels = { level_word, 0, LEVELS, 1 };
static const struct field_words criticalities = { criticality_word, 0, LEVELS, 1 };
static const struct field_words enforcements = { enforcement_word, ENFORCE_WATCH, ENFORCE_RAISE + 1,
						 1 };

/* `to` is more than a place: it also holds the assignment's annotations, so that a saved plan is
 * applied without reading the requests again. */

static bool has_level(const void *object)
{
	const struct action *a = object;

	return a->to.has_level || a->to.enforcement != ENFORCE_NONE;
}

static bool has_budget(const void *object)
{
	return ((const struct action *)object)->budget.period != 0;
}

/* To 0 as well. */
static bool is_scale(const void *object)
{
	return ((const struct action *)object)->kind == ACTION_SCALE;
}

enum {
	TO_NODE,
	TO_CORES,
	TO_PERIOD,
	TO_RUNTIME,
	TO_LEVEL,
	TO_ENFORCEMENT,
	TO_LOW,
	TO_MEDIUM,
	TO_HI,
	TO_FLOOR,
	TO_CRITICALITY,
	TO_SOURCE,
	TO_RECOVERY,
	TO_POLICY,
	TO_PRIORITY,
	TO_POD_UID,
	TO_REPLICAS,
	TO_ROWS,
};

static const uint64_t grant_rows =
	BIT(TO_CORES) | BIT(TO_PERIOD) | BIT(TO_RUNTIME) | BIT(TO_LEVEL) | BIT(TO_ENFORCEMENT);
static const uint64_t budget_rows =
	BIT(TO_LOW) | BIT(TO_HI) | BIT(TO_FLOOR) | BIT(TO_CRITICALITY) | BIT(TO_SOURCE);

static const struct field to_fields[TO_ROWS + 1] = {
	[TO_NODE] = FILE_FIELD("node", &field_name, offsetof(struct action, to.node)),
	[TO_CORES] = FILE_FIELD("cores", &field_cores, offsetof(struct action, to.cores)),
	[TO_PERIOD] = FILE_FIELD("period", &field_u32, offsetof(struct action, to.period),
				 .min = PERIOD_MIN_US, .max = PERIOD_MAX_US),
	[TO_RUNTIME] = FILE_FIELD("runtime", &field_u32, offsetof(struct action, to.runtime),
				  .min = 1, .max = PERIOD_MAX_US),
	[TO_LEVEL] = FILE_FIELD("level", &field_word, offsetof(struct action, to.level),
				.of = &levels, .is_given = has_level),
	[TO_ENFORCEMENT] = FILE_FIELD("enforcement", &field_word,
				      offsetof(struct action, to.enforcement), .of = &enforcements),
	[TO_LOW] = FILE_FIELD("runtimeLow", &field_u32, offsetof(struct action, budget.low),
			      .min = 1, .max = PERIOD_MAX_US),
	[TO_MEDIUM] =
		FILE_FIELD("runtimeMedium", &field_u32, offsetof(struct action, budget.medium),
			   .min = 1, .max = PERIOD_MAX_US),
	[TO_HI] = FILE_FIELD("runtimeHi", &field_u32, offsetof(struct action, budget.hi), .min = 1,
			     .max = PERIOD_MAX_US),
	[TO_FLOOR] = FILE_FIELD("runtimeFloor", &field_u32, offsetof(struct action, budget.floor),
				.min = 1, .max = PERIOD_MAX_US),
	[TO_CRITICALITY] =
		FILE_FIELD("criticality", &field_word, offsetof(struct action, budget.criticality),
			   .of = &criticalities, .is_given = has_budget),
	[TO_SOURCE] = FILE_FIELD("source", &field_text, offsetof(struct action, source), .max = 32),
	[TO_RECOVERY] = FILE_FIELD("recovery", &field_text, offsetof(struct action, recovery),
				   .max = RECOVERY_TEXT),
	[TO_POLICY] = FILE_FIELD("policy", &field_text, offsetof(struct action, policy),
				 .max = THREAD_CLASS_TEXT_MAX),
	[TO_PRIORITY] = FILE_FIELD("priority", &field_text, offsetof(struct action, priority),
				   .max = THREAD_CLASS_TEXT_MAX),
	[TO_POD_UID] = FILE_FIELD("podUID", &field_text, offsetof(struct action, to.pod_uid),
				  .max = FIELD_NAME_MAX),
	[TO_REPLICAS] = FILE_FIELD("replicas", &field_u32, offsetof(struct action, to.replicas),
				   .is_given = is_scale),
};

static bool to_is_absent(const struct file_field *f, const void *value)
{
	const struct action *a = value;

	(void)f;
	return (!a->to.node || !*a->to.node) && a->kind != ACTION_SCALE;
}

static void to_write(const struct file_field *f, const void *value, struct json_out *o)
{
	(void)f;
	fields_write(to_fields, value, o);
}

static int check_source(const char *source, struct decoder *d)
{
	static const char *const sources[] = { "mckube", "annotations", "rt-operator" };

	for (size_t i = 0; i < ARRAY_LEN(sources); i++)
		if (strcmp(source, sources[i]) == 0)
			return 0;
	return decode_refuse(d, "source: unknown value '%s'", source);
}

static int check_recovery(const char *text, struct decoder *d)
{
	struct recovery ignored;

	if (text && !recovery_parse(text, &ignored))
		return decode_refuse(d, "recovery: invalid value '%s'", text);
	return 0;
}

static int check_class(const struct action *a, struct decoder *d)
{
	if (!thread_policy_is_valid(a->policy))
		return decode_refuse(d, "policy: invalid value '%s'", a->policy);
	if (!thread_priority_is_valid(a->priority))
		return decode_refuse(d, "priority: invalid value '%s'", a->priority);
	return a->priority && *a->priority && !(a->policy && *a->policy)
		       ? decode_refuse(d, "priority: needs a policy")
		       : 0;
}

static int check_budget(const struct budget *b, struct decoder *d)
{
	if (b->low > b->hi || b->hi > b->period || b->floor > b->low)
		return decode_refuse(d,
				     "runtimeFloor <= runtimeLow <= runtimeHi <= period must hold");
	if (b->medium && (b->medium < b->low || b->medium > b->hi))
		return decode_refuse(d, "runtimeMedium: must be from runtimeLow to runtimeHi");
	return 0;
}

/* `to` is a place with or without a level, or with all of a grant, or with all of an assignment. */
static bool to_is_whole(uint64_t seen)
{
	uint64_t need = 0;

	if (seen & (BIT(TO_PERIOD) | BIT(TO_RUNTIME) | BIT(TO_ENFORCEMENT)))
		need |= grant_rows;
	if (seen &
	    (budget_rows | BIT(TO_MEDIUM) | BIT(TO_RECOVERY) | BIT(TO_POLICY) | BIT(TO_PRIORITY)))
		need |= grant_rows | budget_rows;
	return (seen & need) == need;
}

static int to_read(const struct file_field *f, struct decoder *d, void *value)
{
	struct action *a = value;
	uint64_t seen;

	(void)f;
	int r = fields_read(to_fields, d, a, &seen);
	if (r < 0)
		return r;
	if (seen == BIT(TO_REPLICAS))
		return 0;
	if (!(seen & BIT(TO_NODE)))
		return decode_refuse(d, "node: is missing");
	if (seen & BIT(TO_REPLICAS))
		return decode_refuse(d, "replicas: a place has none");
	if (!to_is_whole(seen))
		return decode_refuse(d, "incomplete assignment");
	if (a->to.runtime > a->to.period)
		return decode_refuse(d, "runtime: must not be more than the period");
	a->to.has_level = seen & BIT(TO_LEVEL);
	if (!(seen & BIT(TO_LOW)))
		return 0;
	a->budget.period = a->to.period;
	if (check_source(a->source, d) < 0 || check_recovery(a->recovery, d) < 0 ||
	    check_class(a, d) < 0)
		return DECODE_REFUSED;
	return check_budget(&a->budget, d);
}

const struct field_type field_to = { to_is_absent, to_write, to_read };
