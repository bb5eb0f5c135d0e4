/* SPDX-License-Identifier: Apache-2.0 */

/* Overruns without BPF: the CPU time of each watched container, read every few milliseconds.
 *
 * The time is that of all its CPUs and policies together, in periods that begin when it was first
 * looked at: an estimate, good enough to react in the next period but not in this one. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>

#include "base/alloc.h"
#include "base/array.h"
#include "base/auto.h"
#include "base/units.h"
#include "node/cpu_time.h"
#include "node/overrun/overrun.h"

enum { POLL_NS = 10 * NS_PER_MS };

struct polled {
	uint64_t cgroup;
	struct cpu_time time;
	uint64_t period_ns, period_end, used_at_start;
	uint64_t limit_ns[OVERRUN_LIMITS];
	bool is_reported[OVERRUN_LIMITS];
};

struct poll_source {
	ARRAY(struct polled) groups;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void close_group(struct poll_source *s, size_t i)
{
	cpu_time_close(&s->groups.items[i].time);
	s->groups.items[i] = s->groups.items[--s->groups.n];
}

static int poll_open(struct overruns *o, struct error *err)
{
	struct itimerspec every = { { 0, POLL_NS }, { 0, POLL_NS } };

	o->queues[0] = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (o->queues[0] < 0 || timerfd_settime(o->queues[0], 0, &every, NULL) < 0)
		return error_errno(err, "make a timer");
	o->n_queues = 1;
	o->data = xcalloc(1, sizeof(struct poll_source));
	return 0;
}

static void poll_close(struct overruns *o)
{
	struct poll_source *s = o->data;

	while (s->groups.n)
		close_group(s, s->groups.n - 1);
	array_done(&s->groups);
	free(s);
	close(o->queues[0]);
}

static struct polled *find(struct poll_source *s, uint64_t cgroup)
{
	array_each(p, &s->groups)
		if (p->cgroup == cgroup)
			return p;
	return NULL;
}

static int add_group(struct overruns *o, const struct group *g, uint64_t cgroup, struct error *err)
{
	struct poll_source *s = o->data;
	struct polled p = { .cgroup = cgroup, .period_ns = (uint64_t)g->now.period_us * NS_PER_US };

	if (!cpu_time_open(&p.time, o->kernel, g) || !cpu_time_read(&p.time, &p.used_at_start)) {
		cpu_time_close(&p.time);
		return error_set(err, -ENOTSUP, "%s: CPU time cannot be read", g->name);
	}
	p.period_end = now_ns() + p.period_ns;
	*array_add(&s->groups) = p;
	return 0;
}

static int poll_watch(struct overruns *o, const struct group *g, uint64_t cgroup,
		      const uint64_t limit_ns[OVERRUN_LIMITS], uint64_t granted_ns,
		      struct error *err)
{
	(void)granted_ns;
	if (!find(o->data, cgroup) && add_group(o, g, cgroup, err) < 0)
		return -ENOTSUP;
	struct polled *p = find(o->data, cgroup);
	memcpy(p->limit_ns, limit_ns, sizeof(p->limit_ns));
	return 0;
}

static void poll_forget(struct overruns *o, uint64_t cgroup)
{
	struct poll_source *s = o->data;
	struct polled *p = find(s, cgroup);

	if (p)
		close_group(s, (size_t)(p - s->groups.items));
}

static void compare(struct overruns *o, struct polled *p, uint64_t now)
{
	uint64_t used;

	if (!cpu_time_read(&p->time, &used))
		return;
	struct overrun_event event = {
		.cgroup = p->cgroup,
		.at_ns = now,
		.used_ns = used - p->used_at_start,
		.period = p->period_end,
	};
	for (uint32_t i = 0; i < OVERRUN_SOON; i++) {
		if (!p->limit_ns[i] || p->is_reported[i] || event.used_ns < p->limit_ns[i])
			continue;
		p->is_reported[i] = true;
		event.limit = i;
		o->on_event(&event, o->arg);
	}
	if (now < p->period_end)
		return;
	p->period_end = now + p->period_ns;
	p->used_at_start = used;
	memset(p->is_reported, 0, sizeof(p->is_reported));
}

static void poll_read(struct overruns *o, unsigned queue)
{
	struct poll_source *s = o->data;
	uint64_t expirations, now = now_ns();

	if (read(o->queues[queue], &expirations, sizeof(expirations)) < 0)
		return;
	array_each(p, &s->groups)
		compare(o, p, now);
}

const struct overrun_source overrun_poll = {
	.name = "cpu.stat",
	.what = "CPU time is polled: an overrun is seen up to 10 ms late, and not per CPU",
	.open = poll_open,
	.watch = poll_watch,
	.forget = poll_forget,
	.read = poll_read,
	.close = poll_close,
};
