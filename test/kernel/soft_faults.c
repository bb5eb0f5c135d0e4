/* SPDX-License-Identifier: Apache-2.0 */

/* Budgets in software where things go wrong: an agent that is outranked, threads that end, are
 * frozen, moved, traced or hold the mutex of another group, many groups; budgets that are raised
 * and taken away. Each leaves every thread as it was. */
#include <bpf/bpf.h>
#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>

#include "soft_group.h"

enum {
	SAMPLER_PRIORITY = 80,
	BUDGET_US = 2000,
	PERIOD_US = 10000,
	MANY = 1000,
	RAISES = 200,
	COST_S = 3
};

static struct soft_fixture f;

static bool check(bool is_good, const char *what)
{
	printf("%s %s\n", is_good ? "PASS" : "FAIL", what);
	return is_good;
}

static int policy_of(pid_t pid)
{
	return sched_getscheduler(pid) & ~SCHED_RESET_ON_FORK;
}

static bool becomes(pid_t pid, int policy)
{
	for (int i = 0; i < 400; i++) {
		if (policy_of(pid) == policy)
			return true;
		usleep(500);
	}
	return false;
}

/* FIFO for longer than a period, and not stopped. */
static bool stays_fifo(pid_t pid)
{
	usleep(5000);
	for (int i = 0; i < 40; i++) {
		char path[64], buf[SYSFS_VALUE];

		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		if (policy_of(pid) != SCHED_FIFO ||
		    sysfs_read(AT_FDCWD, path, buf, sizeof(buf), NULL) < 0 || strstr(buf, ") T"))
			return false;
		usleep(1000);
	}
	return true;
}

static unsigned n_records(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < f.soft.shared->n_cpus; i++)
		n += f.soft.shared->cpus[i].n;
	return n;
}

static void make(struct soft_child *c, const char *name)
{
	if (!soft_child_make(&f, c, name) || !soft_child_set(c, BUDGET_US, PERIOD_US))
		check(false, "a group has a budget");
}

static void sample(const struct soft_child *c, int seconds, struct soft_samples *ret)
{
	soft_sample(&f, c, BUDGET_US, PERIOD_US, seconds, ret);
}

static void outranking(void *arg)
{
	load_become_fifo(95);
	rt_spin(arg);
}

static void outranking_deaf(void *arg)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	outranking(arg);
}

static bool bounded_without_agent(const char *what, void (*body)(void *))
{
	static struct soft_samples samples;
	struct soft_child c;
	char text[96];

	make(&c, "outranking");
	pid_t pid = load_start(c.dir, body);
	usleep(100000);
	sample(&c, 2, &samples);
	double median = soft_percentile(&samples, 50);
	printf("# %s: us above the budget: p50 %.1f p99 %.1f max %.1f\n", what, median,
	       soft_percentile(&samples, 99), soft_percentile(&samples, 100));
	soft_child_set(&c, 0, PERIOD_US);
	bool is_left_free = stays_fifo(pid);
	rt_stop(pid);
	soft_child_remove(&c);
	snprintf(text, sizeof(text), "%s: bounded by the stop", what);
	bool is_good = check(samples.n > 100 && median < 1000, text);
	return check(is_left_free, "and free when the budget is taken away") && is_good;
}

