/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_CGROUP_CGROUPS_H
#define MCKUBE_NODE_CGROUP_CGROUPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"
#include "budget/cgroup_tree.h"
#include "budget/cpuset.h"
#include "node/backend/backend.h"
#include "node/cgroup/write.h"

/* The cgroups whose budgets are ours: containers, and above them pods, QoS classes, kubepods and
 * the hierarchy's root. All stay open. Where the backend has one budget for all CPUs there is one
 * budget tree (a cpu_domain); where budgets are per CPU there is one for each.
 *
 * Groups above containers get what is needed below them: never less than what was found there, but
 * for pods; kubepods at most `capacity_us`. Unmanaged groups that hold budgets are counted as they
 * are.
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
	bool is_retiring; /* a container that is no longer assigned and still has its budget */
	uint64_t id;	  /* of the cgroup */
	struct bandwidth *found; /* before us, by cpu_domain */
};

struct cpu_domain {
	int cpu; /* CPU_ALL, or the only CPU that it is about */
	struct cgroup_tree tree;
	struct budget_write *writes;
	size_t n_writes; /* of the last cgroups_apply() */
};

struct cgroups {
	const struct kernel *kernel;
	const struct backend *backend;
	struct soft *soft;   /* for the backend soft, else NULL; set after cgroups_init() */
	int64_t capacity_us; /* of kubepods, per second; 0: what the kernel allows */
	ARRAY(struct cgroup *) nodes; /* parents first */
	ARRAY(struct group *) groups; /* the same, as node/cgroup/write.h wants them */
	struct cpu_domain *domains;
	size_t n_domains;
	/* Until when groups that were removed count in the budgets of those above them, so that a
	 * new one is not refused in their place; by clock_ms(). */
	int64_t removed_ms;
	bool is_holding;    /* see cgroups_hold() */
	int64_t release_ms; /* when what is held is released, by clock_ms(); 0: nothing may be */
};

void cgroups_init(struct cgroups *c, const struct kernel *k, const struct backend *b);

/* Leaves every budget as it is. */
void cgroups_done(struct cgroups *c);

/* Opens a container's cgroup and those above it. Added twice, it is the same node. -ENOENT: it is
 * not there. The node lives until it is removed. */
int cgroups_add(struct cgroups *c, const char *path, struct cgroup **ret, struct error *err);

/* Is the group still there, and not another one of the same path? */
bool cgroups_has(const struct cgroups *c, const struct cgroup *n);

/* A container that is no longer assigned. One that is gone is forgotten at once; the others keep
 * their budgets until cgroups_restore_retiring(), and are counted. */
void cgroups_remove(struct cgroups *c, struct cgroup *n);

/* Restores what the retiring ones had before us and forgets them, with the groups above them
 * that have no other; what is needed above shrinks. True: the kernel refused some, whose real-time
 * tasks still run; try again soon. */
bool cgroups_restore_retiring(struct cgroups *c);

/* The load of the retiring groups, ppm of a CPU: of the CPU that has most. */
uint32_t cgroups_retained(const struct cgroups *c);

/* Is a group retiring, and what does it have? */
bool cgroups_is_retained(const struct cgroups *c, const char *path, struct bandwidth *ret);

/* Forgets groups that are gone. True: there were some, and less is needed above them. Allocates
 * nothing. */
bool cgroups_sweep(struct cgroups *c);

/* The budget that a container shall have on its CPUs, and 0 on others. Takes effect with the next
 * cgroups_apply(). */
void cgroups_want(struct cgroups *c, struct cgroup *n, const struct cpuset *cpus,
		  struct bandwidth budget);

/* Makes the kernel agree with what is wanted, or leaves it as it was; then every want is what the
 * kernel has. */
int cgroups_apply(struct cgroups *c, int retry_ms, struct error *err);

/* For how long the kernel may count a group that was removed: 20 ms, when the machine is busy some
 * hundred. Where there is no room for it, a new group in its place is refused meanwhile. */
enum { REMOVED_MS = 2000 };

/* Whether groups above containers keep what they have as far as there is room, until
 * cgroups_release(). Their periods are a second, and what runs below them may have used more in
 * this one than is needed from now on: measured on Linux 6.18, the kernel then let a pod that was
 * cut to a tenth, and the others of its QoS class, stand still for 0.7 s. */
void cgroups_hold(struct cgroups *c, bool is_holding);

/* Releases what is held and not needed when nothing changed for HELD_MS, which is longer than such
 * a period. */
enum { HELD_MS = 2500 };
void cgroups_release(struct cgroups *c);

/* Reads back what the last cgroups_apply() wrote. -EREMCHG: another process wrote, too. */
int cgroups_verify(struct cgroups *c, struct error *err);

/* cgroups_apply() and cgroups_verify() without the writes; then every want is what the kernel has.
 * The next cgroups_apply() finds its code and data, and the kernel's, in the caches. */
void cgroups_warm_up(struct cgroups *c);

/* A container's budget as the kernel has it now, and as it was last written or read; of several
 * CPUs the one with the least. -ENOENT: it has no CPU. */
int cgroups_read(const struct cgroups *c, const struct cgroup *n, struct bandwidth *ret_kernel,
		 struct bandwidth *ret_ours, struct error *err);

/* Reads all budgets again, also those of unmanaged groups: after a refusal, or when another process
 * writes. Every want is then what the kernel has. */
void cgroups_refresh(struct cgroups *c);

/* Sets the budget that a group had before us, as the state file has it. */
void cgroups_set_found(struct cgroups *c, struct cgroup *n, size_t cpu_domain,
		       struct bandwidth found);

/* Has a group above others just the sum of theirs? Then an earlier run of the helper wrote it. */
bool cgroups_is_sum(const struct cgroups *c, const struct cgroup *n, size_t cpu_domain);

/* Restores what every group had before us, from the leaves up, as far as the kernel allows.
 * Returns the number of groups that could not get it (RT tasks in them need their budget). */
size_t cgroups_restore(struct cgroups *c);

#endif
