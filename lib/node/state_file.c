/* SPDX-License-Identifier: Apache-2.0 */
#include "node/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/auto.h"
#include "base/file.h"
#include "base/json.h"
#include "base/json_out.h"
#include "budget/budget.h"
#include "node/sysfs.h"

enum { FILE_MAX = 16 << 20 };

void saved_state_done(struct saved_state *m)
{
	array_each(g, &m->groups)
		free(g->path);
	array_each(p, &m->pods) {
		free(p->uid);
		free(p->name);
	}
	array_each(c, &m->classes)
		free(c->path);
	array_each(c, &m->cpus)
		free(c->path);
	array_done(&m->groups);
	array_done(&m->pods);
	array_done(&m->classes);
	array_done(&m->cpus);
}

void saved_state_add_group(struct saved_state *m, const struct saved_group *group)
{
	struct saved_group *g = array_add(&m->groups);

	*g = *group;
	g->path = xstrdup(group->path);
}

void saved_state_add_pod(struct saved_state *m, const struct saved_pod *pod)
{
	struct saved_pod *p = array_add(&m->pods);

	*p = *pod;
	p->uid = xstrdup(pod->uid);
	p->name = xstrdup(pod->name);
}

void saved_state_add_class(struct saved_state *m, const struct saved_class *class)
{
	struct saved_class *c = array_add(&m->classes);

	*c = *class;
	c->path = xstrdup(class->path);
}

void saved_state_add_cpus(struct saved_state *m, const struct saved_cpus *cpus)
{
	struct saved_cpus *c = array_add(&m->cpus);

	*c = *cpus;
	c->path = xstrdup(cpus->path);
}

const struct saved_class *saved_state_class(const struct saved_state *m, const char *path)
{
	array_each(c, &m->classes)
		if (strcmp(c->path, path) == 0)
			return c;
	return NULL;
}

const struct saved_cpus *saved_state_cpus(const struct saved_state *m, const char *path)
{
	array_each(c, &m->cpus)
		if (strcmp(c->path, path) == 0)
			return c;
	return NULL;
}

const struct bandwidth *saved_state_found(const struct saved_state *m, const char *path,
					  uint32_t cpu_domain)
{
	array_each(g, &m->groups)
		if (g->cpu_domain == cpu_domain && strcmp(g->path, path) == 0)
			return &g->found;
	return NULL;
}

int saved_state_level(const struct saved_state *m, const char *uid)
{
	array_each(p, &m->pods)
		if (strcmp(p->uid, uid) == 0)
			return p->level;
	return -1;
}

static bool read_bandwidth(const cJSON *object, struct bandwidth *ret)
{
	return json_int(json_get(object, "periodUs"), &ret->period_us) &&
	       json_int(json_get(object, "runtimeUs"), &ret->runtime_us);
}

static void read_groups(const cJSON *list, struct saved_state *m)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list) {
		struct saved_group g = { .path = (char *)json_text(json_get(item, "path")) };
		int64_t cpu_domain = 0;

		if (!g.path || !read_bandwidth(json_get(item, "found"), &g.found) ||
		    !read_bandwidth(json_get(item, "wanted"), &g.wanted) ||
		    !json_int(json_get(item, "cpuDomain"), &cpu_domain))
			continue;
		g.cpu_domain = (uint32_t)cpu_domain;
		g.is_container = cJSON_IsTrue(json_get(item, "container"));
		g.is_retained = cJSON_IsTrue(json_get(item, "retained"));
		saved_state_add_group(m, &g);
	}
}

static void read_pods(const cJSON *list, struct saved_state *m)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list) {
		struct saved_pod p = { .uid = (char *)json_text(json_get(item, "uid")),
				       .name = (char *)json_text(json_get(item, "name")) };
		const char *level_text = json_text(json_get(item, "level"));
		const char *enforcement_text = json_text(json_get(item, "enforcement"));
		enum enforcement enforcement = ENFORCE_NONE;
		enum level level;

		if (!p.uid || !p.name || !level_text || !level_parse(level_text, &level))
			continue;
		if (enforcement_text)
			enforcement_parse(enforcement_text, &enforcement);
		p.level = (uint8_t)level;
		p.enforcement = (uint8_t)enforcement;
		saved_state_add_pod(m, &p);
	}
}

/* sched_setattr(2) refuses what is no policy. */
static bool read_found(const cJSON *object, struct class_found *ret)
{
	int64_t policy, priority, nice;

	if (!json_int(json_get(object, "policy"), &policy) ||
	    !json_int(json_get(object, "priority"), &priority) ||
	    !json_int(json_get(object, "nice"), &nice) || policy < 0 || policy > UINT8_MAX ||
	    priority < 0 || priority > UINT8_MAX || nice < INT8_MIN || nice > INT8_MAX)
		return false;
	*ret = (struct class_found){
		.policy = (uint8_t)policy,
		.priority = (uint8_t)priority,
		.nice = (int8_t)nice,
		.resets_on_fork = cJSON_IsTrue(json_get(object, "resetsOnFork")),
	};
	return true;
}

