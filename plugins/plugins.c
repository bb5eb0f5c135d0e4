/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/policies.h"

#include <stddef.h>

const struct policy *const policies[] = {
	&policy_binpack, &policy_cost,	 &policy_example,  &policy_green,
	&policy_power,	 &policy_spread, &policy_topology, NULL,
};
