/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_CGROUPS_H
#define MCKUBE_NODE_CGROUPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"
#include "budget/cgroup_tree.h"
#include "budget/cpuset.h"
#include "node/backend.h"
#include "node/cgroup_write.h"

/* The cgroups whose budgets are ours: containers, and above them pods, QoS classes, kubepods and
 * the hierarchy's root. All stay open. Where the backend has one budget for all CPUs there is one
 * budget tree (a lane); where budgets are per CPU there is one for each.
 *
 * Groups above containers get what is needed below them: never less than what was found there, but
 * for pods; kubepods at most `capacity_us`. Groups of others that hold budgets beside ours are
 * counted as they are.
 *
 * Adding and removing allocate; forest_want(), forest_apply(), forest_verify() and
 * forest_rehearse() do not. Not for several threads at once. */

struct forest_node {
	char *path; /* below the hierarchy's root; "" is the root itself */
	struct group group;
	struct forest_node *parent; /* NULL: none that has budgets */
	uint32_t index;		    /* in the lanes' trees */
	uint32_t n_children;
	bool is_container, is_foreign, is_kubepods, is_pod;
	bool is_leaving;	 /* a container that is wanted no more, and has its budget still */
	uint64_t id;		 /* of the cgroup */
	struct bandwidth *found; /* before us, by lane */
};

struct lane {
	int cpu; /* CPU_ALL, or the only CPU that it is about */
	struct budget_tree tree;
	struct budget_write *writes;
	size_t n_writes; /* of the last forest_apply() */
};

struct forest {
	const struct kernel *kernel;
	const struct backend *backend;
	int64_t capacity_us;		   /* of kubepods, per second; 0: what the kernel allows */
	ARRAY(struct forest_node *) nodes; /* parents first */
	ARRAY(struct group *) groups;	   /* the same, as node/cgroup_write.h wants them */
	struct lane *lanes;
	size_t n_lanes;
	bool is_holding;    /* see forest_hold() */
	int64_t release_ms; /* when what is held is released, by clock_ms(); 0: nothing may be */
};

void forest_init(struct forest *f, const struct kernel *k, const struct backend *b);

/* Leaves every budget as it is. */
void forest_done(struct forest *f);

/* Opens a container's cgroup and those above it. Added twice, it is the same node. -ENOENT: it is
 * not there. The node lives until it is removed or let go. */
int forest_add(struct forest *f, const char *path, struct forest_node **ret, struct error *err);

/* Is the group still there, and not another one of the same path? */
bool forest_has(const struct forest *f, const struct forest_node *n);

/* A container that is wanted no more. One that is gone is forgotten at once; the others keep their
 * budgets until forest_let_go(), and are counted. */
void forest_remove(struct forest *f, struct forest_node *n);

/* Gives the removed ones back what they had before us and forgets them, with the groups above them
 * that have no other; what is needed above shrinks. True: the kernel refused some, whose real-time
 * tasks still run; try again soon. */
bool forest_let_go(struct forest *f);

/* Forgets pods and groups of others that are gone. True: there were some, and less is needed above
 * them. Allocates nothing. */
bool forest_sweep(struct forest *f);

/* The budget that a container shall have on its CPUs, and 0 on others. Takes effect with the next
 * forest_apply(). */
void forest_want(struct forest *f, struct forest_node *n, const struct cpuset *cpus,
		 struct bandwidth budget);

/* Makes the kernel agree with what is wanted, or leaves it as it was; then nothing is wanted but
 * what is there. */
int forest_apply(struct forest *f, int retry_ms, struct error *err);

/* From now on, or no longer: groups above containers keep what they have as far as there is room,
 * until forest_release(). They have periods of a second, in which all below them has used more, it
 * may be, than what is needed from now on: measured on Linux 6.18, the kernel then let a pod that
 * was cut to a tenth, and the others of its QoS class, stand still for 0.7 s. */
void forest_hold(struct forest *f, bool is_holding);

/* Where nothing changed for HELD_MS, which is longer than such a period: what is held and not
 * needed is taken away. */
enum { HELD_MS = 2500 };
void forest_release(struct forest *f);

/* Reads back what the last forest_apply() wrote. -EREMCHG: somebody else wrote, too. */
int forest_verify(struct forest *f, struct error *err);

/* forest_apply() and forest_verify() without the writes; then nothing is wanted but what is there.
 * The next forest_apply() finds its code and data, and the kernel's, in the caches. */
void forest_rehearse(struct forest *f);

/* What the kernel says now of a container, and what we believe that it has. */
int forest_read(const struct forest *f, const struct forest_node *n, struct bandwidth *ret_kernel,
		struct bandwidth *ret_ours, struct error *err);

/* Reads all budgets anew, also those of others beside ours: after a refusal, or when somebody else
 * writes. Nothing is wanted afterwards but what is there. */
void forest_refresh(struct forest *f);

/* Another "before us" than what was read, from before a restart. */
void forest_set_found(struct forest *f, struct forest_node *n, size_t lane, struct bandwidth found);

/* Has a group above others just what these have? Then somebody like us gave it that: it is nothing
 * that was there before. */
bool forest_is_sum(const struct forest *f, const struct forest_node *n, size_t lane);

/* Gives every group back what it had before us, from the leaves up, as far as the kernel lets us.
 * Returns the number of groups that could not get it (RT tasks in them need their budget). */
size_t forest_restore(struct forest *f);

#endif
