/* SPDX-License-Identifier: Apache-2.0 */

/* The search for containers in a mounted hierarchy. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/file.h"
#include "base/str.h"
#include "node/container.h"
#include "node/thread.h"

/* kubepods may lie below the kubelet's --cgroup-root; its pods are two levels further down, their
 * containers one more. */
enum { DEPTH_MAX = 8 };

struct search {
	const struct kernel *kernel;
	const char *uid; /* NULL: all pods */
	container_visitor visit;
	void *arg;
	size_t n_found;
	char path[PATH_MAX]; /* relative to the hierarchy */
};

static bool is_folder(const struct dirent *e)
{
	return e->d_type == DT_DIR && e->d_name[0] != '.';
}

/* Folders that can hold pods: a path on which kubepods may come, or which it is on already. A pod
 * other than the wanted one is not entered. */
static bool is_worth_entering(const struct search *s)
{
	struct container_path parsed;

	if (!container_parse(s->path, &parsed))
		return true;
	if (s->uid && strcmp(parsed.pod_uid, s->uid) != 0)
		return false;
	return parsed.container_len == 0;
}

static void look_at(struct search *s)
{
	struct container_path parsed;

	if (!container_parse(s->path, &parsed) || !parsed.container_len)
		return;
	if (s->uid && strcmp(parsed.pod_uid, s->uid) != 0)
		return;
	s->n_found++;
	s->visit(s->path, &parsed, s->arg);
}

static void walk(struct search *s, int depth)
{
	AUTO_FREE char *full = xasprintf("%s/%s", s->kernel->cpu, s->path);
	AUTO_DIR DIR *d = opendir(full);
	size_t len = strlen(s->path);

	if (!d)
		return;
	for (struct dirent *e; (e = readdir(d));) {
		size_t room = sizeof(s->path) - len;

		if (!is_folder(e) || (size_t)snprintf(s->path + len, room, "%s%s", len ? "/" : "",
						      e->d_name) >= room)
			continue;
		look_at(s);
		if (depth < DEPTH_MAX && is_worth_entering(s))
			walk(s, depth + 1);
	}
	s->path[len] = '\0';
}

size_t container_each(const struct kernel *k, const char *uid, container_visitor visit, void *arg)
{
	struct search s = { .kernel = k, .uid = uid, .visit = visit, .arg = arg };

	if (*k->cpu)
		walk(&s, 0);
	return s.n_found;
}

struct wanted {
	const char *id;
	char *ret;
	bool is_found;
};

static void take_if_wanted(const char *path, const struct container_path *parsed, void *arg)
{
	struct wanted *w = arg;

	if (strcmp(parsed->id, w->id) != 0)
		return;
	w->is_found = true;
	memcpy(w->ret, path, strlen(path) + 1);
}

int container_find(const struct kernel *k, const char *uid, const char *id, char ret[PATH_MAX],
		   struct error *err)
{
	struct wanted w = { .id = id, .ret = ret };

	container_each(k, uid, take_if_wanted, &w);
	if (!w.is_found)
		return error_set(err, -ENOENT, "container %s: no cgroup under %s", id, k->cpu);
	return 0;
}

bool pid_is_same(const struct kernel_roots *roots, pid_t pid, uint64_t start)
{
	uint64_t now = 0;

	return thread_start_time(roots->proc, pid, &now, NULL) == 0 && now == start;
}

static bool names_cpu(const char *names, size_t n)
{
	AUTO_FREE char *list = xstrndup(names, n);

	for (char *at = list, *name; (name = strsep(&at, ","));)
		if (strcmp(name, "cpu") == 0)
			return true;
	return false;
}

/* The line of the cpu controller, "3:cpu,cpuacct:/path", else that of cgroup v2, "0::/path". */
static const char *path_of_cpu(char *text)
{
	const char *unified = NULL;

	for (char *at = text, *line; (line = strsep(&at, "\n"));) {
		char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;

		if (!path)
			continue;
		if (names_cpu(names + 1, (size_t)(path - names - 1)))
			return path + 1;
		if (strncmp(line, "0::", 3) == 0)
			unified = path + 1;
	}
	return unified;
}

int container_of_pid(const struct kernel_roots *roots, const struct kernel *k, pid_t pid,
		     char ret[PATH_MAX], uint64_t *ret_start, struct error *err)
{
	AUTO(str_done) struct str text = STR_INIT_MAX(65536);
	struct container_path parsed;
	char name[PATH_MAX];

	int r = thread_start_time(roots->proc, pid, ret_start, err);
	if (r < 0)
		return r;
	snprintf(name, sizeof(name), "%s/%d/cgroup", roots->proc, pid);
	if (file_read(name, &text, err) < 0)
		return err ? err->code : -ENOENT;
	const char *path = path_of_cpu(text.s);
	if (!path || strstr(path, "/.."))
		return error_set(err, -ENOENT, "process %d: not in a cgroup under %s", pid, k->cpu);
	while (*path == '/')
		path++;
	size_t len = container_parse(path, &parsed) && parsed.container_len ? parsed.container_len
									    : strlen(path);
	snprintf(ret, PATH_MAX, "%.*s", (int)len, path);
	return 0;
}
