/* SPDX-License-Identifier: Apache-2.0 */
#include "migrate_agent/host_task.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/auto.h"
#include "base/file.h"
#include "migrate_agent/pod_group.h"

enum { STATUS_MAX = 1 << 16, LIST_MAX = 4 << 20 };

/* What follows "KEY:" at the start of a line; "" where there is none. */
static const char *value_of(const char *text, const char *key)
{
	size_t n = strlen(key);

	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (strncmp(line, key, n) == 0 && line[n] == ':')
			return line + n + 1;
	return "";
}

/* "NSpid:	4711	12": its numbers from our namespace inwards (proc_pid_status(5)). */
static int inner_number(const char *text)
{
	const char *at = value_of(text, "NSpid");
	long n = 0;

	for (int level = 0;; level++) {
		at += strspn(at, " \t");
		if (*at < '0' || *at > '9')
			return level > 1 ? (int)n : 0;
		n = strtol(at, (char **)&at, 10);
	}
}

bool host_task_read(int id, struct host_task *ret)
{
	AUTO(str_done) struct str text = STR_INIT_MAX(STATUS_MAX);
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/status", id);
	if (file_read(path, &text, NULL) < 0)
		return false;
	*ret = (struct host_task){
		.id = id,
		.parent = (int)strtol(value_of(text.s, "PPid"), NULL, 10),
		.inner = inner_number(text.s),
	};
	return true;
}

bool host_task_says(int id, const char *what)
{
	AUTO(str_done) struct str text = STR_INIT_MAX(STATUS_MAX);
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/cmdline", id);
	if (file_read(path, &text, NULL) < 0)
		return false;
	for (size_t at = 0; at < text.n; at += strlen(text.s + at) + 1)
		if (strstr(text.s + at, what))
			return true;
	return false;
}

static void add(struct host_tasks *to, int id)
{
	struct host_task t;

	if (id > 0 && host_task_read(id, &t))
		*array_add(to) = t;
}

int host_tasks_of(const char *group, bool are_threads, struct host_tasks *ret, struct error *err)
{
	AUTO(str_done) struct str text = STR_INIT_MAX(LIST_MAX);
	int r = group_read(group, are_threads ? "cgroup.threads" : "cgroup.procs", &text, err);

	if (r == -ENOENT && are_threads)
		r = group_read(group, "tasks", &text, err);
	if (r < 0)
		return r;
	char *at = text.s, *end;
	for (long id = strtol(at, &end, 10); end != at; id = strtol(at, &end, 10)) {
		add(ret, (int)id);
		at = end;
	}
	return ret->n ? 0
		      : error_set(
				err, -ENOTSUP,
				"none of its processes is seen: needs hostPID: true in the helper's pod");
}

void host_tasks_all(struct host_tasks *ret)
{
	AUTO_DIR DIR *d = opendir("/proc");

	if (!d)
		return;
	for (const struct dirent *e; (e = readdir(d));)
		add(ret, (int)strtol(e->d_name, NULL, 10));
}

void host_tasks_done(struct host_tasks *t)
{
	array_done(t);
}
