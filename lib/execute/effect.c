/* SPDX-License-Identifier: Apache-2.0 */
#include "execute/effect.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "execute/assignment.h"
#include "execute/object_key.h"
#include "execute/taint.h"
#include "plan/file/economy_status.h"

static cJSON *member(cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* The object under a key, made when it is missing; something else there (null) makes way. */
static cJSON *member_object(cJSON *object, const char *key)
{
	cJSON *there = member(object, key);

	if (cJSON_IsObject(there))
		return there;
	cJSON_DeleteItemFromObjectCaseSensitive(object, key);
	return cJSON_AddObjectToObject(object, key);
}

static void set_text(cJSON *object, const char *key, const char *text)
{
	if (member(object, key))
		cJSON_ReplaceItemInObjectCaseSensitive(object, key, cJSON_CreateString(text));
	else
		cJSON_AddStringToObject(object, key, text);
}

static void drop(cJSON *object, const char *key)
{
	cJSON_DeleteItemFromObjectCaseSensitive(object, key);
}

/* Takes the members of a list for which `is_wanted_gone` holds out of it, and an empty list out of
 * its object. */
static void drop_from_list(cJSON *object, const char *key,
			   bool (*is_wanted_gone)(const cJSON *item))
{
	cJSON *list = member(object, key), *item, *next;

	for (item = list ? list->child : NULL; item; item = next) {
		next = item->next;
		if (is_wanted_gone(item))
			cJSON_Delete(cJSON_DetachItemViaPointer(list, item));
	}
	if (list && !list->child)
		drop(object, key);
}

static bool is_our_gate(const cJSON *item)
{
	const char *name = json_text(json_get(item, "name"));

	return name && strcmp(name, MCKUBE_GATE) == 0;
}

static enum effect_result add_finalizer(cJSON *meta, const char *ours)
{
	if (!cJSON_IsArray(member(meta, "finalizers"))) {
		drop(meta, "finalizers");
		cJSON_AddArrayToObject(meta, "finalizers");
	}
	cJSON_AddItemToArray(member(meta, "finalizers"), cJSON_CreateString(ours));
	return EFFECT_CHANGED;
}

static bool is_our_finalizer(const cJSON *item)
{
	const char *name = json_text(item);

	return name && strcmp(name, MCKUBE_FINALIZER) == 0;
}

static bool is_kcloud_finalizer(const cJSON *item)
{
	const char *name = json_text(item);

	return name && strcmp(name, KCLOUD_FINALIZER) == 0;
}

static cJSON *ensure_annotations(cJSON *pod)
{
	return member_object(member_object(pod, "metadata"), "annotations");
}

static void change_annotations(cJSON *annotations, const struct annotation_change *c)
{
	for (size_t i = 0; i < c->n; i++) {
		if (c->pairs[i].value)
			set_text(annotations, c->pairs[i].name, c->pairs[i].value);
		else
			drop(annotations, c->pairs[i].name);
	}
}

/* Writes into the pod's annotations what `say` says of the action. */
static enum effect_result annotate(cJSON *pod, const struct action *a,
				   void (*say)(const struct action *a, struct annotation_change *c))
{
	struct annotation_change change = { .n = 0 };

	say(a, &change);
	change_annotations(ensure_annotations(pod), &change);
	return EFFECT_CHANGED;
}

static enum effect_result assign(cJSON *pod, const struct action *a)
{
	return annotate(pod, a, assignment_set);
}

static enum effect_result bind(cJSON *pod, const struct action *a)
{
	cJSON *spec = member_object(pod, "spec");

	set_text(spec, "nodeName", a->to.node);
	drop_from_list(spec, "schedulingGates", is_our_gate);
	set_text(member_object(pod, "status"), "phase", "Running");
	return assign(pod, a);
}

static enum effect_result evict(cJSON *pod, const struct action *a)
{
	(void)pod;
	(void)a;
	return EFFECT_GONE;
}

static void drop_migration(cJSON *annotations)
{
	for (unsigned i = 0; i < POD_ANNOTATIONS_N; i++)
		if (pod_annotation_rows[i].part == PART_MIGRATION)
			drop(annotations, pod_annotation_rows[i].key);
}

/* The new pod stands for the one that is left: it is on the target, and as young as the plan. */
static enum effect_result migrate(cJSON *pod, const struct action *a)
{
	cJSON *spec = member_object(pod, "spec"), *meta = member_object(pod, "metadata");
	char date[DATE_TEXT];

	set_text(spec, "nodeName", a->to.node);
	drop_from_list(spec, "schedulingGates", is_our_gate);
	set_text(member_object(pod, "status"), "phase", "Running");
	if (a->since)
		set_text(meta, "creationTimestamp", assignment_date(a->since, date));
	drop_migration(member(meta, "annotations"));
	return a->budget.period ? assign(pod, a) : EFFECT_CHANGED;
}

static enum effect_result release(cJSON *pod, const struct action *a)
{
	(void)a;
	drop_from_list(member_object(pod, "spec"), "schedulingGates", is_our_gate);
	return EFFECT_CHANGED;
}

static enum effect_result set_level(cJSON *pod, const struct action *a)
{
	return annotate(pod, a, assignment_set_level);
}

static enum effect_result degrade(cJSON *pod, const struct action *a)
{
	return annotate(pod, a, assignment_degrade);
}

static enum effect_result set_taints(cJSON *node, const struct action *a)
{
	cJSON *spec = member_object(node, "spec");
	cJSON *taints = taints_changed(member(spec, "taints"), a);

	if (!taints->child) {
		cJSON_Delete(taints);
		drop(spec, "taints");
	} else if (member(spec, "taints")) {
		cJSON_ReplaceItemInObjectCaseSensitive(spec, "taints", taints);
	} else {
		cJSON_AddItemToObject(spec, "taints", taints);
	}
	return EFFECT_CHANGED;
}

static void unassign(cJSON *pod)
{
	cJSON *annotations = ensure_annotations(pod);
	struct annotation_change change = { .n = 0 };

	assignment_clear(json_text(json_get(annotations, POD_ANNOTATION(source))), &change);
	change_annotations(annotations, &change);
	if (!annotations->child)
		drop(member(pod, "metadata"), "annotations");
}

static void set_or_drop(cJSON *object, const char *key, const char *text)
{
	if (text && *text)
		set_text(object, key, text);
	else
		drop(object, key);
}

/* Its members take the place of those of the same name. */
static void merge_status(cJSON *status, const struct economy_status *s)
{
	AUTO(str_done) struct str text = STR_INIT;
	AUTO(json_out_done) struct json_out o = { .out = &text, .is_compact = true };
	cJSON *fresh = NULL;

	economy_status_write(s, &o);
	if (json_parse(text.s, text.n, &fresh, NULL) < 0)
		return;
	while (fresh->child) {
		cJSON *item = cJSON_DetachItemViaPointer(fresh, fresh->child);

		drop(status, item->string);
		cJSON_AddItemToObject(status, item->string, item);
	}
	cJSON_Delete(fresh);
}

static enum effect_result set_status(cJSON *object, const struct action *a)
{
	if (strcmp(a->on.kind, "Pod") == 0) {
		unassign(object);
		return EFFECT_CHANGED;
	}

	cJSON *status = member_object(object, "status");
	if (a->status) {
		merge_status(status, a->status);
		return EFFECT_CHANGED;
	}
	set_or_drop(status, "allocatedCore", a->to.cores);
	set_or_drop(status, "currentRuntime", a->to.has_level ? level_name(a->to.level) : NULL);
	set_or_drop(status, "podUID", a->to.pod_uid);
	set_or_drop(status, "node", a->to.node);
	return EFFECT_CHANGED;
}

static enum effect_result set_finalizer(cJSON *object, const struct action *a)
{
	cJSON *meta = member_object(object, "metadata");

	const char *ours = object_finalizer(&a->on);

	if (a->reason == REASON_FINALIZER_ADDED)
		return add_finalizer(meta, ours);
	drop_from_list(meta, "finalizers",
		       strcmp(ours, KCLOUD_FINALIZER) == 0 ? is_kcloud_finalizer
							   : is_our_finalizer);
	return json_text(member(meta, "deletionTimestamp")) && !member(meta, "finalizers")
		       ? EFFECT_GONE
		       : EFFECT_CHANGED;
}

static enum effect_result scale(cJSON *object, const struct action *a)
{
	cJSON *spec = member_object(object, "spec");

	drop(spec, "replicas");
	cJSON_AddNumberToObject(spec, "replicas", a->to.replicas);
	return EFFECT_CHANGED;
}

static enum effect_result set_deletion_cost(cJSON *pod, const struct action *a)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, a->deletion_cost);
	set_text(ensure_annotations(pod), POD_ANNOTATION(deletion_cost), text);
	return EFFECT_CHANGED;
}

