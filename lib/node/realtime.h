/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_REALTIME_H
#define MCKUBE_NODE_REALTIME_H

#include <pthread.h>

#include "base/error.h"

/* What keeps the reaction from waiting: memory that stays, a priority above the workloads. */

/* Keeps every page in memory from its first use on (MCL_ONFAULT: libraries that are never called
 * cost nothing). Needs CAP_IPC_LOCK or a large RLIMIT_MEMLOCK. */
int realtime_lock_memory(struct error *err);

/* Above the containers' FIFO threads, below the kernel's watchdogs (99). */
enum { REALTIME_PRIORITY = 90, REALTIME_STACK = 128 * 1024 };

/* Starts a thread with SCHED_FIFO. Where that is refused (no CAP_SYS_NICE, or a cgroup v1 group
 * without an RT budget) it runs all the same, with ret_why set: reactions are late then. */
int realtime_start(pthread_t *ret, void *(*body)(void *), void *arg, struct error *ret_why,
		   struct error *err);

#endif
