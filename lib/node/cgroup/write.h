/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_CGROUP_WRITE_H
#define MCKUBE_NODE_CGROUP_WRITE_H

#include "budget/cgroup_tree.h"
#include "node/backend/backend.h"

/* Carries a budget tree's writes out: all of them, or none.
 *
 * A write that the kernel refuses with EINVAL is tried again for a while, since a group with a
 * budget counts for 16-20 ms after it was removed (measured on Linux 6.18: its task group leaves
 * its parent's list only after an RCU grace period). After any other refusal what was written is
 * undone in reverse order, which is valid at every step again. The tree's `now` follows the kernel.
 *
 * Nothing is allocated: this is on the way from an overrun to the new budget. */

enum { APPLY_RETRY_MS = 40 };

struct apply {
	struct cgroup_tree *tree;
	struct group *const *groups; /* by number of the tree's node */
	int cpu;		     /* CPU_ALL, or the CPU that the tree is for */
	int retry_ms;
};

/* Errors: those of the kernel, naming group and value. -ENODEV and -ENOENT: the group is gone. */
int apply_writes(const struct apply *a, const struct budget_write *writes, size_t n,
		 struct error *err);

/* Undoes writes in reverse order. True: everything is as before; groups that are gone need no
 * undoing. */
bool apply_undo(const struct apply *a, const struct budget_write *writes, size_t n);

/* Plans and writes; `writes` has room for 2 * nodes.n. */
int apply_tree(const struct apply *a, struct budget_write *writes, struct error *err);

/* Reads back the groups that the writes changed. -EREMCHG: something else stands there, which
 * means that another process writes, too. */
int apply_verify(const struct apply *a, const struct budget_write *writes, size_t n,
		 struct error *err);

#endif
