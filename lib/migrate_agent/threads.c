/* SPDX-License-Identifier: Apache-2.0 */
#include "migrate_agent/threads.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "base/array.h"
#include "base/auto.h"
#include "base/file.h"
#include "checkpoint/thread_cpus.h"
#include "migrate_agent/host_task.h"
#include "migrate_agent/pod_group.h"

enum { LIST_MAX = 1 << 16 };

static_assert(sizeof(cpu_set_t) == sizeof(struct cpuset), "both have a bit for each of 1024 CPUs");

/* All that its threads may run on. */
static int read_cpus(const char *group, struct cpuset *ret, struct error *err)
{
	AUTO(str_done) struct str text = STR_INIT_MAX(LIST_MAX);
	int r = group_read(group, "cpuset.cpus.effective", &text, err);

	if (r == -ENOENT)
		r = group_read(group, "cpuset.effective_cpus", &text, err);
	return r < 0 ? r : cpuset_parse(text.s, text.n, ret, err);
}

/* The container's threads and CPUs. */
static int look(const char *cgroup_root, const char *uid, const char *id, struct host_tasks *tasks,
		struct cpuset *cpus, struct error *err)
{
	AUTO_FREE char *group = container_group(cgroup_root, "cpuset", uid, id);

	if (!group)
		return error_set(err, -ENOENT, "its cgroup is not found");
	if (read_cpus(group, cpus, err) < 0)
		return err->code;
	return host_tasks_of(group, true, tasks, err);
}

static bool get_cpus(int id, struct cpuset *ret)
{
	cpu_set_t set;

	if (sched_getaffinity(id, sizeof(set), &set) < 0)
		return false;
	memcpy(ret, &set, sizeof(set));
	return true;
}

int threads_read(const char *cgroup_root, const char *uid, const char *id, struct str *text,
		 struct error *err)
{
	AUTO(host_tasks_done) struct host_tasks tasks = { 0 };
	struct cpuset all, its;

	if (look(cgroup_root, uid, id, &tasks, &all, err) < 0)
		return err->code;
	array_each(t, &tasks)
		if (t->inner && get_cpus(t->id, &its))
			thread_cpus_add(text, t->inner, &its, &all);
	return 0;
}

/* Read back: what counts is what the kernel has. */
static bool bind_thread(const struct host_task *t, const struct cpuset *cpus)
{
	struct host_task now;
	struct cpuset its;
	cpu_set_t set;

	memcpy(&set, cpus, sizeof(set));
	return sched_setaffinity(t->id, sizeof(set), &set) == 0 && get_cpus(t->id, &its) &&
	       cpuset_eq(&its, cpus) && host_task_read(t->id, &now) && now.inner == t->inner;
}

static const struct host_task *find(const struct host_tasks *tasks, int inner)
{
	array_each(t, tasks)
		if (t->inner == inner)
			return t;
	return NULL;
}

int threads_bind(const char *cgroup_root, const char *uid, const char *id, struct slice text,
		 unsigned *ret_lost, struct error *err)
{
	AUTO(host_tasks_done) struct host_tasks tasks = { 0 };
	struct cpuset all, places;
	int inner, r;

	if (look(cgroup_root, uid, id, &tasks, &all, err) < 0)
		return err->code;
	while ((r = thread_cpus_next(&text, &inner, &places, err)) == 1) {
		const struct cpuset cpus = thread_cpus_at(&places, &all);
		const struct host_task *t = find(&tasks, inner);

		if (!t || !cpuset_count(&cpus) || !bind_thread(t, &cpus))
			++*ret_lost;
	}
	return r;
}
