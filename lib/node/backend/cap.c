/* SPDX-License-Identifier: Apache-2.0 */

/* Kernels without real-time budgets: a limit on CPU time, and nothing at all. */
#include "node/backend/file.h"

/* The kernel takes periods from 1 ms to 1 s and quotas from 1 ms (kernel/sched/core.c,
 * tg_set_cfs_bandwidth()). */
enum { QUOTA_PERIOD_MIN = 1000, QUOTA_PERIOD_MAX = 1000000, QUOTA_MIN = 1000 };

static int64_t quota_period(int64_t period_us)
{
	if (period_us < QUOTA_PERIOD_MIN)
		return QUOTA_PERIOD_MIN;
	return period_us > QUOTA_PERIOD_MAX ? QUOTA_PERIOD_MAX : period_us;
}

static unsigned n_cpus(const struct group *g)
{
	unsigned n = cpuset_count(&g->cpus);

	return n ? n : 1;
}

/* A budget holds on each CPU, a quota for all of them together. */
static struct bandwidth to_quota(const struct group *g, struct bandwidth b)
{
	struct bandwidth q = { quota_period(b.period_us), RUNTIME_UNLIMITED };

	if (b.runtime_us <= 0)
		return q;
	q.runtime_us = b.runtime_us * q.period_us / b.period_us * n_cpus(g);
	if (q.runtime_us < QUOTA_MIN)
		q.runtime_us = QUOTA_MIN;
	return q;
}

/* Back into the terms in which it was written, where it is what was written. */
static struct bandwidth from_quota(const struct group *g, struct bandwidth q)
{
	struct bandwidth written = to_quota(g, g->now);

	if (g->now.period_us > 0 && bandwidth_eq(q, written))
		return g->now;
	if (q.runtime_us != RUNTIME_UNLIMITED)
		q.runtime_us /= n_cpus(g);
	return q;
}

static int v2_read(const struct group *g, int cpu, struct bandwidth *ret, struct error *err)
{
	struct bandwidth q = { 0 };

	(void)cpu;
	if (group_read_pair(g, &q, err) < 0)
		return err->code;
	*ret = from_quota(g, q);
	return 0;
}

static int v2_write(struct group *g, int cpu, enum budget_field field, struct bandwidth to,
		    struct error *err)
{
	(void)cpu;
	(void)field;
	return group_write_pair(g, to_quota(g, to), err);
}

static int v1_read(const struct group *g, int cpu, struct bandwidth *ret, struct error *err)
{
	struct bandwidth q = { 0 };

	(void)cpu;
	if (group_read_numbers(g, &q, err) < 0)
		return err->code;
	*ret = from_quota(g, q);
	return 0;
}

static int v1_write(struct group *g, int cpu, enum budget_field field, struct bandwidth to,
		    struct error *err)
{
	(void)cpu;
	return group_write_field(g, field, to_quota(g, to), err);
}

static int noop_open(struct group *g, struct error *err)
{
	(void)g;
	(void)err;
	return 0;
}

static int noop_read(const struct group *g, int cpu, struct bandwidth *ret, struct error *err)
{
	(void)cpu;
	(void)err;
	*ret = g->now;
	return 0;
}

static int noop_write(struct group *g, int cpu, enum budget_field field, struct bandwidth to,
		      struct error *err)
{
	(void)g;
	(void)cpu;
	(void)field;
	(void)to;
	(void)err;
	return 0;
}

const struct backend backend_cap_v2 = {
	.name = "cap-v2",
	.guarantee = "bandwidth cap, no real-time guarantee: a container never gets more than its "
		     "budget, and may get less",
	.needs = FEATURE_CPU_MAX,
	.scope = SCOPE_CORE,
	.is_cap = true,
	.files = { "cpu.max" },
	.read = v2_read,
	.write = v2_write,
};

const struct backend backend_cap_v1 = {
	.name = "cap-v1",
	.guarantee = "bandwidth cap, no real-time guarantee: a container never gets more than its "
		     "budget, and may get less",
	.needs = FEATURE_CFS_QUOTA,
	.scope = SCOPE_CORE,
	.is_cap = true,
	.files = { "cpu.cfs_quota_us", "cpu.cfs_period_us" },
	.read = v1_read,
	.write = v1_write,
};

const struct backend backend_noop = {
	.name = "noop",
	.guarantee = "none: nothing is written to the kernel",
	.needs = FEATURE_BTF, /* not asked: noop is always usable */
	.scope = SCOPE_CORE,
	.open = noop_open,
	.read = noop_read,
	.write = noop_write,
};
