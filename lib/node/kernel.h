/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_KERNEL_H
#define MCKUBE_NODE_KERNEL_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* What this kernel offers, found by looking at files and never by its version: vendors backport,
 * and the HCBS patches come in several dialects on the same release.
 *
 * The roots are parameters: tests give a made-up tree, and a helper in a container the places where
 * the host's file systems are mounted. */
struct kernel_roots {
	const char *cgroup; /* /sys/fs/cgroup */
	const char *proc;   /* /proc */
	const char *sys;    /* /sys */
};

#define KERNEL_ROOTS_HOST ((struct kernel_roots){ "/sys/fs/cgroup", "/proc", "/sys" })

enum feature {
	FEATURE_RT_GROUPS_V1, /* cpu.rt_runtime_us in the v1 cpu controller */
	FEATURE_HCBS_MAX,     /* cpu.rt.max */
	FEATURE_HCBS_MULTI,   /* cpu.rt_multi_runtime_us */
	FEATURE_RT_GROUPS_V2, /* cpu.rt_runtime_us on cgroup v2 */
	FEATURE_DEADLINE,     /* SCHED_DEADLINE */
	FEATURE_HOST_PIDS,    /* threads of other pods are visible */
	FEATURE_CFS_QUOTA,    /* v1 cpu.cfs_quota_us */
	FEATURE_CPU_MAX,      /* v2 cpu controller */
	FEATURE_CPUSET_V1,
	FEATURE_CPUSET_V2,
	FEATURE_BTF,
	FEATURE_TRACE_SWITCH, /* these five are tp_btf attach points that BTF names */
	FEATURE_TRACE_RUNTIME,
	FEATURE_TRACE_MKDIR,
	FEATURE_TRACE_RMDIR,
	FEATURE_TRACE_NEWTASK,
	FEATURE_BPF_TIMER,
	FEATURE_PSI,
	FEATURES
};

enum cgroup_kind { CGROUP_NONE, CGROUP_V1, CGROUP_V2, CGROUP_HYBRID };

struct kernel {
	char release[65];
	enum cgroup_kind cgroup;
	/* Where the hierarchies are mounted; empty: there is none. `cpu` is the one that holds the
	 * cpu controller, v1 before v2, as a controller is bound to one hierarchy; where it is
	 * nowhere, cgroup v2 all the same, which names containers. */
	char cpu[PATH_MAX];
	char cpuset[PATH_MAX];
	char unified[PATH_MAX];
	bool has[FEATURES];
	/* sched_rt_runtime_us of sched_rt_period_us is all that RT groups (v1) or SCHED_DEADLINE
	 * may use; runtime -1 switches the limit and the admission test off. */
	int64_t rt_period_us, rt_runtime_us;
	unsigned cpus;
};

/* Fails only where the roots themselves cannot be read. */
int kernel_probe(const struct kernel_roots *roots, struct kernel *ret, struct error *err);

/* A feature as `check` shows it. */
struct feature_text {
	const char *key;  /* camelCase, for -o json */
	const char *what; /* what it gives */
	const char *how;  /* how to get it where it is missing */
};
extern const struct feature_text feature_texts[FEATURES];

/* Is the hierarchy `cpu` one of cgroup v2? */
bool kernel_is_v2(const struct kernel *k);

const char *cgroup_kind_name(enum cgroup_kind kind);

#endif
