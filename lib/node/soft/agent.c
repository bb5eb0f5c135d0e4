/* SPDX-License-Identifier: Apache-2.0 */

/* The agents: a thread for each CPU that demotes and promotes there. */
#include <bpf/libbpf.h>
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/units.h"
#include "node/realtime.h"
#include "node/soft/soft.h"

static struct soft_cpu *own_cpu(const struct soft_agent *a)
{
	return &a->soft->shared->cpus[a->cpu];
}

/* Also when its CPU has been away: the kernel moves a thread whose CPU goes offline, for good. */
static bool bind_to_cpu(const struct soft_agent *a)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(a->cpu, &cpus);
	return sched_setaffinity(0, sizeof(cpus), &cpus) == 0;
}

static void wake_supervisor(struct soft_agent *a)
{
	struct soft_shared *shared = a->soft->shared;

	if (own_cpu(a)->n && shared->is_asleep && atomic_exchange(&shared->is_asleep, false))
		eventfd_write(a->soft->alert_fd, 1);
}

static void look(struct soft_agent *a, uint64_t now)
{
	for (size_t i = 0; i < SOFT_RECENTS; i++) {
		struct soft_recent *r = &a->recent[i];

		if (r->look_ns && r->look_ns <= now)
			soft_recent_looked(r, now,
					   soft_left(a->soft, r->cgroup, a->cpu, a->states));
	}
}

/* The thread that ran is in the event: it may be in a cgroup below the container's. If it was the
 * only one so far the group is not listed: another one that is there now is told as it runs. */
static void demote(struct soft_agent *a, const struct soft_event *event)
{
	struct soft *s = a->soft;
	const struct soft_cpu *c = own_cpu(a);
	struct soft_group *g = soft_take(s, event->cgroup);
	unsigned n_before = c->n;

	if (!g)
		return;
	a->n_exhaustions++;
	struct soft_recent *r =
		soft_recent_exhausted(a->recent, event->cgroup, event->at_ns, event->refill_ns,
				      event->again_ns - event->refill_ns);
	soft_demote_running(s->shared, a->cpu, event);
	bool is_demoted = c->n == n_before + 1;
	if (!r || !is_demoted || r->only_tid != (pid_t)event->pid)
		soft_demote_group(s->shared, a->cpu, g->dir, g->threads_fd, event->cgroup,
				  event->refill_ns);
	if (r)
		r->only_tid = r->n_events == 1 && is_demoted && c->n == n_before + 1
				      ? (pid_t)event->pid
				      : 0;
	soft_put(s, g);
}

/* An event may be older than a budget that was raised since: then nothing is used up. */
static bool is_exhausted(const struct soft_agent *a, const struct soft_event *event)
{
	if (event->refill_ns <= (uint64_t)clock_ns())
		return false;
	return event->at_ns > a->soft->changed_ns ||
	       soft_left(a->soft, event->cgroup, a->cpu, a->states) == 0;
}

static int take_event(void *arg, void *data, size_t size)
{
	const struct soft_event *event = data;
	struct soft_agent *a = arg;

	if (size < sizeof(*event))
		return 0;
	switch ((enum soft_event_kind)event->kind) {
	case SOFT_EXHAUSTED:
		if (is_exhausted(a, event))
			demote(a, event);
		break;
	case SOFT_STOPPED:
		a->n_stops++;
		soft_add_stopped(a->soft->shared, a->cpu, event);
		break;
	case SOFT_CLONED:
		soft_add_child(a->soft->shared, a->cpu, event);
		break;
	}
	return 0;
}

/* Is every period over for which something was demoted? */
static void restore_due(struct soft_agent *a, uint64_t now)
{
	struct soft_cpu *c = own_cpu(a);

	for (unsigned i = c->n; i-- > 0;)
		if (c->records[i].refill_ns <= now)
			soft_restore(a->soft->shared, a->cpu, i, a->soft->maps.stops);
}

/* A budget was raised, or taken away. */
static void restore_allowed(struct soft_agent *a)
{
	struct soft_cpu *c = own_cpu(a);
	uint64_t last = 0;
	bool may_run = false;

	for (unsigned i = c->n; i-- > 0;) {
		if (c->records[i].cgroup != last) {
			last = c->records[i].cgroup;
			may_run = soft_left(a->soft, last, a->cpu, a->states) > 0;
		}
		if (may_run)
			soft_restore(a->soft->shared, a->cpu, i, a->soft->maps.stops);
	}
}

static void restore_all(struct soft_agent *a)
{
	struct soft_cpu *c = own_cpu(a);

	while (c->n)
		soft_restore(a->soft->shared, a->cpu, c->n - 1, a->soft->maps.stops);
}

