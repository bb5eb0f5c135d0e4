/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_REALTIME_H
#define MCKUBE_NODE_REALTIME_H

#include <pthread.h>

#include "base/error.h"
#include "budget/thread_class.h"
#include "node/kernel.h"

/* What keeps the overrun threads from waiting: locked memory, a priority above the workloads.
 */

/* Keeps every page in memory from its first use on (MCL_ONFAULT: libraries that are never called
 * cost nothing). Needs CAP_IPC_LOCK or a large RLIMIT_MEMLOCK. */
int realtime_lock_memory(struct error *err);

/* Gives back the heap's free pages, and those of libraries that the overrun threads never call:
 * most were touched once, by the dynamic linker, a TLS handshake, the loading of BPF. What is
 * needed again comes back from the file. Locked pages cannot be given back (madvise(2): EINVAL), so
 * memory is unlocked meanwhile. To be called from time to time. */
void realtime_release_memory(void);

/* A lock of threads with several priorities: its holder inherits that of a waiting thread. */
int realtime_lock_init(pthread_mutex_t *lock, struct error *err);

/* Above the containers' FIFO threads, below the kernel's watchdogs (99). */
enum { REALTIME_PRIORITY = THREAD_PRIORITY_MAX + 1, REALTIME_STACK = 128 * 1024 };

/* Makes the calling thread FIFO, on cgroup v1 in the root group. */
int realtime_become(const struct kernel *k, int priority, struct error *err);

/* Starts a thread with SCHED_FIFO. On cgroup v1 it moves to the root group of the cpu hierarchy,
 * alone: its process may be in one without an RT budget, such as a pod's, and there is no need to
 * give that one. Where SCHED_FIFO is refused all the same (no CAP_SYS_NICE) the thread runs without
 * it, with ret_why set: budgets are then written late. Returns when that is known. */
int realtime_start(pthread_t *ret, void *(*body)(void *), void *arg, const struct kernel *k,
		   struct error *ret_why, struct error *err);

#endif
