/* SPDX-License-Identifier: Apache-2.0 */
#include "node/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/auto.h"
#include "base/json.h"
#include "base/json_out.h"
#include "base/save.h"
#include "model/level.h"
#include "node/sysfs.h"

enum { FILE_MAX = 16 << 20 };

void memory_done(struct memory *m)
{
	array_each(g, &m->groups)
		free(g->path);
	array_each(p, &m->pods)
		free(p->uid);
	array_done(&m->groups);
	array_done(&m->pods);
}

void memory_add_group(struct memory *m, const char *path, uint32_t lane, struct bandwidth found)
{
	*array_add(&m->groups) = (struct memory_group){ xstrdup(path), lane, found };
}

void memory_add_pod(struct memory *m, const char *uid, uint8_t level)
{
	*array_add(&m->pods) = (struct memory_pod){ xstrdup(uid), level };
}

const struct bandwidth *memory_found(const struct memory *m, const char *path, uint32_t lane)
{
	array_each(g, &m->groups)
		if (g->lane == lane && strcmp(g->path, path) == 0)
			return &g->found;
	return NULL;
}

int memory_level(const struct memory *m, const char *uid)
{
	array_each(p, &m->pods)
		if (strcmp(p->uid, uid) == 0)
			return p->level;
	return -1;
}

static void read_groups(const cJSON *list, struct memory *m)
{
	const cJSON *g;

	cJSON_ArrayForEach(g, list)
	{
		const char *path = json_text(json_get(g, "path"));
		int64_t lane, period, runtime;

		if (path && json_int(json_get(g, "lane"), &lane) &&
		    json_int(json_get(g, "periodUs"), &period) &&
		    json_int(json_get(g, "runtimeUs"), &runtime))
			memory_add_group(m, path, (uint32_t)lane,
					 (struct bandwidth){ period, runtime });
	}
}

static void read_pods(const cJSON *list, struct memory *m)
{
	const cJSON *p;
	enum level level;

	cJSON_ArrayForEach(p, list)
	{
		const char *uid = json_text(json_get(p, "uid"));
		const char *text = json_text(json_get(p, "level"));

		if (uid && text && level_parse(text, &level))
			memory_add_pod(m, uid, (uint8_t)level);
	}
}

int memory_load(const char *path, struct memory *ret, struct error *err)
{
	AUTO(str_done) struct str text = STR_INIT_MAX(FILE_MAX);
	AUTO_JSON cJSON *json = NULL;

	*ret = (struct memory){ 0 };
	if (!sysfs_exists(AT_FDCWD, path))
		return 0;
	if (sysfs_read_all(AT_FDCWD, path, &text, err) < 0)
		return err->code;
	if (json_parse(text.s, text.n, &json, err) < 0)
		return error_wrap(err, "%s", path);
	read_groups(json_get(json, "groups"), ret);
	read_pods(json_get(json, "pods"), ret);
	return 0;
}

static void write_int(struct json_out *o, const char *key, int64_t value)
{
	json_out_key(o, key);
	json_out_int(o, value);
}

static void write_text(struct json_out *o, const char *key, const char *value)
{
	json_out_key(o, key);
	json_out_text(o, value);
}

static void write_all(struct json_out *o, const struct memory *m)
{
	json_out_object(o);
	json_out_key(o, "groups");
	json_out_array(o);
	array_each(g, &m->groups) {
		json_out_object(o);
		write_text(o, "path", g->path);
		write_int(o, "lane", g->lane);
		write_int(o, "periodUs", g->found.period_us);
		write_int(o, "runtimeUs", g->found.runtime_us);
		json_out_end(o);
	}
	json_out_end(o);
	json_out_key(o, "pods");
	json_out_array(o);
	array_each(p, &m->pods) {
		json_out_object(o);
		write_text(o, "uid", p->uid);
		write_text(o, "level", level_name(p->level));
		json_out_end(o);
	}
	json_out_end(o);
	json_out_end(o);
}

int memory_save(const char *path, const struct memory *m, struct error *err)
{
	AUTO(str_done) struct str text = STR_INIT;
	AUTO(json_out_done) struct json_out o = { .out = &text };
	AUTO(save_done) struct save out = { 0 };

	write_all(&o, m);
	if (save_open(&out, path, err) < 0)
		return err->code;
	fprintf(out.f, "%s\n", text.s);
	return save_commit(&out, err);
}
