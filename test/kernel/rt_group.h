/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_TEST_RT_GROUP_H
#define MCKUBE_TEST_RT_GROUP_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "node/sysfs.h"

/* Groups of cgroup v1 and FIFO processes for tests on the real kernel. Processes die with the test,
 * after LIFE_S seconds at the latest, and never get more than the group's budget. */

enum { LIFE_S = 60, RT_RETRIES = 200 };

#define RT_MOUNT "/sys/fs/cgroup/cpu"

static inline int rt_put(const char *dir, const char *file, long long value)
{
	char name[PATH_MAX], text[32];

	snprintf(name, sizeof(name), "%s/%s", dir, file);
	snprintf(text, sizeof(text), "%lld", value);
	return sysfs_write(AT_FDCWD, name, text, NULL);
}

/* Waits while a removed group still counts. */
static inline int rt_put_patiently(const char *dir, const char *file, long long value)
{
	int r = rt_put(dir, file, value);

	for (int i = 0; i < RT_RETRIES && r < 0; i++) {
		usleep(1000);
		r = rt_put(dir, file, value);
	}
	return r;
}

static inline int rt_group_make(const char *dir, long long runtime_us, long long period_us)
{
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return -errno;
	int r = rt_put(dir, "cpu.rt_period_us", period_us);
	return r < 0 ? r : rt_put_patiently(dir, "cpu.rt_runtime_us", runtime_us);
}

static inline void rt_group_remove(const char *dir)
{
	rt_put_patiently(dir, "cpu.rt_runtime_us", 0);
	for (int i = 0; i < RT_RETRIES && rmdir(dir) < 0; i++)
		usleep(1000);
}

static inline uint64_t rt_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* A FIFO process in a group, on one CPU, that runs `body` until it is killed. */
static inline pid_t rt_start(const char *dir, int cpu, void (*body)(void *), void *arg)
{
	pid_t parent = getpid();

	pid_t pid = fork();
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(LIFE_S);
	struct sched_param param = { .sched_priority = 10 };
	cpu_set_t cpus;
	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (getppid() != parent || rt_put(dir, "cgroup.procs", getpid()) < 0 ||
	    sched_setaffinity(0, sizeof(cpus), &cpus) < 0 ||
	    sched_setscheduler(0, SCHED_FIFO, &param) < 0)
		_exit(1);
	body(arg);
	_exit(0);
}

static inline void rt_stop(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static inline bool rt_is_fifo(pid_t pid)
{
	for (int i = 0; i < 1000; i++) {
		if (sched_getscheduler(pid) == SCHED_FIFO)
			return true;
		usleep(1000);
	}
	return false;
}

static inline void rt_spin(void *arg)
{
	(void)arg;
	for (;;)
		;
}

static inline void rt_sleep(void *arg)
{
	(void)arg;
	for (;;)
		pause();
}

/* Works `work_us`, then sleeps `idle_us`, again and again. */
struct rt_bursts {
	unsigned work_us, idle_us;
};

static inline void rt_burst(void *arg)
{
	const struct rt_bursts *b = arg;

	for (;;) {
		uint64_t end = rt_now_ns() + b->work_us * 1000ULL;

		while (rt_now_ns() < end)
			;
		usleep(b->idle_us);
	}
}

#endif
