/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_ECONOMY_STATUS_H
#define MCKUBE_PLAN_ECONOMY_STATUS_H

#include "plan/economy/economy.h"
#include "plan/plan.h"

/* What the statuses of optimizers (status.c) and of policies (policy_status.c) share. */

/* Adds a condition. One that stays as it is, by the conditions that were written last, keeps the
 * time when it became so. */
void status_add_condition(const struct economy *e, struct range conditions, const char *type,
			  const char *status, const char *reason, const char *message,
			  struct economy_status *s);
const struct condition_note *status_find_condition(const struct cluster *c, struct range conditions,
						   const char *type);
bool status_conditions_differ(const struct cluster *c, struct range conditions,
			      const struct economy_status *s);

/* Micro to two decimals, half up. */
int64_t status_to_cents(int64_t micro);

/* Does power that would be written, rounded, in microwatts, differ from what was, in mW? It changes
 * with each neighbour: up to one per cent is no change. */
bool status_power_differs(int64_t microwatts, int64_t was);

void status_fill_budget(const struct economy *e, enum budget_period period,
			const struct budget_note *was, int64_t rate, struct economy_status *s);
/* `limit`: what may be spent, NO_LIMIT. */
bool status_budget_differs(const struct economy_status *s, const struct budget_note *was,
			   int64_t limit);

#endif
