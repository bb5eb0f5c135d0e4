/* SPDX-License-Identifier: Apache-2.0 */
#include "node/node_checks.h"

#include <stdio.h>
#include <string.h>

#include "test/unit/node/fake_tree.h"
#include "test/unit/test.h"

static struct fake_tree tree;

static const char *text_of(const struct node_warnings *w, const char *key)
{
	array_each(n, &w->list)
		if (strcmp(n->key, key) == 0)
			return n->text;
	return NULL;
}

static void find(const struct kernel *k, const struct backend *b, struct node_warnings *ret)
{
	static char proc[300], sys[300];

	snprintf(proc, sizeof(proc), "%s/proc", tree.root);
	snprintf(sys, sizeof(sys), "%s/sys", tree.root);
	node_warnings_find(&(struct kernel_roots){ tree.root, proc, sys }, k, b, ret);
}

/* Fields 3 to 41 of /proc/PID/stat. */
static void fake_task(int pid, const char *name, unsigned flags, int priority, int policy)
{
	char path[64], text[256];

	snprintf(path, sizeof(path), "proc/%d/task/%d/stat", pid, pid);
	snprintf(text, sizeof(text),
		 "%d (%s) S 1 1 1 0 -1 %u 0 0 0 0 0 0 0 0 20 0 1 0 5 "
		 "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 %d %d 0",
		 pid, name, flags, priority, policy);
	fake_file(&tree, path, text);
}

static struct kernel usual(void)
{
	struct kernel k = { .rt_period_us = 1000000, .rt_runtime_us = 950000, .cpus = 4 };

	k.has[FEATURE_HOST_PIDS] = true;
	return k;
}

TEST(good_settings_are_no_warning)
{
	struct kernel k = usual();
	struct node_warnings w;

	fake_tree_init(&tree);
	fake_file(&tree, "sys/devices/system/cpu/isolated", "1-3\n");
	fake_file(&tree, "sys/devices/system/cpu/nohz_full", "1-3\n");
	fake_task(10, "migration/0", 0x00200040, 99, 1);
	fake_task(11, "irq) 5 (x", 0, 50, 1);
	find(&k, &backend_cgroup_v1, &w);
	assert_int_equal(w.list.n, 0);
	node_warnings_done(&w);
	fake_tree_done(&tree);
}

TEST(what_is_against_real_time_is_named)
{
	struct kernel k = usual();
	struct node_warnings w;

	fake_tree_init(&tree);
	fake_file(&tree, "sys/devices/system/cpu/isolated", "\n");
	fake_file(&tree, "sys/devices/system/cpu/nohz_full", "(null)\n");
	fake_task(11, "audio) 1 (x", 0, 95, 1);
	k.rt_runtime_us = -1;
	k.has[FEATURE_HOST_PIDS] = false;
	find(&k, &backend_noop, &w);
	assert_non_null(strstr(text_of(&w, "rtThrottling"), "is -1"));
	assert_non_null(strstr(text_of(&w, "rtThrottling"), "this backend gives none"));
	assert_non_null(strstr(text_of(&w, "policies"), "hostPID: true"));
	assert_non_null(text_of(&w, "isolation"));
	assert_non_null(text_of(&w, "ticks"));
	assert_non_null(
		strstr(text_of(&w, "outranked"),
		       "1 threads run at the helper's priority 90 or above: audio) 1 (x (11) is "
		       "FIFO 95"));
	node_warnings_done(&w);
	fake_tree_done(&tree);
}

TEST(a_small_rt_limit_a_cap_and_deadline_threads_are_warned_of)
{
	struct kernel k = usual();
	struct node_warnings w;

	fake_tree_init(&tree);
	fake_task(12, "dl", 0, 0, 6);
	k.rt_runtime_us = 500000;
	find(&k, &backend_cap_v2, &w);
	assert_non_null(strstr(text_of(&w, "rtThrottling"), "is 500000 of 1000000 us"));
	assert_non_null(strstr(text_of(&w, "policies"), "have no limit"));
	assert_non_null(strstr(text_of(&w, "outranked"), "dl (12) is DEADLINE"));
	assert_null(text_of(&w, "isolation")); /* not readable */
	node_warnings_done(&w);
	fake_tree_done(&tree);
}
