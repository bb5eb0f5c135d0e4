/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_OUTPUT_EXPLAIN_H
#define MCKUBE_OUTPUT_EXPLAIN_H

#include "budget/replay.h"
#include "output/style.h"
#include "plan/explain/explain.h"

/* An explanation as text: nodes that refuse for the same reason share a line, and of those whose
 * cores were tried the EXPLAIN_NODES nearest ones are shown in full. With what a history says of
 * the pod; NULL: there is none. */
enum { EXPLAIN_NODES = 8 };
void explain_text(const struct explanation *e, const struct replay *history,
		  const struct style *style, struct str *out);

/* The same as data, complete: an object of kind Explanation, two spaces of indent, a newline at the
 * end. Ratios are parts per million. */
void explain_json(const struct explanation *e, const struct replay *history, struct str *out);

#endif
