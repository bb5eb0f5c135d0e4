/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_FILE_ECONOMY_STATUS_H
#define MCKUBE_PLAN_FILE_ECONOMY_STATUS_H

#include "base/json_out.h"
#include "plan/plan.h"

/* The status as an object: in a plan and in what is written on a server it is the same. Each of its
 * members is written whole. */
void economy_status_write(const struct economy_status *s, struct json_out *o);

#endif
