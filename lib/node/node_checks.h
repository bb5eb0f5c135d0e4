/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_NODE_CHECKS_H
#define MCKUBE_NODE_NODE_CHECKS_H

#include "base/array.h"
#include "node/backend/backend.h"
#include "node/kernel.h"

/* What of a node's settings is against real time, or against the backend: for `mckube-node check`.
 * What cannot be read is not warned of. */

enum { NODE_WARNING_TEXT = 240 };

struct node_warning {
	const char *key; /* camelCase, for -o json */
	char text[NODE_WARNING_TEXT];
};

struct node_warnings {
	ARRAY(struct node_warning) list;
};

void node_warnings_find(const struct kernel_roots *roots, const struct kernel *k,
			const struct backend *b, struct node_warnings *ret);
void node_warnings_done(struct node_warnings *w);

#endif
