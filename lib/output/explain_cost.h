/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_OUTPUT_EXPLAIN_COST_H
#define MCKUBE_OUTPUT_EXPLAIN_COST_H

#include "base/json_out.h"
#include "output/style.h"
#include "plan/explain/explain.h"

/* What each node would cost with the pod, the cheapest first: nothing for a pod that is not placed
 * for money. Money is dollars per hour, power watts, both as exact decimals. */
void explain_cost_text(const struct explanation *e, const struct style *style, struct str *out);

/* The member "cost" of a node's verdict. */
void explain_cost_json(const struct node_cost *cost, struct json_out *o);

#endif
