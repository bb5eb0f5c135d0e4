/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_BACKEND_BACKEND_H
#define MCKUBE_NODE_BACKEND_BACKEND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "budget/budget.h"
#include "budget/cgroup_tree.h"
#include "budget/cpuset.h"
#include "node/kernel.h"

/* The ways in which kernels take a budget, each a row of functions over an open cgroup. Which one
 * serves a node is chosen once, by what kernel_probe() found.
 *
 *	backend		files				write		per CPU
 *	hcbs-max	cpu.rt.max			"Q P"		no
 *	hcbs-multi	cpu.rt_multi_runtime_us,	"CPUS Q"	yes, read as one
 *			cpu.rt_period_us		"P"		number a CPU
 *	cgroup-v1	cpu.rt_runtime_us,		"Q"		no: one budget,
 *	hcbs-v2		cpu.rt_period_us		"P"		valid on each CPU
 *	soft		maps of BPF, see node/soft/soft.h		no: one budget,
 *							valid on each CPU
 *	deadline	sched_setattr(2) per thread
 *	cap-v2		cpu.max				"Q P"		no
 *	cap-v1		cpu.cfs_quota_us,		"Q"		no
 *			cpu.cfs_period_us		"P"
 *	noop
 *
 * Sources: kernel/sched/{rt,core}.c of Linux 6.18; the HCBS patch series (RFC v1 to v6). */

enum { CPU_ALL = -1 }; /* the budget is not per CPU */

struct backend;
struct soft;

/* An open cgroup. Reading and writing it allocates nothing. Zeroed is closed. */
struct group {
	const struct backend *backend;
	const char *name; /* for errors; the caller's */
	int dir, files[2];
	struct cpuset cpus;   /* where it runs; the caps count them */
	struct bandwidth now; /* what was last written, for the backends without a file for it */
	struct soft *soft;    /* of the running helper, for the backend soft; NULL: there is none */
};

struct backend {
	const char *name;
	const char *guarantee; /* one sentence, published on the node */
	enum feature needs;
	enum scope scope;
	bool has_tree;	    /* parents must hold what their children have: use cgroup_tree */
	bool is_per_cpu;    /* read and write take a CPU, else CPU_ALL */
	bool is_per_thread; /* threads that come later must be given theirs */
	bool is_by_name;    /* not chosen by itself */
	bool is_rt;	    /* real-time budgets */
	bool is_cap;	    /* an upper limit alone; neither: nothing is enforced */
	const char *files[2];
	int (*open)(struct group *g, struct error *err); /* NULL: opens `files` */
	/* err is never NULL here. */
	int (*read)(const struct group *g, int cpu, struct bandwidth *ret, struct error *err);
	void (*close)(struct group *g); /* NULL: nothing to do */
	/* `to` is the whole budget after the write of `field`. */
	int (*write)(struct group *g, int cpu, enum budget_field field, struct bandwidth to,
		     struct error *err);
};

extern const struct backend backend_hcbs_max, backend_hcbs_multi, backend_cgroup_v1,
	backend_hcbs_v2, backend_soft, backend_deadline, backend_cap_v2, backend_cap_v1,
	backend_noop;

/* In order of preference, NULL at the end. */
extern const struct backend *const backends[];

bool backend_is_usable(const struct backend *b, const struct kernel *k);

/* The best one, or the one that is named: also by the names of rt-operator's cgroup_handler,
 * "cgroup_v1", "cgroup_v2" (the best on v2) and "noop". NULL or "auto": the best. */
int backend_choose(const struct kernel *k, const char *name, const struct backend **ret,
		   struct error *err);

/* Opens a folder of the hierarchy k->cpu; `path` is relative to it ("kubepods/pod1/2") and `name`
 * must live as long as the group. -ENOENT: it is gone, or not there yet. */
int group_open(struct group *g, const struct backend *b, const struct kernel *k, const char *path,
	       const char *name, struct error *err);
void group_close(struct group *g);

/* Does it write anything to the kernel? */
static inline bool backend_enforces(const struct backend *b)
{
	return b->is_rt || b->is_cap;
}

/* Reading and writing through the backend's row; every write is remembered in g->now. */
int group_read(const struct group *g, int cpu, struct bandwidth *ret, struct error *err);
int group_write(struct group *g, int cpu, enum budget_field field, struct bandwidth to,
		struct error *err);

/* Do two budgets read the same, given that HCBS rounds by a microsecond? */
bool budget_reads_as(struct bandwidth read, struct bandwidth wanted);

#endif
