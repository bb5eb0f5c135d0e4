/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_SET_RT_H
#define MCKUBE_NODE_SET_RT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "budget/cpuset.h"
#include "node/backend/backend.h"
#include "node/container.h"

/* One budget for one container, written once and not kept: `mckube-node set-rt`, and the older
 * agents' POST /cgroup and /set-rt. The groups above are raised as far as needed. */
struct set_rt {
	char container[CONTAINER_ID_MAX + 1];
	int64_t period_us, runtime_us;
	bool is_runtime_only; /* the period stays, and so do the CPUs */
	bool has_cores;
	struct cpuset cores;
};

/* Reads {"container_id", "period", "runtime", "core", "only_runtime"}; container_id with or without
 * its scheme, core a list or absent. */
int set_rt_parse(const char *json, size_t n, struct set_rt *ret, struct error *err);

/* Is it within bounds? Period 100 to 4,000,000, runtime 0 to the period. */
int set_rt_check(const struct set_rt *s, struct error *err);

int set_rt_apply(const struct set_rt *s, const struct kernel *k, const struct backend *b,
		 int64_t capacity_us, struct error *err);

/* Gives all processes of a container a nice value, -20 to 19: POST /renice. */
int container_set_nice(const struct kernel *k, const char *container, int nice, struct error *err);

#endif
