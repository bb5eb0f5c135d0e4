/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_ENGINE_OVERRUN_THREADS_H
#define MCKUBE_NODE_ENGINE_OVERRUN_THREADS_H

#include <pthread.h>
#include <stdatomic.h>

#include "node/engine/engine.h"

/* The threads that wait for overruns: one for each queue of the source, with a real-time priority
 * (node/realtime.h), bound to the CPUs that fill its queue as far as the cpuset of this process
 * reaches. A thread that is woken on the CPU where the overrun was seen runs as soon as that
 * interrupt is over; another CPU would first have to leave its idle state, or the kernel. */

struct overrun_threads {
	struct engine *engine;
	int stop_fd; /* an eventfd */
	struct overrun_thread {
		struct overrun_threads *overrun_threads;
		unsigned queue;
		pthread_t thread;
		atomic_llong round_ms; /* clock_ms() of its last round */
	} threads[OVERRUN_QUEUES];
	unsigned n_threads;
};

/* The engine must outlive it. ret_why: as with realtime_start(). After an error nothing runs. */
int overrun_threads_start(struct overrun_threads *r, struct engine *e, struct error *ret_why,
			  struct error *err);

/* Zeroed is fine. */
void overrun_threads_stop(struct overrun_threads *r);

/* How long ago the slowest thread woke up; each does at least every five seconds. */
int64_t overrun_threads_late_ms(const struct overrun_threads *r);

#endif