static bool two_groups_leave_the_rest(void)
{
	struct soft_child a, b;

	f.soft.shared->demoted_policy = SCHED_IDLE;
	make(&a, "a");
	make(&b, "b");
	soft_child_set(&b, 3 * BUDGET_US / 2, PERIOD_US);
	pid_t pids[] = { load_start(a.dir, rt_spin), load_start(b.dir, rt_spin), load_hog() };
	usleep(100000);
	uint64_t demoted = cpu_ns(pids[0]) + cpu_ns(pids[1]), hog = cpu_ns(pids[2]);
	uint64_t start = rt_now_ns();
	usleep(2000000);
	uint64_t budgets = (rt_now_ns() - start) / 2;
	demoted = soft_less(cpu_ns(pids[0]) + cpu_ns(pids[1]) - demoted, budgets);
	hog = cpu_ns(pids[2]) - hog;
	double share = (double)hog / (double)(hog + demoted);
	printf("# a hog beside two groups has %.1f %% of what they leave\n", 100 * share);
	for (size_t i = 0; i < ARRAY_LEN(pids); i++)
		rt_stop(pids[i]);
	soft_child_remove(&a);
	soft_child_remove(&b);
	f.soft.shared->demoted_policy = SCHED_OTHER;
	return check(share > 0.9, "SCHED_IDLE leaves others the rest");
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static bool a_raise_is_in_force(void)
{
	static uint64_t late[RAISES];
	struct soft_child c;
	size_t n = 0;

	make(&c, "raised");
	soft_child_set(&c, BUDGET_US, 100000);
	pid_t pid = load_start(c.dir, rt_spin);
	becomes(pid, SCHED_FIFO);
	for (int i = 0; i < RAISES && n < RAISES / 4; i++) {
		if (!becomes(pid, SCHED_OTHER))
			break;
		uint64_t start = rt_now_ns();
		soft_child_set(&c, 90000, 100000);
		while (policy_of(pid) != SCHED_FIFO && rt_now_ns() - start < 50000000)
			;
		late[n++] = rt_now_ns() - start;
		soft_child_set(&c, BUDGET_US, 100000);
	}
	rt_stop(pid);
	soft_child_remove(&c);
	qsort(late, n, sizeof(late[0]), by_value);
	size_t middle = n / 2, most = n * 9 / 10;
	double p50 = n ? (double)late[middle] : 0, p90 = n ? (double)late[most] : 0;
	printf("# a raise is in force, us: p50 %.1f p90 %.1f max %.1f of %zu\n", p50 / 1e3,
	       p90 / 1e3, n ? (double)late[n - 1] / 1e3 : 0, n);
	return check(n > 10 && late[n / 2] < 200000, "a raise is in force at once");
}

static bool frozen_and_moved(void)
{
	struct soft_child c;
	cpu_set_t cpus;

	make(&c, "frozen");
	pid_t pid = load_start(c.dir, rt_spin);
	bool is_good = becomes(pid, SCHED_OTHER);
	rt_put(c.dir, "cgroup.freeze", 1);
	usleep(30000);
	rt_put(c.dir, "cgroup.freeze", 0);
	is_good = check(is_good && becomes(pid, SCHED_FIFO), "frozen and thawed, it is FIFO again");
	becomes(pid, SCHED_OTHER);
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	sched_setaffinity(pid, sizeof(cpus), &cpus);
	is_good &= check(becomes(pid, SCHED_FIFO) && becomes(pid, SCHED_OTHER),
			 "moved to another CPU, it has its budget there");
	soft_child_set(&c, 0, PERIOD_US);
	is_good &= check(stays_fifo(pid), "and none when it is taken away");
	rt_stop(pid);
	soft_child_remove(&c);
	return is_good;
}

static void *spin_on_cpu_0(void *arg)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	return load_spin_thread(arg);
}

static void spin_on_two(void *arg)
{
	pthread_t t;

	pthread_create(&t, NULL, spin_on_cpu_0, NULL);
	rt_spin(arg);
}

/* This process is on one of them, with a higher priority. */
static bool on_two_cpus(void)
{
	static struct soft_samples samples;
	struct soft_child c;
	bool is_good = true;

	make(&c, "two");
	pid_t pid = load_start(c.dir, spin_on_two);
	usleep(100000);
	for (unsigned cpu = 0; cpu < 2; cpu++) {
		soft_sample_cpu(&f, &c, cpu, BUDGET_US, PERIOD_US, 1, &samples);
		double median = soft_percentile(&samples, 50);
		printf("# a group on two CPUs, CPU %u: us above the budget: p50 %.1f max %.1f of "
		       "%zu\n",
		       cpu, median, soft_percentile(&samples, 100), samples.n);
		is_good &= samples.n > 80 && median < 300;
	}
	soft_child_set(&c, 0, PERIOD_US);
	is_good &= stays_fifo(pid);
	rt_stop(pid);
	soft_child_remove(&c);
	return check(is_good, "a group on two CPUs has its budget on each");
}

static bool traced(void)
{
	struct soft_child c;
	int status;

	make(&c, "traced");
	pid_t pid = load_start(c.dir, rt_spin);
	bool is_good = ptrace(PTRACE_SEIZE, pid, 0, 0) == 0 && becomes(pid, SCHED_OTHER) &&
		       becomes(pid, SCHED_FIFO) && becomes(pid, SCHED_OTHER);
	ptrace(PTRACE_INTERRUPT, pid, 0, 0);
	waitpid(pid, &status, 0);
	usleep(30000);
	ptrace(PTRACE_DETACH, pid, 0, 0);
	soft_child_set(&c, 0, PERIOD_US);
	is_good &= stays_fifo(pid);
	rt_stop(pid);
	soft_child_remove(&c);
	return check(is_good, "a traced thread is demoted and promoted");
}

