/* SPDX-License-Identifier: Apache-2.0 */
#include "node/cgroup/watch.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "node/container.h"

enum { DEPTH_MAX = 8, EVENTS = 64 };

static void add_folder(struct cgroup_watch *w, const char *path, int depth);

/* A container's folder is visited; one that may hold containers is watched. */
static void look_at(struct cgroup_watch *w, const char *parent, const char *name, int depth)
{
	AUTO_FREE char *path = xasprintf("%s%s%s", parent, *parent ? "/" : "", name);
	struct container_path parsed;

	if (container_parse(path, &parsed) && parsed.container_len)
		w->visit(path, w->arg);
	else if (depth < DEPTH_MAX)
		add_folder(w, path, depth + 1);
}

static void add_folder(struct cgroup_watch *w, const char *path, int depth)
{
	AUTO_FREE char *full = xasprintf("%s/%s", w->kernel->cpu, path);
	int wd = inotify_add_watch(w->fd, full, IN_CREATE | IN_ONLYDIR);

	if (wd < 0)
		return;
	bool is_known = false;
	array_each(f, &w->folders)
		is_known |= f->wd == wd;
	if (!is_known)
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): array_add() makes room */
		*array_add(&w->folders) = (struct watched_folder){ wd, xstrdup(path) };

	AUTO_DIR DIR *d = opendir(full);
	for (struct dirent *e; d && (e = readdir(d));)
		if (e->d_type == DT_DIR && e->d_name[0] != '.')
			look_at(w, path, e->d_name, depth);
}

int cgroup_watch_open(struct cgroup_watch *w, const struct kernel *k, cgroup_watch_visitor visit,
		      void *arg, struct error *err)
{
	*w = (struct cgroup_watch){ .kernel = k, .visit = visit, .arg = arg };
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd < 0)
		return error_errno(err, "inotify");
	add_folder(w, "", 0);
	return 0;
}

void cgroup_watch_close(struct cgroup_watch *w)
{
	array_each(f, &w->folders)
		free(f->path);
	array_done(&w->folders);
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

static void forget(struct cgroup_watch *w, int wd)
{
	for (size_t i = 0; i < w->folders.n; i++) {
		if (w->folders.items[i].wd != wd)
			continue;
		free(w->folders.items[i].path);
		w->folders.items[i] = w->folders.items[--w->folders.n];
		return;
	}
}

/* Too much at once: everything is looked through again. */
static void handle(struct cgroup_watch *w, const struct inotify_event *e)
{
	if (e->mask & IN_Q_OVERFLOW) {
		add_folder(w, "", 0);
		return;
	}
	if (e->mask & IN_IGNORED) {
		forget(w, e->wd);
		return;
	}
	for (size_t i = 0; (e->mask & IN_ISDIR) && i < w->folders.n; i++) {
		if (w->folders.items[i].wd != e->wd)
			continue;
		AUTO_FREE char *parent = xstrdup(w->folders.items[i].path);
		look_at(w, parent, e->name, 0);
		return;
	}
}

void cgroup_watch_read(struct cgroup_watch *w)
{
	char buf[EVENTS * (sizeof(struct inotify_event) + 64)]
		__attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n;

	while ((n = read(w->fd, buf, sizeof(buf))) > 0) {
		const struct inotify_event *e;

		for (char *at = buf; at < buf + n; at += sizeof(*e) + e->len) {
			e = (const struct inotify_event *)at;
			handle(w, e);
		}
	}
}
