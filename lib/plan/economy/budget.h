/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_ECONOMY_BUDGET_H
#define MCKUBE_PLAN_ECONOMY_BUDGET_H

#include "plan/economy/economy.h"

/* When budgetLimit is spent at what its pods cost now; 0: never, not before the next period, it is
 * already, or the snapshot has no time. At most DATE_MAX. */
int64_t economy_budget_end(const struct economy *e, optimizer_id id);

/* Warns where workloads that serve have a budget for all time. */
void economy_warn_of_budgets(struct economy *e);

#endif
