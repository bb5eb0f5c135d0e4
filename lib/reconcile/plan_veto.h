/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_RECONCILE_PLAN_VETO_H
#define MCKUBE_RECONCILE_PLAN_VETO_H

#include "plan/plan.h"
#include "remote/policy_engine.h"

/* Does the core scheduler of KCloud allow what a plan does for cost and power? A plan that does
 * nothing for them is not asked about, and of one that is refused the rest is executed: real time,
 * the release of pods, finalizers. Status of what is refused would say that it was done: it is
 * refused, too, and what was spent is counted on by the next one that is written. */

struct plan_veto {
	struct policy_engine service;	  /* url NULL or "": nothing is asked */
	int64_t taken_at;		  /* of the plan that was asked about last */
	char why[POLICY_REASON_MAX + 64]; /* it is refused; "": it is not */
};

void plan_veto_ask(struct plan_veto *v, const struct plan *p, const char *(*stop)(void *arg),
		   void *arg);

/* Why the action, of the plan that was asked about last, must not be executed; NULL: it may. */
const char *plan_veto_denial(const struct plan_veto *v, const struct action *a);

#endif
