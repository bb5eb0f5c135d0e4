/* SPDX-License-Identifier: Apache-2.0 */
#include "migrate/arrival.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/names.h"
#include "migrate/new_pod.h"

static char *key_of(const char *ns, const char *pod)
{
	return xasprintf("%s/%s", ns, pod);
}

cJSON *arrivals_read(const cJSON *node)
{
	const char *text =
		json_text(json_get(json_path(node, "metadata.annotations"), NODE_ARRIVALS));
	cJSON *arrivals = NULL;

	if (text)
		json_parse(text, strlen(text), &arrivals, NULL);
	if (cJSON_IsObject(arrivals))
		return arrivals;
	json_free(&arrivals);
	return cJSON_CreateObject();
}

bool arrival_find(const cJSON *arrivals, const char *ns, const char *pod, struct arrival *ret)
{
	AUTO_FREE char *key = key_of(ns, pod);
	const cJSON *json = json_get(arrivals, key);
	struct arrival a = {
		.id = json_text(json_get(json, "id")),
		.uid = json_text(json_get(json, "uid")),
		.from = json_text(json_get(json, "from")),
		.base = json_text(json_get(json, "base")),
		.revision = json_text(json_get(json, "revision")),
		.failed = json_text(json_get(json, "failed")),
		.annotations = json_get(json, "annotations"),
		.back = json_get(json, "back"),
	};

	if (!a.id || !move_id_is_valid(a.id) || !a.uid || !a.from)
		return false;
	json_int(json_get(json, "since"), &a.since);
	json_int(json_get(json, "sentMs"), &a.sent_ms);
	*ret = a;
	return true;
}

static void add_text(cJSON *to, const char *key, const char *text)
{
	if (text)
		cJSON_AddStringToObject(to, key, text);
}

/* What the source has of the annotations that its new pod gets. */
static cJSON *own_annotations(const struct move_pod *source, const cJSON *annotations)
{
	const cJSON *own = json_path(source->json, "metadata.annotations");
	cJSON *back = cJSON_CreateObject();
	const cJSON *item;

	cJSON_ArrayForEach(item, annotations)
		if (item->string)
			add_text(back, item->string, json_text(json_get(own, item->string)));
	return back;
}

void arrival_add(cJSON *arrivals, const struct move_pod *source, int64_t now)
{
	AUTO_FREE char *key = key_of(source->ns, source->name);
	AUTO(str_done) struct str base = STR_INIT;
	cJSON *annotations = placement_annotations(source);
	cJSON *a = cJSON_CreateObject();

	new_pod_base(source, &base);
	add_text(a, "id", source->id);
	add_text(a, "uid", source->uid);
	add_text(a, "from", source->node);
	add_text(a, "base", base.s);
	add_text(a, "revision", move_label(source, LABEL_REVISION_HASH));
	cJSON_AddNumberToObject(a, "since", (double)now);
	cJSON_AddNumberToObject(a, "sentMs", (double)strtoll(source->why, NULL, 10));
	cJSON_AddItemToObject(a, "back", own_annotations(source, annotations));
	cJSON_AddItemToObject(a, "annotations", annotations ? annotations : cJSON_CreateObject());
	cJSON_DeleteItemFromObjectCaseSensitive(arrivals, key);
	cJSON_AddItemToObject(arrivals, key, a);
}

void arrival_fail(cJSON *arrivals, const char *ns, const char *pod, const char *why)
{
	AUTO_FREE char *key = key_of(ns, pod);

	add_text(cJSON_GetObjectItemCaseSensitive(arrivals, key), "failed", why);
}

void arrival_remove(cJSON *arrivals, const char *ns, const char *pod)
{
	AUTO_FREE char *key = key_of(ns, pod);

	cJSON_DeleteItemFromObjectCaseSensitive(arrivals, key);
}
