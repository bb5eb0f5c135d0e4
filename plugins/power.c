/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/policies.h"

/* What a CPU of the node draws when all of the node works: the most scores 0. */
static uint32_t power_score(const struct core_view *core)
{
	return SCORE_MAX - (uint32_t)((uint64_t)core->power * SCORE_MAX / 1000000);
}

const struct policy policy_power = {
	.name = "power",
	.help = "prefer nodes where a CPU draws little power",
	.score = power_score,
	.needs_fleet = true,
};
