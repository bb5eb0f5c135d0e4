/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_THREAD_H
#define MCKUBE_NODE_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* Threads of other programs. The kernel's calls take numbers, and a number is given to another
 * thread after its own has ended; 0 is the caller. A thread is therefore its number together with
 * its start time, which is compared before and after each change. Every change of a policy or a
 * nice value of a thread that is not the caller's goes through here.
 *
 * Numbers are those of the caller's PID namespace, and so is /proc; a thread outside of it is
 * listed as 0 by the kernel and refused with -ENOTSUP. Nothing here allocates. */

struct thread {
	pid_t tid;
	uint64_t start; /* field 22 of /proc/TID/stat: clock ticks (10 ms) since boot */
};

enum { THREADS_MAX = 512 };

struct threads {
	struct thread list[THREADS_MAX];
	size_t n;
	bool is_cut; /* the group has more that are wanted */
};

/* The threads, or processes, of the cgroup that `dir` is an open folder of, in the kernel's order;
 * those that `is_wanted` (NULL: all) is false for are left out. Each one was in the group after its
 * start time was read. A group without any is no error. */
int threads_of_group(int dir, bool (*is_wanted)(pid_t tid), struct threads *ret, struct error *err);
int processes_of_group(int dir, struct threads *ret, struct error *err);

/* -EINVAL: the number is not positive. -ESRCH: there is no such thread. */
int thread_identify(pid_t tid, struct thread *ret, struct error *err);
bool thread_is_same(const struct thread *t);

/* sched_getattr(2), sched_setattr(2), setpriority(2). -ESRCH: the thread has ended, before or
 * meanwhile; what was then set for another thread with its number is undone. */
struct sched_attr;
int thread_get_attr(const struct thread *t, struct sched_attr *ret, struct error *err);
int thread_set_attr(const struct thread *t, const struct sched_attr *attr, struct error *err);
int thread_set_nice(const struct thread *t, int nice, struct error *err);

/* The start time of a thread as a proc file system mounted on `proc` shows it, which need not be
 * the one of the caller's namespace. */
int thread_start_time(const char *proc, pid_t tid, uint64_t *ret, struct error *err);

#endif
