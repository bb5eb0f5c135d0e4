/* SPDX-License-Identifier: Apache-2.0 */
#include "node/topology.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "budget/cpuset.h"
#include "node/sysfs.h"

enum { NUMA_MAX = 1024 };

struct physical {
	unsigned first; /* the lowest CPU of the core: that one is listed */
	int64_t socket;
	int numa;
	char siblings[CPUSET_TEXT];
};

static int numa_of(const char *sys, unsigned cpu)
{
	for (int numa = 0; numa < NUMA_MAX; numa++) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s/devices/system/cpu/cpu%u/node%d", sys, cpu, numa);
		if (sysfs_exists(AT_FDCWD, path))
			return numa;
	}
	return 0;
}

static bool read_core(const char *sys, unsigned cpu, struct physical *ret)
{
	char path[PATH_MAX], text[SYSFS_VALUE];
	struct cpuset siblings;

	snprintf(path, sizeof(path), "%s/devices/system/cpu/cpu%u/topology/thread_siblings_list",
		 sys, cpu);
	if (sysfs_read(AT_FDCWD, path, text, sizeof(text), NULL) < 0 ||
	    cpuset_parse(text, strlen(text), &siblings, NULL) < 0)
		return false;
	ret->first = cpuset_next(&siblings, 0);
	cpuset_format(&siblings, ret->siblings);
	ret->socket = 0;
	snprintf(path, sizeof(path), "%s/devices/system/cpu/cpu%u/topology/physical_package_id",
		 sys, cpu);
	sysfs_read_int(AT_FDCWD, path, &ret->socket, NULL);
	ret->numa = ret->first == cpu ? numa_of(sys, cpu) : 0;
	return true;
}

static int by_place(const void *a, const void *b)
{
	const struct physical *x = a, *y = b;

	if (x->socket != y->socket)
		return x->socket < y->socket ? -1 : 1;
	if (x->numa != y->numa)
		return x->numa < y->numa ? -1 : 1;
	return x->first < y->first ? -1 : x->first > y->first;
}

void topology_read(const struct kernel_roots *roots, unsigned cpus, struct str *out)
{
	AUTO_FREE struct physical *cores = xcalloc(cpus ? cpus : 1, sizeof(*cores));
	size_t n = 0;

	for (unsigned cpu = 0; cpu < cpus; cpu++)
		if (read_core(roots->sys, cpu, &cores[n]) && cores[n].first == cpu)
			n++;
	qsort(cores, n, sizeof(*cores), by_place);
	for (size_t i = 0; i < n; i++) {
		const char *gap = " ";

		if (i && cores[i].socket != cores[i - 1].socket)
			gap = " / ";
		else if (i && cores[i].numa != cores[i - 1].numa)
			gap = " | ";
		str_addf(out, "%s%s", i ? gap : "", cores[i].siblings);
	}
}
