/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_OUTPUT_PLAN_HTML_H
#define MCKUBE_OUTPUT_PLAN_HTML_H

#include "base/str.h"
#include "model/cluster.h"
#include "plan/plan.h"

/* The plan as one self-contained HTML page: no other file, no network. It shows the
 * totals, the actions, what cannot be placed, the warnings, and every node as a map of its cores,
 * before and after, with a bar for each mode. Nodes that change stand open, the others are folded;
 * of those at most 200 are drawn. The plan must have been made from this snapshot. */
void plan_html(const struct cluster *c, const struct plan *p, struct str *out);

#endif
