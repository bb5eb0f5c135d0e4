/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_EXECUTE_STALE_H
#define MCKUBE_EXECUTE_STALE_H

#include "base/error.h"
#include "base/str.h"
#include "model/cluster.h"
#include "plan/plan.h"

/* A saved plan is executed on the cluster it was made for, or not at all. Compares the target of
 * every action with the snapshot: uid and resourceVersion where the plan has them; and looks for
 * the nodes that the plan wants to use. Adds one line with its newline to `stale` for each
 * difference, once for each object:
 *
 *	Pod default/brake: resourceVersion 815 in the plan, 820 now
 *	Pod default/video: uid 1c2d in the plan, 9f00 now
 *	McKube default/logger: not found
 *	Node edge-3: not found
 *
 * Returns 0 when nothing differs, else -ESTALE with their number in err. */
int plan_check_fresh(const struct plan *p, const struct cluster *c, struct str *stale,
		     struct error *err);

#endif
