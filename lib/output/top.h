/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_OUTPUT_TOP_H
#define MCKUBE_OUTPUT_TOP_H

#include "model/cluster.h"
#include "model/pod_use.h"
#include "model/settings.h"
#include "output/table.h"

/* What is used of what was granted, as listings: the pods that have cores, the nodes, or the cores
 * that are for real time. */

enum top_view { TOP_PODS, TOP_NODES, TOP_CORES, TOP_VIEWS };
extern const char *const top_views[]; /* "pods", "nodes", "cores", NULL */

struct top_input {
	const struct cluster *c;
	const struct settings *settings;
	const struct node_uses *uses;
	const char *ns; /* only pods of this namespace, for the pods; NULL: all */
	node_id node;	/* only this node; NONE: all */
	int64_t now;	/* seconds since 1970 */
};

/* Loads and use of cores and nodes are sums over their pods: what a pod uses is divided evenly
 * among its cores, and what is not known counts as nothing, unless nothing is. A node's limit is
 * the sum of its cores', or that of its one budget. */
void top_table(const struct top_input *in, enum top_view view, struct table *ret);

/* The same without rows. */
void top_columns(enum top_view view, struct table *ret);

/* The cores alone, with their load in each mode; of one node, or NONE: all. */
void core_table(const struct cluster *c, const struct settings *settings, node_id node,
		struct table *ret);

/* "3 nodes, 12 pods, 2 above level low, 1 helper silent". */
void top_summary(const struct top_input *in, struct str *out);

#endif
