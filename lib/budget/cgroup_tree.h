/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BUDGET_CGROUP_TREE_H
#define MCKUBE_BUDGET_CGROUP_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/array.h"
#include "base/error.h"

/* The writes that lead from the RT budgets of a tree of cgroups to the wanted ones, each accepted
 * by the kernel after those before it. Pure: the caller reads and writes the files.
 *
 * The kernel's rule (tg_rt_schedulable() and tg_set_rt_bandwidth() in kernel/sched/rt.c, Linux
 * 6.18), which cgroup_tree_check() repeats bit by bit:
 * - a group's ratio is runtime << 20 / period, rounded down (the unit cancels out); no limit (-1)
 * is 1 << 20;
 * - EINVAL: no period; a runtime above the period or 2^44 ns; a ratio above that of the
 *   sched_rt_runtime_us sysctl; children whose ratios add up to more than their parent's; runtime 0
 *   in the root group;
 * - EBUSY: runtime 0 for a group with RT tasks of its own.
 * The kernel walks the whole tree, but a tree that was valid can only break at the group that is
 * written and at its parent. A removed group counts for 16-20 ms more: see node/cgroup/write.h.
 *
 * A tree describes one capacity: the node's, where budgets are valid on every CPU, or one CPU's
 * where the backend has budgets per CPU. Nodes are numbered, parents before children. */

struct bandwidth {
	int64_t period_us;
	int64_t runtime_us; /* -1: no limit */
};

enum { RUNTIME_UNLIMITED = -1 };

struct cgroup_tree_node {
	const char *name;     /* for errors; the caller's */
	int32_t parent;	      /* -1: none in this tree */
	struct bandwidth now; /* what the kernel has */
	struct bandwidth want;
	/* is_derived: want.runtime is what its children need, in the period that it has, between
	 * at_least and at_most (0: no limit but the kernel's); more where the tree holds. */
	bool is_derived;
	bool is_root;	/* the hierarchy's own root group */
	bool has_tasks; /* RT tasks of its own */
	int64_t at_least_us, at_most_us;
	/* Of children that were removed, in this period: the kernel may count them still. A derived
	 * group has as much more than its children need. */
	int64_t removed_us;
	/* Sums over the children, kept by the functions below: the ratios of what they have and of
	 * what they want, and what they want in this period. */
	uint64_t children, children_want;
	uint64_t needs_us;
	/* What this node is counted with in its parent's sums. */
	struct {
		uint64_t ratio, share_us;
	} weight;
	bool is_listed; /* in `changed` */
};

/* Wants are changed by cgroup_tree_want(); after any other change call cgroup_tree_invalidate().
 * The cost of a few changes in a large tree is that of the changed groups and their ancestors. */
struct cgroup_tree {
	ARRAY(struct cgroup_tree_node) nodes;
	struct bandwidth global; /* the sched_rt_* sysctls */
	/* While it is current: the nodes, in order, that are to be looked at. */
	ARRAY(uint32_t) changed;
	bool is_current;
	/* A derived group keeps what it has though less is needed below it, as far as there is
	 * room. The kernel lets nothing below a group run that has used more than its runtime in a
	 * period, until that is paid back; and of the long period of a group above others a part is
	 * over, in which it used what it had then. Clearing it needs a cgroup_tree_invalidate(). */
	bool is_holding;
	uint64_t give;	  /* the ratio that groups with more than they need release */
	bool has_removed; /* a node's removed_us is not 0 */
};

enum budget_field { BUDGET_PERIOD, BUDGET_RUNTIME };

/* One write of one file; `to` is the group's whole budget after it. */
struct budget_write {
	uint32_t node;
	enum budget_field field;
	struct bandwidth from, to;
};

/* The kernel's fixed-point ratio. */
uint64_t bandwidth_ratio(struct bandwidth b);
bool bandwidth_eq(struct bandwidth a, struct bandwidth b);

/* The smallest runtime in `period_us` with at least this ratio. */
int64_t bandwidth_runtime(uint64_t ratio, int64_t period_us);

/* Adds a node that has and wants the budget `now`. Returns its number. */
uint32_t cgroup_tree_add(struct cgroup_tree *t, int32_t parent, const char *name,
			 struct bandwidth now);
void cgroup_tree_done(struct cgroup_tree *t);

/* Would the kernel take it? 0, -EINVAL or -EBUSY. Constant time. */
int cgroup_tree_check(const struct cgroup_tree *t, uint32_t node, struct bandwidth to);

/* The kernel took it. */
void cgroup_tree_set(struct cgroup_tree *t, uint32_t node, struct bandwidth to);

/* This is what it should have; for nodes that are not derived. */
void cgroup_tree_want(struct cgroup_tree *t, uint32_t node, struct bandwidth want);

/* Every want becomes what the kernel has. */
void cgroup_tree_keep(struct cgroup_tree *t);

/* Counts what a node has as removed from its parent: before it is taken out. */
void cgroup_tree_removed(struct cgroup_tree *t, uint32_t node);

/* Removed nodes no longer count. */
void cgroup_tree_forget_removed(struct cgroup_tree *t);

/* Nodes were changed by other means than these functions. */
void cgroup_tree_invalidate(struct cgroup_tree *t);

/* Fills the `want` of derived nodes from their children's, and checks the tree that follows.
 * -EINVAL names the group and what is missing. */
int cgroup_tree_derive(struct cgroup_tree *t, struct error *err);

/* The writes from `now` to `want`, after cgroup_tree_derive(): first cuts from the leaves up, then
 * raises from the root down, so that each is valid after those before it. A group whose period
 * changes takes two writes, of which the first never has a higher ratio than both ends; only groups
 * without children here may change it (-EINVAL). `writes` has room for 2 * nodes.n. */
int cgroup_tree_plan(const struct cgroup_tree *t, struct budget_write *writes, size_t *ret_n,
		     struct error *err);

#endif
