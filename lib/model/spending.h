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
int64_t spending_now(enum budget_period period, const struct budget_note *was, int64_t now);

/* The budgets of a CostPolicy, which all hold: of a month, and in all. Of two of them the note has
 * the month's spending, and the total beside it. */
enum { POLICY_BUDGETS = 2 };
struct policy_budget {
	enum budget_period period;
	int64_t limit, spent;
};

uint32_t spending_of_policy(const struct cost_policy *p, int64_t now,
			    struct policy_budget ret[static POLICY_BUDGETS]);

/* The part that is spent of the budget that has least left, ppm; 0 without one. */
int64_t spending_part(const struct cost_policy *p, int64_t now);

/* The day's account at `now`, where *rate holds since its accounted_at: none begins with it. */
struct day_note spending_day(const struct day_note *was, const struct budget_note *rate,
			     int64_t now);

/* Seconds from `now` until so much is spent at this rate, at least 1; 0: never, or it is already.
 */
int64_t spending_seconds_left(int64_t spent, int64_t limit, int64_t rate);

/* When the period ends that `now` lies in; 0 for Total. */
int64_t spending_period_end(enum budget_period period, int64_t now);

#endif
