/* SPDX-License-Identifier: Apache-2.0 */
#include "node/set_rt.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/json.h"
#include "node/cgroup/cgroups.h"
#include "node/cgroup/cpuset_file.h"
#include "node/thread.h"

enum { NICE_MIN = -20, NICE_MAX = 19 };

int set_rt_check(const struct set_rt *s, struct error *err)
{
	if (!s->is_runtime_only && (s->period_us < PERIOD_MIN_US || s->period_us > PERIOD_MAX_US))
		return error_set(err, -EINVAL, "period: %lld is not between %d and %d",
				 (long long)s->period_us, PERIOD_MIN_US, PERIOD_MAX_US);
	if (s->runtime_us < 0 || (!s->is_runtime_only && s->runtime_us > s->period_us))
		return error_set(err, -EINVAL, "runtime: %lld is not between 0 and the period",
				 (long long)s->runtime_us);
	return 0;
}

static int parse_members(const cJSON *json, struct set_rt *s, struct error *err)
{
	const char *id = json_text(json_get(json, "container_id"));
	const cJSON *core = json_get(json, "core");

	if (!id)
		return error_set(err, -EINVAL, "container_id: is missing");
	int r = container_id(id, s->container, err);
	if (r < 0)
		return r;
	s->is_runtime_only = cJSON_IsTrue(json_get(json, "only_runtime"));
	if (!json_int(json_get(json, "runtime"), &s->runtime_us))
		return error_set(err, -EINVAL, "runtime: is not a whole number");
	if (!json_int(json_get(json, "period"), &s->period_us) && !s->is_runtime_only)
		return error_set(err, -EINVAL, "period: is not a whole number");
	const char *list = json_text(core);
	if (core && !cJSON_IsNull(core) && !list)
		return error_set(err, -EINVAL, "core: is not a string");
	s->has_cores = list && *list;
	if (s->has_cores && cpuset_parse(list, strlen(list), &s->cores, err) < 0)
		return error_wrap(err, "core");
	return 0;
}

int set_rt_parse(const char *json, size_t n, struct set_rt *ret, struct error *err)
{
	AUTO_JSON cJSON *parsed = NULL;
	struct set_rt s = { 0 };

	int r = json_parse(json, n, &parsed, err);
	if (r == 0)
		r = parse_members(parsed, &s, err);
	if (r == 0)
		r = set_rt_check(&s, err);
	if (r == 0)
		*ret = s;
	return r;
}

static void add_all_cpus(const struct kernel *k, struct cpuset *cpus)
{
	for (unsigned cpu = 0; cpu < k->cpus && cpu < CPUSET_MAX; cpu++)
		cpuset_add(cpus, cpu);
}

static int apply_in(struct cgroups *c, const struct set_rt *s, const char *path, struct error *err)
{
	struct bandwidth budget = { s->period_us, s->runtime_us }, now, ours;
	struct cpuset cores = s->cores;
	struct cgroup *n;

	if (cgroups_add(c, path, &n, err) < 0)
		return err->code;
	if (!s->has_cores)
		add_all_cpus(c->kernel, &cores);
	if (s->is_runtime_only) {
		if (cgroups_read(c, n, &now, &ours, err) < 0)
			return err->code;
		budget.period_us = now.period_us;
	}
	cgroups_want(c, n, &cores, budget);
	if (cgroups_apply(c, APPLY_RETRY_MS, err) < 0 || cgroups_verify(c, err) < 0)
		return err->code;
	if (s->has_cores && !s->is_runtime_only)
		return cpuset_file_write(c->kernel, path, &s->cores, err);
	return 0;
}

int set_rt_apply(const struct set_rt *s, const struct kernel *k, const struct backend *b,
		 int64_t capacity_us, struct error *err)
{
	char path[PATH_MAX];
	struct cgroups cgroups;

	if (container_find(k, NULL, s->container, path, err) < 0)
		return err->code;
	cgroups_init(&cgroups, k, b);
	cgroups.capacity_us = capacity_us;
	int r = apply_in(&cgroups, s, path, err);
	cgroups_done(&cgroups);
	return r;
}

int container_set_nice(const struct kernel *k, const char *container, int nice, struct error *err)
{
	struct threads processes;
	char path[PATH_MAX];

	if (nice < NICE_MIN || nice > NICE_MAX)
		return error_set(err, -EINVAL, "nice: %d is not between %d and %d", nice, NICE_MIN,
				 NICE_MAX);
	if (container_find(k, NULL, container, path, err) < 0)
		return err->code;
	AUTO_FREE char *folder = xasprintf("%s/%s", k->cpu, path);
	AUTO_CLOSE int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return error_errno(err, "open %s", folder);
	if (processes_of_group(dir, &processes, err) < 0)
		return error_wrap(err, "container %s", container);
	if (processes.is_cut)
		return error_set(err, -E2BIG, "container %s: more than %d processes", container,
				 THREADS_MAX);
	for (size_t i = 0; i < processes.n; i++) {
		int r = thread_set_nice(&processes.list[i], nice, err);

		if (r < 0 && r != -ESRCH)
			return r;
	}
	return processes.n ? 0
			   : error_set(err, -ENOENT, "container %s: no visible process", container);
}
