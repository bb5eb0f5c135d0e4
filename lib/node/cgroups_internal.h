/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_CGROUPS_INTERNAL_H
#define MCKUBE_NODE_CGROUPS_INTERNAL_H

#include "node/cgroups.h"

/* Between forest.c (budgets) and forest_nodes.c (which groups there are). */

enum { SECOND_US = 1000000 };

static inline struct budget_node *forest_tree_node(const struct lane *l,
						   const struct forest_node *n)
{
	return &l->tree.nodes.items[n->index];
}

void forest_free_node(struct forest_node *n);

/* Something changed, whoever did it: forest_release() waits anew. */
void forest_note_change(struct forest *f);

/* Opens the groups of others below `parent` that hold budgets: they count in its sum. */
void forest_add_foreign(struct forest *f, struct forest_node *parent);

/* Takes a group out, with the gap closed; parents stay in front of their children. */
void forest_drop(struct forest *f, struct forest_node *gone);

#endif
