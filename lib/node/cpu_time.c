/* SPDX-License-Identifier: Apache-2.0 */
#include "node/cpu_time.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/units.h"
#include "node/sysfs.h"

static const char stat_key[] = "usage_usec ";

bool cpu_time_read(const struct cpu_time *t, uint64_t *ret_ns)
{
	char buf[SYSFS_VALUE];

	if (sysfs_pread(t->fd, "cpu time", buf, sizeof(buf), NULL) < 0)
		return false;
	const char *text = t->is_stat ? strstr(buf, stat_key) : buf;
	if (!text)
		return false;
	int64_t value = strtoll(t->is_stat ? text + sizeof(stat_key) - 1 : text, NULL, 10);
	*ret_ns = (uint64_t)value * (t->is_stat ? NS_PER_US : 1);
	return true;
}

/* On cgroup v1 the two controllers may be mounted apart: cpuacct has the same path then. */
static int open_apart(const struct kernel *k, const struct group *g)
{
	char path[PATH_MAX], link[64];
	size_t root = strlen(k->cpu);

	snprintf(link, sizeof(link), "/proc/self/fd/%d", g->dir);
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	if (n <= (ssize_t)root)
		return -1;
	AUTO_FREE char *apart = xasprintf("%.*s/../cpuacct%.*s/cpuacct.usage", (int)root, k->cpu,
					  (int)(n - (ssize_t)root), path + root);
	return open(apart, O_RDONLY | O_CLOEXEC);
}

bool cpu_time_open(struct cpu_time *t, const struct kernel *k, const struct group *g)
{
	*t = (struct cpu_time){ .fd = openat(g->dir, "cpuacct.usage", O_RDONLY | O_CLOEXEC) };
	if (t->fd < 0)
		t->fd = open_apart(k, g);
	if (t->fd < 0) {
		t->is_stat = true;
		t->fd = openat(g->dir, "cpu.stat", O_RDONLY | O_CLOEXEC);
	}
	return t->fd >= 0;
}

void cpu_time_close(struct cpu_time *t)
{
	auto_close_fd(&t->fd);
	t->fd = -1;
}
