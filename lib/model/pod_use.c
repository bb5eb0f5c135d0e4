/* SPDX-License-Identifier: Apache-2.0 */
#include "model/pod_use.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/json.h"
#include "base/names.h"

static void add_us(struct json_out *o, const char *key, int64_t us)
{
	if (us < 0)
		return;
	json_out_member_int(o, key, us);
}

void pod_use_write(struct json_out *o, const struct pod_used *p)
{
	char date[DATE_TEXT];

	json_out_object(o);
	json_out_member(o, "uid", p->uid);
	json_out_member_int(o, "overruns", p->overruns);
	if (p->changed > 0 && p->changed <= DATE_MAX)
		json_out_member(o, "changed", date_format(p->changed, date));
	json_out_key(o, "containers");
	json_out_array(o);
	for (size_t i = 0; i < p->n_containers; i++) {
		json_out_object(o);
		json_out_member(o, "name", p->containers[i].name);
		add_us(o, "usedUs", p->containers[i].used_us);
		add_us(o, "p99Us", p->containers[i].p99_us);
		json_out_end(o);
	}
	json_out_end(o);
	json_out_end(o);
}

static const char *keep_text(const cJSON *json, const char *key, struct arena *arena)
{
	const char *text = json_text(json_get(json, key));

	return text ? arena_strndup(arena, text, strlen(text)) : "";
}

static int64_t read_count(const cJSON *json, const char *key, int64_t without)
{
	int64_t n;

	return json_int(json_get(json, key), &n) && n >= 0 ? n : without;
}

static void read_pod(const cJSON *json, struct arena *arena, struct pod_used *ret)
{
	const cJSON *list = json_get(json, "containers"), *item;
	const char *changed = json_text(json_get(json, "changed"));
	size_t n = cJSON_IsArray(list) ? (size_t)cJSON_GetArraySize(list) : 0;
	struct container_used *containers = n ? arena_new(arena, struct container_used, n) : NULL;
	size_t i = 0;

	*ret = (struct pod_used){
		.uid = keep_text(json, "uid", arena),
		.overruns = read_count(json, "overruns", 0),
		.containers = containers,
		.n_containers = n,
	};
	if (changed && !date_parse(changed, strlen(changed), &ret->changed))
		ret->changed = 0;
	if (n)
		cJSON_ArrayForEach(item, list)
			containers[i++] = (struct container_used){
				.name = keep_text(item, "name", arena),
				.used_us = read_count(item, "usedUs", -1),
				.p99_us = read_count(item, "p99Us", -1),
			};
}

int pod_uses_read(const char *text, size_t n, struct arena *arena, struct pod_uses *ret,
		  struct error *err)
{
	AUTO_JSON cJSON *json = NULL;
	const cJSON *item;

	if (n > POD_USE_READ_MAX)
		return error_set(err, -E2BIG, "%s: longer than %d bytes", HELPER_USE,
				 POD_USE_READ_MAX);
	if (json_parse(text, n, &json, err) < 0)
		return error_wrap(err, "%s", HELPER_USE);
	const cJSON *pods = json_get(json, "pods");
	if (!cJSON_IsArray(pods))
		return error_set(err, -EINVAL, "%s: pods is not a list", HELPER_USE);
	cJSON_ArrayForEach(item, pods)
		read_pod(item, arena, array_add(&ret->list));
	ret->omitted += read_count(json, "omitted", 0) % INT32_MAX;
	return 0;
}

const struct pod_used *pod_uses_find(const struct pod_uses *u, const char *uid)
{
	array_each(p, &u->list)
		if (strcmp(p->uid, uid) == 0)
			return p;
	return NULL;
}

static void node_use_done(struct node_use *use)
{
	free(use->node);
	array_done(&use->uses.list);
	arena_done(&use->arena);
}

static void forget(struct node_uses *u, const char *node)
{
	for (size_t i = u->list.n; i-- > 0;) {
		if (strcmp(u->list.items[i].node, node) != 0)
			continue;
		node_use_done(&u->list.items[i]);
		u->list.items[i] = u->list.items[--u->list.n];
	}
}

bool node_uses_take(struct node_uses *u, const char *lease, size_t n, bool is_gone)
{
	static const char prefix[] = HELPER_LEASE_PREFIX;
	AUTO_JSON cJSON *json = NULL;
	struct error ignored;

	if (json_parse(lease, n, &json, &ignored) < 0)
		return false;
	const char *name = json_text(json_path(json, "metadata.name"));
	if (!name || strncmp(name, prefix, sizeof(prefix) - 1) != 0)
		return true;
	const char *node = name + sizeof(prefix) - 1;
	const cJSON *annotations = json_path(json, "metadata.annotations");
	const char *text = json_text(json_get(annotations, HELPER_USE));
	forget(u, node);
	if (is_gone || !text)
		return true;
	struct node_use use = { .node = xstrdup(node) };
	if (pod_uses_read(text, strlen(text), &use.arena, &use.uses, &ignored) < 0) {
		node_use_done(&use);
		return false;
	}
	*array_add(&u->list) = use;
	return true;
}

void node_uses_clear(struct node_uses *u)
{
	array_each(use, &u->list)
		node_use_done(use);
	array_clear(&u->list);
}

void node_uses_done(struct node_uses *u)
{
	node_uses_clear(u);
	array_done(&u->list);
}

const struct pod_used *node_uses_find(const struct node_uses *u, const char *node, const char *uid)
{
	array_each(use, &u->list)
		if (strcmp(use->node, node) == 0)
			return pod_uses_find(&use->uses, uid);
	return NULL;
}

static int64_t sum(const struct pod_used *p, bool is_p99)
{
	int64_t total = 0;

	for (size_t i = 0; i < p->n_containers; i++) {
		int64_t us = is_p99 ? p->containers[i].p99_us : p->containers[i].used_us;

		if (us < 0 || us > INT64_MAX - total)
			return -1;
		total += us;
	}
	return p->n_containers ? total : -1;
}

int64_t pod_used_us(const struct pod_used *p)
{
	return sum(p, false);
}

int64_t pod_p99_us(const struct pod_used *p)
{
	return sum(p, true);
}
