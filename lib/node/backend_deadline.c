/* SPDX-License-Identifier: Apache-2.0 */

/* Budgets of single threads with SCHED_DEADLINE (Documentation/scheduler/sched-deadline.rst).
 *
 * The budget of a container is divided equally among its threads that run with a real-time policy,
 * or given to its first thread where there is none. The kernel takes it (EBUSY else) if the root
 * domain has room, and only for threads that may run on every CPU of it (EPERM else): a container
 * that is pinned needs an exclusive cpuset. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/units.h"
#include "node/backend.h"
#include "node/sysfs.h"

enum { THREADS_MAX = 256 };

struct threads {
	pid_t tids[THREADS_MAX];
	size_t n;
};

/* cgroup v2, v1. Opened each time: through a descriptor that stays open v1 shows the same list
 * for as long as it is read at least once a second (cgroup_pidlist_start(),
 * kernel/cgroup/cgroup-v1.c).
 */
static int read_threads(const struct group *g, char buf[SYSFS_VALUE], struct error *err)
{
	if (sysfs_read(g->dir, "cgroup.threads", buf, SYSFS_VALUE, NULL) == 0)
		return 0;
	return sysfs_read(g->dir, "tasks", buf, SYSFS_VALUE, err);
}

static int deadline_open(struct group *g, struct error *err)
{
	char buf[SYSFS_VALUE];

	int r = read_threads(g, buf, err);
	if (r < 0)
		error_wrap(err, "%s", g->name);
	return r;
}

static int get_attr(pid_t tid, struct sched_attr *ret)
{
	return (int)syscall(SYS_sched_getattr, tid, ret, sizeof(*ret), 0);
}

static bool is_realtime(pid_t tid)
{
	struct sched_attr attr;

	return get_attr(tid, &attr) == 0 &&
	       (attr.sched_policy == SCHED_FIFO || attr.sched_policy == SCHED_RR ||
		attr.sched_policy == SCHED_DEADLINE);
}

static int list_threads(const struct group *g, struct threads *ret, struct error *err)
{
	char buf[SYSFS_VALUE];
	pid_t first = 0;

	ret->n = 0;
	int r = read_threads(g, buf, err);
	if (r < 0)
		return r;
	for (char *at = buf, *end; ret->n < THREADS_MAX; at = end) {
		pid_t tid = (pid_t)strtol(at, &end, 10);

		if (end == at)
			break;
		/* A thread outside of this PID namespace. sched_setattr(2) would take 0 for the
		 * caller. */
		if (tid <= 0)
			return error_set(err, -ENOTSUP,
					 "threads are not visible: needs hostPID: true in the "
					 "helper's pod");
		if (!first)
			first = tid;
		if (is_realtime(tid))
			ret->tids[ret->n++] = tid;
	}
	if (ret->n == 0 && first)
		ret->tids[ret->n++] = first;
	return 0;
}

static int set_thread(pid_t tid, struct bandwidth b)
{
	struct sched_attr attr = { .size = sizeof(attr) };

	if (b.runtime_us > 0) {
		attr.sched_policy = SCHED_DEADLINE;
		attr.sched_flags = SCHED_FLAG_RESET_ON_FORK;
		attr.sched_runtime = (uint64_t)b.runtime_us * NS_PER_US;
		attr.sched_deadline = attr.sched_period = (uint64_t)b.period_us * NS_PER_US;
	}
	return (int)syscall(SYS_sched_setattr, tid, &attr, 0);
}

/* Where every thread has its part of what was written, it is that, without what division lost. A
 * group without threads has nothing. */
static int deadline_read(const struct group *g, int cpu, struct bandwidth *ret, struct error *err)
{
	struct threads threads;
	struct bandwidth b = { g->now.period_us, 0 };
	struct sched_attr attr;

	(void)cpu;
	if (list_threads(g, &threads, err) < 0)
		return err->code;
	for (size_t i = 0; i < threads.n; i++) {
		if (get_attr(threads.tids[i], &attr) < 0 || attr.sched_policy != SCHED_DEADLINE)
			continue;
		b.runtime_us += (int64_t)attr.sched_runtime / NS_PER_US;
		b.period_us = (int64_t)attr.sched_period / NS_PER_US;
	}
	int64_t lost = g->now.runtime_us - b.runtime_us;
	*ret = b.period_us == g->now.period_us && lost >= 0 && lost < (int64_t)threads.n ? g->now
											 : b;
	return 0;
}

static const char *hint(int code)
{
	if (code == EPERM)
		return " (it must be allowed on every CPU of its exclusive cpuset)";
	return code == EBUSY ? " (the CPUs have no room for it)" : "";
}

/* Threads that end while this goes on are no error. */
static int deadline_write(struct group *g, int cpu, enum budget_field field, struct bandwidth to,
			  struct error *err)
{
	struct threads threads;

	(void)cpu;
	if (field == BUDGET_PERIOD)
		return 0;
	if (list_threads(g, &threads, err) < 0)
		return err->code;
	if (threads.n)
		to.runtime_us /= (int64_t)threads.n;
	for (size_t i = 0; i < threads.n; i++) {
		if (set_thread(threads.tids[i], to) < 0 && errno != ESRCH)
			return error_set(err, -errno, "thread %d: SCHED_DEADLINE: %s%s",
					 threads.tids[i], strerror(errno), hint(errno));
	}
	return 0;
}

const struct backend backend_deadline = {
	.name = "deadline",
	.guarantee = "the real-time threads of a container get their budget in each period; with "
		     "several CPUs in a root domain, late by a bounded time at most",
	.needs = FEATURE_DEADLINE,
	.scope = SCOPE_CORE,
	.is_per_thread = true,
	.is_rt = true,
	.open = deadline_open,
	.read = deadline_read,
	.write = deadline_write,
};
