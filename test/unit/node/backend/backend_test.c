/* SPDX-License-Identifier: Apache-2.0 */
#include "node/backend/backend.h"

#include <sys/resource.h>

#include "node/set_rt.h"
#include "test/unit/node/fake_tree.h"
#include "test/unit/test.h"

/* A kernel of each kind, as files; the first row that fits must be chosen. */
static const struct dialect {
	const char *backend, *kind;
	const char *files[6][2];
} dialects[] = {
	{ "cgroup-v1",
	  "v1",
	  { { "cpu,cpuacct/cpu.shares", "1024" },
	    { "cpu,cpuacct/cpu.rt_runtime_us", "950000" },
	    { "cpu,cpuacct/cpu.cfs_quota_us", "-1" },
	    { "cpuset/cpuset.cpus", "0-3" },
	    { "cpu,cpuacct/g/cpu.rt_runtime_us", "0\n" },
	    { "cpu,cpuacct/g/cpu.rt_period_us", "1000000\n" } } },
	{ "cgroup-v1",
	  "hybrid",
	  { { "cpu/cpu.shares", "1024" },
	    { "cpu/cpu.rt_runtime_us", "950000" },
	    { "unified/cgroup.controllers", "" },
	    { "cpu/g/cpu.rt_runtime_us", "0\n" },
	    { "cpu/g/cpu.rt_period_us", "1000000\n" } } },
	{ "hcbs-max",
	  "v2",
	  { { "cgroup.controllers", "cpuset cpu io memory" },
	    { "cpu.rt.max", "0 1000000" },
	    { "g/cpu.max", "max 100000" },
	    { "g/cpu.rt.max", "max 1000000\n" } } },
	{ "hcbs-multi",
	  "v2",
	  { { "cgroup.controllers", "cpuset cpu" },
	    { "g/cpu.rt_runtime_us", "0\n" },
	    { "g/cpu.rt_multi_runtime_us", "0 0 0 0 \n" },
	    { "g/cpu.rt_period_us", "1000000\n" } } },
	{ "hcbs-v2",
	  "v2",
	  { { "cgroup.controllers", "cpu" },
	    { "g/cpu.rt_runtime_us", "0\n" },
	    { "g/cpu.rt_period_us", "1000000\n" } } },
	{ "cap-v2",
	  "v2",
	  { { "cgroup.controllers", "memory cpu" }, { "g/cpu.max", "max 100000\n" } } },
	{ "cap-v1",
	  "v1",
	  { { "cpu/cpu.shares", "1024" },
	    { "cpu/cpu.cfs_quota_us", "-1" },
	    { "cpu/g/cpu.cfs_quota_us", "-1\n" },
	    { "cpu/g/cpu.cfs_period_us", "100000\n" } } },
	{ "noop", "none", { { "g/", "" } } },
};

static void make(struct fake_tree *t, const struct dialect *d, struct kernel *k)
{
	char proc[80];

	fake_tree_init(t);
	snprintf(proc, sizeof(proc), "%s/proc", t->root);
	for (size_t i = 0; i < ARRAY_LEN(d->files) && d->files[i][0]; i++)
		fake_file(t, d->files[i][0], d->files[i][1]);
	struct kernel_roots roots = { t->root, proc, proc };
	assert_int_equal(kernel_probe(&roots, k, NULL), 0);
}

TEST(best_backend_is_found_by_files)
{
	for (size_t i = 0; i < ARRAY_LEN(dialects); i++) {
		const struct backend *b;
		struct fake_tree t;
		struct kernel k;

		make(&t, &dialects[i], &k);
		assert_string_equal(cgroup_kind_name(k.cgroup), dialects[i].kind);
		assert_int_equal(backend_choose(&k, NULL, &b, NULL), 0);
		assert_string_equal(b->name, dialects[i].backend);
		fake_tree_done(&t);
	}
}

/* What is written in a dialect is what the kernel documents, and reads back as it was meant. */
static void writes_in(const char *backend, int cpu, struct bandwidth to, const char *file,
		      const char *expect)
{
	for (size_t i = 0; i < ARRAY_LEN(dialects); i++) {
		const struct backend *b;
		struct fake_tree t;
		struct kernel k;
		struct group g;
		struct error err;
		char buf[256];

		if (strcmp(dialects[i].backend, backend) != 0)
			continue;
		make(&t, &dialects[i], &k);
		assert_int_equal(backend_choose(&k, NULL, &b, &err), 0);
		assert_int_equal(group_open(&g, b, &k, "g", "g", &err), 0);
		cpuset_add(&g.cpus, 2);
		cpuset_add(&g.cpus, 3);
		assert_int_equal(group_write(&g, cpu, BUDGET_PERIOD, to, &err), 0);
		assert_int_equal(group_write(&g, cpu, BUDGET_RUNTIME, to, &err), 0);
		char name[300];
		snprintf(name, sizeof(name), "%s/%s", k.cpu + strlen(t.root), file);
		assert_memory_equal(fake_read(&t, name, buf), expect, strlen(expect));
		group_close(&g);
		fake_tree_done(&t);
		return;
	}
	fail();
}