static void set_timer(struct soft_agent *a)
{
	const struct soft_cpu *c = own_cpu(a);
	uint64_t next = soft_recent_next(a->recent);

	for (unsigned i = 0; i < c->n; i++)
		if (!next || c->records[i].refill_ns < next)
			next = c->records[i].refill_ns;
	if (next == a->timer_ns)
		return;
	const struct itimerspec at = {
		.it_value = { (time_t)(next / NS_PER_S), (long)(next % NS_PER_S) },
	};
	timerfd_settime(a->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
	a->timer_ns = next;
}

/* What changed meanwhile is looked at again: this thread is not woken for it. */
static void work(struct soft_agent *a)
{
	ring_buffer__consume(a->events);
	uint64_t now = (uint64_t)clock_ns();
	if (a->timer_ns <= now)
		a->timer_ns = 0;
	restore_due(a, now);
	look(a, now);
	for (uint64_t n; (n = a->soft->n_changes) != a->seen;) {
		a->seen = n;
		restore_allowed(a);
	}
	if (a->soft->is_ending)
		restore_all(a);
	set_timer(a);
}

static void *run(void *arg)
{
	struct soft_agent *a = arg;
	const struct sched_param param = { .sched_priority = SOFT_AGENT_PRIORITY };
	struct epoll_event unused;

	if (sched_getscheduler(0) == SCHED_FIFO)
		sched_setparam(0, &param);
	while (!a->soft->is_ending) {
		if (epoll_wait(a->wait_fd, &unused, 1, -1) < 1)
			continue;
		if (sched_getcpu() != (int)a->cpu)
			bind_to_cpu(a);
		soft_cpu_lock(own_cpu(a), true);
		work(a);
		soft_cpu_unlock(own_cpu(a));
		wake_supervisor(a);
	}
	return NULL;
}

static void *begin(void *arg)
{
	struct soft_agent *a = arg;

	if (!bind_to_cpu(a))
		a->soft->n_unmanaged++;
	return run(a);
}

/* Edge-triggered: each wake-up looks at everything, so nothing needs to be read from timer_fd and
 * wake_fd. Unlike poll(2) it does not enter and leave three queues each time. */
static bool wait_for(const struct soft_agent *a, int fd)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };

	return epoll_ctl(a->wait_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static int start(struct soft *s, unsigned cpu, struct error *ret_why, struct error *err)
{
	struct soft_agent *a = &s->agents[cpu];

	*a = (struct soft_agent){ .soft = s, .cpu = cpu };
	a->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	a->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	a->wait_fd = epoll_create1(EPOLL_CLOEXEC);
	a->states = xcalloc((size_t)s->maps.n_cpus, sizeof(*a->states));
	a->events = ring_buffer__new(s->maps.queues[cpu], take_event, a, NULL);
	if (a->timer_fd < 0 || a->wake_fd < 0 || a->wait_fd < 0 || !a->events ||
	    !wait_for(a, a->timer_fd) || !wait_for(a, a->wake_fd) ||
	    !wait_for(a, s->maps.queues[cpu]))
		return error_errno(err, "agent of CPU %u", cpu);
	int r = realtime_start(&a->thread, begin, a, s->kernel, ret_why, err);
	a->is_started = r == 0;
	return r;
}

static void release(struct soft_agent *a)
{
	ring_buffer__free(a->events);
	free(a->states);
	auto_close_fd(&a->timer_fd);
	auto_close_fd(&a->wake_fd);
	auto_close_fd(&a->wait_fd);
}

static unsigned n_agents(const struct soft *s)
{
	return s->kernel->cpus < (unsigned)s->maps.n_cpus ? s->kernel->cpus
							  : (unsigned)s->maps.n_cpus;
}

int soft_agents_start(struct soft *s, struct error *ret_why, struct error *err)
{
	s->agents = xcalloc(n_agents(s), sizeof(*s->agents));
	for (unsigned cpu = 0; cpu < n_agents(s); cpu++)
		s->agents[cpu].timer_fd = s->agents[cpu].wake_fd = s->agents[cpu].wait_fd = -1;
	for (unsigned cpu = 0; cpu < n_agents(s); cpu++)
		if (start(s, cpu, ret_why, err) < 0)
			return err->code;
	return 0;
}

void soft_agents_stop(struct soft *s)
{
	s->is_ending = true;
	for (unsigned cpu = 0; s->agents && cpu < n_agents(s); cpu++) {
		struct soft_agent *a = &s->agents[cpu];

		if (a->is_started) {
			eventfd_write(a->wake_fd, 1);
			pthread_join(a->thread, NULL);
		}
		release(a);
	}
	free(s->agents);
	s->agents = NULL;
}

void soft_agents_wake(struct soft *s)
{
	s->changed_ns = (uint64_t)clock_ns();
	s->n_changes++;
	for (unsigned cpu = 0; s->agents && cpu < n_agents(s); cpu++)
		if (s->shared->cpus[cpu].n)
			eventfd_write(s->agents[cpu].wake_fd, 1);
}

struct soft_stats soft_get_stats(const struct soft *s)
{
	struct soft_stats sum = { 0 };

	for (unsigned cpu = 0; s->agents && cpu < n_agents(s); cpu++) {
		sum.exhaustions += s->agents[cpu].n_exhaustions;
		sum.stops += s->agents[cpu].n_stops;
	}
	return sum;
}
