/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/policies.h"

/* What a CPU of the node costs: the dearest scores 0. */
static uint32_t cost_score(const struct core_view *core)
{
	return SCORE_MAX - (uint32_t)((uint64_t)core->cost * SCORE_MAX / 1000000);
}

const struct policy policy_cost = {
	.name = "cost",
	.help = "prefer nodes where a CPU costs little",
	.score = cost_score,
	.needs_fleet = true,
};
