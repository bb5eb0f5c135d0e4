/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/auto.h"
#include "base/json.h"
#include "base/log.h"
#include "base/nearest.h"
#include "base/yaml.h"
#include "node/sysfs.h"

enum { FILE_MAX = 1 << 20, LOG_INFO = 1, LOG_DEBUG = 4 };

struct settings_target {
	struct run_args *args;
	struct common_args *common;
	struct arena *arena;
};

static int set_log_level(struct settings_target *t, const char *text, struct error *err)
{
	static const struct {
		const char *name;
		int level;
	} levels[] = { { "WARN", 0 }, { "INFO", LOG_INFO }, { "DEBUG", LOG_DEBUG } };

	for (size_t i = 0; i < 3; i++) {
		if (strcasecmp(text, levels[i].name) != 0)
			continue;
		if (!t->common->verbosity)
			log_set_level(levels[i].level);
		return 0;
	}
	return error_set(err, -EINVAL, "'%.40s' is not WARN, INFO or DEBUG", text);
}

static int set_kube_path(struct settings_target *t, const char *text, struct error *err)
{
	(void)err;
	if (!t->args->kubeconfig)
		t->args->kubeconfig = arena_strndup(t->arena, text, strlen(text));
	return 0;
}

static int set_node_name(struct settings_target *t, const char *text, struct error *err)
{
	(void)err;
	if (!t->args->node_name)
		t->args->node_name = arena_strndup(t->arena, text, strlen(text));
	return 0;
}

static int set_handler(struct settings_target *t, const char *text, struct error *err)
{
	(void)err;
	if (strcmp(t->common->backend, "auto") == 0)
		t->common->backend = arena_strndup(t->arena, text, strlen(text));
	return 0;
}

static int set_capacity(struct settings_target *t, const char *text, struct error *err)
{
	int64_t value;

	if (!sysfs_parse_int(text, &value) || value < 0 || value > 1000000)
		return error_set(err, -EINVAL, "'%.40s' is not between 0 and 1000000", text);
	if (!t->args->capacity_us)
		t->args->capacity_us = value;
	return 0;
}

static const struct {
	const char *key;
	int (*set)(struct settings_target *t, const char *text, struct error *err);
} keys[] = {
	{ "log_level", set_log_level },		{ "kube_path", set_kube_path },
	{ "node_name", set_node_name },		{ "cgroup_handler", set_handler },
	{ "cgroup_v1_capacity", set_capacity },
};

static int refuse_key(const char *key, struct error *err)
{
	struct nearest n = NEAREST_OF(key);

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		nearest_offer(&n, keys[i].key);
	return error_set(err, -EINVAL, "%.60s: is not known%s%s", key,
			 n.best ? "; did you mean " : "", n.best ? n.best : "");
}

static int set_key(struct settings_target *t, const cJSON *member, struct error *err)
{
	char number[32];
	const char *text = json_text(member);
	int64_t value;

	if (!text && json_int(member, &value)) {
		snprintf(number, sizeof(number), "%lld", (long long)value);
		text = number;
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(keys[i].key, member->string) != 0)
			continue;
		if (!text)
			return error_set(err, -EINVAL, "%s: is not a text or number", keys[i].key);
		if (keys[i].set(t, text, err) < 0)
			return error_wrap(err, "%s", keys[i].key);
		return 0;
	}
	return refuse_key(member->string, err);
}

int config_read(const char *path, struct run_args *args, struct common_args *common,
		struct arena *arena, struct error *err)
{
	AUTO(str_done) struct str text = STR_INIT_MAX(FILE_MAX);
	AUTO(str_done) struct str json = STR_INIT;
	AUTO_JSON cJSON *root = NULL;
	struct settings_target t = { args, common, arena };
	const cJSON *member;

	if (sysfs_read_all(AT_FDCWD, path, &text, err) < 0)
		return err->code;
	if (yaml_to_json(text.s, text.n, NULL, &json, err) < 0 ||
	    json_parse(json.s, json.n, &root, err) < 0)
		return error_wrap(err, "%s", path);
	cJSON_ArrayForEach(member, root)
	{
		if (set_key(&t, member, err) < 0)
			return error_wrap(err, "%s", path);
	}
	return 0;
}
