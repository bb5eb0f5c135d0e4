/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLUGINS_POLICIES_H
#define MCKUBE_PLUGINS_POLICIES_H

#include "plan/policy.h"

/* All policies, NULL-terminated, sorted by name. A new one is a file with a `const struct policy`
 * and a row in plugins.c. cmd/ hands the table to plan_make(): lib/plan knows none of them. */
extern const struct policy *const policies[];

extern const struct policy policy_binpack;
extern const struct policy policy_cost;
extern const struct policy policy_example;
extern const struct policy policy_green;
extern const struct policy policy_power;
extern const struct policy policy_spread;
extern const struct policy policy_topology;

#endif
