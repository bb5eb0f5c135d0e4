/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_ENFORCEMENT_H
#define MCKUBE_PLAN_ENFORCEMENT_H

#include "plan/plan.h"
#include "plan/trial.h"

/* How each pod's budget is held, by unit_id (enum enforcement; the caller frees it):
 *
 * watch: the kernel's budget is C(High) from the start and crossing C(Low) is noticed in software,
 * so a pod that overruns is never stopped in between; raise: the kernel's budget is that of the
 * level, and is raised after an overrun (a throttled group runs again at its next period).
 *
 * The kernel's own sum over a core must stay within its capacity, so watch is given in the order of
 * choice, the most critical first, as long as it fits on every core of the pod. Every pod counts
 * with C(Low) here, whatever its level is now: levels come and go, and while one is raised the node
 * helper takes what it needs from those that are watched. */
uint8_t *enforcement_choose(const struct trial *t);

#endif
