/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_POLICY_H
#define MCKUBE_PLAN_POLICY_H

#include <stdbool.h>
#include <stdint.h>

/* A policy says which of the suitable cores is the best. It never makes a core possible or
 * impossible: admission and the filters do.
 *
 * A policy sees a core as it is before the pod comes, and not the pod: so the scores of all cores
 * are kept in an index, and placing a pod stays logarithmic in the size of the cluster. */

struct core_view {
	/* Load by mode in parts per million of one CPU, and what it may be at most. Where the
	 * node's kernel counts node-wide these are the node's sums. */
	uint32_t load[3], cap[3];
	uint32_t n_pods; /* RT pods on this core */

	uint32_t node_cores, node_used_cores; /* RT cores of the node, and those with a pod */
	uint32_t siblings, busy_siblings;     /* other threads of the same physical core */
	uint32_t numa_cores, numa_used_cores; /* cores of the same NUMA node */

	/* Of the node, in parts per million: what a CPU of it costs and, when all of it works,
	 * draws, of the most that one of any node does; and how much of its energy is renewable.
	 * 0 where no policy with needs_fleet is used. */
	uint32_t cost, power, renewable;
};

enum { SCORE_MAX = 100 };

struct policy {
	const char *name; /* lower case, also its key in the configuration */
	const char *help; /* one line */
	/* 0 (worst) to SCORE_MAX (best). */
	uint32_t (*score)(const struct core_view *core);
	bool needs_fleet; /* it looks at cost, power or renewable: model/fleet.h */
};

#endif
