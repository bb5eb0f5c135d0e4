/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest/values.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/nearest.h"
#include "base/str.h"
#include "base/yaml.h"
#include "manifest/manifests.h"

static int parse_yaml(const char *text, size_t n, cJSON **ret, struct error *err)
{
	AUTO(str_done) struct str json = STR_INIT;

	if (yaml_to_json(text, n, NULL, &json, err) < 0)
		return err->code;
	return json_parse(json.s, json.n, ret, err);
}

cJSON *values_new(void)
{
	const struct slice text = manifest_find("values")->text;
	struct error err = ERROR_INIT;
	cJSON *values = NULL;

	if (parse_yaml(text.s, text.n, &values, &err) < 0)
		abort();
	return values;
}

const cJSON *values_get(const cJSON *values, const char *name)
{
	return json_path(values, name);
}

const char *values_text(const cJSON *values, const char *name)
{
	const char *text = json_text(values_get(values, name));

	return text ? text : "";
}

bool values_is_true(const cJSON *values, const char *name)
{
	return cJSON_IsTrue(values_get(values, name));
}

/* What a value must be, as the one that it replaces. */
static const char *domain_of(const cJSON *value)
{
	if (cJSON_IsBool(value))
		return "true or false";
	if (cJSON_IsNumber(value))
		return "a whole number";
	if (cJSON_IsString(value))
		return "text";
	return cJSON_IsArray(value) ? "a list" : "an object";
}

static bool is_like(const cJSON *value, const cJSON *old)
{
	int64_t number;

	if (cJSON_IsNumber(old))
		return json_int(value, &number) && number >= 0;
	if (cJSON_IsBool(old))
		return cJSON_IsBool(value);
	return (value->type & 0xff) == (old->type & 0xff);
}

static int unknown_key(const cJSON *values, const char *name, const char *key, struct error *err)
{
	struct nearest nearest = NEAREST_OF(key);
	const cJSON *known;

	cJSON_ArrayForEach(known, values)
		nearest_offer(&nearest, known->string);
	if (nearest.best)
		return error_set(err, -EINVAL, "%s: unknown value (did you mean %s?)", name,
				 nearest.best);
	return error_set(err, -EINVAL, "%s: unknown value", name);
}

static void put(cJSON *object, const char *key, const cJSON *value)
{
	if (cJSON_HasObjectItem(object, key))
		cJSON_DeleteItemFromObjectCaseSensitive(object, key);
	cJSON_AddItemToObject(object, key, cJSON_Duplicate(value, true));
}

void values_overlay(cJSON *object, const cJSON *changes)
{
	const cJSON *change;

	cJSON_ArrayForEach(change, changes) {
		cJSON *old = cJSON_GetObjectItemCaseSensitive(object, change->string);

		if (cJSON_IsObject(old) && cJSON_IsObject(change))
			values_overlay(old, change);
		else
			put(object, change->string, change);
	}
}

/* `shape` is the part of values.yaml that `values` began as. */
static int merge(cJSON *values, const cJSON *shape, const cJSON *changes, const char *prefix,
		 struct error *err)
{
	const cJSON *change;

	cJSON_ArrayForEach(change, changes) {
		AUTO_FREE char *name =
			xasprintf("%s%s%s", prefix, *prefix ? "." : "", change->string);
		const cJSON *was = json_get(shape, change->string);
		cJSON *old = cJSON_GetObjectItemCaseSensitive(values, change->string);

		if (!was)
			return unknown_key(shape, name, change->string, err);
		if (cJSON_IsNull(change))
			continue;
		if (!is_like(change, was))
			return error_set(err, -EINVAL, "%s: must be %s", name, domain_of(was));
		if (cJSON_IsObject(was) && was->child) {
			if (merge(old, was, change, name, err) < 0)
				return err->code;
		} else if (cJSON_IsObject(was)) {
			values_overlay(old, change);
		} else {
			put(values, change->string, change);
		}
	}
	return 0;
}

int values_merge(cJSON *values, const cJSON *changes, struct error *err)
{
	AUTO_JSON cJSON *shape = values_new();

	if (cJSON_IsNull(changes))
		return 0;
	if (!cJSON_IsObject(changes))
		return error_set(err, -EINVAL, "values: must be an object");
	return merge(values, shape, changes, "", err);
}

int values_merge_yaml(cJSON *values, const char *text, size_t n, struct error *err)
{
	AUTO_JSON cJSON *changes = NULL;

	if (parse_yaml(text, n, &changes, err) < 0)
		return err->code;
	return values_merge(values, changes, err);
}

/* Takes the first word off a name, which ends at a dot that no backslash precedes. */
static char *take_word(char **name)
{
	char *word = *name, *to = word, *from = word;

	for (; *from && *from != '.'; from++) {
		if (from[0] == '\\' && from[1] == '.')
			from++;
		*to++ = *from;
	}
	*name = *from ? from + 1 : NULL;
	*to = '\0';
	return word;
}

int values_set(cJSON *values, const char *assignment, struct error *err)
{
	const char *is = strchr(assignment, '=');
	AUTO_JSON cJSON *changes = cJSON_CreateObject(), *value = NULL;

	if (!is || is == assignment)
		return error_set(err, -EINVAL, "%s: must be NAME=VALUE", assignment);
	AUTO_FREE char *name = xasprintf("%.*s", (int)(is - assignment), assignment);
	const bool is_text = cJSON_IsString(values_get(values, name));

	if (is_text || json_parse(is + 1, strlen(is + 1), &value, NULL) < 0)
		value = cJSON_CreateString(is + 1);
	char *word, *rest = name;
	cJSON *at = changes;
	for (word = take_word(&rest); rest; word = take_word(&rest))
		at = cJSON_AddObjectToObject(at, word);
	cJSON_AddItemToObject(at, word, TAKE(value));
	return values_merge(values, changes, err);
}
