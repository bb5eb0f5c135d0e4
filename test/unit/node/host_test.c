/* SPDX-License-Identifier: Apache-2.0 */

/* What is read of the host: CPU use, topology, bundles, new folders, kernels. */

#include "node/bundle.h"
#include "node/cgroup/watch.h"
#include "node/cpu_usage.h"
#include "node/sysfs.h"
#include "node/topology.h"
#include "test/unit/node/fake_tree.h"
#include "test/unit/test.h"

static const int64_t second_ns = 1000000000;

static void sample(struct fake_tree *t, struct cpu_usage *u, const char *stat, int64_t second)
{
	struct kernel_roots roots = { t->root, t->root, t->root };

	fake_file(t, "stat", stat);
	assert_int_equal(cpu_usage_sample(u, &roots, second * second_ns, NULL), 0);
}

TEST(node_is_busy_until_it_was_calm_for_a_while)
{
	struct cpu_usage u = { .busy_above = 900000, .calm_ns = 5 * second_ns };
	struct fake_tree t;

	fake_tree_init(&t);
	sample(&t, &u, "cpu  100 0 0 100 0 0 0 0 0 0\ncpu0 1\n", 1);
	assert_int_equal(cpu_usage_read(&u).ppm, 0);
	sample(&t, &u, "cpu  195 0 0 103 2 0 0 0 90 0\n", 2);
	assert_int_equal(cpu_usage_read(&u).ppm, 950000);
	assert_true(cpu_usage_read(&u).is_busy &&
		    cpu_usage_read(&u).over_since_ns == 2 * second_ns);
	sample(&t, &u, "cpu  245 0 0 148 7 0 0 0 0 0\n", 3);
	assert_int_equal(cpu_usage_read(&u).ppm, 500000);
	assert_true(cpu_usage_read(&u).is_busy && !cpu_usage_read(&u).over_since_ns);
	sample(&t, &u, "cpu  245 0 0 248 7 0 0 0 0 0\n", 7);
	assert_true(cpu_usage_read(&u).is_busy);
	sample(&t, &u, "cpu  245 0 0 348 7 0 0 0 0 0\n", 8);
	assert_false(cpu_usage_read(&u).is_busy);
	struct kernel_roots roots = { t.root, t.root, t.root };
	fake_file(&t, "stat", "intr 5\n");
	assert_int_equal(cpu_usage_sample(&u, &roots, 9 * second_ns, NULL), -EINVAL);
	fake_tree_done(&t);
}

static void add_cpu(struct fake_tree *t, int cpu, const char *siblings, const char *package,
		    int numa)
{
	char name[128];

	snprintf(name, sizeof(name), "devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
	fake_file(t, name, siblings);
	snprintf(name, sizeof(name), "devices/system/cpu/cpu%d/topology/physical_package_id", cpu);
	fake_file(t, name, package);
	snprintf(name, sizeof(name), "devices/system/cpu/cpu%d/node%d/", cpu, numa);
	fake_file(t, name, "");
}

TEST(topology_names_cores_nodes_and_sockets)
{
	AUTO(str_done) struct str text = STR_INIT;
	struct fake_tree t;

	fake_tree_init(&t);
	struct kernel_roots roots = { t.root, t.root, t.root };
	topology_read(&roots, 2, &text);
	assert_string_equal(text.s, "");
	add_cpu(&t, 0, "0,4\n", "0\n", 0);
	add_cpu(&t, 1, "1,5\n", "0\n", 0);
	add_cpu(&t, 2, "2,6\n", "0\n", 1);
	add_cpu(&t, 3, "3,7\n", "1\n", 2);
	add_cpu(&t, 4, "0,4\n", "0\n", 0);
	add_cpu(&t, 5, "1,5\n", "0\n", 0);
	add_cpu(&t, 6, "2,6\n", "0\n", 1);
	add_cpu(&t, 7, "3,7\n", "1\n", 2);
	topology_read(&roots, 8, &text);
	assert_string_equal(text.s, "0,4 1,5 | 2,6 / 3,7");
	fake_tree_done(&t);
}

TEST(runtimes_tell_the_names_of_containers)
{
	struct fake_tree t;
	char name[BUNDLE_NAME_MAX];
	struct error err;

	fake_tree_init(&t);
	fake_file(&t, "run/containerd/io.containerd.runtime.v2.task/k8s.io/aa/config.json",
		  "{\"annotations\":{\"io.kubernetes.cri.container-name\":\"app\"}}");
	fake_file(&t, "run/containerd/io.containerd.runtime.v2.task/k8s.io/bb/config.json",
		  "{\"annotations\":{\"io.kubernetes.cri.container-type\":\"sandbox\"}}");
	fake_file(&t, "run/containers/storage/overlay-containers/cc/userdata/config.json",
		  "{\"annotations\":{\"io.kubernetes.container.name\":\"POD\"}}");
	fake_file(&t, "var/lib/docker/containers/dd/config.v2.json",
		  "{\"Config\":{\"Labels\":{\"io.kubernetes.container.name\":\"log\"}}}");
	fake_file(&t, "run/containerd/io.containerd.runtime.v2.task/k8s.io/ee/config.json", "{");
	assert_int_equal(bundle_name(t.root, NULL, "aa", name, &err), 0);
	assert_string_equal(name, "app");
	assert_int_equal(bundle_name(t.root, NULL, "dd", name, &err), 0);
	assert_string_equal(name, "log");
	assert_int_equal(bundle_name(t.root, NULL, "bb", name, &err), -ENOENT);
	assert_int_equal(bundle_name(t.root, NULL, "cc", name, &err), -ENOENT);
	assert_int_equal(bundle_name(t.root, NULL, "ee", name, &err), -ENOENT);
	fake_tree_done(&t);
}

struct told {
	int n;
	char last[256];
};

static void take(const char *path, void *arg)
{
	struct told *told = arg;

	told->n++;
	snprintf(told->last, sizeof(told->last), "%s", path);
}

TEST(new_containers_are_told_however_they_come)
{
	struct told told = { 0 };
	struct kernel k = { 0 };
	struct cgroup_watch b;
	struct fake_tree t;

	fake_tree_init(&t);
	snprintf(k.cpu, sizeof(k.cpu), "%s", t.root);
	fake_file(&t, "kubepods/pod1/aa/", "");
	assert_int_equal(cgroup_watch_open(&b, &k, take, &told, NULL), 0);
	assert_int_equal(told.n, 1);
	fake_file(&t, "kubepods/pod1/bb/", "");
	cgroup_watch_read(&b);
	assert_string_equal(told.last, "kubepods/pod1/bb");
	fake_file(&t, "kubepods/burstable/pod2/cc/init/", "");
	cgroup_watch_read(&b);
	assert_string_equal(told.last, "kubepods/burstable/pod2/cc");
	assert_int_equal(told.n, 3);
	fake_file(&t, "system.slice/x.service/", "");
	cgroup_watch_read(&b);
	assert_int_equal(told.n, 3);
	cgroup_watch_close(&b);
	fake_tree_done(&t);
}

TEST(numbers_are_written_as_printf_writes_them)
{
	static const int64_t numbers[] = { 0, 7, -1, 950000, INT64_MAX, INT64_MIN };
	char got[SYSFS_INT + 1], wanted[32];

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		*sysfs_put_int(got, numbers[i]) = '\0';
		snprintf(wanted, sizeof(wanted), "%lld", (long long)numbers[i]);
		assert_string_equal(got, wanted);
	}
}
