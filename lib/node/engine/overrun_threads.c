/* SPDX-License-Identifier: Apache-2.0 */
#include "node/engine/overrun_threads.h"

#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "node/realtime.h"

/* An idle thread wakes up to show that it is alive. */
enum { ROUND_MS = 5000 };

/* Where that is refused the thread runs, a little later, on the CPUs that its process may use. */
static void bind_to_queue(unsigned queue, unsigned n_queues)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	for (unsigned cpu = queue; cpu < CPU_SETSIZE; cpu += n_queues)
		CPU_SET(cpu, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
}

static void *react(void *arg)
{
	struct overrun_thread *t = arg;
	struct engine *e = t->overrun_threads->engine;
	struct pollfd polls[] = {
		{ e->overruns->queues[t->queue], POLLIN, 0 },
		{ t->overrun_threads->stop_fd, POLLIN, 0 },
	};

	bind_to_queue(t->queue, e->overruns->n_queues);
	for (;;) {
		t->round_ms = clock_ms();
		if (poll(polls, 2, ROUND_MS) < 1)
			continue;
		if (polls[1].revents)
			return NULL;
		engine_handle_overruns(e, t->queue);
	}
}

int overrun_threads_start(struct overrun_threads *r, struct engine *e, struct error *ret_why,
			  struct error *err)
{
	*r = (struct overrun_threads){ .engine = e, .stop_fd = eventfd(0, EFD_CLOEXEC) };
	if (r->stop_fd < 0)
		return error_errno(err, "make an eventfd");
	for (unsigned i = 0; i < e->overruns->n_queues; i++) {
		struct overrun_thread *t = &r->threads[i];

		t->overrun_threads = r;
		t->queue = i;
		t->round_ms = clock_ms();
		if (realtime_start(&t->thread, react, t, e->kernel, ret_why, err) < 0) {
			overrun_threads_stop(r);
			return err->code;
		}
		r->n_threads++;
	}
	return 0;
}

void overrun_threads_stop(struct overrun_threads *r)
{
	if (!r->engine)
		return;
	eventfd_write(r->stop_fd, 1);
	for (unsigned i = 0; i < r->n_threads; i++)
		pthread_join(r->threads[i].thread, NULL);
	close(r->stop_fd);
	*r = (struct overrun_threads){ 0 };
}

int64_t overrun_threads_late_ms(const struct overrun_threads *r)
{
	int64_t now = clock_ms(), late = 0;

	for (unsigned i = 0; i < r->n_threads; i++)
		if (now - r->threads[i].round_ms > late)
			late = now - r->threads[i].round_ms;
	return late;
}
