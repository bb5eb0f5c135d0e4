/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/policies.h"

/* How much of the energy of the node is renewable. */
static uint32_t green_score(const struct core_view *core)
{
	return (uint32_t)((uint64_t)core->renewable * SCORE_MAX / 1000000);
}

const struct policy policy_green = {
	.name = "green",
	.help = "prefer nodes on renewable energy",
	.score = green_score,
	.needs_fleet = true,
};
