/* SPDX-License-Identifier: Apache-2.0 */

/* Everything that is not urgent. */
#include "loop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/events.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "node/realtime.h"
#include "static_pods.h"

enum { POLL_SIGNAL, POLL_EVENTS, POLL_CREATED, POLL_THREADS, POLLS };
static const int64_t sample_interval_ns = 1000000000;
static const int64_t release_first_ns = 5000000000, release_interval_ns = 60000000000;

struct loop {
	struct run *run;
	int signal_fd;
	int64_t sampled_ns; /* of the last sample */
	int64_t released_ns, release_interval_ns;
	uint64_t reported_revision; /* of the last agent_notify() */
	bool reported_busy, reported_pressure;
	bool is_ending;
};

/* Logs an event and posts it to the API server. */
static void report(struct run *r, const struct node_event *n)
{
	log_v(0, "%s pod %s/%s: %s", node_event_reason(n->kind), n->ns, n->name, n->text);
	agent_post_event(r->kube, n);
}

static void take_signal(struct loop *l)
{
	struct signalfd_siginfo info;
	struct error err;

	if (read(l->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo != SIGHUP)
		l->is_ending = true;
	else if (l->run->args->static_file &&
		 static_pods_apply(l->run, l->run->args->static_file, &err) < 0)
		log_warning("%s", err.msg);
}

static void take_events(struct loop *l)
{
	eventfd_t unused;
	struct node_event n;

	eventfd_read(l->run->engine.event_fd, &unused);
	while (engine_take_event(&l->run->engine, &n))
		report(l->run, &n);
	run_save(l->run);
}

static void take_created(struct run *r)
{
	if (r->cgroup_watch.fd >= 0)
		cgroup_watch_read(&r->cgroup_watch);
	else
		overruns_read_created(&r->overruns);
}

/* Memory that is rarely used again: that of the start-up, which ends with the first connections;
 * later that of many new pods or of a new TLS session. */
static void release_memory(struct loop *l, int64_t now)
{
	if (now - l->released_ns < l->release_interval_ns)
		return;
	l->released_ns = now;
	l->release_interval_ns *= 2;
	if (l->release_interval_ns > release_interval_ns)
		l->release_interval_ns = release_interval_ns;
	realtime_release_memory();
}

static void sample(struct loop *l, int64_t now)
{
	struct run *r = l->run;

	if (now - l->sampled_ns < sample_interval_ns)
		return;
	l->sampled_ns = now;
	engine_cgroup_created(&r->engine, NULL);
	run_find_missing(r);
	if (soft_supervise(&r->soft))
		log_warning("the supervisor of the agents had ended, and is started again");
	release_memory(l, now);
	if (cpu_usage_sample(&r->usage, &r->roots, now, NULL) == 0)
		engine_set_usage(&r->engine, cpu_usage_read(&r->usage).ppm, now);
	engine_sample_use(&r->engine, now);
	uint64_t missed_us;
	bool is_measured = engine_missed(&r->engine, now, &missed_us);
	rt_pressure_sample(&r->pressure, is_measured, missed_us, now);
}

static void record(struct run *r, int64_t now)
{
	struct error err;

	if (history_file_take(&r->history, &r->engine, now, &err) < 0)
		log_warning("history: %s; nothing is recorded until it can be written again",
			    err.msg);
}

static void notify_agent(struct loop *l)
{
	uint64_t revision = engine_revision(&l->run->engine);
	bool is_busy = cpu_usage_read(&l->run->usage).is_busy;
	bool has_pressure = rt_pressure_read(&l->run->pressure).us > 0;

	if (revision == l->reported_revision && is_busy == l->reported_busy &&
	    has_pressure == l->reported_pressure)
		return;
	l->reported_revision = revision;
	l->reported_pressure = has_pressure;
	l->reported_busy = is_busy;
	agent_notify(l->run->kube);
}

static void dispatch(struct loop *l, const struct pollfd *polls)
{
	if (polls[POLL_SIGNAL].revents)
		take_signal(l);
	if (polls[POLL_CREATED].revents)
		take_created(l->run);
	if (polls[POLL_THREADS].revents)
		thread_watch_read(&l->run->thread_watch);
	if (polls[POLL_EVENTS].revents)
		take_events(l);
}

int run_loop(struct run *r, struct error *err)
{
	struct loop l = {
		.run = r,
		.released_ns = clock_ns(),
		.release_interval_ns = release_first_ns,
	};
	sigset_t set;

	sigprocmask(SIG_BLOCK, NULL, &set);
	AUTO_CLOSE int signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (signal_fd < 0)
		return error_errno(err, "make a signalfd");
	l.signal_fd = signal_fd;
	int created_fd = r->cgroup_watch.fd >= 0 ? r->cgroup_watch.fd : r->overruns.created_fd;
	while (!l.is_ending) {
		int64_t now = clock_ns();
		struct pollfd polls[POLLS] = {
			[POLL_SIGNAL] = { signal_fd, POLLIN, 0 },
			[POLL_EVENTS] = { r->engine.event_fd, POLLIN, 0 },
			[POLL_CREATED] = { created_fd, POLLIN, 0 },
			[POLL_THREADS] = { r->thread_watch.fd, POLLIN, 0 },
		};

		r->loop_ms = clock_ms();
		sample(&l, now);
		int wait_ms = engine_tick(&r->engine, now);
		record(r, clock_ns());
		notify_agent(&l);
		if (poll(polls, POLLS, wait_ms) > 0)
			dispatch(&l, polls);
	}
	engine_report_counts(&r->engine);
	take_events(&l);
	record(r, clock_ns());
	return 0;
}
