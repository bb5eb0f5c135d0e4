/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_SOFT_RECENT_H
#define MCKUBE_NODE_SOFT_RECENT_H

#include <stdint.h>

/* What an agent remembers of the groups that were exhausted lately on its CPU: when to look at them
 * again, and which had one real-time thread only. Both are guesses that save system calls; a wrong
 * one costs another event. Plain arithmetic without I/O; times are ns of CLOCK_MONOTONIC.
 *
 * A look is due SOFT_LOOK_AFTER_NS after a group can have used up its next budget at the soonest.
 * BPF's own timer has told so by then, unless it is late (bpf/soft.bpf.h). The agent, as it is
 * switched in, has the kernel charge the thread that ran. What one group has used of the CPU's time
 * no other can have used, so each exhaustion puts off the looks at the others. */

struct soft_recent {
	uint64_t cgroup;    /* 0: none */
	uint64_t refill_ns; /* the end of the period in which it was exhausted last */
	uint64_t from_ns;   /* it had left_ns then, or will have */
	uint64_t left_ns;
	uint64_t runtime_ns; /* its budget then */
	uint64_t look_ns;    /* 0: none */
	uint32_t n_events;   /* of that period: each but the first is about another thread */
	int32_t only_tid; /* its one real-time thread here; 0: it has more, or that is not known */
};

/* Of more groups the tick tells, 4 ms late. */
enum { SOFT_RECENTS = 16, SOFT_LOOK_AFTER_NS = 50000 };

/* A group was exhausted at at_ns, and has runtime_ns again from refill_ns on, which is later. NULL:
 * there is no room, and it is not looked at. only_tid is as it was: 0 after a second event. */
struct soft_recent *soft_recent_exhausted(struct soft_recent list[SOFT_RECENTS], uint64_t cgroup,
					  uint64_t at_ns, uint64_t refill_ns, uint64_t runtime_ns);

/* A look at `now` has found left_ns. A group that has used some of its budget since is looked at
 * again when the rest can be used up. One that has not is not: many that wait for each other would
 * cost more than ticks do harm. */
void soft_recent_looked(struct soft_recent *r, uint64_t now, uint64_t left_ns);

/* When the next look is due; 0: there is none. */
uint64_t soft_recent_next(const struct soft_recent list[SOFT_RECENTS]);

#endif
