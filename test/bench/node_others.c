/* SPDX-License-Identifier: Apache-2.0 */

/* What the kernel's own ways to limit CPU time do with the loads of test/kernel/soft.c: RT groups
 * of cgroup v1, SCHED_DEADLINE, and the quota that cpu.max writes to (cpu.cfs_quota_us on v1),
 * which limits ordinary threads only, so that the load is one of those. How much more than the
 * budget its threads used in each period, by their own CPU clocks. `node_others [SECONDS]` for each
 * load.
 *
 * A thread of SCHED_DEADLINE must be allowed on all CPUs, and each has a budget of its own: a part
 * of the whole one, that a new thread has afresh. */
#include <bpf/bpf.h>
#include <dirent.h>

#include "../kernel/soft_group.h"

enum way { RT_GROUP, DEADLINE, QUOTA, WAYS };
enum shape { SPIN, BURSTS, CHURN };

static const char *const names[WAYS] = { "RT group", "SCHED_DEADLINE", "cpu.max" };

static const struct load {
	const char *name;
	enum shape shape;
	unsigned threads;
	int64_t runtime_us, period_us;
} loads[] = {
	{ "a spinner, 2/10 ms", SPIN, 1, 2000, 10000 },
	{ "a spinner, 20/100 ms", SPIN, 1, 20000, 100000 },
	{ "20 threads, 20/100 ms", SPIN, 20, 20000, 100000 },
	{ "bursts, 2/10 ms", BURSTS, 1, 2000, 10000 },
	{ "thread churn, 20/100 ms", CHURN, 4, 20000, 100000 },
};

/* sched_setattr(2); <linux/sched/types.h> is not to be used together with <sched.h>. */
struct deadline_attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

static char dir[80];
static enum way way;
static const struct load *load;

static void pin(int first, int end)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	for (int cpu = first; cpu < end; cpu++)
		CPU_SET(cpu, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
}

/* The calling thread gets what its way needs. */
static void enter(void)
{
	const struct deadline_attr deadline = {
		.size = sizeof(deadline),
		.policy = SCHED_DEADLINE,
		.runtime = (uint64_t)load->runtime_us * 1000 / load->threads,
		.deadline = (uint64_t)load->period_us * 1000,
		.period = (uint64_t)load->period_us * 1000,
	};

	if (way == DEADLINE) {
		pin(0, CPU_SETSIZE);
		/* What a thread that has ended was admitted with is free some time later. */
		while (syscall(SYS_sched_setattr, 0, &deadline, 0) < 0)
			if (errno == EBUSY)
				usleep(1000);
			else
				_exit(1);
		return;
	}
	pin(SOFT_CPU, SOFT_CPU + 1);
	if (rt_put(dir, "tasks", (pid_t)syscall(SYS_gettid)) < 0)
		_exit(1);
	if (way == RT_GROUP)
		load_become_fifo(SOFT_LOAD_PRIORITY);
}

static void *work(void *arg)
{
	enter();
	if (load->shape == SPIN)
		load_spin_thread(arg);
	if (load->shape == BURSTS)
		load_bursts(arg);
	return load_short_thread(arg);
}

/* Threads that live for 2 ms, one after another. */
static void *renew(void *arg)
{
	pthread_t t;

	for (;;)
		if (pthread_create(&t, NULL, work, arg) == 0)
			pthread_join(t, NULL);
	return NULL;
}

static uint64_t clock_of(clockid_t clock)
{
	struct timespec t;

	return clock_gettime(clock, &t) < 0 ? 0
					    : (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Reading the clock of a thread has the kernel count what it used since the last tick; that of the
 * process does so for the caller alone. */
static uint64_t used_ns(void)
{
	DIR *tasks = opendir("/proc/self/task");

	for (struct dirent *e; tasks && (e = readdir(tasks));) {
		int tid = (int)strtol(e->d_name, NULL, 10);

		if (tid > 0)
			clock_of((~(clockid_t)tid * 8) | 6); /* CPUCLOCK_PERTHREAD, _SCHED */
	}
	if (tasks)
		closedir(tasks);
	return clock_of(CLOCK_PROCESS_CPUTIME_ID) - clock_of(CLOCK_THREAD_CPUTIME_ID);
}

static void sample(int seconds, struct soft_samples *ret)
{
	uint64_t period_ns = (uint64_t)load->period_us * 1000,
		 end = rt_now_ns() + (uint64_t)seconds * 1000000000, before = 0;

	for (uint64_t next = (rt_now_ns() / period_ns + 1) * period_ns; next < end;
	     next += period_ns) {
		const struct timespec at = { (time_t)(next / 1000000000),
					     (long)(next % 1000000000) };

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
		uint64_t now = used_ns();
		if (before && ret->n < SOFT_SAMPLES) {
			ret->over_ns[ret->n++] = (int64_t)(now - before) - load->runtime_us * 1000;
			ret->used_ns += now - before;
			ret->periods++;
		}
		before = now;
	}
}

/* In a process of its own, whose end ends all threads. */
static void measure(int seconds)
{
	const struct sched_param param = { .sched_priority = 80 };
	static struct soft_samples samples;
	pthread_t t;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(LIFE_S);
	pin(0, 1);
	for (unsigned i = 0; i < load->threads; i++)
		pthread_create(&t, NULL, load->shape == CHURN ? renew : work, NULL);
	sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param);
	usleep(300000);
	sample(seconds, &samples);
	double share =
		samples.periods ? (double)samples.used_ns / 1e3 / (double)samples.periods : 0;
	printf("# %s, %s: us above the budget: p50 %.1f p99 %.1f max %.1f; share %+.3f %%\n",
	       load->name, names[way], soft_percentile(&samples, 50), soft_percentile(&samples, 99),
	       soft_percentile(&samples, 100), 100 * (share / (double)load->runtime_us - 1));
	fflush(stdout);
	_exit(0);
}

static bool prepare(void)
{
	if (way == DEADLINE)
		return true;
	if (way == RT_GROUP)
		return rt_group_make(dir, load->runtime_us, load->period_us) == 0;
	return mkdir(dir, 0755) == 0 && rt_put(dir, "cpu.cfs_period_us", load->period_us) == 0 &&
	       rt_put(dir, "cpu.cfs_quota_us", load->runtime_us) == 0;
}

static bool run(int seconds)
{
	int status = 1;

	if (!prepare()) {
		printf("%s: %s cannot be made: %s\n", names[way], dir, strerror(errno));
		return false;
	}
	pid_t hog = load_hog(), pid = fork();
	if (pid == 0)
		measure(seconds);
	waitpid(pid, &status, 0);
	rt_stop(hog);
	if (way != DEADLINE)
		rt_group_remove(dir);
	return status == 0;
}

int main(int argc, char **argv)
{
	int seconds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 3;
	bool is_good = true;

	snprintf(dir, sizeof(dir), RT_MOUNT "/mckube-others-%d", getpid());
	for (size_t i = 0; i < ARRAY_LEN(loads); i++)
		for (way = 0; way < WAYS; way++) {
			load = &loads[i];
			is_good &= run(seconds);
		}
	return is_good ? 0 : 1;
}