static void *exit_soon(void *arg)
{
	for (uint64_t end = rt_now_ns() + 1000000 + (uint64_t)(rt_now_ns() % 3000000);
	     rt_now_ns() < end;)
		;
	return arg;
}

static void ending(void *arg)
{
	for (;;) {
		pid_t pid = fork();

		if (pid == 0) {
			exit_soon(arg);
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
}

static bool nothing_is_left_of_ended_threads(void)
{
	struct soft_child c;

	make(&c, "ending");
	pid_t pid = load_start(c.dir, ending);
	usleep(2000000);
	rt_stop(pid);
	usleep(100000);
	soft_child_remove(&c);
	return check(n_records() == 0, "nothing is left of threads that have ended");
}

/* A process with this number, which no other has, that looks like a demoted one. */
static pid_t imitate(pid_t number)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (uint64_t)(uintptr_t)&number,
		.set_tid_size = 1,
	};
	const struct sched_param none = { 0 };
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(LIFE_S);
	sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &none);
	rt_sleep(NULL);
	_exit(0);
}

/* The demoted thread ends and its number is given to another process while the record is there, and
 * that becomes due when the number may have come again. False: the next period came too early for
 * it. */
static bool try_number(struct soft_child *c, bool *ret_is_good)
{
	enum {
		PERIOD_NS = 500000000,
		LAST_NS = PERIOD_NS - 100000000
	}; /* SOFT_REUSE_NS is 50 ms */

	usleep((PERIOD_NS - rt_now_ns() % PERIOD_NS) / 1000);
	uint64_t period = rt_now_ns() / PERIOD_NS;
	pid_t pid = load_start(c->dir, rt_spin);
	bool is_good = becomes(pid, SCHED_FIFO) && becomes(pid, SCHED_OTHER);
	rt_stop(pid);
	usleep(20000);
	pid_t other = imitate(pid);
	is_good &= other == pid && n_records() > 0;
	bool is_in_time = rt_now_ns() / PERIOD_NS == period && rt_now_ns() % PERIOD_NS < LAST_NS;
	usleep(PERIOD_NS / 1000 + 100000);
	*ret_is_good = is_good && n_records() == 0 && policy_of(other) == SCHED_OTHER;
	rt_stop(other);
	return is_in_time;
}

static bool a_number_is_given_to_another_process(void)
{
	struct soft_child c;
	bool is_good = false;
	int n = 0;

	make(&c, "reused");
	soft_child_set(&c, BUDGET_US, 500000);
	while (!try_number(&c, &is_good) && ++n < 20)
		;
	soft_child_remove(&c);
	return check(is_good, "another process that has got the number is not promoted");
}

/* A mutex that both groups use, in shared memory. */
struct shared_lock {
	pthread_mutex_t lock;
	atomic_uint n_taken;
	atomic_bool is_held;
};
static struct shared_lock *shared;

static void hold(void *arg)
{
	(void)arg;
	for (;;) {
		pthread_mutex_lock(&shared->lock);
		shared->is_held = true;
		exit_soon(NULL);
		shared->is_held = false;
		pthread_mutex_unlock(&shared->lock);
		sched_yield();
	}
}

static void want(void *arg)
{
	(void)arg;
	load_become_fifo(20);
	for (;;) {
		pthread_mutex_lock(&shared->lock);
		shared->n_taken++;
		pthread_mutex_unlock(&shared->lock);
		usleep(1000);
	}
}

static bool a_mutex_of_another_group(void)
{
	struct soft_child a, b;
	pthread_mutexattr_t attr;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&shared->lock, &attr);
	make(&a, "holds");
	make(&b, "wants");
	pid_t pids[] = { load_start(a.dir, hold), load_start(b.dir, want), load_hog() };
	struct soft_stats before = soft_get_stats(&f.soft);
	usleep(2000000);
	unsigned n = shared->n_taken;
	struct soft_stats after = soft_get_stats(&f.soft);
	/* The one that waits first: a mutex of an owner that is killed is lost. */
	rt_stop(pids[1]);
	rt_stop(pids[0]);
	rt_stop(pids[2]);
	soft_child_remove(&a);
	soft_child_remove(&b);
	printf("# the mutex of a group without budget was taken %u times in 2 s, %llu stops\n", n,
	       (unsigned long long)(after.stops - before.stops));
	return check(n > 50, "a group is not held up by one without budget that has its mutex");
}