static void read_classes(const cJSON *list, struct saved_state *m)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list) {
		struct saved_class c = { .path = (char *)json_text(json_get(item, "path")) };
		const char *policy = json_text(json_get(item, "policy"));
		const char *priority = json_text(json_get(item, "priority"));

		if (!c.path || !policy || !priority || !thread_policy_is_valid(policy) ||
		    !thread_priority_is_valid(priority) ||
		    !read_found(json_get(item, "found"), &c.found))
			continue;
		c.class = thread_class_of(policy, priority, "", LEVEL_LOW);
		saved_state_add_class(m, &c);
	}
}

/* An empty text is an empty set, as in the kernel's file. */
static bool read_cpus(const cJSON *text, struct cpuset *ret)
{
	const char *s = json_text(text);

	*ret = (struct cpuset){ 0 };
	return s && (!*s || cpuset_parse(s, strlen(s), ret, NULL) == 0);
}

static void read_all_cpus(const cJSON *list, struct saved_state *m)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list) {
		struct saved_cpus c = { .path = (char *)json_text(json_get(item, "path")) };

		if (c.path && read_cpus(json_get(item, "found"), &c.found) &&
		    read_cpus(json_get(item, "wanted"), &c.wanted))
			saved_state_add_cpus(m, &c);
	}
}

int state_file_load(const char *path, struct saved_state *ret, struct error *err)
{
	AUTO(str_done) struct str text = STR_INIT_MAX(FILE_MAX);
	AUTO_JSON cJSON *json = NULL;

	*ret = (struct saved_state){ 0 };
	if (!sysfs_exists(AT_FDCWD, path))
		return 0;
	if (file_read(path, &text, err) < 0)
		return err->code;
	if (json_parse(text.s, text.n, &json, err) < 0)
		return error_wrap(err, "%s", path);
	read_groups(json_get(json, "groups"), ret);
	read_pods(json_get(json, "pods"), ret);
	read_classes(json_get(json, "classes"), ret);
	read_all_cpus(json_get(json, "cpus"), ret);
	return 0;
}

static void write_text(struct json_out *o, const char *key, const char *value)
{
	json_out_key(o, key);
	json_out_text(o, value);
}

static void write_bandwidth(struct json_out *o, const char *key, struct bandwidth b)
{
	json_out_key(o, key);
	json_out_object(o);
	json_out_member_int(o, "periodUs", b.period_us);
	json_out_member_int(o, "runtimeUs", b.runtime_us);
	json_out_end(o);
}

static void write_group(struct json_out *o, const struct saved_group *g)
{
	json_out_object(o);
	write_text(o, "path", g->path);
	json_out_member_int(o, "cpuDomain", g->cpu_domain);
	write_bandwidth(o, "found", g->found);
	write_bandwidth(o, "wanted", g->wanted);
	json_out_flag(o, "container", g->is_container);
	json_out_flag(o, "retained", g->is_retained);
	json_out_end(o);
}

static void write_pod(struct json_out *o, const struct saved_pod *p)
{
	json_out_object(o);
	write_text(o, "uid", p->uid);
	write_text(o, "name", p->name);
	write_text(o, "level", level_name(p->level));
	if (p->enforcement != ENFORCE_NONE)
		write_text(o, "enforcement", enforcement_name(p->enforcement));
	json_out_end(o);
}

static void write_class(struct json_out *o, const struct saved_class *c)
{
	char class[THREAD_CLASS_NAME], *priority;

	thread_class_format(c->class, class);
	priority = strchr(class, ' ');
	if (!priority)
		return;
	*priority++ = '\0';
	json_out_object(o);
	write_text(o, "path", c->path);
	write_text(o, "policy", class);
	write_text(o, "priority", priority);
	json_out_key(o, "found");
	json_out_object(o);
	json_out_member_int(o, "policy", c->found.policy);
	json_out_member_int(o, "priority", c->found.priority);
	json_out_member_int(o, "nice", c->found.nice);
	json_out_member_bool(o, "resetsOnFork", c->found.resets_on_fork);
	json_out_end(o);
	json_out_end(o);
}

static void write_cpus(struct json_out *o, const char *key, const struct cpuset *cpus)
{
	char text[CPUSET_TEXT];

	write_text(o, key, cpuset_format(cpus, text));
}

static void write_all_cpus(struct json_out *o, const struct saved_cpus *c)
{
	json_out_object(o);
	write_text(o, "path", c->path);
	write_cpus(o, "found", &c->found);
	write_cpus(o, "wanted", &c->wanted);
	json_out_end(o);
}

static void write_all(struct json_out *o, const struct saved_state *m)
{
	json_out_object(o);
	json_out_key(o, "groups");
	json_out_array(o);
	array_each(g, &m->groups)
		write_group(o, g);
	json_out_end(o);
	json_out_key(o, "pods");
	json_out_array(o);
	array_each(p, &m->pods)
		write_pod(o, p);
	json_out_end(o);
	json_out_key(o, "classes");
	json_out_array(o);
	array_each(c, &m->classes)
		write_class(o, c);
	json_out_end(o);
	json_out_key(o, "cpus");
	json_out_array(o);
	array_each(c, &m->cpus)
		write_all_cpus(o, c);
	json_out_end(o);
	json_out_end(o);
}

int state_file_save(const char *path, const struct saved_state *m, struct error *err)
{
	AUTO(str_done) struct str text = STR_INIT;
	AUTO(json_out_done) struct json_out o = { .out = &text };

	write_all(&o, m);
	str_addc(&text, '\n');
	return file_write(path, (struct slice){ text.s, text.n }, err);
}
