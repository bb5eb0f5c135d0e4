/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_THREAD_WATCH_H
#define MCKUBE_NODE_THREAD_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "node/kernel.h"

/* Threads that enter watched cgroups of the cpu hierarchy, as BPF sees them (bpf/threads.bpf.c). A
 * thread that was there before its cgroup is watched is not reported. Zeroed is closed. */

typedef void (*thread_entered_handler)(uint64_t cgroup, pid_t tid, uint64_t start, bool is_process,
				       void *arg);

struct thread_watch {
	struct threads_bpf *skel;
	struct ring_buffer *ring;
	int fd; /* readable when thread_watch_read() has something to do */
	thread_entered_handler on_entered; /* `start` as in struct thread */
	void *arg;
	uint64_t lost; /* as thread_watch_has_lost() last saw it */
};

int thread_watch_open(struct thread_watch *w, const struct kernel *k, struct error *err);
void thread_watch_close(struct thread_watch *w);

int thread_watch_add(struct thread_watch *w, uint64_t cgroup, struct error *err);
void thread_watch_forget(struct thread_watch *w, uint64_t cgroup);

void thread_watch_read(struct thread_watch *w);

/* Were there reports since the last call that found no room? */
bool thread_watch_has_lost(struct thread_watch *w);

#endif
