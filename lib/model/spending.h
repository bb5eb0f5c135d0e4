/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_SPENDING_H
#define MCKUBE_MODEL_SPENDING_H

#include "model/economy.h"

/* What was spent of a budget: status.budget of the last pass, and since then its rate for the time
 * that has gone by. Nothing else is remembered, so a pass that is done twice counts once. */

/* When the period began that `now` lies in, by the UTC calendar; 0 for Total. Weeks begin on
 * Monday. */
int64_t spending_period_start(enum budget_period period, int64_t now);

/* Micro-USD spent in the period until `now`. A clock that went back adds nothing; where a period
 * has begun since accounted_at, only what came after its beginning counts. Rounded half up. */
int64_t spending_now(enum budget_period period, int64_t spent, int64_t rate, int64_t accounted_at,
		     int64_t now);

#endif
