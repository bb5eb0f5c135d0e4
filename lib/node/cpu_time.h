/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_CPU_TIME_H
#define MCKUBE_NODE_CPU_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "node/backend/backend.h"
#include "node/kernel.h"

/* The CPU time of a cgroup since it was made: of all its CPUs, threads and policies together, as
 * the kernel publishes it (cpuacct.usage, or cpu.stat of cgroup v2). */

struct cpu_time {
	int fd;
	bool is_stat; /* cpu.stat, else cpuacct.usage */
};

/* False: this kernel does not publish it. To be closed in either case. */
bool cpu_time_open(struct cpu_time *t, const struct kernel *k, const struct group *g);
bool cpu_time_read(const struct cpu_time *t, uint64_t *ret_ns);
void cpu_time_close(struct cpu_time *t);

#endif
