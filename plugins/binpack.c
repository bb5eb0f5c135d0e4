/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/policies.h"

/* Best fit: fill cores that are in use before opening new ones, which keeps whole cores free for
 * large budgets and lets idle ones sleep. */
static uint32_t binpack_score(const struct core_view *core)
{
	uint32_t score = 0;

	for (int k = 0; k < 3; k++) {
		uint32_t load = core->load[k] < core->cap[k] ? core->load[k] : core->cap[k];
		uint32_t mode = core->cap[k] ? (uint32_t)(100ull * load / core->cap[k]) : 0;

		score = mode > score ? mode : score;
	}
	return score;
}

const struct policy policy_binpack = {
	.name = "binpack",
	.help = "prefer the core with the least room left (best fit)",
	.score = binpack_score,
};
