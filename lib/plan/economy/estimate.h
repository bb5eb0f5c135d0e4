/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_ECONOMY_ESTIMATE_H
#define MCKUBE_PLAN_ECONOMY_ESTIMATE_H

#include "plan/economy/economy.h"

/* What a replica of an optimizer without pods would cost and draw, by its spec.resources: the
 * smallest share among the nodes that its placement policy and the rules about spot allow, that
 * have no taint to be tolerated, and that have room for it where nothing else runs. It is in no
 * account: nothing is spent by it. */

struct cost_estimate {
	node_id node;
	int64_t cost, power; /* micro-USD per hour, mW */
};

/* False: it has pods, says nothing of its resources, or no node would take one. */
bool economy_estimate(const struct economy *e, optimizer_id id, struct cost_estimate *ret);

/* Warns where a pod requests more than spec.resources says. */
void economy_check_estimates(struct economy *e);

#endif
