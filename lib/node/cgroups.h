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
 * budget tree (a cpu_domain); where budgets are per CPU there is one for each.
 *
 * Groups above containers get what is needed below them: never less than what was found there, but
 * for pods; kubepods at most `capacity_us`. Groups of others that hold budgets beside ours are
 * counted as they are.
 *
 * Adding and removing allocate; cgroups_want(), cgroups_apply(), cgroups_verify() and
 * cgroups_warm_up() do not. Not for several threads at once. */

struct cgroup {
	char *path; /* below the hierarchy's root; "" is the root itself */
	struct group group;
	struct cgroup *parent; /* NULL: none that has budgets */
	uint32_t index;	       /* in the domains' trees */
	uint32_t n_children;
	bool is_container, is_unmanaged, is_kubepods, is_pod;
	bool is_leaving;	 /* a container that is wanted no more, and has its budget still */
	uint64_t id;		 /* of the cgroup */
	struct bandwidth *found; /* before us, by cpu_domain */
};

struct cpu_domain {
	int cpu; /* CPU_ALL, or the only CPU that it is about */
	struct budget_tree tree;
	struct budget_write *writes;
	size_t n_writes; /* of the last cgroups_apply() */
};

struct cgroups {
	const struct kernel *kernel;
	const struct backend *backend;
	int64_t capacity_us;	      /* of kubepods, per second; 0: what the kernel allows */
	ARRAY(struct cgroup *) nodes; /* parents first */
	ARRAY(struct group *) groups; /* the same, as node/cgroup_write.h wants them */
	struct cpu_domain *domains;
	size_t n_domains;
	bool is_holding;    /* see cgroups_hold() */
	int64_t release_ms; /* when what is held is released, by clock_ms(); 0: nothing may be */
};

void cgroups_init(struct cgroups *f, const struct kernel *k, const struct backend *b);

/* Leaves every budget as it is. */
void cgroups_done(struct cgroups *f);

/* Opens a container's cgroup and those above it. Added twice, it is the same node. -ENOENT: it is
 * not there. The node lives until it is removed or let go. */
int cgroups_add(struct cgroups *f, const char *path, struct cgroup **ret, struct error *err);

/* Is the group still there, and not another one of the same path? */
bool cgroups_has(const struct cgroups *f, const struct cgroup *n);

/* A container that is wanted no more. One that is gone is forgotten at once; the others keep their
 * budgets until cgroups_restore_retiring(), and are counted. */
void cgroups_remove(struct cgroups *f, struct cgroup *n);

/* Gives the removed ones back what they had before us and forgets them, with the groups above them
 * that have no other; what is needed above shrinks. True: the kernel refused some, whose real-time
 * tasks still run; try again soon. */
bool cgroups_restore_retiring(struct cgroups *f);

/* Forgets pods and groups of others that are gone. True: there were some, and less is needed above
 * them. Allocates nothing. */
bool cgroups_sweep(struct cgroups *f);

/* The budget that a container shall have on its CPUs, and 0 on others. Takes effect with the next
 * cgroups_apply(). */
void cgroups_want(struct cgroups *f, struct cgroup *n, const struct cpuset *cpus,
		  struct bandwidth budget);

/* Makes the kernel agree with what is wanted, or leaves it as it was; then nothing is wanted but
 * what is there. */
int cgroups_apply(struct cgroups *f, int retry_ms, struct error *err);

/* From now on, or no longer: groups above containers keep what they have as far as there is room,
 * until cgroups_release(). They have periods of a second, in which all below them has used more, it
 * may be, than what is needed from now on: measured on Linux 6.18, the kernel then let a pod that
 * was cut to a tenth, and the others of its QoS class, stand still for 0.7 s. */
void cgroups_hold(struct cgroups *f, bool is_holding);

/* Where nothing changed for HELD_MS, which is longer than such a period: what is held and not
 * needed is taken away. */
enum { HELD_MS = 2500 };
void cgroups_release(struct cgroups *f);

/* Reads back what the last cgroups_apply() wrote. -EREMCHG: somebody else wrote, too. */
int cgroups_verify(struct cgroups *f, struct error *err);

/* cgroups_apply() and cgroups_verify() without the writes; then nothing is wanted but what is
 * there. The next cgroups_apply() finds its code and data, and the kernel's, in the caches. */
void cgroups_warm_up(struct cgroups *f);

/* What the kernel says now of a container, and what we believe that it has. */
int cgroups_read(const struct cgroups *f, const struct cgroup *n, struct bandwidth *ret_kernel,
		 struct bandwidth *ret_ours, struct error *err);

/* Reads all budgets anew, also those of others beside ours: after a refusal, or when somebody else
 * writes. Nothing is wanted afterwards but what is there. */
void cgroups_refresh(struct cgroups *f);

/* Another "before us" than what was read, from before a restart. */
void cgroups_set_found(struct cgroups *f, struct cgroup *n, size_t cpu_domain,
		       struct bandwidth found);

/* Has a group above others just what these have? Then somebody like us gave it that: it is nothing
 * that was there before. */
bool cgroups_is_sum(const struct cgroups *f, const struct cgroup *n, size_t cpu_domain);

/* Gives every group back what it had before us, from the leaves up, as far as the kernel lets us.
 * Returns the number of groups that could not get it (RT tasks in them need their budget). */
size_t cgroups_restore(struct cgroups *f);

#endif
