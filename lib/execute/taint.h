/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_EXECUTE_TAINT_H
#define MCKUBE_EXECUTE_TAINT_H

#include "base/json.h"
#include "plan/plan.h"

/* A node's spec.taints as a Taint or Untaint leaves it: the one that the action is about
 * (MCKUBE_PRESSURE for NodePressure and NodeRelieved, else MCKUBE_TAINT) is taken out, and for a
 * Taint comes behind the others again. `taints` is the list as it is, NULL where there is none. The
 * caller owns the new list. */
cJSON *taints_changed(const cJSON *taints, const struct action *a);

#endif
