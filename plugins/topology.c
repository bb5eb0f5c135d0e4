/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/policies.h"

/* Threads of one physical core slow each other down, and cores of one NUMA node share memory
 * bandwidth: prefer cores with idle siblings first (70 points), on quiet NUMA nodes second (30). */
static uint32_t topology_score(const struct core_view *core)
{
	uint32_t score = 70;

	if (core->siblings)
		score -= 70 * core->busy_siblings / core->siblings;
	if (core->numa_cores)
		score += 30 - 30 * core->numa_used_cores / core->numa_cores;
	return score;
}

const struct policy policy_topology = {
	.name = "topology",
	.help = "prefer cores with idle SMT siblings, on NUMA nodes with little real-time load",
	.score = topology_score,
};
