/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_REPLACEMENT_H
#define MCKUBE_PLAN_REPLACEMENT_H

#include "plan/planner.h"

/* Where the replacements of evicted pods would fit, on other nodes, if they came now: sets
 * `replacement` of each of these units, all of them together, or NONE. The loads of the trial
 * are as before afterwards. */
void replacement_find(struct planner *p, const unit_id *evicted, size_t n);

/* Each evicted unit that has a replacement takes its room, or leaves it again. */
void replacement_hold(struct trial *t, bool holds);

#endif
