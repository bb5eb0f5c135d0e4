/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_OUTPUT_OPTIMIZER_H
#define MCKUBE_OUTPUT_OPTIMIZER_H

#include "base/error.h"
#include "model/cluster.h"
#include "model/settings.h"
#include "output/table.h"
#include "plan/explain/optimizer.h"

/* WorkloadOptimizers: what their pods cost and draw. Money is dollars (per hour where it is a
 * rate), power watts, both as exact decimals. */

/* Why one costs what it does. */
void optimizer_explain_text(const struct optimizer_explanation *e, const struct style *style,
			    struct str *out);
void optimizer_explain_json(const struct optimizer_explanation *e, struct str *out);

/* A row for each, as the snapshot has them; `ns`: only those of this namespace; NULL: all. With
 * `optimizer` that one in full, in FORMAT_TABLE; NONE: all. */
int optimizer_list(const struct cluster *c, const struct settings *settings, const char *ns,
		   uint32_t optimizer, enum format format, const struct style *style,
		   bool has_header, struct str *out, struct error *err);

/* "Cost: ..." and "Power: ..." of a node, with what no pod is charged of it, which is idle; nothing
 * in a cluster without optimizers and policies. */
void optimizer_node_text(const struct cluster *c, const struct settings *settings, node_id node,
			 const struct style *style, struct str *out);

/* The same as a row for each node, or for `node` unless it is NONE. */
void optimizer_node_table(const struct cluster *c, const struct settings *settings, node_id node,
			  struct table *ret);

#endif
