/* SPDX-License-Identifier: Apache-2.0 */
#include "migrate_agent/hold.h"

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
#include "migrate_agent/pod_group.h"

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
	AUTO_FREE char *file =
		pod_group_file(cgroup_root, "memory", uid, "memory.stat", "memory.stat");

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
	h->freezer = pod_group_file(cgroup_root, "freezer", uid, "freezer.state", "cgroup.freeze");
	h->pids = pod_group_file(cgroup_root, "pids", uid, "pids.max", "pids.max");
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

int hold_freeze_thawed(const char *cgroup_root, const char *uid, const char *id, struct error *err)
{
	AUTO_FREE char *group = container_group(cgroup_root, "freezer", uid, id);
	AUTO_FREE char *v1 = group ? xasprintf("%s/freezer.state", group) : NULL;
	AUTO_FREE char *v2 = group ? xasprintf("%s/cgroup.freeze", group) : NULL;
	AUTO(str_done) struct str state = STR_INIT_MAX(64);

	if (!group)
		return error_set(err, -ENOENT, "container %.20s: its cgroup is not found", id);
	int r = file_read(v1, &state, err);
	if (r == -ENOENT)
		r = file_read(v2, &state, err);
	if (r < 0)
		return r;
	if (strcmp(state.s, "THAWED\n") == 0)
		return write_group(v1, "FROZEN", false, err) < 0 ? err->code : 1;
	if (strcmp(state.s, "0\n") == 0)
		return write_group(v2, "1", false, err) < 0 ? err->code : 1;
	return 0;
}