TEST(each_dialect_is_written_as_its_kernel_reads_it)
{
	struct bandwidth b = { 100000, 20000 }, slow = { 4000000, 400000 }, none = { 100000, 0 };

	writes_in("hcbs-max", CPU_ALL, b, "g/cpu.rt.max", "20000 100000");
	writes_in("hcbs-multi", 3, b, "g/cpu.rt_multi_runtime_us", "3 20000");
	writes_in("hcbs-v2", CPU_ALL, b, "g/cpu.rt_runtime_us", "20000");
	writes_in("hcbs-v2", CPU_ALL, b, "g/cpu.rt_period_us", "100000");
	writes_in("cap-v2", CPU_ALL, b, "g/cpu.max", "40000 100000");
	writes_in("cap-v2", CPU_ALL, slow, "g/cpu.max", "200000 1000000");
	writes_in("cap-v2", CPU_ALL, none, "g/cpu.max", "max 100000");
}

TEST(budgets_per_cpu_are_read_by_cpu)
{
	const struct backend *b;
	struct fake_tree t;
	struct kernel k;
	struct group g;
	struct bandwidth found;
	struct error err;

	make(&t, &dialects[3], &k);
	fake_file(&t, "g/cpu.rt_multi_runtime_us", "0 0 2500 70 \n");
	assert_int_equal(backend_choose(&k, "hcbs-multi", &b, &err), 0);
	assert_int_equal(group_open(&g, b, &k, "g", "g", &err), 0);
	assert_int_equal(group_read(&g, 2, &found, &err), 0);
	assert_int_equal(found.runtime_us, 2500);
	assert_int_equal(group_read(&g, 4, &found, &err), -EINVAL);
	assert_string_equal(err.msg, "g: read cpu.rt_multi_runtime_us: no number for CPU 4");
	group_close(&g);
	fake_tree_done(&t);
}

TEST(unlimited_is_read_from_either_spelling)
{
	const struct backend *b;
	struct fake_tree t;
	struct kernel k;
	struct group g;
	struct bandwidth found;

	make(&t, &dialects[2], &k);
	assert_int_equal(backend_choose(&k, "cgroup_v2", &b, NULL), 0);
	assert_int_equal(group_open(&g, b, &k, "g", "g", NULL), 0);
	assert_int_equal(group_read(&g, CPU_ALL, &found, NULL), 0);
	assert_int_equal(found.runtime_us, RUNTIME_UNLIMITED);
	assert_int_equal(found.period_us, 1000000);
	group_close(&g);
	fake_tree_done(&t);
}

TEST(forced_backend_must_be_offered)
{
	const struct backend *b;
	struct fake_tree t;
	struct kernel k;
	struct error err;

	make(&t, &dialects[5], &k);
	assert_int_equal(backend_choose(&k, "cgroup_v1", &b, &err), -ENOTSUP);
	assert_string_equal(err.msg,
			    "backend 'cgroup_v1': needs CONFIG_RT_GROUP_SCHED=y, boot with "
			    "rt_group_sched=1 (since 6.16) and the cpu controller on cgroup v1");
	assert_int_equal(backend_choose(&k, "magic", &b, &err), -EINVAL);
	assert_int_equal(backend_choose(&k, "noop", &b, &err), 0);
	fake_tree_done(&t);
}

