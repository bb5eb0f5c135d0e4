/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest/manifests.h"

#include <string.h>

#include "base/array.h"
#include "base/auto.h"
#include "base/nearest.h"
#include "base/yaml.h"
#include "manifest/values.h"

struct rendering {
	const cJSON *values, *map;
	cJSON *defaults; /* of the values */
	const struct replacement *replacements;
	struct str *out;
};

const struct embedded *manifest_find(const char *name)
{
	for (const struct embedded *f = manifest_files; f->name; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

void manifest_replace(struct slice text, const struct replacement *rows, struct str *out)
{
	for (size_t at = 0; at < text.n;) {
		const struct replacement *hit = rows;

		while (hit->from && (text.n - at < strlen(hit->from) ||
				     memcmp(text.s + at, hit->from, strlen(hit->from)) != 0))
			hit++;
		if (hit->from) {
			str_add(out, hit->to);
			at += strlen(hit->from);
		} else {
			str_addc(out, text.s[at++]);
		}
	}
}

static int parse(struct slice yaml, cJSON **ret, struct error *err)
{
	AUTO(str_done) struct str json = STR_INIT;

	if (yaml_to_json(yaml.s, yaml.n, NULL, &json, err) < 0)
		return err->code;
	return json_parse(json.s, json.n, ret, err);
}

static const char *text_of(const cJSON *object, const char *key)
{
	const char *text = json_text(json_get(object, key));

	return text ? text : "";
}

/* What stands where a row's path leads: the object with its last key, or NULL. Objects on the way
 * are made. */
static cJSON *follow(cJSON *object, const cJSON *path, const char **ret_key)
{
	static const char *const template[] = { "spec", "template" };
	static const char *const cron[] = { "spec", "jobTemplate", "spec", "template" };
	const bool is_cron = strcmp(text_of(object, "kind"), "CronJob") == 0;
	const cJSON *step = path->child;
	cJSON *at = object;

	if (strcmp(step->valuestring, "pod") == 0) {
		const char *const *words = is_cron ? cron : template;

		for (size_t i = 0; i < (is_cron ? ARRAY_LEN(cron) : ARRAY_LEN(template)); i++)
			at = cJSON_GetObjectItemCaseSensitive(at, words[i]);
		step = step->next;
	}
	for (; step->next; step = step->next) {
		cJSON *next = cJSON_IsNumber(step)
				      ? cJSON_GetArrayItem(at, step->valueint)
				      : cJSON_GetObjectItemCaseSensitive(at, step->valuestring);

		at = next ? next : cJSON_AddObjectToObject(at, step->valuestring);
	}
	*ret_key = step->valuestring;
	return at;
}

static cJSON *as_text(const cJSON *value)
{
	AUTO_JSON cJSON *sorted = cJSON_Duplicate(value, true);

	json_sort(sorted);
	AUTO_FREE char *text = cJSON_PrintUnformatted(sorted);
	return cJSON_CreateString(text);
}

static cJSON *overlaid(const cJSON *old, const cJSON *value)
{
	cJSON *both = old ? cJSON_Duplicate(old, true) : cJSON_CreateObject();

	values_overlay(both, value);
	return both;
}

static cJSON *appended(const cJSON *old, const cJSON *value)
{
	cJSON *both = old ? cJSON_Duplicate(old, true) : cJSON_CreateArray();
	const cJSON *element;

	cJSON_ArrayForEach(element, value)
		cJSON_AddItemToArray(both, cJSON_Duplicate(element, true));
	return both;
}

static cJSON *changed(const char *how, const cJSON *old, const cJSON *value, struct error *err)
{
	AUTO_JSON cJSON *tree = NULL;
	cJSON *both, *text;

	if (strcmp(how, "merge") == 0)
		return overlaid(old, value);
	if (strcmp(how, "append") == 0)
		return appended(old, value);
	if (strcmp(how, "json") == 0)
		return as_text(value);
	if (strcmp(how, "text") != 0)
		return cJSON_Duplicate(value, true);
	if (parse(slice_of(json_text(old)), &tree, err) < 0)
		return NULL;
	both = overlaid(tree, value);
	text = as_text(both);
	cJSON_Delete(both);
	return text;
}

/* A value that is not the default's, or what the row gives; NULL: nothing. */
static const cJSON *value_of(const struct rendering *r, const cJSON *row)
{
	const char *name = text_of(row, "value");
	const cJSON *value = values_get(r->values, name);

	if (!*name)
		return values_is_true(r->values, text_of(row, "when")) ? json_get(row, "give")
								       : NULL;
	if (cJSON_Compare(value, values_get(r->defaults, name), true))
		return NULL;
	return cJSON_IsString(value) && !*value->valuestring ? NULL : value;
}

/* Does the row put a value of its own into an object of this file and kind? */
static const cJSON *value_for(const struct rendering *r, const cJSON *row, const char *file,
			      const char *kind)
{
	const char *only = text_of(row, "kind");
	const cJSON *value = value_of(r, row), *wanted;

	if (!value || (*only && strcmp(only, kind) != 0))
		return NULL;
	cJSON_ArrayForEach(wanted, json_get(row, "files"))
		if (strcmp(wanted->valuestring, file) == 0)
			return value;
	return NULL;
}

/* Adds a document, as it stands unless a value changes it. */
static int add_document(struct rendering *r, const char *file, struct slice yaml, struct error *err)
{
	AUTO_JSON cJSON *object = NULL;
	bool is_changed = false;
	const cJSON *row;

	str_add(r->out, r->out->n ? "---\n" : "");
	if (parse(yaml, &object, err) < 0)
		return err->code;
	cJSON_ArrayForEach(row, json_get(r->map, "values")) {
		const cJSON *value = value_for(r, row, file, text_of(object, "kind"));
		const char *key;

		if (!value)
			continue;
		cJSON *at = follow(object, json_get(row, "path"), &key);
		cJSON *now = changed(text_of(row, "how"), json_get(at, key), value, err);
		if (!now)
			return err->code;
		cJSON_DeleteItemFromObjectCaseSensitive(at, key);
		cJSON_AddItemToObject(at, key, now);
		is_changed = true;
	}
	if (!is_changed) {
		str_addn(r->out, yaml.s, yaml.n);
		return 0;
	}
	AUTO_FREE char *json = cJSON_PrintUnformatted(object);
	return yaml_from_json(json, strlen(json), r->out, err);
}

static int add_file(struct rendering *r, const char *name, struct error *err)
{
	static const char end[] = "\n---\n";
	AUTO(str_done) struct str text = STR_INIT;
	const char *at, *next;

	manifest_replace(manifest_find(name)->text, r->replacements, &text);
	for (at = text.s; (next = strstr(at, end)); at = next + strlen(end))
		if (add_document(r, name, (struct slice){ at, (size_t)(next + 1 - at) }, err) < 0)
			return error_wrap(err, "%s", name);
	if (add_document(r, name, slice_of(at), err) < 0)
		return error_wrap(err, "%s", name);
	return 0;
}

static bool is_wanted(const struct rendering *r, const cJSON *file)
{
	const cJSON *when = json_get(file, "when"), *name;
	const char *unless = text_of(file, "unless");
	bool is_on = !when;

	cJSON_ArrayForEach(name, when)
		is_on |= values_is_true(r->values, name->valuestring);
	return is_on && !(*unless && values_is_true(r->values, unless));
}

/* A name as it may stand in YAML without quotes, and in an image or a path. */
static int check_plain(const char *what, const char *s, struct error *err)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._/:@";

	if (*s && s[strspn(s, plain)] == '\0')
		return 0;
	return error_set(err, -EINVAL, "%s: '%s' is no valid name", what, s);
}

static char *image_of(const cJSON *values, const char *name, const char *whole, const char *version)
{
	const cJSON *image = values_get(values, name);
	const char *digest = text_of(image, "digest"), *tag = text_of(image, "tag");

	if (whole)
		return xstrdup(whole);
	if (*digest)
		return xasprintf("%s@%s", text_of(image, "repository"), digest);
	return xasprintf("%s:%s%s", text_of(image, "repository"), *tag ? "" : "v",
			 *tag ? tag : version);
}

static int find_runtime(const struct rendering *r, const cJSON **ret, struct error *err)
{
	const char *name = values_text(r->values, "runtime");
	const cJSON *runtimes = json_get(r->map, "runtimes"), *known;
	struct nearest nearest = NEAREST_OF(name);

	*ret = json_get(runtimes, name);
	if (*ret)
		return 0;
	cJSON_ArrayForEach(known, runtimes)
		nearest_offer(&nearest, known->string);
	return error_set(err, -EINVAL, "runtime: '%s' is not known%s%s%s", name,
			 nearest.best ? " (did you mean " : "", nearest.best ? nearest.best : "",
			 nearest.best ? "?)" : "");
}

static const char *first_of(const char *a, const char *b)
{
	return *a ? a : b;
}

static int add_files(struct rendering *r, const struct replacement *rows, struct error *err)
{
	struct rendering with = *r;
	const cJSON *file;

	with.replacements = rows;
	cJSON_ArrayForEach(file, json_get(r->map, "files"))
		if (is_wanted(r, file) && add_file(&with, text_of(file, "name"), err) < 0)
			return err->code;
	return 0;
}

static int render(struct rendering *r, const struct manifest_options *o, struct error *err)
{
	const cJSON *runtime;

	if (find_runtime(r, &runtime, err) < 0)
		return err->code;
	const char *own_name = values_text(r->values, "fullnameOverride");
	const char *bundles =
		first_of(values_text(r->values, "bundles"), text_of(runtime, "bundles"));
	const char *kubelet =
		first_of(values_text(r->values, "kubeletRoot"), text_of(runtime, "kubelet"));
	const char *version = values_text(r->values, "admission.mutating.version");
	AUTO_FREE char *image = image_of(r->values, "image", o->image, o->version);
	AUTO_FREE char *node_image = image_of(r->values, "nodeImage", o->node_image, o->version);
	AUTO_FREE char *migrate_image =
		image_of(r->values, "migrateImage", o->migrate_image, o->version);

	if (check_plain("image", image, err) < 0 || check_plain("nodeImage", node_image, err) < 0 ||
	    check_plain("migrateImage", migrate_image, err) < 0 ||
	    check_plain("bundles", bundles, err) < 0 ||
	    check_plain("kubeletRoot", kubelet, err) < 0 ||
	    check_plain("admission.mutating.version", version, err) < 0 ||
	    check_plain("--install-namespace", o->ns, err) < 0 ||
	    (*own_name && check_plain("fullnameOverride", own_name, err) < 0))
		return err->code;
	AUTO_FREE char *image_row = xasprintf("image: %s\n", image);
	AUTO_FREE char *node_row = xasprintf("image: %s\n", node_image);
	AUTO_FREE char *migrate_row = xasprintf("image: %s\n", migrate_image);
	AUTO_FREE char *watch = xasprintf("  name: %s\n", first_of(own_name, "mckube-watch"));
	AUTO_FREE char *apply = xasprintf("  name: %s\n", first_of(own_name, "mckube-apply"));
	AUTO_FREE char *mutating = xasprintf(
		"apiVersion: admissionregistration.k8s.io/%s\nkind: MutatingAdmission", version);
	const struct replacement rows[] = {
		{ "image: mckube\n", image_row },
		{ "image: mckube-node\n", node_row },
		{ "image: mckube-migrate\n", migrate_row },
		{ "mckube-system", o->ns },
		{ "  name: mckube-watch\n", watch },
		{ "  name: mckube-apply\n", apply },
		{ "/run/containerd/io.containerd.runtime.v2.task", bundles },
		{ "/run/containerd", text_of(runtime, "state") },
		{ "/var/lib/kubelet", kubelet },
		{ "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingAdmission",
		  mutating },
		{ 0 },
	};
	return add_files(r, rows, err);
}

int manifests_render(const cJSON *values, const struct manifest_options *o, struct str *out,
		     struct error *err)
{
	AUTO_JSON cJSON *map = NULL, *defaults = values_new();
	struct rendering r = { .values = values, .defaults = defaults, .out = out };

	if (parse(manifest_find("values.map")->text, &map, err) < 0)
		return err->code;
	r.map = map;
	return render(&r, o, err);
}
