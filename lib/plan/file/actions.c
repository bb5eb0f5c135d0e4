/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/file/file_parts.h"

#include <inttypes.h>
#include <string.h>

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

static const struct field_words kinds = { kind_word, 0, ACTION_KINDS, sizeof(enum action_kind) };
static const struct field_words action_reasons = { reason_word, REASON_PLACED, REASONS,
						   sizeof(enum reason) };
static const struct field_words unplaced_reasons = { reason_word, REASON_NO_REQUEST, REASONS,
						     sizeof(enum reason) };
static const struct field_words methods = { method_word, MIGRATE_NONE, MIGRATE_CHECKPOINT + 1, 1 };

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

/* Actions */

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
	ACTION_ROW_BASELINE,
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
	[ACTION_ROW_BASELINE] =
		FILE_FIELD("baseline", &field_baseline, offsetof(struct action, baseline)),
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
#define BIND_NOTES  (BIT(ACTION_ROW_MOVED_AT) | BIT(ACTION_ROW_MOVES) | BIT(ACTION_ROW_BASELINE))

static const struct shape shapes[ACTION_KINDS] = {
	[ACTION_BIND] = { .needs = POD | TO, .may = SHARE | BIND_NOTES },
	[ACTION_ASSIGN] = { .needs = POD | TO, .has_assignment = true },
	[ACTION_MOVE] = { .needs = POD | FROM | TO, .has_assignment = true },
	[ACTION_EVICT] = { .needs = POD | FROM, .may = REPLACEMENT | GROUP | SHARE },
	[ACTION_DEGRADE] = { .needs = POD | TO, .may = FROM | SINCE, .has_assignment = true },
	[ACTION_SET_LEVEL] = { .needs = POD | TO, .may = FROM, .has_assignment = true },
	[ACTION_TAINT] = { .needs = OBJECT, .may = SINCE },
	[ACTION_UNTAINT] = { .needs = OBJECT },
	[ACTION_STATUS] = { .may = POD | OBJECT | TO | STATUS },
	[ACTION_FINALIZER] = { .needs = OBJECT },
	[ACTION_MIGRATE] = { .needs = POD | FROM | TO | METHOD, .may = MOVE_NOTES | GROUP | SHARE },
	[ACTION_RELEASE] = { .needs = POD },
	[ACTION_SCALE] = { .needs = OBJECT | FROM | TO },
	[ACTION_ANNOTATE] = { .needs = POD | BIT(ACTION_ROW_DELETION_COST) },
};

static bool has_account(const struct action *a)
{
	return a->kind == ACTION_STATUS && a->on.kind &&
	       (strcmp(a->on.kind, "WorkloadOptimizer") == 0 ||
		strcmp(a->on.kind, "CostPolicy") == 0 || strcmp(a->on.kind, "PowerPolicy") == 0);
}

/* A place of a Scale is a number of replicas, which a policy alone may set to 0; any other one is a
 * node. */
static int check_place(const struct place *p, const char *key, bool is_scale, bool may_be_none,
		       struct decoder *d)
{
	if (is_scale && (p->node || p->cores || (!p->replicas && !may_be_none)))
		return decode_refuse(d, "%s: must be a number of replicas", key);
	if (!is_scale && !p->node)
		return decode_refuse(d, "%s.node: is missing", key);
	if (!is_scale && p->replicas)
		return decode_refuse(d, "%s.replicas: is not part of a place", key);
	return 0;
}

/* Any kind may have the subresource scale but those that other actions are about. */
static bool may_be_scaled(const char *kind)
{
	static const char *const others[] = {
		"McKube", "MCKube", "Node", "WorkloadOptimizer", "CostPolicy", "PowerPolicy", "Pod"
	};

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (strcmp(kind, others[i]) == 0)
			return false;
	return true;
}

static int check_replicas(const struct action *a, uint64_t seen, struct decoder *d)
{
	bool is_scale = a->kind == ACTION_SCALE;

	if ((seen & FROM) && check_place(&a->from, "from", is_scale, false, d) < 0)
		return DECODE_REFUSED;
	if ((seen & TO) && check_place(&a->to, "to", is_scale, a->reason == REASON_POLICY, d) < 0)
		return DECODE_REFUSED;
	if ((seen & REPLACEMENT) &&
	    check_place(&a->replacement, "replacement", false, false, d) < 0)
		return DECODE_REFUSED;
	if (is_scale && a->on.kind && !may_be_scaled(a->on.kind))
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
		return decode_refuse(d, "status: is of a WorkloadOptimizer or a policy");
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
