/* SPDX-License-Identifier: Apache-2.0 */
#include "hold.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/file.h"

/* From a root down: kubepods, a QoS class, the pod; kubelets may have a root of their own above. */
enum { DEPTH_MAX = 5 };

/* cgroupfs calls it pod<uid>, systemd kubepods-...-pod<uid with underscores>.slice. */
static bool is_group_of(const char *name, const char *uid)
{
	const char *at = strstr(name, "pod");

	for (; at; at = strstr(at + 1, "pod")) {
		const char *c = at + strlen("pod"), *u = uid;

		while (*u && (*c == *u || (*u == '-' && *c == '_')))
			c++, u++;
		if (!*u)
			return true;
	}
	return false;
}

static char *find_below(const char *folder, const char *uid, int depth)
{
	AUTO_DIR DIR *d = opendir(folder);
	char *found = NULL;

	if (!d)
		return NULL;
	for (const struct dirent *e; !found && (e = readdir(d));) {
		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		char *path = xasprintf("%s/%s", folder, e->d_name);
		if (is_group_of(e->d_name, uid))
			found = xstrdup(path);
		else if (depth > 1)
			found = find_below(path, uid, depth - 1);
		free(path);
	}
	return found;
}

/* In the hierarchy of a controller, or in the one of cgroup v2; NULL: there is none. */
static char *find_file(const char *cgroup_root, const char *controller, const char *uid,
		       const char *name, const char *name_v2)
{
	AUTO_FREE char *hierarchy = xasprintf("%s/%s", cgroup_root, controller);
	AUTO_FREE char *v1 = find_below(hierarchy, uid, DEPTH_MAX);
	AUTO_FREE char *v2 = v1 ? NULL : find_below(cgroup_root, uid, DEPTH_MAX);
	AUTO_FREE char *file = v1   ? xasprintf("%s/%s", v1, name)
			       : v2 ? xasprintf("%s/%s", v2, name_v2)
				    : NULL;

	return file && access(file, F_OK) == 0 ? TAKE(file) : NULL;
}

/* A line "KEY NUMBER". */
static int64_t stat_of(const char *text, const char *key)
{
	size_t n = strlen(key);

	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (strncmp(line, key, n) == 0 && line[n] == ' ')
			return strtoll(line + n, NULL, 10);
	return 0;
}

/* Keys of cgroup v1 with all groups below, and of v2: cgroup-v1/memory.rst, cgroup-v2.rst. */
int64_t hold_memory(const char *cgroup_root, const char *uid)
{
	AUTO(str_done) struct str text = STR_INIT_MAX(1 << 16);
	AUTO_FREE char *file = find_file(cgroup_root, "memory", uid, "memory.stat", "memory.stat");

	if (!file || file_read(file, &text, NULL) < 0)
		return 0;
	int64_t v1 = stat_of(text.s, "total_rss") + stat_of(text.s, "total_shmem");
	return v1 ? v1 : stat_of(text.s, "anon") + stat_of(text.s, "shmem");
}

static void note_limit(struct pod_hold *h)
{
	AUTO(str_done) struct str text = STR_INIT_MAX(64);

	file_read(h->pids, &text, NULL);
	snprintf(h->pids_before, sizeof(h->pids_before), "%.*s", (int)strcspn(text.s, "\n"),
		 text.s);
}

void hold_find(struct pod_hold *h, const char *cgroup_root, const char *uid)
{
	hold_done(h);
	h->freezer = find_file(cgroup_root, "freezer", uid, "freezer.state", "cgroup.freeze");
	h->pids = find_file(cgroup_root, "pids", uid, "pids.max", "pids.max");
	if (h->pids && !h->pids_before[0])
		note_limit(h);
}

/* A group that is gone lets go. */
static int write_group(const char *file, const char *word, bool lets_go, struct error *err)
{
	AUTO_CLOSE int fd = open(file, O_WRONLY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT && lets_go)
		return 0;
	if (fd < 0 || write(fd, word, strlen(word)) < 0)
		return error_errno(err, "write %s", file);
	return 0;
}

static int set_frozen(const struct pod_hold *h, bool is_frozen, struct error *err)
{
	bool is_v1 = strstr(h->freezer, "freezer.state") != NULL;
	const char *word = is_v1 ? (is_frozen ? "FROZEN" : "THAWED") : (is_frozen ? "1" : "0");

	return write_group(h->freezer, word, !is_frozen, err);
}

int hold_take(struct pod_hold *h, struct error *err)
{
	if (!h->freezer || !h->pids)
		return error_set(err, -ENOENT, "its cgroup is not found");
	h->is_taken = true;
	if (write_group(h->pids, "0", false, err) < 0)
		return err->code;
	return set_frozen(h, true, err);
}

int hold_thaw(const struct pod_hold *h, struct error *err)
{
	return h->is_taken ? set_frozen(h, false, err) : 0;
}

int hold_release(struct pod_hold *h, struct error *err)
{
	if (!h->is_taken)
		return 0;
	if (write_group(h->pids, h->pids_before[0] ? h->pids_before : "max", true, err) < 0 ||
	    set_frozen(h, false, err) < 0)
		return err->code;
	h->is_taken = false;
	return 0;
}

void hold_done(struct pod_hold *h)
{
	free(h->freezer);
	free(h->pids);
	h->freezer = h->pids = NULL;
}
