/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_TEST_SOFT_GROUP_H
#define MCKUBE_TEST_SOFT_GROUP_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "node/engine/overrun_threads.h"
#include "node/soft/soft.h"
#include "rt_group.h"

/* Groups of cgroup v2 with budgets in software, and the loads of tests and measurements. The
 * hierarchy needs no controller. What a group used is what the kernel charged, read shortly before
 * each period ends. */

#define SOFT_MOUNT "/sys/fs/cgroup/unified"

enum { SOFT_CPU = 1, SOFT_LOAD_PRIORITY = 10, SOFT_SAMPLES = 4096 };

struct soft_fixture {
	struct kernel kernel;
	struct overruns overruns;
	struct soft soft;
	char dir[96], records[96];
};

static inline int soft_fixture_open(struct soft_fixture *f, const char *name, int demoted_policy,
				    struct error *err)
{
	const struct kernel_roots roots = { SOFT_MOUNT, "/proc", "/sys" };
	struct error why;

	*f = (struct soft_fixture){ 0 };
	snprintf(f->dir, sizeof(f->dir), SOFT_MOUNT "/mckube-%s-%d", name, getpid());
	snprintf(f->records, sizeof(f->records), "/run/mckube-%s-%d", name, getpid());
	if (kernel_probe(&roots, &f->kernel, err) < 0)
		return err->code;
	if (!kernel_is_v2(&f->kernel) || !backend_is_usable(&backend_soft, &f->kernel))
		return error_set(err, -ENOTSUP, "needs cgroup v2, BTF and timers of BPF");
	if (overruns_open(&f->overruns, &f->kernel, &backend_soft, &overrun_bpf, &why, err) < 0 ||
	    soft_open(&f->soft, &f->overruns, f->records, demoted_policy, err) < 0 ||
	    soft_start(&f->soft, &why, err) < 0)
		return err->code;
	if (mkdir(f->dir, 0755) < 0)
		return error_errno(err, "make %s", f->dir);
	return 0;
}

static inline void soft_fixture_close(struct soft_fixture *f)
{
	soft_close(&f->soft);
	overruns_close(&f->overruns);
	for (int i = 0; i < RT_RETRIES && *f->dir && rmdir(f->dir) < 0 && errno == EBUSY; i++)
		usleep(1000);
	unlink(f->records);
}

/* A group below the fixture's own. */
struct soft_child {
	char dir[128];
	struct group group;
	uint64_t id;
};

static inline bool soft_child_make(struct soft_fixture *f, struct soft_child *c, const char *name)
{
	struct error err;

	snprintf(c->dir, sizeof(c->dir), "%s/%s", f->dir, name);
	if (mkdir(c->dir, 0755) < 0 ||
	    group_open(&c->group, &backend_soft, &f->kernel, c->dir + strlen(SOFT_MOUNT) + 1,
		       "group", &err) < 0 ||
	    group_id(&c->group, &c->id, &err) < 0)
		return false;
	c->group.soft = &f->soft;
	return true;
}

static inline bool soft_child_set(struct soft_child *c, int64_t runtime_us, int64_t period_us)
{
	struct error err;

	return group_write(&c->group, CPU_ALL, BUDGET_RUNTIME,
			   (struct bandwidth){ period_us, runtime_us }, &err) == 0;
}

static inline void soft_child_remove(struct soft_child *c)
{
	group_close(&c->group);
	for (int i = 0; i < RT_RETRIES && rmdir(c->dir) < 0 && errno == EBUSY; i++)
		usleep(1000);
}

static inline struct soft_account soft_child_account(const struct soft_fixture *f,
						     const struct soft_child *c, unsigned cpu)
{
	static struct soft_state states[CPUSET_MAX];

	if (bpf_map_lookup_elem(f->soft.maps.states, &c->id, states) < 0)
		return (struct soft_account){ 0 };
	return states[cpu].account;
}

/* Loads. */

static inline void load_become_fifo(int priority)
{
	const struct sched_param param = { .sched_priority = priority };

	sched_setscheduler(0, SCHED_FIFO, &param);
}

static inline void *load_spin_thread(void *arg)
{
	(void)arg;
	for (;;)
		;
	return NULL;
}

/* 20 threads that spin. */
static inline void load_threads(void *arg)
{
	pthread_t t;

	(void)arg;
	for (int i = 0; i < 19; i++)
		pthread_create(&t, NULL, load_spin_thread, NULL);
	load_spin_thread(NULL);
}

static inline void *load_short_thread(void *arg)
{
	for (uint64_t end = rt_now_ns() + 2000000; rt_now_ns() < end;)
		;
	return arg;
}

/* Threads that live for 2 ms, four at a time. */
static inline void load_churn(void *arg)
{
	pthread_t t[4];

	(void)arg;
	for (;;) {
		for (int i = 0; i < 4; i++)
			pthread_create(&t[i], NULL, load_short_thread, NULL);
		for (int i = 0; i < 4; i++)
			pthread_join(t[i], NULL);
	}
}

static inline void *load_nothing(void *arg)
{
	return arg;
}

