/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/file/file_parts.h"

#include <inttypes.h>
#include <string.h>

#include "budget/recovery.h"
#include "budget/thread_class.h"

/* Words */

static const char *kind_word(unsigned v)
{
	return action_kind_name(v);
}

static const char *reason_word(unsigned v)
{
	return reason_name(v);
}

static const char *method_word(unsigned v)
{
	return migration_method_name(v);
}

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

static const struct field_words kinds = { kind_word, 0, ACTION_KINDS, sizeof(enum action_kind) };
static const struct field_words action_reasons = { reason_word, REASON_PLACED, REASONS,
						   sizeof(enum reason) };
static const struct field_words unplaced_reasons = { reason_word, REASON_NO_REQUEST, REASONS,
						     sizeof(enum reason) };
static const struct field_words methods = { method_word, MIGRATE_NONE, MIGRATE_CHECKPOINT + 1, 1 };
static const struct field_words levels = { level_word, 0, LEVELS, 1 };
static const struct field_words criticalities = { criticality_word, 0, LEVELS, 1 };
static const struct field_words enforcements = { enforcement_word, ENFORCE_WATCH, ENFORCE_RAISE + 1,
						 1 };

/* Targets and places */

static const struct field pod_fields[] = {
	FILE_FIELD("namespace", &field_name, offsetof(struct target, ns), .needed = true),
	FILE_FIELD("name", &field_name, offsetof(struct target, name), .needed = true),
	FILE_FIELD("uid", &field_text, offsetof(struct target, uid)),
	FILE_FIELD("resourceVersion", &field_text, offsetof(struct target, version)),
	{ 0 },
};

static const struct field unplaced_pod_fields[] = {
	FILE_FIELD("namespace", &field_name, offsetof(struct target, ns), .needed = true),
	FILE_FIELD("name", &field_name, offsetof(struct target, name), .needed = true),
	FILE_FIELD("uid", &field_text, offsetof(struct target, uid)),
	{ 0 },
};

static const struct field by_fields[] = {
	FILE_FIELD("namespace", &field_name, offsetof(struct target, ns), .needed = true),
	FILE_FIELD("name", &field_name, offsetof(struct target, name), .needed = true),
	{ 0 },
};

static const struct field object_fields[] = {
	FILE_FIELD("kind", &field_text, offsetof(struct target, kind), .needed = true,
		   .max = FIELD_NAME_MAX),
	FILE_FIELD("apiVersion", &field_text, offsetof(struct target, api_version), .needed = true,
		   .max = FIELD_NAME_MAX),
	FILE_FIELD("namespace", &field_name, offsetof(struct target, ns)),
	FILE_FIELD("name", &field_name, offsetof(struct target, name), .needed = true),
	FILE_FIELD("uid", &field_text, offsetof(struct target, uid)),
	FILE_FIELD("resourceVersion", &field_text, offsetof(struct target, version)),
	{ 0 },
};

static const struct field place_fields[] = {
	FILE_FIELD("node", &field_name, offsetof(struct place, node)),
	FILE_FIELD("cores", &field_cores, offsetof(struct place, cores)),
	FILE_FIELD("replicas", &field_u32, offsetof(struct place, replicas), .min = 1),
	{ 0 },
};

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

#define BIT(row) (UINT64_C(1) << (row))

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
	[TO_REPLICAS] =
		FILE_FIELD("replicas", &field_u32, offsetof(struct action, to.replicas), .min = 1),
};

