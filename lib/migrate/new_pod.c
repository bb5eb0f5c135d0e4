/* SPDX-License-Identifier: Apache-2.0 */
#include "migrate/new_pod.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_out.h"
#include "base/names.h"

#define KUBECTL_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

enum { ID_PART = 6, NAME_MAX_BYTES = 63 };

static cJSON *read_placement(const struct move_pod *source)
{
	cJSON *placement = NULL;

	if (source->placement)
		json_parse(source->placement, strlen(source->placement), &placement, NULL);
	return placement;
}

cJSON *placement_annotations(const struct move_pod *source)
{
	AUTO_JSON cJSON *placement = read_placement(source);

	return placement ? cJSON_DetachItemFromObjectCaseSensitive(placement, "annotations") : NULL;
}

int64_t placement_since(const struct move_pod *source)
{
	AUTO_JSON cJSON *placement = read_placement(source);
	int64_t since = 0;

	json_int(json_get(placement, "since"), &since);
	return since;
}

/* "-m" and ID_PART characters of a move's id. */
static size_t length_without_move(const char *name)
{
	size_t n = strlen(name);
	const char *mark = n > ID_PART + 2 ? name + n - ID_PART - 2 : NULL;

	if (!mark || mark[0] != '-' || mark[1] != 'm')
		return n;
	for (const char *c = mark + 2; *c; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9')))
			return n;
	return n - ID_PART - 2;
}

void new_pod_name(const struct move_pod *source, struct str *out)
{
	size_t n = length_without_move(source->name);
	size_t most = NAME_MAX_BYTES - ID_PART - 2;

	str_addf(out, "%.*s-m%.*s", (int)(n < most ? n : most), source->name, ID_PART, source->id);
}

static void set_text(cJSON *object, const char *key, const char *text)
{
	cJSON_DeleteItemFromObjectCaseSensitive(object, key);
	cJSON_AddStringToObject(object, key, text);
}

void new_pod_base(const struct move_pod *source, struct str *out)
{
	for (size_t i = 0; i < source->n_containers; i++)
		str_addf(out, "%s%s", i ? "," : "",
			 source->containers[i].image ? source->containers[i].image : "");
}

static void set_texts(cJSON *object, const cJSON *texts)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, texts)
		if (item->string && cJSON_IsString(item))
			set_text(object, item->string, item->valuestring);
}

static void add_move_annotations(const struct move_pod *source, cJSON *notes)
{
	AUTO(str_done) struct str from = STR_INIT;
	AUTO(str_done) struct str base = STR_INIT;
	AUTO_JSON cJSON *more = placement_annotations(source);

	set_texts(notes, more);
	str_addf(&from, "%s/%s", source->node, source->uid);
	new_pod_base(source, &base);
	set_text(notes, MIGRATE_ID, source->id);
	set_text(notes, MIGRATE_FROM, from.s);
	set_text(notes, MIGRATE_BASE, base.s);
}

static cJSON *copy_or_empty(const cJSON *object)
{
	return object ? cJSON_Duplicate(object, true) : cJSON_CreateObject();
}

static cJSON *make_annotations(const struct move_pod *source)
{
	static const char *const dropped[] = {
		MIGRATE_TO,   MIGRATE_STATE, MIGRATE_READY,	MIGRATE_CANCEL,	 MIGRATE_GONE,
		MIGRATE_BASE, MIGRATE_NEW,   MIGRATE_PLACEMENT, KUBECTL_APPLIED,
	};
	cJSON *notes = copy_or_empty(json_path(source->json, "metadata.annotations"));

	for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++)
		cJSON_DeleteItemFromObjectCaseSensitive(notes, dropped[i]);
	add_move_annotations(source, notes);
	return notes;
}

static void set_images(const struct move_pod *source, cJSON *spec)
{
	cJSON *container;
	unsigned n = 0;

	for (size_t i = 0; i < MOVE_LISTS; i++)
		cJSON_ArrayForEach(container,
				   cJSON_GetObjectItemCaseSensitive(spec, move_lists[i])) {
			AUTO(str_done) struct str image = STR_INIT;

			if (!move_takes(move_lists[i], container))
				continue;
			move_image(&image, source->id, n++);
			set_text(container, "image", image.s);
			set_text(container, "imagePullPolicy", "IfNotPresent");
		}
}

