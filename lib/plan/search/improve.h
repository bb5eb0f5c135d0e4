/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_SEARCH_IMPROVE_H
#define MCKUBE_PLAN_SEARCH_IMPROVE_H

#include "plan/planner.h"

/* Pods were placed one after the other, each where that was best then. Where there are few enough,
 * they are placed again: first all of them together, for a part of the steps that
 * the settings allow; then a few at a time, with the others where they are, until nothing gets
 * better or the steps are used up. p->is_exact tells whether the result is known to be the best. */
enum { IMPROVE_MAX_UNITS = 160, IMPROVE_MAX_NODES = 16 };

void improve(struct planner *p);

#endif
