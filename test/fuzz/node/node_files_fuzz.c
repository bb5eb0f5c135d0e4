/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/auto.h"
#include "node/backend/backend.h"
#include "node/bundle.h"
#include "node/cgroup/cpuset_file.h"
#include "node/container.h"
#include "node/cpu_usage.h"
#include "node/state_file.h"
#include "node/topology.h"

/* Any bytes in the files that the helper reads: those of the kernel, of the container runtimes, and
 * its own. All of them hold the same bytes here; what is read must be within bounds. */

static char root[64];
static struct kernel kernel;
static struct kernel_roots roots;

static const char *const files[] = {
	"stat",
	"7/stat",
	"7/cgroup",
	"state.json",
	"c1/config.json",
	"g/cpuset.cpus",
	"g/cpu.rt.max",
	"g/cpu.max",
	"g/cpu.rt_runtime_us",
	"g/cpu.rt_period_us",
	"g/cpu.rt_multi_runtime_us",
	"g/cpu.cfs_quota_us",
	"g/cpu.cfs_period_us",
	"devices/system/cpu/cpu0/topology/thread_siblings_list",
};

static void at(char path[PATH_MAX], const char *name)
{
	snprintf(path, PATH_MAX, "%s/%s", root, name);
}

static void remove_all(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", root);
	if (system(command) != 0)
		abort();
}

/* One file, and all the others are links to it. */
static void make_tree(void)
{
	char path[PATH_MAX], bytes[PATH_MAX];

	snprintf(root, sizeof(root), "/tmp/mckube-fuzz-XXXXXX");
	if (!mkdtemp(root))
		abort();
	atexit(remove_all);
	at(bytes, "bytes");
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		at(path, files[i]);
		for (char *slash = path + strlen(root); (slash = strchr(slash + 1, '/'));) {
			*slash = '\0';
			mkdir(path, 0755);
			*slash = '/';
		}
		if (symlink(bytes, path) < 0)
			abort();
	}
	roots = (struct kernel_roots){ root, root, root };
	snprintf(kernel.cpu, sizeof(kernel.cpu), "%s", root);
	snprintf(kernel.cpuset, sizeof(kernel.cpuset), "%s", root);
}

static void check_processor_time(void)
{
	struct cpu_usage u = { .busy_above = 900000, .total = 1 };

	cpu_usage_sample(&u, &roots, 1, NULL);
	if (cpu_usage_read(&u).ppm > 1000000)
		abort();
}

static void check_container(void)
{
	char path[PATH_MAX], name[BUNDLE_NAME_MAX];
	uint64_t start;
	struct error err;

	if (container_of_pid(&roots, &kernel, 7, path, &start, &err) == 0 &&
	    (*path == '/' || strstr(path, "/..")))
		abort();
	if (bundle_name("/nonexistent", root, "c1", name, &err) == 0 &&
	    !memchr(name, 0, sizeof(name)))
		abort();
}

/* What is remembered is remembered again. */
static void check_memory(void)
{
	AUTO(saved_state_done) struct saved_state first = { 0 };
	AUTO(saved_state_done) struct saved_state second = { 0 };
	char path[PATH_MAX], copy[PATH_MAX];
	struct error err;

	at(path, "state.json");
	at(copy, "copy.json");
	if (state_file_load(path, &first, &err) < 0)
		return;
	if (state_file_save(copy, &first, &err) < 0 || state_file_load(copy, &second, &err) < 0 ||
	    first.groups.n != second.groups.n || first.pods.n != second.pods.n)
		abort();
}

static void check_budgets(void)
{
	for (const struct backend *const *b = backends; *b; b++) {
		struct bandwidth now;
		struct group g;

		if (group_open(&g, *b, &kernel, "g", "g", NULL) < 0)
			continue;
		group_read(&g, (*b)->is_per_cpu ? 3 : CPU_ALL, &now, NULL);
		group_close(&g);
	}
}

static void check_cpus(void)
{
	AUTO(str_done) struct str text = STR_INIT;
	struct cpuset cpus;

	cpuset_file_read(&kernel, "g", &cpus, NULL);
	topology_read(&roots, 1, &text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[PATH_MAX];

	if (!*root)
		make_tree();
	at(path, "bytes");
	AUTO_FILE FILE *f = fopen(path, "w");
	if (!f || fwrite(data, 1, size, f) != size || fflush(f) != 0)
		abort();
	check_processor_time();
	check_container();
	check_memory();
	check_budgets();
	check_cpus();
	return 0;
}
