/* SPDX-License-Identifier: Apache-2.0 */

/* How long it takes from a limit passed to the new budgets, on the real kernel: a FIFO spinner
 * passes C_low in every period, is raised (which cuts another pod), and brought down again before
 * the next. `node_reaction [SECONDS]`; needs root and cgroup v1 RT groups. */
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include "../kernel/rt_group.h"
#include "node/engine.h"
#include "node/realtime.h"

enum { PERIOD_US = 10000, BENCH_LOW_US = 2000, BENCH_HI_US = 4000, SAMPLES_MAX = 65536 };

static struct engine engine;
static struct overruns overruns;
static int stop_fd;
static uint64_t crossing_ns[SAMPLES_MAX], report_ns[SAMPLES_MAX];
static size_t n_crossings;
static overrun_handler inner;

/* Between BPF and the engine: the first sample is how far past its limit the group was. */
static void take(const struct overrun_event *event, void *arg)
{
	if (n_crossings < SAMPLES_MAX && event->used_ns >= BENCH_LOW_US * 1000ULL) {
		crossing_ns[n_crossings] = event->used_ns - BENCH_LOW_US * 1000ULL;
		report_ns[n_crossings++] = rt_now_ns() - event->at_ns;
	}
	inner(event, arg);
}

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

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void print(const char *what, uint64_t *ns, size_t n)
{
	qsort(ns, n, sizeof(*ns), by_value);
	if (n)
		printf("%-34s n %5zu  min %7.1f  p50 %7.1f  p99 %7.1f  max %7.1f us\n", what, n,
		       (double)ns[0] / 1e3, (double)ns[n / 2] / 1e3, (double)ns[n * 99 / 100] / 1e3,
		       (double)ns[n - 1] / 1e3);
}

static int want(const char *uid, enum level criticality, int low, int hi, const char *path)
{
	const struct container_want container = { "app", path, PPM };
	struct pod_want pod = {
		.uid = uid,
		.ns = "bench",
		.name = uid,
		.budget = { PERIOD_US, low, hi, 0, budget_default_floor(low),
			    (uint8_t)criticality },
		.cores = { { 3 } },
		.enforcement = ENFORCE_RAISE,
		.containers = &container,
		.n_containers = 1,
	};
	struct error err;

	int r = engine_set_pod(&engine, &pod, &err);
	if (r < 0)
		printf("%s\n", err.msg);
	return r;
}

static void run(int seconds)
{
	uint64_t end = rt_now_ns() + (uint64_t)seconds * 1000000000;
	struct note note;

	while (rt_now_ns() < end) {
		engine_tick(&engine, engine_now_ns());
		while (engine_take_note(&engine, &note))
			;
		usleep(PERIOD_US / 2);
	}
}

static void report(void)
{
	static uint64_t written[LATENCIES];
	size_t n = engine.stats.n_latencies < LATENCIES ? engine.stats.n_latencies : LATENCIES;
	struct rusage usage;

	for (size_t i = 0; i < n; i++)
		written[i] = engine.stats.latencies_ns[i];
	print("limit passed -> seen in the kernel", crossing_ns, n_crossings);
	print("seen -> reaction thread runs", report_ns, n_crossings);
	print("seen -> new budgets written", written, n);
	getrusage(RUSAGE_SELF, &usage);
	printf("lost %llu, RSS %ld kB\n", (unsigned long long)overruns_lost(&overruns),
	       usage.ru_maxrss);
}

int main(int argc, char **argv)
{
	struct kernel_roots roots = KERNEL_ROOTS_HOST;
	struct error err = ERROR_INIT, why = ERROR_INIT;
	char top[80], brake[120], logger[120], path[2][80];
	pthread_t thread;
	struct kernel k;

	snprintf(top, sizeof(top), RT_MOUNT "/mckube-bench-%d", getpid());
	snprintf(brake, sizeof(brake), "%s/brake", top);
	snprintf(logger, sizeof(logger), "%s/logger", top);
	snprintf(path[0], sizeof(path[0]), "mckube-bench-%d/brake", getpid());
	snprintf(path[1], sizeof(path[1]), "mckube-bench-%d/logger", getpid());
	if (kernel_probe(&roots, &k, &err) < 0 || !k.has[FEATURE_RT_GROUPS_V1] ||
	    mkdir(top, 0755) < 0)
		return 77;
	mkdir(brake, 0755);
	mkdir(logger, 0755);
	stop_fd = eventfd(0, EFD_CLOEXEC);
	if (overruns_open(&overruns, &k, &backend_cgroup_v1, &overrun_bpf, &why, &err) < 0 ||
	    engine_init(&engine, &k, &backend_cgroup_v1, &overruns, &err) < 0) {
		printf("%s\n", err.msg);
		return 77;
	}
	inner = overruns.on_event;
	overruns.on_event = take;
	engine.escalation.rules = (struct escalation_rules){ .dwell_max_ns = 1 };
	engine.forest.capacity_us = 700000;
	if (want("brake", LEVEL_HIGH, BENCH_LOW_US, BENCH_HI_US, path[0]) < 0 ||
	    want("logger", LEVEL_LOW, 4000, 4000, path[1]) < 0)
		return 1;
	realtime_start(&thread, react, NULL, &k, &why, &err);
	if (why.code)
		printf("# %s\n", why.msg);
	realtime_lock_memory(&err);
	pid_t pid = rt_start(brake, 1, rt_spin, NULL);
	run(argc > 1 ? atoi(argv[1]) : 5);
	rt_stop(pid);
	eventfd_write(stop_fd, 1);
	pthread_join(thread, NULL);
	report();
	engine_restore(&engine);
	engine_done(&engine);
	overruns_close(&overruns);
	rt_group_remove(brake);
	rt_group_remove(logger);
	rt_group_remove(top);
	return 0;
}
