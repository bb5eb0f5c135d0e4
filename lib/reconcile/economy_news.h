/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_RECONCILE_ECONOMY_NEWS_H
#define MCKUBE_RECONCILE_ECONOMY_NEWS_H

#include "plan/plan.h"

/* What a status that was written says and the one before it did not: Events of WorkloadOptimizers
 * (WorkloadOptimized, BudgetExhausted, BudgetExceeded, MoveRolledBack) and of policies
 * (ThresholdReached). Two statuses are compared, and no times: passes may be closer than the second
 * that times have, and clocks go back. */

/* `a` writes the status of an object of `c`, the snapshot that its plan was executed on. Calls
 * tell() for each Event; its note ends with the call. */
void economy_news(const struct cluster *c, const struct action *a,
		  void (*tell)(const char *reason, const char *note, bool is_warning, void *arg),
		  void *arg);

#endif
