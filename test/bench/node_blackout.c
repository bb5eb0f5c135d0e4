/* SPDX-License-Identifier: Apache-2.0 */

/* How long a FIFO spinner stands still in a period in which it passes C_low, with the two ways of
 * enforcement: `watch` (the kernel holds C_hi from the start) and `raise` (C_low, raised when it is
 * passed), and `none` (C_low, nobody reacts). Its need, 12 ms of 50, is between C_low (8) and C_hi
 * (20). `node_blackout [ROUNDS]`; needs root and cgroup v1 RT groups. */
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "../kernel/rt_group.h"
#include "node/engine.h"
#include "node/realtime.h"

enum { PERIOD_US = 50000, C_LOW_US = 8000, C_HI_US = 20000, NEED_US = 12000, ROUNDS_MAX = 2000 };

static struct engine engine;
static struct overruns overruns;
static int stop_fd;

/* Shared with the spinner. */
struct job {
	unsigned n;
	uint64_t gap_ns[ROUNDS_MAX]; /* the longest stand-still in each job */
};

static void *react(void *arg)
{
	(void)arg;
	for (;;) {
		struct pollfd p[] = { { overruns.fd, POLLIN, 0 }, { stop_fd, POLLIN, 0 } };

		poll(p, 2, -1);
		if (p[1].revents)
			return NULL;
		engine_react(&engine);
	}
}

static uint64_t thread_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* One job in three periods, so that each finds a full budget. */
static void work(void *arg)
{
	struct job *job = arg;

	for (job->n = 0; job->n < ROUNDS_MAX; job->n++) {
		uint64_t end = thread_ns() + NEED_US * 1000ULL, last = rt_now_ns(), worst = 0;

		while (thread_ns() < end) {
			uint64_t now = rt_now_ns();

			worst = now - last > worst ? now - last : worst;
			last = now;
		}
		job->gap_ns[job->n] = worst;
		usleep(3 * PERIOD_US);
	}
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int want(enum enforcement enforcement, int hi, const char *path)
{
	const struct container_want container = { "app", path, PPM };
	const struct pod_want pod = {
		.uid = "job",
		.ns = "bench",
		.name = "job",
		.budget = { PERIOD_US, C_LOW_US, hi, 0, 1000, LEVEL_HIGH },
		.cores = { { 3 } },
		.enforcement = (uint8_t)enforcement,
		.containers = &container,
		.n_containers = 1,
	};
	struct error err;

	return engine_set_pod(&engine, &pod, &err);
}

/* Lowers the level after each job, so that the next one is an overrun again. */
static void run(struct job *job, const char *dir, unsigned rounds)
{
	pid_t pid = rt_start(dir, 1, work, job);
	struct note note;

	while (job->n < rounds) {
		engine_tick(&engine, engine_now_ns());
		while (engine_take_note(&engine, &note))
			;
		usleep(2 * PERIOD_US);
	}
	rt_stop(pid);
}

static void measure(const char *name, enum enforcement e, int hi, const char *path, unsigned rounds)
{
	struct job *job =
		mmap(NULL, sizeof(*job), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char dir[128];

	snprintf(dir, sizeof(dir), RT_MOUNT "/%s", path);
	if (want(e, hi, path) < 0)
		exit(1);
	run(job, dir, rounds);
	qsort(job->gap_ns, job->n, sizeof(job->gap_ns[0]), by_value);
	printf("%-6s n %4u  longest stand-still  min %8.1f  p50 %8.1f  p99 %8.1f  max %8.1f us\n",
	       name, job->n, (double)job->gap_ns[0] / 1e3, (double)job->gap_ns[job->n / 2] / 1e3,
	       (double)job->gap_ns[job->n * 99 / 100] / 1e3, (double)job->gap_ns[job->n - 1] / 1e3);
	munmap(job, sizeof(*job));
	engine_remove_pod(&engine, "job");
}

int main(int argc, char **argv)
{
	struct kernel_roots roots = KERNEL_ROOTS_HOST;
	unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 50;
	struct error err = ERROR_INIT, why = ERROR_INIT;
	char dir[80], path[48];
	pthread_t thread;
	struct kernel k;

	snprintf(path, sizeof(path), "mckube-blackout-%d", getpid());
	snprintf(dir, sizeof(dir), RT_MOUNT "/%s", path);
	if (kernel_probe(&roots, &k, &err) < 0 || !k.has[FEATURE_RT_GROUPS_V1] ||
	    rounds >= ROUNDS_MAX || mkdir(dir, 0755) < 0)
		return 77;
	stop_fd = eventfd(0, EFD_CLOEXEC);
	if (overruns_open(&overruns, &k, &backend_cgroup_v1, &overrun_bpf, &why, &err) < 0 ||
	    engine_init(&engine, &k, &backend_cgroup_v1, &overruns, &err) < 0) {
		printf("%s\n", err.msg);
		return 77;
	}
	engine.escalation.rules = (struct escalation_rules){ .dwell_max_ns = 1 };
	realtime_start(&thread, react, NULL, &k, &why, &err);
	measure("watch", ENFORCE_WATCH, C_HI_US, path, rounds);
	measure("raise", ENFORCE_RAISE, C_HI_US, path, rounds);
	measure("none", ENFORCE_RAISE, C_LOW_US, path, rounds);
	eventfd_write(stop_fd, 1);
	pthread_join(thread, NULL);
	engine_done(&engine);
	overruns_close(&overruns);
	rt_group_remove(dir);
	return 0;
}
