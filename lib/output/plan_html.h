/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_OUTPUT_PLAN_HTML_H
#define MCKUBE_OUTPUT_PLAN_HTML_H

#include "base/str.h"
#include "model/cluster.h"
#include "plan/plan.h"

/* The plan as one self-contained HTML page: no other file, no network, and a policy of its own that
 * lets nothing else in, so a name can do no harm even if it were not made harmless. It shows the
 * totals, the actions by kind, what cannot be placed, the warnings, and every node as a map of its
 * cores, before and after, with a bar for each mode. Nodes that change come first, and stand open
 * while they are few; of the others at most 200 are drawn. With scripts it can be searched,
 * filtered, sorted, and used by keys alone; without, it is all there. The plan must have been made
 * from this snapshot. */
void plan_html(const struct cluster *c, const struct plan *p, struct str *out);

#endif
