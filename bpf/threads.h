/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef MCKUBE_BPF_THREADS_H
#define MCKUBE_BPF_THREADS_H

#include <linux/types.h>

/* Shared by threads.bpf.c and lib/node/thread_watch.c. */

/* A thread, or with is_process all threads of a process, has entered a watched cgroup. */
struct thread_entered {
	__u64 cgroup;
	__u64 start_ns; /* since boot, as /proc/TID/stat counts it */
	__u32 tid;	/* in the initial PID namespace */
	__u32 is_process;
};
_Static_assert(sizeof(struct thread_entered) == 24, "wire format");

#endif