static cJSON *make_spec(const struct move_pod *source)
{
	cJSON *spec = copy_or_empty(json_get(source->json, "spec"));

	cJSON_DeleteItemFromObjectCaseSensitive(spec, "ephemeralContainers");
	cJSON_DeleteItemFromObjectCaseSensitive(spec, "schedulingGates");
	set_text(spec, "nodeName", source->to);
	set_images(source, spec);
	return spec;
}

static void print(const cJSON *object, struct str *out)
{
	char *text = cJSON_PrintUnformatted(object);

	str_add(out, text ? text : "{}");
	free(text);
}

void new_pod_write(const struct move_pod *source, struct str *out)
{
	AUTO(str_done) struct str name = STR_INIT;
	AUTO_JSON cJSON *pod = cJSON_CreateObject();
	cJSON *meta = cJSON_CreateObject();
	cJSON *labels = copy_or_empty(json_path(source->json, "metadata.labels"));

	new_pod_name(source, &name);
	cJSON_AddStringToObject(pod, "apiVersion", "v1");
	cJSON_AddStringToObject(pod, "kind", "Pod");
	cJSON_AddStringToObject(meta, "name", name.s);
	cJSON_AddStringToObject(meta, "namespace", source->ns);
	set_text(labels, MIGRATING, source->id);
	cJSON_AddItemToObject(meta, "labels", labels);
	cJSON_AddItemToObject(meta, "annotations", make_annotations(source));
	cJSON_AddItemToObject(pod, "metadata", meta);
	cJSON_AddItemToObject(pod, "spec", make_spec(source));
	print(pod, out);
}

/* Takes `notes`. */
static void write_patch(const char *id, const struct move_pod *new, cJSON *notes, struct str *out)
{
	AUTO_JSON cJSON *patch = cJSON_CreateObject();
	cJSON *meta = cJSON_AddObjectToObject(patch, "metadata");
	cJSON *spec = cJSON_AddObjectToObject(patch, "spec");
	cJSON *lists[] = { NULL, cJSON_AddArrayToObject(spec, move_lists[1]) };

	cJSON_AddStringToObject(meta, "uid", new->uid);
	cJSON_AddStringToObject(meta, "resourceVersion", new->version);
	cJSON_AddStringToObject(cJSON_AddObjectToObject(meta, "labels"), MIGRATING, id);
	cJSON_AddItemToObject(meta, "annotations", notes);
	for (unsigned i = 0; i < new->n_containers; i++) {
		AUTO(str_done) struct str image = STR_INIT;
		cJSON *c = cJSON_CreateObject();

		move_image(&image, id, i);
		cJSON_AddStringToObject(c, "name", new->containers[i].name);
		cJSON_AddStringToObject(c, "image", image.s);
		if (new->containers[i].is_sidecar && !lists[0])
			lists[0] = cJSON_AddArrayToObject(spec, move_lists[0]);
		cJSON_AddItemToArray(lists[!new->containers[i].is_sidecar], c);
	}
	print(patch, out);
}

void new_pod_patch(const struct move_pod *source, const struct move_pod *new, struct str *out)
{
	cJSON *notes = cJSON_CreateObject();

	add_move_annotations(source, notes);
	write_patch(source->id, new, notes, out);
}

void new_pod_patch_arrived(const struct arrival *a, const struct move_pod *new, struct str *out)
{
	AUTO(str_done) struct str from = STR_INIT;
	cJSON *notes = cJSON_CreateObject();

	str_addf(&from, "%s/%s", a->from, a->uid);
	set_texts(notes, a->annotations);
	set_text(notes, MIGRATE_ID, a->id);
	set_text(notes, MIGRATE_FROM, from.s);
	set_text(notes, MIGRATE_BASE, a->base ? a->base : "");
	write_patch(a->id, new, notes, out);
}

void new_pod_open_gate(const struct move_pod *new, const char *node, struct str *out)
{
	AUTO(json_out_done) struct json_out o = { .out = out, .is_compact = true };

	json_out_object(&o);
	json_out_key(&o, "metadata");
	json_out_object(&o);
	json_out_member(&o, "uid", new->uid);
	json_out_end(&o);
	json_out_key(&o, "spec");
	json_out_object(&o);
	json_out_key(&o, "schedulingGates");
	json_out_null(&o);
	json_out_key(&o, "affinity");
	json_out_raw(&o, "{\"nodeAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":"
			 "{\"nodeSelectorTerms\":[{\"matchFields\":[{\"key\":\"metadata.name\","
			 "\"operator\":\"In\",\"values\":");
	str_add(out, "[");
	str_add_json(out, node);
	str_add(out, "]}]}]}}}");
	json_out_end(&o);
	json_out_end(&o);
}
