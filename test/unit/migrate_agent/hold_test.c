/* SPDX-License-Identifier: Apache-2.0 */
#include "migrate_agent/hold.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/file.h"
#include "test/unit/test.h"

#define UID "0d1e-22"

/* A cgroup root of the test's own. */
static char root[64];

static int make_root(void **state)
{
	(void)state;
	snprintf(root, sizeof(root), "/tmp/mckube-hold-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int remove_root(void **state)
{
	(void)state;
	return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A file of that text, with the folders above it. */
static void put(const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	for (char *p = path + strlen(root) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(path, 0755);
		*p = '/';
	}
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/* The first bytes of a file: a cgroup's takes a word for all it had. */
static void assert_begins(const char *name, const char *text)
{
	AUTO_FREE char *path = xasprintf("%s/%s", root, name);
	AUTO(str_done) struct str is = STR_INIT;

	assert_int_equal(file_read(path, &is, NULL), 0);
	assert_memory_equal(is.s, text, strlen(text));
}

static void put_v1(void)
{
	put("freezer/kubepods/burstable/pod" UID "/freezer.state", "THAWED\n");
	put("pids/kubepods/burstable/pod" UID "/pids.max", "4711\n");
}

TEST_WITH(a_pod_is_held_and_released_as_it_was, make_root, remove_root)
{
	struct pod_hold h = { 0 };

	put_v1();
	hold_find(&h, root, UID);
	assert_string_equal(h.pids_before, "4711");
	assert_int_equal(hold_take(&h, NULL), 0);
	assert_begins("pids/kubepods/burstable/pod" UID "/pids.max", "0");
	assert_begins("freezer/kubepods/burstable/pod" UID "/freezer.state", "FROZEN");
	assert_int_equal(hold_thaw(&h, NULL), 0);
	assert_begins("freezer/kubepods/burstable/pod" UID "/freezer.state", "THAWED");
	assert_begins("pids/kubepods/burstable/pod" UID "/pids.max", "0");
	assert_int_equal(hold_release(&h, NULL), 0);
	assert_begins("pids/kubepods/burstable/pod" UID "/pids.max", "4711");
	assert_false(h.is_taken);
	hold_done(&h);
}

TEST_WITH(a_limit_that_is_known_is_not_read_again, make_root, remove_root)
{
	struct pod_hold h = { .pids_before = "12" };

	put_v1();
	hold_find(&h, root, UID);
	assert_string_equal(h.pids_before, "12");
	hold_done(&h);
}

TEST_WITH(systemd_names_and_cgroup_v2, make_root, remove_root)
{
	const char *group =
		"kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0d1e_22.slice";
	AUTO_FREE char *freeze = xasprintf("%s/cgroup.freeze", group);
	AUTO_FREE char *pids = xasprintf("%s/pids.max", group);
	AUTO_FREE char *memory = xasprintf("%s/memory.stat", group);
	struct pod_hold h = { 0 };

	put(freeze, "0\n");
	put(pids, "max\n");
	put(memory, "anon 1000\nfile 77\nshmem 24\nanon_thp 5\n");
	hold_find(&h, root, UID);
	assert_int_equal(hold_take(&h, NULL), 0);
	assert_begins(freeze, "1");
	assert_int_equal(hold_release(&h, NULL), 0);
	assert_begins(freeze, "0");
	assert_begins(pids, "max");
	assert_int_equal(hold_memory(root, UID), 1024);
	hold_done(&h);
}

TEST_WITH(a_pod_that_is_not_found_is_not_held, make_root, remove_root)
{
	struct error err = ERROR_INIT;
	struct pod_hold h = { 0 };

	put_v1();
	hold_find(&h, root, "0d1e-23");
	assert_int_equal(hold_take(&h, &err), -ENOENT);
	assert_string_equal(err.msg, "its cgroup is not found");
	assert_int_equal(hold_release(&h, NULL), 0);
	assert_int_equal(hold_memory(root, UID), 0);
	hold_done(&h);
}

TEST_WITH(a_group_that_is_gone_lets_go, make_root, remove_root)
{
	struct error err = ERROR_INIT;
	struct pod_hold h = { 0 };

	put_v1();
	hold_find(&h, root, UID);
	assert_int_equal(hold_take(&h, NULL), 0);
	assert_int_equal(unlink(h.pids), 0);
	assert_int_equal(unlink(h.freezer), 0);
	assert_int_equal(hold_release(&h, NULL), 0);
	assert_int_not_equal(hold_take(&h, &err), 0);
	hold_done(&h);
}
