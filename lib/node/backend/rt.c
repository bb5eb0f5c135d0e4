/* SPDX-License-Identifier: Apache-2.0 */

/* Real-time budgets of cgroups in their file dialects. */
#include <errno.h>
#include <string.h>

#include "node/backend/file.h"
#include "node/sysfs.h"

/* cpu.rt_runtime_us and cpu.rt_period_us, one number each. */
static int two_files_read(const struct group *g, int cpu, struct bandwidth *ret, struct error *err)
{
	(void)cpu;
	return group_read_numbers(g, ret, err);
}

static int two_files_write(struct group *g, int cpu, enum budget_field field, struct bandwidth to,
			   struct error *err)
{
	(void)cpu;
	return group_write_field(g, field, to, err);
}

/* One number a CPU, separated by blanks. */
static int multi_read(const struct group *g, int cpu, struct bandwidth *ret, struct error *err)
{
	char buf[SYSFS_VALUE], *at = buf, *word = NULL;
	struct bandwidth b;

	if (group_read_number(g, FILE_PERIOD, &b.period_us, err) < 0 ||
	    sysfs_pread(g->files[FILE_RUNTIME], g->backend->files[FILE_RUNTIME], buf, sizeof(buf),
			err) < 0)
		return err->code;
	for (int i = 0; i <= cpu; i++)
		word = strtok_r(i ? NULL : buf, " \t\n", &at);
	if (!word || !sysfs_parse_int(word, &b.runtime_us))
		return error_set(err, -EINVAL, "read %s: no number for CPU %d",
				 g->backend->files[FILE_RUNTIME], cpu);
	*ret = b;
	return 0;
}

static int multi_write(struct group *g, int cpu, enum budget_field field, struct bandwidth to,
		       struct error *err)
{
	char buf[2 * SYSFS_INT + 2], *at;

	if (field == BUDGET_PERIOD)
		return group_write_number(g, FILE_PERIOD, to.period_us, err);
	at = sysfs_put_int(buf, cpu);
	*at++ = ' ';
	*sysfs_put_int(at, to.runtime_us) = '\0';
	return sysfs_pwrite(g->files[FILE_RUNTIME], g->backend->files[FILE_RUNTIME], buf, err);
}

/* cpu.rt.max: "<runtime|max> <period>", both in one write. */
static int max_read(const struct group *g, int cpu, struct bandwidth *ret, struct error *err)
{
	(void)cpu;
	return group_read_pair(g, ret, err);
}

static int max_write(struct group *g, int cpu, enum budget_field field, struct bandwidth to,
		     struct error *err)
{
	(void)cpu;
	(void)field;
	return group_write_pair(g, to, err);
}

const struct backend backend_cgroup_v1 = {
	.name = "cgroup-v1",
	.guarantee = "a container's FIFO and RR threads get at most their budget in each period on "
		     "every CPU, and at least that much unless others run at a higher priority",
	.needs = FEATURE_RT_GROUPS_V1,
	.scope = SCOPE_NODE,
	.has_tree = true,
	.is_rt = true,
	.files = { "cpu.rt_runtime_us", "cpu.rt_period_us" },
	.read = two_files_read,
	.write = two_files_write,
};

const struct backend backend_hcbs_v2 = {
	.name = "hcbs-v2",
	.guarantee = "a container's FIFO and RR threads get their budget in each period on every "
		     "CPU from a deadline server, whatever other containers do",
	.needs = FEATURE_RT_GROUPS_V2,
	.scope = SCOPE_NODE,
	.has_tree = true,
	.is_rt = true,
	.files = { "cpu.rt_runtime_us", "cpu.rt_period_us" },
	.read = two_files_read,
	.write = two_files_write,
};

const struct backend backend_hcbs_multi = {
	.name = "hcbs-multi",
	.guarantee = "a container's FIFO and RR threads get their budget in each period on their "
		     "own CPUs from a deadline server, whatever other containers do",
	.needs = FEATURE_HCBS_MULTI,
	.scope = SCOPE_CORE,
	.has_tree = true,
	.is_per_cpu = true,
	.is_rt = true,
	.files = { "cpu.rt_multi_runtime_us", "cpu.rt_period_us" },
	.read = multi_read,
	.write = multi_write,
};

const struct backend backend_hcbs_max = {
	.name = "hcbs-max",
	.guarantee = "a container's FIFO and RR threads get their budget in each period on every "
		     "CPU from a deadline server, whatever other containers do",
	.needs = FEATURE_HCBS_MAX,
	.scope = SCOPE_NODE,
	.has_tree = true,
	.is_rt = true,
	.files = { "cpu.rt.max" },
	.read = max_read,
	.write = max_write,
};
