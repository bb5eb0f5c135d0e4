/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_EXECUTE_ORDER_H
#define MCKUBE_EXECUTE_ORDER_H

#include "plan/plan.h"

/* Which actions of a plan wait for which: an action waits for those that its `after` names, and for
 * the one before it on the same object. All arrays are by the action's place in the plan. */
struct order {
	uint32_t *previous;	  /* the one before on the same object, NONE */
	uint32_t *n_open;	  /* how many it waits for; the executor counts it down */
	struct range *dependents; /* in `list`: those that wait for it */
	uint32_t *list;
};

void order_init(struct order *o, const struct plan *p);
void order_done(struct order *o);

#endif