static enum effect_result (*const effects[ACTION_KINDS])(cJSON *object, const struct action *a) = {
	[ACTION_BIND] = bind,
	[ACTION_ASSIGN] = assign,
	[ACTION_MOVE] = assign,
	[ACTION_EVICT] = evict,
	[ACTION_DEGRADE] = degrade,
	[ACTION_SET_LEVEL] = set_level,
	[ACTION_TAINT] = set_taints,
	[ACTION_UNTAINT] = set_taints,
	[ACTION_STATUS] = set_status,
	[ACTION_FINALIZER] = set_finalizer,
	[ACTION_MIGRATE] = migrate,
	[ACTION_SCALE] = scale,
	[ACTION_ANNOTATE] = set_deletion_cost,
	[ACTION_RELEASE] = release,
};

bool effect_is_known(enum action_kind kind)
{
	return effects[kind];
}

/* What a write does to the version on a server. Versions are opaque; one that is no number stays.
 */
static void grow_version(cJSON *object)
{
	cJSON *meta = member_object(object, "metadata");
	const char *version = json_text(json_get(meta, "resourceVersion"));
	size_t n = version ? strlen(version) : 0;
	char text[24];

	if (n == 0 || n > 19 || strspn(version, "0123456789") != n)
		return;
	snprintf(text, sizeof(text), "%llu", strtoull(version, NULL, 10) + 1);
	set_text(meta, "resourceVersion", text);
}

enum effect_result effect_apply(cJSON *object, const struct action *a)
{
	enum effect_result result = effects[a->kind](object, a);

	if (result == EFFECT_CHANGED)
		grow_version(object);
	return result;
}

void effect_evictions(cJSON *pdb, uint32_t n)
{
	static const char key[] = "disruptionsAllowed";
	cJSON *status = member(pdb, "status");
	int64_t allowed;

	if (!json_int(member(status, key), &allowed))
		return;
	allowed = allowed > n ? allowed - n : 0;
	cJSON_ReplaceItemInObjectCaseSensitive(status, key, cJSON_CreateNumber((double)allowed));
	grow_version(pdb);
}