static bool to_is_absent(const struct file_field *f, const void *value)
{
	const struct action *a = value;

	(void)f;
	return (!a->to.node || !*a->to.node) && !a->to.replicas;
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

/* action.to, budget and source. */
static const struct field_type field_to = { to_is_absent, to_write, to_read };

/* Actions */

static bool after_is_absent(const struct file_field *f, const void *value)
{
	(void)f;
	return ((const struct action *)value)->n_after == 0;
}

static void after_write(const struct file_field *f, const void *value, struct json_out *o)
{
	const struct action *a = value;

	(void)f;
	json_out_array(o);
	for (uint32_t i = 0; i < a->n_after; i++)
		json_out_int(o, a->after[i]);
	json_out_end(o);
}

struct ids {
	uint32_t *items;
	size_t n, cap;
};

static int read_id(struct decoder *d, void *arg)
{
	struct ids *ids = arg;
	int64_t id;
	int r = decode_i64(d, &id);

	if (r == 0 && (id < 1 || id > UINT32_MAX))
		return decode_refuse(d, "must be the id of an action");
	if (r == 0)
		*array_add(ids) = (uint32_t)id;
	return r;
}

static int after_read(const struct file_field *f, struct decoder *d, void *value)
{
	struct action *a = value;
	struct plan *plan = d->owner;
	struct ids ids = { 0 };
	int r = decode_list(d, read_id, &ids);

	(void)f;
	a->after = arena_new(&plan->arena, uint32_t, ids.n);
	for (a->n_after = 0; a->n_after < ids.n; a->n_after++)
		a->after[a->n_after] = ids.items[a->n_after];
	array_done(&ids);
	return r;
}

/* action.after and n_after. */
static const struct field_type field_after = { after_is_absent, after_write, after_read };

static bool steps_are_absent(const struct file_field *f, const void *value)
{
	(void)f;
	return ((const struct action *)value)->steps == 0;
}

static void steps_write(const struct file_field *f, const void *value, struct json_out *o)
{
	const struct action *a = value;

	(void)f;
	json_out_array(o);
	for (unsigned step = 0; step < MIGRATION_STEPS; step++)
		if (a->steps & STAGE_BIT(step))
			json_out_text(o, migration_step_name(step));
	json_out_end(o);
}

/* -1: there is no such step. */
static int step_named(const char *word)
{
	for (int step = 0; step < MIGRATION_STEPS; step++)
		if (strcmp(word, migration_step_name((enum migration_step)step)) == 0)
			return step;
	return -1;
}

static int read_step(struct decoder *d, void *arg)
{
	struct action *a = arg;
	const char *word;
	int r = field_string(d, FIELD_NAME_MAX, &word);

	if (r < 0)
		return r;
	int step = step_named(word);
	if (step < 0 || a->steps >> step)
		return decode_refuse(d, "must be steps of a migration, in their order");
	a->steps |= STAGE_BIT(step);
	return 0;
}

static int steps_read(const struct file_field *f, struct decoder *d, void *value)
{
	(void)f;
	return decode_list(d, read_step, value);
}

/* action.steps */
static const struct field_type field_steps = { steps_are_absent, steps_write, steps_read };

static bool cost_is_absent(const struct file_field *f, const void *value)
{
	(void)f;
	return *(const int64_t *)value == 0;
}

static void cost_write(const struct file_field *f, const void *value, struct json_out *o)
{
	(void)f;
	json_out_int(o, *(const int64_t *)value);
}

static int cost_read(const struct file_field *f, struct decoder *d, void *value)
{
	int64_t n;
	int r = decode_i64(d, &n);

	(void)f;
	if (r == 0 && (n < INT32_MIN || n > INT32_MAX || n == 0))
		return decode_refuse(d, "must be a 32-bit number that is not 0");
	if (r == 0)
		*(int64_t *)value = n;
	return r;
}

/* int64_t, what the annotation of that name takes. */
static const struct field_type field_deletion_cost = { cost_is_absent, cost_write, cost_read };

static bool is_on_pod(const void *action)
{
	return strcmp(((const struct action *)action)->on.kind, "Pod") == 0;
}

static bool is_on_object(const void *action)
{
	return !is_on_pod(action);
}

enum {
	ACTION_ROW_ID,
	ACTION_ROW_KIND,
	ACTION_ROW_REASON,
	ACTION_ROW_AFTER,
	ACTION_ROW_POD,
	ACTION_ROW_OBJECT,
	ACTION_ROW_FROM,
	ACTION_ROW_TO,
	ACTION_ROW_REPLACEMENT,
	ACTION_ROW_BY,
	ACTION_ROW_METHOD,
	ACTION_ROW_STEPS,
	ACTION_ROW_DOWNTIME,
	ACTION_ROW_OWNER,
	ACTION_ROW_GROUP,
	ACTION_ROW_SHARE,
	ACTION_ROW_MOVED_AT,
	ACTION_ROW_MOVES,
	ACTION_ROW_DELETION_COST,
	ACTION_ROW_STATUS,
	ACTION_ROW_SINCE,
	ACTION_ROW_MESSAGE,
	ACTION_ROWS,
};

static const struct field action_fields[ACTION_ROWS + 1] = {
	[ACTION_ROW_ID] =
		FILE_FIELD("id", &field_u32, offsetof(struct action, id), .min = 1, .needed = true),
	[ACTION_ROW_KIND] = FILE_FIELD("kind", &field_word, offsetof(struct action, kind),
				       .of = &kinds, .needed = true),
	[ACTION_ROW_REASON] = FILE_FIELD("reason", &field_word, offsetof(struct action, reason),
					 .of = &action_reasons, .needed = true),
	[ACTION_ROW_AFTER] = FILE_FIELD("after", &field_after, FIELD_SELF),
	[ACTION_ROW_POD] = FILE_FIELD("pod", &field_object, offsetof(struct action, on),
				      .of = pod_fields, .is_given = is_on_pod),
	[ACTION_ROW_OBJECT] = FILE_FIELD("object", &field_object, offsetof(struct action, on),
					 .of = object_fields, .is_given = is_on_object),
	[ACTION_ROW_FROM] = FILE_FIELD("from", &field_object, offsetof(struct action, from),
				       .of = place_fields),
	[ACTION_ROW_TO] = FILE_FIELD("to", &field_to, FIELD_SELF),
	[ACTION_ROW_REPLACEMENT] =
		FILE_FIELD("replacement", &field_object, offsetof(struct action, replacement),
			   .of = place_fields),
	[ACTION_ROW_BY] =
		FILE_FIELD("by", &field_object, offsetof(struct action, by), .of = by_fields),
	[ACTION_ROW_METHOD] =
		FILE_FIELD("method", &field_word, offsetof(struct action, method), .of = &methods),
	[ACTION_ROW_STEPS] = FILE_FIELD("steps", &field_steps, FIELD_SELF),
	[ACTION_ROW_DOWNTIME] =
		FILE_FIELD("downtimeMs", &field_u32, offsetof(struct action, downtime_ms)),
	[ACTION_ROW_OWNER] = FILE_FIELD("ownerUID", &field_text, offsetof(struct action, owner_uid),
					.max = FIELD_NAME_MAX),
	[ACTION_ROW_GROUP] =
		FILE_FIELD("group", &field_u32, offsetof(struct action, group), .min = 1),
	[ACTION_ROW_SHARE] = FILE_FIELD("share", &field_share, offsetof(struct action, share)),
	[ACTION_ROW_MOVED_AT] =
		FILE_FIELD("movedAt", &field_date, offsetof(struct action, moved_at)),
	[ACTION_ROW_MOVES] = FILE_FIELD("moves", &field_u32, offsetof(struct action, moves)),
	[ACTION_ROW_DELETION_COST] = FILE_FIELD("deletionCost", &field_deletion_cost,
						offsetof(struct action, deletion_cost)),
	[ACTION_ROW_STATUS] = FILE_FIELD("status", &field_economy_status, FIELD_SELF),
	[ACTION_ROW_SINCE] = FILE_FIELD("since", &field_date, offsetof(struct action, since)),
	[ACTION_ROW_MESSAGE] = FILE_FIELD("message", &field_text, offsetof(struct action, message),
					  .needed = true),
};

/* The rows of an action of a kind. A row that is in neither mask is an error. */
struct shape {
	uint64_t needs, may;
	bool has_assignment; /* `to` holds the whole assignment */
};

#define POD	    BIT(ACTION_ROW_POD)
#define OBJECT	    BIT(ACTION_ROW_OBJECT)
#define FROM	    BIT(ACTION_ROW_FROM)
#define TO	    BIT(ACTION_ROW_TO)
#define REPLACEMENT BIT(ACTION_ROW_REPLACEMENT)
#define STATUS	    BIT(ACTION_ROW_STATUS)
#define SINCE	    BIT(ACTION_ROW_SINCE)
#define METHOD	    (BIT(ACTION_ROW_METHOD) | BIT(ACTION_ROW_STEPS))
#define MOVE_NOTES  (BIT(ACTION_ROW_DOWNTIME) | BIT(ACTION_ROW_OWNER) | SINCE)
#define GROUP	    BIT(ACTION_ROW_GROUP)
#define SHARE	    BIT(ACTION_ROW_SHARE)
#define MOVED	    (BIT(ACTION_ROW_MOVED_AT) | BIT(ACTION_ROW_MOVES))

static const struct shape shapes[ACTION_KINDS] = {
	[ACTION_BIND] = { .needs = POD | TO, .may = SHARE | MOVED },
	[ACTION_ASSIGN] = { .needs = POD | TO, .has_assignment = true },
	[ACTION_MOVE] = { .needs = POD | FROM | TO, .has_assignment = true },
	[ACTION_EVICT] = { .needs = POD | FROM, .may = REPLACEMENT | GROUP | SHARE },
	[ACTION_DEGRADE] = { .needs = POD | TO, .may = FROM | SINCE, .has_assignment = true },
	[ACTION_SET_LEVEL] = { .needs = POD | TO, .may = FROM, .has_assignment = true },
	[ACTION_TAINT] = { .needs = OBJECT, .may = SINCE },
	[ACTION_UNTAINT] = { .needs = OBJECT },
	[ACTION_STATUS] = { .may = POD | OBJECT | TO | STATUS },
	[ACTION_FINALIZER] = { .needs = OBJECT },
	[ACTION_MIGRATE] = { .needs = POD | FROM | TO | METHOD, .may = MOVE_NOTES },
	[ACTION_RELEASE] = { .needs = POD },
	[ACTION_SCALE] = { .needs = OBJECT | FROM | TO },
	[ACTION_ANNOTATE] = { .needs = POD | BIT(ACTION_ROW_DELETION_COST) },
};

static bool has_account(const struct action *a)
{
	return a->kind == ACTION_STATUS && a->on.kind &&
	       (strcmp(a->on.kind, "WorkloadOptimizer") == 0 ||
		strcmp(a->on.kind, "CostPolicy") == 0);
}

/* A place of a Scale is a number of replicas, any other one a node. */
static int check_place(const struct place *p, const char *key, bool is_scale, struct decoder *d)
{
	if (is_scale && (p->node || p->cores || !p->replicas))
		return decode_refuse(d, "%s: must be a number of replicas", key);
	if (!is_scale && !p->node)
		return decode_refuse(d, "%s.node: is missing", key);
	if (!is_scale && p->replicas)
		return decode_refuse(d, "%s.replicas: is not part of a place", key);
	return 0;
}

static int check_replicas(const struct action *a, uint64_t seen, struct decoder *d)
{
	bool is_scale = a->kind == ACTION_SCALE;

	if ((seen & FROM) && check_place(&a->from, "from", is_scale, d) < 0)
		return DECODE_REFUSED;
	if ((seen & TO) && check_place(&a->to, "to", is_scale, d) < 0)
		return DECODE_REFUSED;
	if ((seen & REPLACEMENT) && check_place(&a->replacement, "replacement", false, d) < 0)
		return DECODE_REFUSED;
	if (is_scale && a->on.kind && strcmp(a->on.kind, "Deployment") != 0 &&
	    strcmp(a->on.kind, "StatefulSet") != 0)
		return decode_refuse(d, "object.kind: cannot be scaled");
	return 0;
}

static int check_rows(const struct action *a, uint64_t seen, struct decoder *d)
{
	static const uint64_t always = BIT(ACTION_ROW_ID) | BIT(ACTION_ROW_KIND) |
				       BIT(ACTION_ROW_REASON) | BIT(ACTION_ROW_AFTER) |
				       BIT(ACTION_ROW_BY) | BIT(ACTION_ROW_MESSAGE);
	const struct shape *shape = &shapes[a->kind];

	for (unsigned row = 0; row < ACTION_ROWS; row++) {
		if (shape->needs & ~seen & BIT(row))
			return decode_refuse(d, "%s: is missing", action_fields[row].key);
		if (seen & ~shape->needs & ~shape->may & ~always & BIT(row))
			return decode_refuse(d, "%s: is not part of a %s", action_fields[row].key,
					     action_kind_name(a->kind));
	}
	if (check_replicas(a, seen, d) < 0)
		return DECODE_REFUSED;
	if (a->kind != ACTION_EVICT && a->kind != ACTION_MIGRATE && a->kind != ACTION_SCALE &&
	    (seen & FROM) && !a->from.cores)
		return decode_refuse(d, "from.cores: is missing");
	if ((seen & REPLACEMENT) && !a->replacement.cores && !(seen & GROUP))
		return decode_refuse(d, "replacement.cores: is missing");
	if (a->kind == ACTION_BIND && a->to.cores && a->budget.period == 0)
		return decode_refuse(d, "to: incomplete for %s", action_kind_name(a->kind));
	if (!(seen & POD) == !(seen & OBJECT))
		return decode_refuse(d, "one of pod and object is required");
	if (a->to.pod_uid && a->kind != ACTION_STATUS)
		return decode_refuse(d, "to.podUID: is not part of a %s",
				     action_kind_name(a->kind));
	if (!(seen & STATUS) != !has_account(a))
		return decode_refuse(d, "status: is of a WorkloadOptimizer or a CostPolicy");
	if (shape->has_assignment && a->budget.period == 0)
		return decode_refuse(d, "to: incomplete for %s", action_kind_name(a->kind));
	return 0;
}

/* The strings of a target are never NULL. */
static void fill_target(struct target *t, const char *kind)
{
	const char **strings[] = { &t->ns, &t->uid, &t->version, &t->api_version };

	if (!t->kind)
		t->kind = kind;
	for (size_t i = 0; i < ARRAY_LEN(strings); i++)
		if (!*strings[i])
			*strings[i] = "";
}

static int check_action(struct decoder *d, void *item, size_t index, uint64_t seen)
{
	struct action *a = item;

	if (a->id != index + 1)
		return decode_refuse(d, "id: must be %zu, is %" PRIu32, index + 1, a->id);
	for (uint32_t i = 0; i < a->n_after; i++)
		if (a->after[i] >= a->id)
			return decode_refuse(d, "after: action %" PRIu32 " is not an earlier one",
					     a->after[i]);
	if (check_rows(a, seen, d) < 0)
		return DECODE_REFUSED;
	if (a->on.kind && strcmp(a->on.kind, "Pod") == 0)
		return decode_refuse(d, "object: use pod for a Pod");
	fill_target(&a->on, "Pod");
	if (seen & BIT(ACTION_ROW_BY))
		fill_target(&a->by, "Pod");
	if ((seen & FROM) && !a->from.cores)
		a->from.cores = "";
	return 0;
}

const struct field_list file_actions = { action_fields, sizeof(struct action), check_action };

/* Pods without a place */

static const struct field unplaced_fields[] = {
	FILE_FIELD("pod", &field_object, offsetof(struct unplaced, on), .of = unplaced_pod_fields,
		   .needed = true),
	FILE_FIELD("reason", &field_word, offsetof(struct unplaced, reason),
		   .of = &unplaced_reasons, .needed = true),
	FILE_FIELD("message", &field_text, offsetof(struct unplaced, message), .needed = true),
	{ 0 },
};

static int check_unplaced(struct decoder *d, void *item, size_t index, uint64_t seen)
{
	(void)d;
	(void)index;
	(void)seen;
	fill_target(&((struct unplaced *)item)->on, "Pod");
	return 0;
}

const struct field_list file_unplaced = { unplaced_fields, sizeof(struct unplaced),
					  check_unplaced };
