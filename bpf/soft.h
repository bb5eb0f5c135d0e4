/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef MCKUBE_BPF_SOFT_H
#define MCKUBE_BPF_SOFT_H

#include <linux/types.h>

#include "budget/soft_account.h"

/* Budgets in software, shared by soft.bpf.h and lib/node/soft.
 *
 * Maps, all by cgroup id: `soft_budgets`, which user space alone writes, and `soft_states`, which
 * BPF alone writes, one value for each CPU. */

struct soft_state {
	struct soft_account account;
	__u64 told_refill; /* the period in which its exhaustion was told */
	__u64 told_ns, first_told_ns, stopped_ns;
	__u32 told_pid, padding;
};
_Static_assert(sizeof(struct soft_state) == 80, "map value");

/* A process that BPF has stopped, by its number: to be continued. */
struct soft_stop {
	__u64 cgroup;
	__u64 start_ns;	 /* of the process, since boot */
	__u64 refill_ns; /* CLOCK_MONOTONIC */
};
_Static_assert(sizeof(struct soft_stop) == 24, "map value");

enum soft_event_kind {
	SOFT_EXHAUSTED, /* a real-time thread runs, or ran, without budget */
	SOFT_STOPPED,	/* and its process `pid` was stopped */
	SOFT_CLONED,	/* a thread that is demoted, `parent`, made another one */
};

/* Wire format of the queues, one for each CPU. Numbers are those of the initial PID namespace. */
struct soft_event {
	__u64 cgroup;
	__u64 at_ns;
	__u64 refill_ns;
	__u64 start_ns; /* of `pid`, since boot */
	__u64 again_ns; /* when it can be exhausted next, if it runs from the refill on */
	__u16 kind;
	__u16 is_bound; /* `pid` may run on this CPU only */
	__u32 cpu;
	__u32 pid, parent;
};
_Static_assert(sizeof(struct soft_event) == 56, "wire format");

/* Real-time use above the budget, in one period, after which a process is stopped: the agent has
 * had its time by then. */
enum { SOFT_STOP_AFTER_NS = 300000 };

#endif
