/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_SOFT_THREADS_H
#define MCKUBE_NODE_SOFT_THREADS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "bpf/soft.h"

/* Threads that are demoted, and processes that are stopped, until their group has a budget again;
 * and what they had before.
 *
 * A record is written before its thread is changed, into memory that is a file: the agent, its
 * supervisor and the next helper read it, whichever of them lives. A demoted thread is marked by
 * SCHED_RESET_ON_FORK, which the kernel takes from each new thread (sched_fork(),
 * kernel/sched/core.c): a thread of the same number that does not have policy and mark is another
 * one, or was changed by another program, and is left alone. So a demotion costs three system
 * calls, and no look at the start time.
 *
 * That would mistake a thread of the same number that another program has given just this policy
 * and mark. The kernel hands out numbers in a circle, of 32,768 at least (alloc_pid(),
 * kernel/pid.c), so none comes again within SOFT_REUSE_NS; after that the thread has to have
 * started before the demotion. Between its look at a thread and the demotion the agent is not
 * interrupted by ordinary threads on its CPU, and what it changes by mistake it changes back with
 * the others.
 *
 * A thread that a demoted one makes is demoted, too, and gets what its parent gets. */

enum soft_record_kind {
	SOFT_THREAD,
	SOFT_CHILD,   /* not yet marked: known by its start time */
	SOFT_PROCESS, /* stopped; known by its start time */
};

struct soft_record {
	uint64_t cgroup;
	uint64_t refill_ns; /* CLOCK_MONOTONIC: until then */
	uint64_t start_ns;  /* since boot; of a SOFT_THREAD: not later; 0: not known */
	int32_t id, kind;
	int32_t policy, priority; /* before; policy with its SCHED_RESET_ON_FORK */
};

enum { SOFT_RECORDS = 4096, SOFT_REUSE_NS = 50000000 };

/* One for each CPU. The lock is robust, and is shared with the supervisor. */
struct soft_cpu {
	pthread_mutex_t lock;
	atomic_uint n;
	struct soft_record records[SOFT_RECORDS];
};

enum { SOFT_MAGIC = 0x6d636b73 };

struct soft_shared {
	uint32_t magic, n_cpus;
	uint32_t record_size, unused;
	int32_t supervisor, demoted_policy;
	uint64_t supervisor_start;
	atomic_bool is_asleep;	 /* the supervisor: wake it with the first record */
	atomic_bool is_enforced; /* false: ended as it should, nothing can be left */
	struct soft_cpu cpus[];
};

/* The file is made or, if an earlier helper has left it, opened; ret_is_left: that one did not end
 * as it should. The descriptor is not needed. */
int soft_shared_open(const char *path, unsigned n_cpus, struct soft_shared **ret, bool *ret_is_left,
		     struct error *err);
/* Once no other process has it: makes the locks. */
void soft_shared_own(struct soft_shared *s);
void soft_shared_close(struct soft_shared *s);

/* False: its holder is stopped with it. */
bool soft_cpu_lock(struct soft_cpu *c, bool may_wait);
void soft_cpu_unlock(struct soft_cpu *c);

/* The calls below want the lock. */

/* Demotes the thread that an event is about, if it is FIFO or RR and has run on `cpu`, or is queued
 * there. */
void soft_demote_running(struct soft_shared *s, unsigned cpu, const struct soft_event *event);
/* All of a group: `dir` is its folder, and threads_fd its open cgroup.threads, or -1 on v1. */
void soft_demote_group(struct soft_shared *s, unsigned cpu, int dir, int threads_fd,
		       uint64_t cgroup, uint64_t refill_ns);
/* A demoted thread has made another one. */
void soft_add_child(struct soft_shared *s, unsigned cpu, const struct soft_event *event);
void soft_add_stopped(struct soft_shared *s, unsigned cpu, const struct soft_event *event);

/* Gives back what record i had. `stops` is the map of stopped processes, or -1. Without the lock,
 * too: the record stays, and its owner finds nothing left to do for it. */
void soft_give_back(const struct soft_shared *s, unsigned cpu, unsigned i, int stops);
/* ... and forgets it; the last record takes its place. */
void soft_restore(struct soft_shared *s, unsigned cpu, unsigned i, int stops);

/* SIGCONT for every stopped process of a group: an earlier helper may have left it so. */
void soft_continue_group(int dir);

/* SIGCONT for the process that has this number and was started then. */
void soft_continue(pid_t pid, uint64_t start_ns);

#endif
