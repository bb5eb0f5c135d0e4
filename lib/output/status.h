/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_OUTPUT_STATUS_H
#define MCKUBE_OUTPUT_STATUS_H

#include "base/error.h"
#include "model/cluster.h"
#include "model/label_selector.h"
#include "model/settings.h"
#include "output/style.h"
#include "output/table.h"

/* The cluster as it is: every pod that has a real-time request or cores, and the cores they are on.
 */

/* What of it is shown. */
struct status_view {
	const char *ns;			       /* only pods of this namespace; NULL: all */
	node_id node;			       /* only this node; NONE: all */
	pod_id pod;			       /* only this pod, in full; NONE: all */
	const struct label_selector *selector; /* only pods with such labels; NULL: all */
	const char *sort_by; /* a column of the listing, which FORMAT_TABLE is then, too */
	bool has_header;
};

/* FORMAT_TABLE draws the nodes as core maps and lists the pods without cores; the other formats
 * list the pods; behind them what namespaces may ask for. A view of one pod describes it and draws
 * its node. With a namespace or a selector only nodes with such pods are drawn. */
int status_render(const struct cluster *c, const struct settings *settings,
		  const struct status_view *view, enum format format, const struct style *style,
		  struct str *out, struct error *err);

/* The listing; its strings are its own. */
int status_table(const struct cluster *c, const struct settings *settings,
		 const struct status_view *view, struct table *ret, struct error *err);

#endif