/* As many threads as there can be, beside one that spins. */
static inline void load_storm(void *arg)
{
	pthread_attr_t attr;
	pthread_t t;

	(void)arg;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	for (;;)
		pthread_create(&t, &attr, load_nothing, NULL);
}

/* System calls of some milliseconds. */
static inline void load_syscalls(void *arg)
{
	static char buf[16 << 20];

	(void)arg;
	int fd = open("/dev/zero", O_RDONLY);
	while (read(fd, buf, sizeof(buf)) > 0)
		;
}

/* Is FIFO again as soon as it is demoted. */
static inline void load_rogue(void *arg)
{
	(void)arg;
	for (;;)
		if ((sched_getscheduler(0) & ~SCHED_RESET_ON_FORK) != SCHED_FIFO)
			load_become_fifo(99);
}

static inline void load_bursts(void *arg)
{
	struct rt_bursts b = { 1000, 200 };

	(void)arg;
	rt_burst(&b);
}

/* In the group, FIFO on SOFT_CPU. */
static inline pid_t load_start(const char *dir, void (*body)(void *))
{
	return rt_start(dir, SOFT_CPU, body, NULL);
}

/* SCHED_OTHER on SOFT_CPU, in no group. */
static inline pid_t load_beside(void *(*body)(void *))
{
	pid_t pid = fork();
	cpu_set_t cpus;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(LIFE_S);
	CPU_ZERO(&cpus);
	CPU_SET(SOFT_CPU, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	body(NULL);
	_exit(0);
}

/* Its share is read by cpu_ns(). */
static inline pid_t load_hog(void)
{
	return load_beside(load_spin_thread);
}

/* Sends to itself through TCP, at a rate that the kernel keeps by timers: soft interrupts. */
static inline void *load_paced(void *arg)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	enum { CONNECTIONS = 5, BYTES_A_SECOND = 50000000 };
	const unsigned rate = BYTES_A_SECOND;
	static char buf[65536];
	socklen_t len = sizeof(at);
	int from[CONNECTIONS], to[CONNECTIONS];

	int listener = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(listener, CONNECTIONS) < 0 ||
	    getsockname(listener, (struct sockaddr *)&at, &len) < 0)
		return NULL;
	for (int i = 0; i < CONNECTIONS; i++) {
		from[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		setsockopt(from[i], SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof(rate));
		connect(from[i], (struct sockaddr *)&at, sizeof(at));
		to[i] = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	}
	for (int i = 0;; i = (i + 1) % CONNECTIONS)
		if (send(from[i], buf, 2000, MSG_DONTWAIT) < 0)
			while (recv(to[i], buf, sizeof(buf), MSG_DONTWAIT) > 0)
				;
	return arg;
}

static inline uint64_t cpu_ns(pid_t pid)
{
	char path[64], buf[128];

	snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	return sysfs_read(AT_FDCWD, path, buf, sizeof(buf), NULL) < 0 ? 0 : strtoull(buf, NULL, 10);
}

/* Samples. */

struct soft_samples {
	int64_t over_ns[SOFT_SAMPLES]; /* used less the budget, of periods in which it was used up
					*/
	size_t n;
	uint64_t used_ns, periods; /* of all */
};

/* Shortly before the end of each period, and what came after the sample is in the debt. */
static inline void soft_sample_cpu(const struct soft_fixture *f, const struct soft_child *c,
				   unsigned cpu, int64_t runtime_us, int64_t period_us, int seconds,
				   struct soft_samples *ret)
{
	uint64_t period_ns = (uint64_t)period_us * 1000,
		 end = rt_now_ns() + seconds * 1000000000ULL;
	uint64_t next = (rt_now_ns() / period_ns + 1) * period_ns - 300000;

	ret->n = 0;
	ret->used_ns = ret->periods = 0;
	for (; next < end; next += period_ns) {
		const struct timespec at = { (time_t)(next / 1000000000),
					     (long)(next % 1000000000) };

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
		struct soft_account a = soft_child_account(f, c, cpu);
		if (rt_now_ns() / period_ns != next / period_ns || a.number != next / period_ns)
			continue;
		ret->periods++;
		ret->used_ns += a.used_ns;
		if (a.used_ns + a.debt_ns >= (uint64_t)runtime_us * 1000 && ret->n < SOFT_SAMPLES)
			ret->over_ns[ret->n++] =
				(int64_t)(a.used_ns + a.debt_ns) - runtime_us * 1000;
	}
}

static inline void soft_sample(const struct soft_fixture *f, const struct soft_child *c,
			       int64_t runtime_us, int64_t period_us, int seconds,
			       struct soft_samples *ret)
{
	soft_sample_cpu(f, c, SOFT_CPU, runtime_us, period_us, seconds, ret);
}

static inline int by_over(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static inline double soft_percentile(struct soft_samples *s, unsigned percent)
{
	qsort(s->over_ns, s->n, sizeof(s->over_ns[0]), by_over);
	size_t at = s->n * percent / 100;
	return s->n ? (double)s->over_ns[at < s->n ? at : s->n - 1] / 1e3 : 0;
}

#endif
