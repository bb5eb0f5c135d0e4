/* SPDX-License-Identifier: Apache-2.0 */

/* A real-time task for the tests on a node.
 *
 *	load [--work US --period US] [--overrun-every N --overrun-work US] [--jobs N]
 *	     [--align US] [--seconds S] [--priority N]
 *
 * Becomes SCHED_FIFO at once, and ends with code 1 where that is refused: what starts before its
 * budget is there shows it. Without --period it spins. With it a job is released every period and
 * has its deadline at the end of it; a job is `work` microseconds of CPU time, every Nth one takes
 * --overrun-work. A late job is finished, and the next one starts right after it. SIGUSR1 makes all
 * jobs overrun, each further one by as much again, SIGUSR2 none any more. With --align the
 * first release waits for SIGUSR2, and then for a multiple of that time on CLOCK_MONOTONIC, to
 *start several together.
 *
 * On SIGTERM and at the end one line tells jobs, misses, the longest response and CPU time. No
 * process lives longer than --seconds (60). */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	NS_PER_US = 1000,
	JUMP_NS = 20000,
	POLL_NS = 5000000,
	DEFAULT_SECONDS = 60,
	DEFAULT_PRIORITY = 10
};
#define NS_PER_S INT64_C(1000000000)

struct task {
	int64_t period_ns, work_ns, overrun_ns, align_ns;
	int64_t overrun_every, jobs, priority, seconds;
};

struct outcome {
	long jobs, misses;
	int64_t longest_ns;
};

static volatile sig_atomic_t is_ending, is_released, times_over;

static void take_signal(int number)
{
	is_ending |= number == SIGTERM || number == SIGALRM;
	if (number == SIGUSR1)
		times_over++;
	if (number == SIGUSR2) {
		is_released = 1;
		times_over = 0;
	}
}

static int64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void sleep_until(int64_t ns)
{
	struct timespec t = { ns / NS_PER_S, ns % NS_PER_S };

	while (!is_ending && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

static void spin_for(int64_t ns)
{
	int64_t end = now_ns(CLOCK_MONOTONIC) + ns;

	while (!is_ending && now_ns(CLOCK_MONOTONIC) < end)
		;
}

/* Uses the CPU for that long, however often others run in between. The clock of CPU time is looked
 * at when it may be over and not before: to read it the kernel charges the task at once, and so
 * throttles it to the microsecond, where others are charged by the tick. */
static void work(int64_t ns)
{
	int64_t end = now_ns(CLOCK_THREAD_CPUTIME_ID) + ns, left = ns;

	while (!is_ending && left > 0) {
		spin_for(left);
		left = end - now_ns(CLOCK_THREAD_CPUTIME_ID);
	}
}

static int64_t work_of(const struct task *t, int64_t job)
{
	int times = times_over;

	if (times == 0 && t->overrun_every && job % t->overrun_every == 0)
		times = 1;
	return times && t->overrun_ns ? times * t->overrun_ns : t->work_ns;
}

static int64_t first_release(const struct task *t)
{
	int64_t now = now_ns(CLOCK_MONOTONIC);

	if (!t->align_ns)
		return now;
	for (; !is_released && !is_ending; now = now_ns(CLOCK_MONOTONIC))
		sleep_until(now + POLL_NS);
	return (now / t->align_ns + 1) * t->align_ns;
}

/* What was promised is cached_value or not at the deadline: a job that is cut off by the end counts
 * if its deadline is past. */
static void run_jobs(const struct task *t, struct outcome *o)
{
	int64_t release = first_release(t);

	for (int64_t job = 1; !is_ending && (!t->jobs || job <= t->jobs); job++) {
		sleep_until(release);
		work(work_of(t, job));

		int64_t response = now_ns(CLOCK_MONOTONIC) - release;
		if (is_ending && response <= t->period_ns)
			break;
		o->jobs++;
		o->misses += response > t->period_ns;
		if (response > o->longest_ns)
			o->longest_ns = response;
		release += t->period_ns;
	}
}

static void spin(void)
{
	while (!is_ending)
		;
}

static void tell(const struct outcome *o)
{
	printf("{\"jobs\":%ld,\"misses\":%ld,\"longestUs\":%lld,\"cpuUs\":%lld}\n", o->jobs,
	       o->misses, (long long)(o->longest_ns / NS_PER_US),
	       (long long)(now_ns(CLOCK_PROCESS_CPUTIME_ID) / NS_PER_US));
	fflush(stdout);
}

static const struct {
	const char *name;
	size_t field;
	int64_t unit;
} numbers[] = {
	{ "period", offsetof(struct task, period_ns), NS_PER_US },
	{ "work", offsetof(struct task, work_ns), NS_PER_US },
	{ "overrun-work", offsetof(struct task, overrun_ns), NS_PER_US },
	{ "overrun-every", offsetof(struct task, overrun_every), 1 },
	{ "jobs", offsetof(struct task, jobs), 1 },
	{ "seconds", offsetof(struct task, seconds), 1 },
	{ "priority", offsetof(struct task, priority), 1 },
	{ "align", offsetof(struct task, align_ns), NS_PER_US },
};

static int parse_pair(struct task *t, const char *name, const char *value)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (strncmp(name, "--", 2) != 0 || strcmp(name + 2, numbers[i].name) != 0)
			continue;
		*(int64_t *)((char *)t + numbers[i].field) =
			strtoll(value, NULL, 10) * numbers[i].unit;
		return 0;
	}
	return -1;
}

static int parse(struct task *t, int argc, char **argv)
{
	for (int i = 1; i < argc; i += 2)
		if (i + 1 == argc || parse_pair(t, argv[i], argv[i + 1]) < 0)
			return -1;
	return 0;
}

static int become_realtime(const struct task *t)
{
	struct sched_param param = { .sched_priority = (int)t->priority };

	if (sched_setscheduler(0, SCHED_FIFO, &param) == 0)
		return 0;
	printf("no SCHED_FIFO: %s\n", strerror(errno));
	return -1;
}

static void handle_signals(unsigned seconds)
{
	static const int signals[] = { SIGTERM, SIGALRM, SIGUSR1, SIGUSR2 };
	struct sigaction action = { .sa_handler = take_signal };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
	alarm(seconds);
}

int main(int argc, char **argv)
{
	struct task t = { .seconds = DEFAULT_SECONDS, .priority = DEFAULT_PRIORITY };
	struct outcome o = { 0 };

	if (parse(&t, argc, argv) < 0)
		return 2;
	handle_signals((unsigned)t.seconds);
	if (become_realtime(&t) < 0)
		return 1;
	puts("ready");
	fflush(stdout);
	if (t.period_ns)
		run_jobs(&t, &o);
	else
		spin();
	tell(&o);
	return 0;
}
