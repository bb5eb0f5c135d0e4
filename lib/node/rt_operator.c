/* SPDX-License-Identifier: Apache-2.0 */
#include "node/rt_operator.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "base/auto.h"
#include "base/json.h"
#include "base/nearest.h"
#include "base/str.h"
#include "base/yaml.h"
#include "node/sysfs.h"

enum { CAPACITY_MAX_US = 1000000 };

struct reading {
	struct rt_operator *out;
	struct arena *arena;
};

static int set_log_level(const struct reading *r, const char *text, size_t at, struct error *err)
{
	static const struct {
		const char *name;
		int level;
	} levels[] = { { "WARN", 0 }, { "INFO", 1 }, { "DEBUG", 4 } };

	(void)at;
	for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
		if (strcasecmp(text, levels[i].name) != 0)
			continue;
		r->out->log_level = levels[i].level;
		return 0;
	}
	return error_set(err, -EINVAL, "'%.40s' is not WARN, INFO or DEBUG", text);
}

static int set_text(const struct reading *r, const char *text, size_t at, struct error *err)
{
	const char **member = (void *)((char *)r->out + at);

	(void)err;
	*member = arena_strndup(r->arena, text, strlen(text));
	return 0;
}

static int set_capacity(const struct reading *r, const char *text, size_t at, struct error *err)
{
	int64_t value;

	(void)at;
	if (!sysfs_parse_int(text, &value) || value < 0 || value > CAPACITY_MAX_US)
		return error_set(err, -EINVAL, "'%.40s' is not between 0 and %d", text,
				 CAPACITY_MAX_US);
	r->out->cgroup_v1_capacity = value;
	return 0;
}

static const struct {
	const char *name;
	int (*set)(const struct reading *r, const char *text, size_t at, struct error *err);
	size_t at; /* of a text's member */
} keys[] = {
	{ "log_level", set_log_level, 0 },
	{ "kube_path", set_text, offsetof(struct rt_operator, kube_path) },
	{ "node_name", set_text, offsetof(struct rt_operator, node_name) },
	{ "cgroup_handler", set_text, offsetof(struct rt_operator, cgroup_handler) },
	{ "cgroup_v1_capacity", set_capacity, 0 },
};

static int refuse_key(const char *key, struct error *err)
{
	struct nearest n = NEAREST_OF(key);

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		nearest_offer(&n, keys[i].name);
	return error_set(err, -EINVAL, "%.60s: unknown key%s%s", key,
			 n.best ? "; did you mean " : "", n.best ? n.best : "");
}

static int set_key(const struct reading *r, const cJSON *member, struct error *err)
{
	char number[32];
	const char *text = json_text(member);
	int64_t value;

	if (!text && json_int(member, &value)) {
		snprintf(number, sizeof(number), "%lld", (long long)value);
		text = number;
	}
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (strcmp(keys[i].name, member->string) != 0)
			continue;
		if (!text)
			return error_set(err, -EINVAL, "%s: is not a text or number", keys[i].name);
		if (keys[i].set(r, text, keys[i].at, err) < 0)
			return error_wrap(err, "%s", keys[i].name);
		return 0;
	}
	return refuse_key(member->string, err);
}

static int set_keys(const struct reading *r, const cJSON *root, struct error *err)
{
	const cJSON *member;

	if (cJSON_IsNull(root))
		return 0;
	if (!cJSON_IsObject(root))
		return error_set(err, -EINVAL, "is not a mapping of keys");
	cJSON_ArrayForEach(member, root) {
		if (set_key(r, member, err) < 0)
			return err->code;
	}
	return 0;
}

int rt_operator_parse(const char *text, size_t n, struct arena *arena, struct rt_operator *ret,
		      struct error *err)
{
	AUTO(str_done) struct str json = STR_INIT;
	AUTO_JSON cJSON *root = NULL;
	struct rt_operator config = { .log_level = RT_OPERATOR_SILENT };
	const struct reading r = { &config, arena };

	if (yaml_to_json(text, n, NULL, &json, err) < 0 ||
	    json_parse(json.s, json.n, &root, err) < 0 || set_keys(&r, root, err) < 0)
		return err->code;
	*ret = config;
	return 0;
}
