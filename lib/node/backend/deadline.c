/* SPDX-License-Identifier: Apache-2.0 */

/* Budgets of single threads with SCHED_DEADLINE (Documentation/scheduler/sched-deadline.rst).
 *
 * The budget of a container is divided equally among its threads that run with a real-time policy,
 * or given to its first thread where there is none. The kernel takes it (EBUSY else) if the root
 * domain has room, and only for threads that may run on every CPU of it (EPERM else): a container
 * that is pinned needs an exclusive cpuset.
 *
 * Offered by name alone (--backend=deadline), for containers with the whole node or a root domain
 * of their own: a plan gives every pod its cores, and the kernel would refuse each of them.
 * Refusals say so, threads are known by number and start time, and a budget counts as applied when
 * each thread has its part of it. Threads get no other policy (mckube.io/rt-policy) beside it. */
#include <errno.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/units.h"
#include "node/backend/backend.h"
#include "node/sysfs.h"
#include "node/thread.h"

static int deadline_open(struct group *g, struct error *err)
{
	static const char *const files[] = { "cgroup.threads", "tasks" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (sysfs_exists(g->dir, files[i]))
			return 0;
	return error_set(err, -ENOENT, "%s: has no list of threads", g->name);
}

static bool is_realtime(pid_t tid)
{
	struct sched_attr attr;

	return syscall(SYS_sched_getattr, tid, &attr, sizeof(attr), 0) == 0 &&
	       (attr.sched_policy == SCHED_FIFO || attr.sched_policy == SCHED_RR ||
		attr.sched_policy == SCHED_DEADLINE);
}

/* The real-time threads, or the first one where there is none. */
static int list_threads(const struct group *g, struct threads *ret, struct error *err)
{
	int r = threads_of_group(g->dir, is_realtime, ret, err);

	if (r < 0 || ret->n)
		return r;
	r = threads_of_group(g->dir, NULL, ret, err);
	if (ret->n > 1)
		ret->n = 1;
	return r;
}

static int set_thread(const struct thread *t, struct bandwidth b, struct error *err)
{
	struct sched_attr attr = { .size = sizeof(attr) };

	if (b.runtime_us > 0) {
		attr.sched_policy = SCHED_DEADLINE;
		attr.sched_flags = SCHED_FLAG_RESET_ON_FORK;
		attr.sched_runtime = (uint64_t)b.runtime_us * NS_PER_US;
		attr.sched_deadline = attr.sched_period = (uint64_t)b.period_us * NS_PER_US;
	}
	return thread_set_attr(t, &attr, err);
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
		if (thread_get_attr(&threads.list[i], &attr, NULL) < 0 ||
		    attr.sched_policy != SCHED_DEADLINE)
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
	if (threads.is_cut)
		return error_set(err, -E2BIG, "more than %d real-time threads", THREADS_MAX);
	if (threads.n)
		to.runtime_us /= (int64_t)threads.n;
	for (size_t i = 0; i < threads.n; i++) {
		int r = set_thread(&threads.list[i], to, err);

		if (r < 0 && r != -ESRCH)
			return error_set(err, r, "thread %d: SCHED_DEADLINE: %s%s",
					 threads.list[i].tid, strerror(-r), hint(-r));
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
	.is_by_name = true,
	.is_rt = true,
	.open = deadline_open,
	.read = deadline_read,
	.write = deadline_write,
};