static bool many_groups(void)
{
	static struct soft_child many[MANY];
	struct bandwidth b;
	struct error err;
	char name[16];
	bool is_good = true;

	uint64_t start = rt_now_ns();
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		make(&many[i], name);
	}
	uint64_t made = rt_now_ns();
	for (int i = 0; i < MANY; i++)
		is_good &= group_read(&many[i].group, CPU_ALL, &b, &err) == 0 &&
			   b.runtime_us == BUDGET_US && b.period_us == PERIOD_US;
	pid_t pid = load_start(many[MANY / 2].dir, rt_spin);
	is_good &= becomes(pid, SCHED_OTHER) && becomes(pid, SCHED_FIFO);
	rt_stop(pid);
	for (int i = 0; i < MANY; i++)
		soft_child_remove(&many[i]);
	uint32_t next;
	uint64_t cgroup;
	is_good &= f.soft.groups.n == 0 &&
		   bpf_map_get_next_key(f.soft.maps.budgets, NULL, &cgroup) &&
		   bpf_map_get_next_key(f.soft.maps.stops, NULL, &next);
	printf("# %d groups have a budget after %.0f ms\n", MANY, (double)(made - start) / 1e6);
	return check(is_good, "a thousand groups, and nothing is left of them");
}

/* What a demoted thread makes is told without waking the agent, and must not keep another group's
 * exhaustion from it. */
static bool told_beside_new_threads(void)
{
	static struct soft_samples samples;
	struct soft_child makers, other;

	make(&makers, "makers");
	soft_child_set(&makers, 100, 100 * PERIOD_US);
	make(&other, "other");
	pid_t pids[] = { load_start(makers.dir, load_storm), load_start(other.dir, load_bursts) };
	usleep(100000);
	sample(&other, 2, &samples);
	printf("# beside a demoted group that makes threads: us above the budget: p50 %.1f p99 %.1f\n",
	       soft_percentile(&samples, 50), soft_percentile(&samples, 99));
	rt_stop(pids[0]);
	rt_stop(pids[1]);
	soft_child_remove(&makers);
	soft_child_remove(&other);
	return check(samples.n > 20 && soft_percentile(&samples, 50) < 200,
		     "told beside new threads of a demoted group");
}

static double agent_seconds(void)
{
	struct rusage self;

	getrusage(RUSAGE_SELF, &self);
	return (double)self.ru_utime.tv_sec + (double)self.ru_stime.tv_sec +
	       (double)(self.ru_utime.tv_usec + self.ru_stime.tv_usec) / 1e6;
}

/* Ten groups that are exhausted in each period. */
static void agents_cost(void)
{
	struct soft_child c[10];
	pid_t pids[10];
	char name[16];

	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		soft_child_make(&f, &c[i], name);
		soft_child_set(&c[i], 500, PERIOD_US);
		pids[i] = load_start(c[i].dir, rt_spin);
	}
	usleep(100000);
	struct soft_stats before = soft_get_stats(&f.soft);
	double start = agent_seconds();
	usleep(COST_S * 1000000);
	double used = agent_seconds() - start;
	struct soft_stats after = soft_get_stats(&f.soft);
	uint64_t n = after.exhaustions - before.exhaustions;
	printf("# agents use %.2f %% of a CPU for ten containers, %.1f us for each of %.0f demotions a second\n",
	       100 * used / COST_S, n ? used * 1e6 / (double)n : 0, (double)n / COST_S);
	for (int i = 0; i < 10; i++) {
		rt_stop(pids[i]);
		soft_child_remove(&c[i]);
	}
}

int main(void)
{
	const struct sched_param param = { .sched_priority = SAMPLER_PRIORITY };
	struct error err = ERROR_INIT;

	if (soft_fixture_open(&f, "softf", SCHED_OTHER, &err) < 0) {
		soft_fixture_close(&f);
		printf("%s\n", err.msg);
		return 77;
	}
	cpu_set_t cpus;
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param);
	bool is_good = bounded_without_agent("an agent that is outranked", outranking);
	is_good &= bounded_without_agent("by one that blocks all signals", outranking_deaf);
	is_good &= two_groups_leave_the_rest();
	is_good &= a_raise_is_in_force();
	is_good &= frozen_and_moved();
	is_good &= on_two_cpus();
	is_good &= traced();
	is_good &= nothing_is_left_of_ended_threads();
	is_good &= a_number_is_given_to_another_process();
	is_good &= a_mutex_of_another_group();
	is_good &= many_groups();
	is_good &= told_beside_new_threads();
	agents_cost();
	usleep(100000); /* an agent may be about to release what was removed last */
	is_good &= check(n_records() == 0, "no thread is left demoted");
	soft_fixture_close(&f);
	return is_good ? 0 : 1;
}