/* In a pod without hostPID: the files of a /proc as it is there. */
TEST(deadline_is_offered_by_name_where_threads_are_visible)
{
	static const struct {
		const char *link, *self, *first;
		bool is_visible;
	} cases[] = {
		{ "pid:[4026531836]", "0::/", "0::/", true },
		{ "pid:[4026532501]", "0::/", "0::/", false },
		{ "pid:[4026532501]", "0::/kubepods/a", "0::/init.scope", true },
		{ "pid:[4026532501]", NULL, NULL, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fake_tree t;
		const struct backend *b;
		struct kernel k;
		struct error err;
		char proc[80], link[128];

		fake_tree_init(&t);
		snprintf(proc, sizeof(proc), "%s/proc", t.root);
		fake_file(&t, "proc/sys/kernel/sched_deadline_period_max_us", "4194304");
		fake_file(&t, "proc/self/ns/", "");
		snprintf(link, sizeof(link), "%s/self/ns/pid", proc);
		assert_int_equal(symlink(cases[i].link, link), 0);
		if (cases[i].self)
			fake_file(&t, "proc/self/cgroup", cases[i].self);
		if (cases[i].first)
			fake_file(&t, "proc/1/cgroup", cases[i].first);
		assert_int_equal(
			kernel_probe(&(struct kernel_roots){ t.root, proc, proc }, &k, NULL), 0);
		assert_int_equal(backend_is_usable(&backend_deadline, &k), cases[i].is_visible);
		assert_int_equal(backend_choose(&k, NULL, &b, NULL), 0);
		assert_string_equal(b->name, "noop");
		if (cases[i].is_visible) {
			assert_int_equal(backend_choose(&k, "deadline", &b, &err), 0);
		} else {
			assert_int_equal(backend_choose(&k, "deadline", &b, &err), -ENOTSUP);
			assert_string_equal(err.msg, "backend 'deadline': needs hostPID: true in "
						     "the helper's pod");
		}
		fake_tree_done(&t);
	}
}

/* Thread 0 is the caller itself to sched_setattr(2), and process 0 to setpriority(2). */
TEST(thread_of_another_pid_namespace_is_an_error)
{
	const struct bandwidth budget = { 100000, 10000 };
	const int nice_before = getpriority(PRIO_PROCESS, 0);
	struct bandwidth found;
	struct kernel k = { 0 };
	struct fake_tree t;
	struct group g;
	struct error err;

	fake_tree_init(&t);
	fake_file(&t, "kubepods/podp/0a/cgroup.threads", "0\n0\n");
	fake_file(&t, "kubepods/podp/0a/cgroup.procs", "0\n");
	fake_file(&t, "kubepods/podp/0b/cgroup.procs", "");
	snprintf(k.cpu, sizeof(k.cpu), "%s", t.root);
	assert_int_equal(group_open(&g, &backend_deadline, &k, "kubepods/podp/0a", "a", &err), 0);
	assert_int_equal(group_write(&g, CPU_ALL, BUDGET_RUNTIME, budget, &err), -ENOTSUP);
	assert_non_null(strstr(err.msg, "threads are not visible"));
	assert_int_equal(group_read(&g, CPU_ALL, &found, &err), -ENOTSUP);
	group_close(&g);
	assert_int_equal(container_set_nice(&k, "0a", 15, &err), -ENOTSUP);
	assert_int_equal(container_set_nice(&k, "0b", 15, &err), -ENOENT);
	assert_int_equal(getpriority(PRIO_PROCESS, 0), nice_before);
	fake_tree_done(&t);
}

TEST(group_without_threads_has_no_deadline_budget)
{
	struct kernel k = { 0 };
	struct bandwidth found;
	struct fake_tree t;
	struct group g;

	fake_tree_init(&t);
	fake_file(&t, "g/cgroup.threads", "");
	snprintf(k.cpu, sizeof(k.cpu), "%s", t.root);
	assert_int_equal(group_open(&g, &backend_deadline, &k, "g", "g", NULL), 0);
	assert_int_equal(
		group_write(&g, CPU_ALL, BUDGET_RUNTIME, (struct bandwidth){ 100000, 10000 }, NULL),
		0);
	assert_int_equal(group_read(&g, CPU_ALL, &found, NULL), 0);
	assert_int_equal(found.runtime_us, 0);
	group_close(&g);
	fake_tree_done(&t);
}

TEST(group_that_is_gone_says_so)
{
	struct fake_tree t;
	struct kernel k;
	struct group g;
	struct error err;

	make(&t, &dialects[0], &k);
	assert_int_equal(group_open(&g, &backend_cgroup_v1, &k, "kubepods/podx/1", "1", &err),
			 -ENOENT);
	group_close(&g);
	fake_tree_done(&t);
}

TEST(nonsense_in_a_file_is_an_error)
{
	struct fake_tree t;
	struct kernel k;
	struct group g;
	struct bandwidth found;
	struct error err;

	make(&t, &dialects[0], &k);
	fake_file(&t, "cpu,cpuacct/g/cpu.rt_runtime_us", "lots\n");
	assert_int_equal(group_open(&g, &backend_cgroup_v1, &k, "g", "g", &err), 0);
	assert_int_equal(group_read(&g, CPU_ALL, &found, &err), -EINVAL);
	assert_string_equal(err.msg, "g: read cpu.rt_runtime_us: 'lots' is not a number");
	group_close(&g);
	fake_tree_done(&t);
}
