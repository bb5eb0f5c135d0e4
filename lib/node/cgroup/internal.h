/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_CGROUP_INTERNAL_H
#define MCKUBE_NODE_CGROUP_INTERNAL_H

#include "node/cgroup/cgroups.h"

/* Between cgroups.c (budgets) and nodes.c (which groups there are). */

static inline struct cgroup_tree_node *cgroups_tree_node(const struct cpu_domain *d,
							 const struct cgroup *n)
{
	return &d->tree.nodes.items[n->index];
}

void cgroups_free_node(struct cgroup *n);

/* Something changed, from any source: cgroups_release() waits again. */
void cgroups_mark_changed(struct cgroups *c);

/* Opens the unmanaged groups below `parent` that hold budgets: they count in its sum. */
void cgroups_add_unmanaged(struct cgroups *c, struct cgroup *parent);

/* Takes a group out, with the gap closed; parents stay in front of their children. */
void cgroups_drop(struct cgroups *c, struct cgroup *gone);

#endif
