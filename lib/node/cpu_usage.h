/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_CPU_USAGE_H
#define MCKUBE_NODE_CPU_USAGE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "node/kernel.h"

/* How busy the node is, from /proc/stat: the share of all CPUs' time that was not idle (idle and
 * iowait) between two samples, and for how long it has been above a threshold. It is calm again
 * when it has stayed at or below the threshold for a while. */
struct cpu_reading {
	uint32_t ppm;
	bool is_busy;
	int64_t over_since_ns; /* 0: not above the threshold */
};

/* One thread samples, any may read. Zeroed but for the first two members. */
struct cpu_usage {
	uint32_t busy_above; /* ppm; 900000 as in the older agents */
	int64_t calm_ns;     /* 5 s as in the older agents */
	/* Private. */
	pthread_mutex_t lock;
	struct cpu_reading last;
	int64_t below_since_ns;
	uint64_t total, idle;
};

/* The first sample gives no usage. */
int cpu_usage_sample(struct cpu_usage *u, const struct kernel_roots *roots, int64_t now_ns,
		     struct error *err);

/* The last sample. */
struct cpu_reading cpu_usage_read(struct cpu_usage *u);

#endif
