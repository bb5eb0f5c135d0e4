/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef MCKUBE_BPF_OVERRUN_H
#define MCKUBE_BPF_OVERRUN_H

#include <linux/bpf.h>
#include <linux/types.h>

/* Shared by overrun.bpf.c and lib/node/overrun/bpf.c. */

/* A container has up to two limits: the one that an overrun is measured by, and the next one that
 * matters at its level (a High pod at medium: C_low for the recovery, C_medium to go up). The third
 * is no overrun: it lies shortly before the one at which the helper will have to act. */
enum { OVERRUN_LIMITS = 3, OVERRUN_SOON = 2, OVERRUN_PATH = 488 };

/* Events of a CPU go through queue CPU % n, where n is the number of queues: their reader may be
 * bound to the CPUs that fill it, since a wakee on the waker's CPU runs soonest. */
enum { OVERRUN_QUEUES = 16 };

/* Value of the map `cpus`, by CPU; a cache line each. */
struct overrun_cpu {
	struct bpf_timer timer;
	__u64 clock_offset; /* CLOCK_MONOTONIC less the run queue's clock_task */
	__u64 lost;	    /* events for which there was no room */
	__u64 due_ns;	    /* when the timer should fire */
	__s32 armed_for;    /* the thread that ran when the timer was set */
	__s32 lead_ns;
	__u64 missed_ns;      /* see below; of all groups on this CPU */
	__u64 alert_until_ns; /* see soft.bpf.h */
};
_Static_assert(sizeof(struct overrun_cpu) == 64, "map value");

/* Value of the map `groups`, one for each CPU, by cgroup id. */
struct overrun_group {
	__u64 limit_ns[OVERRUN_LIMITS]; /* 0: none */
	__u64 reported[OVERRUN_LIMITS]; /* the period of the last report */
	__u64 granted_ns;		/* of each period, at its present level */
	/* When a thread of it ran last, what they had used of which period by then, and were
	 * granted then. */
	__u64 ran_ns, used_ns, period, had_ns;
};

/* Time that a group was granted and did not receive: at the end of a period a thread of it waits
 * for the CPU, and the group has not used its budget. It is the rest of the budget, at most the
 * time for which none of its threads ran although one could have. Counted when the thread runs
 * again; a wait that is over within the period is no miss. What was used above the budget is made
 * up for by less in the next periods, which is no miss. So short a wait before the end is none
 * either: the first period begins when a thread wakes up, some microseconds after that. */
enum { MISSED_MIN_NS = 50000 };

/* Passing a limit: once for each group, CPU, limit and period. */
struct overrun_event {
	__u64 cgroup;
	__u64 at_ns; /* CLOCK_MONOTONIC, when it was seen */
	__u64 used_ns;
	__u64 period; /* the next refill, CLOCK_MONOTONIC */
	__u32 cpu;
	__u32 limit; /* index in limit_ns */
};
_Static_assert(sizeof(struct overrun_event) == 40, "wire format");

/* A cgroup was made in the watched hierarchy. */
struct cgroup_created {
	__u64 cgroup;
	__u64 at_ns;
	char path[OVERRUN_PATH]; /* from the hierarchy's root, "/kubepods/..." */
};
_Static_assert(sizeof(struct cgroup_created) == 504, "wire format");

/* Argument of the program `prepare`. */
struct overrun_prepare {
	__u32 cpu;
};

#endif
