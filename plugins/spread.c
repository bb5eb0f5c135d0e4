/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/policies.h"

/* Worst fit: what is free on every core stays as much as possible, so that an overrun meets room
 * and the next pod meets a choice. The mode with the least room decides. */
static uint32_t spread_score(const struct core_view *core)
{
	uint32_t score = 100;

	for (int k = 0; k < 3; k++) {
		uint32_t load = core->load[k] < core->cap[k] ? core->load[k] : core->cap[k];
		uint32_t mode = core->cap[k] ? (uint32_t)(100 - 100ull * load / core->cap[k]) : 0;

		score = mode < score ? mode : score;
	}
	return score;
}

const struct policy policy_spread = {
	.name = "spread",
	.help = "prefer the core with the most room left (worst fit; the default)",
	.score = spread_score,
};
