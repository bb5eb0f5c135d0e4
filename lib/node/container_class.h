/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_CONTAINER_CLASS_H
#define MCKUBE_NODE_CONTAINER_CLASS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"
#include "base/error.h"
#include "budget/thread_class.h"
#include "node/thread.h"

/* The scheduling policy that a container's threads get from the helper (budget/thread_class.h), on
 * every backend. The container needs neither CAP_SYS_NICE nor RLIMIT_RTPRIO, so it cannot raise
 * itself above its class; what it may do is to lower itself, and a thread that did so is left
 * alone.
 *
 * A thread gets its class once: when it is found in the container's cgroup, or when BPF reports
 * that it has entered (node/thread_watch.h). What it forks inherits the class in the kernel.
 * Without BPF the cgroup is looked through once a second; a thread that has lowered itself before
 * it was seen is then raised once. Nothing is given as long as a program named "criu" runs there,
 * which restores a checkpoint.
 *
 * The thread's number has to mean the same here as in the cgroup's files, and sched_setattr(2)
 * takes numbers of the caller's PID namespace only: there is no call that takes a pidfd, and BPF
 * cannot change a policy. So the helper's pod has hostPID: true. It sees the processes of the host
 * by that and can do little to them: of the capabilities over other processes it has CAP_SYS_NICE
 * (and CAP_KILL with the backend soft), no CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH or CAP_SYS_ADMIN,
 * and its seccomp profile has neither ptrace(2) nor process_vm_readv(2). Without hostPID everything
 * else works, and pods that ask for a policy are told that it is missing.
 *
 * With RT groups of cgroup v1 the budget has to be there first, or the kernel answers EPERM.
 *
 * Not for several threads at once. container_class_check() and _give() allocate. */

/* What a thread had before. */
struct class_found {
	uint8_t policy;	  /* SCHED_OTHER, ... of sched_setattr(2) */
	uint8_t priority; /* real-time policies */
	int8_t nice;
	bool resets_on_fork;
};

struct container_class {
	struct thread_class class; /* THREAD_POLICY_KEEP: threads are left alone */
	struct class_found usual;  /* what the first thread had, and what is assumed of others */
	bool has_usual;
	bool is_restoring; /* CRIU was seen in the cgroup, and not yet that it is gone */
	bool is_due;	   /* threads may be without their class: to be checked soon */
	bool is_applied;   /* read back: a thread has the class, and none was refused it */
	bool can_outrank;  /* processes of it have CAP_SYS_NICE for OUTRANK_SETTLE_MS: the runtime's
			      own process has it, until it becomes the container's program */
	int64_t capable_since_ms; /* 0: none of its processes had it at the last check */
	bool is_soft; /* a thread may be demoted: node/soft/threads.h. It counts as having its
			 class, which it will have again */
	ARRAY(struct given {
		struct thread thread;
		struct class_found found;
	})
	given;
	struct error refusal; /* code 0: none */
};

enum { OUTRANK_SETTLE_MS = 2000 };
enum { CLASS_GIVEN_MAX = 4096 }; /* threads whose own class is remembered */

void container_class_done(struct container_class *c);

/* Another class from now on; threads that have the former one get the new one with the next check.
 * With THREAD_POLICY_KEEP they have got back what they had. `dir` is the open folder of the cgroup.
 */
void container_class_set(struct container_class *c, int dir, struct thread_class class);

/* Gives the class to the threads in the cgroup that have never had it, and reads back. True: what
 * the members above say has changed. */
bool container_class_check(struct container_class *c, int dir);

/* One thread has entered, or with is_process all threads of a process. `start` is its start time;
 * false when the number means another thread here: then the cgroup has to be checked. */
bool container_class_give(struct container_class *c, pid_t tid, uint64_t start, bool is_process);

/* Threads with the class get back what they had. */
void container_class_restore(struct container_class *c, int dir);

/* Has a process of the cgroup CAP_SYS_NICE in the host's user namespace now? */
bool container_has_capable(int dir);

#endif
