/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_TARGET_H
#define MCKUBE_PLAN_TARGET_H

#include "plan/plan.h"

/* Leaves of a plan what it does with one pod and for it: the actions on it, those by which others
 * yield to it, and all that have to be done before. Of what cannot be placed only that pod stays.
 * Any order that `after` allows is right, and so is this part. The plan has another name then. */
void plan_limit(struct plan *p, const char *ns, const char *name);

#endif
