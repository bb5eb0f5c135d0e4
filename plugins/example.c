/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/policies.h"

/* The smallest policy there is, as a start for your own. It prefers cores with few pods.
 *
 * A score is 0 to 100, higher is better, and depends on the core alone: the same view must give the
 * same score, and nothing may be read but the view. Copy this file, rename three things, and add
 * the policy to policies.h and plugins.c; `kubectl mckube policies` then lists it, and
 * test/unit/plugins/policies_test.c checks its range. */
static uint32_t example_score(const struct core_view *core)
{
	return core->n_pods < 10 ? 100 - 10 * core->n_pods : 0;
}

const struct policy policy_example = {
	.name = "example",
	.help = "prefer cores with few pods (a sample to start from)",
	.score = example_score,
};
