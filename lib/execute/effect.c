/* SPDX-License-Identifier: Apache-2.0 */
#include "execute/effect.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static void set_number(cJSON *object, const char *key, int32_t value)
{
	char text[16];

	snprintf(text, sizeof(text), "%" PRId32, value);
	set_text(object, key, text);
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

	return name && strcmp(name, "mckube.io/placement") == 0;
}

static bool is_our_finalizer(const cJSON *item)
{
	const char *name = json_text(item);

	return name && strcmp(name, "mckube.mcoperator.sdv.com/finalizer") == 0;
}

static cJSON *annotations(cJSON *pod)
{
	return member_object(member_object(pod, "metadata"), "annotations");
}

static enum effect_result assign(cJSON *pod, const struct action *a)
{
	cJSON *notes = annotations(pod);

	set_text(notes, "mckube.io/rt-core", a->to.cores);
	set_number(notes, "mckube.io/rt-period", a->budget.period);
	set_number(notes, "mckube.io/rt-runtime-low", a->budget.low);
	if (a->budget.medium)
		set_number(notes, "mckube.io/rt-runtime-medium", a->budget.medium);
	else
		drop(notes, "mckube.io/rt-runtime-medium");
	set_number(notes, "mckube.io/rt-runtime-hi", a->budget.hi);
	set_text(notes, "mckube.io/rt-current", level_name(a->to.level));
	set_text(notes, "mckube.io/criticality", criticality_name(a->budget.criticality));
	set_text(notes, "mckube.io/rt-source", a->source);
	return EFFECT_CHANGED;
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

static enum effect_result set_level(cJSON *pod, const struct action *a)
{
	set_text(annotations(pod), "mckube.io/rt-current", level_name(a->to.level));
	return EFFECT_CHANGED;
}

/* Takes the assignment off a pod. Where the annotations were also the request, that part is the
 * user's and stays. */
static void unassign(cJSON *pod)
{
	static const char *const ours[] = { "mckube.io/rt-core", "mckube.io/rt-current",
					    "mckube.io/rt-source" };
	static const char *const shared[] = { "mckube.io/rt-period", "mckube.io/rt-runtime-low",
					      "mckube.io/rt-runtime-medium",
					      "mckube.io/rt-runtime-hi", "mckube.io/criticality" };
	cJSON *notes = annotations(pod);
	const char *source = json_text(json_get(notes, "mckube.io/rt-source"));
	bool is_request = source && strcmp(source, "annotations") == 0;

	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]) && !is_request; i++)
		drop(notes, shared[i]);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		drop(notes, ours[i]);
	if (!notes->child)
		drop(member(pod, "metadata"), "annotations");
}

static void set_or_drop(cJSON *object, const char *key, const char *text)
{
	if (text && *text)
		set_text(object, key, text);
	else
		drop(object, key);
}

static enum effect_result set_status(cJSON *object, const struct action *a)
{
	if (strcmp(a->on.kind, "Pod") == 0) {
		unassign(object);
		return EFFECT_CHANGED;
	}

	cJSON *status = member_object(object, "status");
	set_or_drop(status, "allocatedCore", a->to.cores);
	set_or_drop(status, "currentRuntime", a->to.has_level ? level_name(a->to.level) : NULL);
	return EFFECT_CHANGED;
}

static enum effect_result drop_finalizer(cJSON *object, const struct action *a)
{
	cJSON *meta = member_object(object, "metadata");

	(void)a;
	drop_from_list(meta, "finalizers", is_our_finalizer);
	return json_text(member(meta, "deletionTimestamp")) && !member(meta, "finalizers")
		       ? EFFECT_GONE
		       : EFFECT_CHANGED;
}

static enum effect_result (*const effects[ACTION_KINDS])(cJSON *object, const struct action *a) = {
	[ACTION_BIND] = bind,
	[ACTION_ASSIGN] = assign,
	[ACTION_MOVE] = assign,
	[ACTION_EVICT] = evict,
	[ACTION_SET_LEVEL] = set_level,
	[ACTION_STATUS] = set_status,
	[ACTION_FINALIZER] = drop_finalizer,
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
