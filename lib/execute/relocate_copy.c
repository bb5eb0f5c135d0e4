/* SPDX-License-Identifier: Apache-2.0 */
#include "execute/relocate_copy.h"

#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/json.h"
#include "base/names.h"
#include "execute/assignment.h"

enum { LETTERS = 5, MARK = 2 + LETTERS, NAME_MAX_BYTES = 253 };

static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789";

static bool has_mark(const char *name, size_t n)
{
	return n > MARK && name[n - MARK] == '-' && name[n - MARK + 1] == 'm' &&
	       strspn(name + n - LETTERS, alphabet) == LETTERS;
}

char *relocate_copy_name(const char *name, const char *uid)
{
	uint64_t hash = 14695981039346656037u; /* FNV-1a */
	char letters[LETTERS + 1] = { 0 };
	size_t n = strlen(name);

	for (const char *s = uid; *s; s++)
		hash = (hash ^ (unsigned char)*s) * 1099511628211u;
	for (int i = 0; i < LETTERS; i++) {
		letters[i] = alphabet[hash % (sizeof(alphabet) - 1)];
		hash /= sizeof(alphabet) - 1;
	}
	if (has_mark(name, n))
		n -= MARK;
	if (n > NAME_MAX_BYTES - MARK)
		n = NAME_MAX_BYTES - MARK;
	return xasprintf("%.*s-m%s", (int)n, name, letters);
}

static void move_member(cJSON *from, cJSON *to, const char *key)
{
	cJSON *item = cJSON_DetachItemFromObjectCaseSensitive(from, key);

	if (item)
		cJSON_AddItemToObject(to, key, item);
}

static void fill_annotations(const struct action *a, cJSON *annotations)
{
	struct annotation_change change = { .n = 0 };
	AUTO_FREE char *from = xasprintf("%s/%s", a->from.node, a->on.uid);

	assignment_clear(json_text(json_get(annotations, POD_ANNOTATION(source))), &change);
	for (size_t i = 0; i < change.n; i++)
		cJSON_DeleteItemFromObjectCaseSensitive(annotations, change.pairs[i].name);
	for (unsigned i = 0; i < POD_ANNOTATIONS_N; i++)
		if (pod_annotation_rows[i].part == PART_MIGRATION)
			cJSON_DeleteItemFromObjectCaseSensitive(annotations,
								pod_annotation_rows[i].key);
	cJSON_DeleteItemFromObjectCaseSensitive(annotations,
						"kubectl.kubernetes.io/last-applied-configuration");
	cJSON_AddStringToObject(annotations, MIGRATE_TO, a->to.node);
	cJSON_AddStringToObject(annotations, MIGRATE_FROM, from);
}

static void fill_meta(const struct action *a, cJSON *old, const char *name, cJSON *meta)
{
	cJSON_AddStringToObject(meta, "name", name);
	cJSON_AddStringToObject(meta, "namespace", a->on.ns);
	move_member(old, meta, "labels");
	move_member(old, meta, "annotations");
	if (!cJSON_IsObject(json_get(meta, "annotations"))) {
		cJSON_DeleteItemFromObjectCaseSensitive(meta, "annotations");
		cJSON_AddObjectToObject(meta, "annotations");
	}
	fill_annotations(a, cJSON_GetObjectItemCaseSensitive(meta, "annotations"));
}

static void clean_spec(cJSON *spec)
{
	static const char *const gone[] = { "nodeName", "schedulerName", "ephemeralContainers",
					    "schedulingGates" };

	for (size_t i = 0; i < ARRAY_LEN(gone); i++)
		cJSON_DeleteItemFromObjectCaseSensitive(spec, gone[i]);
	cJSON_AddStringToObject(spec, "schedulerName", MCKUBE_SCHEDULER);
}

char *relocate_copy(const struct action *a, struct slice pod, const char *name)
{
	AUTO_JSON cJSON *root = NULL, *copy = NULL;

	if (json_parse(pod.s, pod.n, &root, NULL) < 0)
		return NULL;
	cJSON *meta = cJSON_GetObjectItemCaseSensitive(root, "metadata");
	const char *uid = json_text(json_get(meta, "uid"));
	if (!uid || strcmp(uid, a->on.uid) != 0 || !cJSON_IsObject(json_get(root, "spec")))
		return NULL;
	copy = cJSON_CreateObject();
	cJSON_AddStringToObject(copy, "apiVersion", "v1");
	cJSON_AddStringToObject(copy, "kind", "Pod");
	fill_meta(a, meta, name, cJSON_AddObjectToObject(copy, "metadata"));
	move_member(root, copy, "spec");
	clean_spec(cJSON_GetObjectItemCaseSensitive(copy, "spec"));
	return cJSON_PrintUnformatted(copy);
}
