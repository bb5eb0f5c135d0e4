/* SPDX-License-Identifier: Apache-2.0 */
#include "node_bench.h"

#include "base/clock.h"
#include "node/realtime.h"

int bench_open(struct bench *b, const char *name)
{
	struct kernel_roots roots = KERNEL_ROOTS_HOST;
	const struct backend *backend = &backend_cgroup_v1;
	struct error err = ERROR_INIT, why = ERROR_INIT;

	snprintf(b->path, sizeof(b->path), "mckube-%s-%d", name, getpid());
	snprintf(b->dir, sizeof(b->dir), RT_MOUNT "/%s", b->path);
	if (kernel_probe(&roots, &b->kernel, &err) < 0 || !backend_is_usable(backend, &b->kernel) ||
	    mkdir(b->dir, 0755) < 0 ||
	    overruns_open(&b->overruns, &b->kernel, backend, &overrun_bpf, &why, &err) < 0 ||
	    engine_init(&b->engine, &b->kernel, backend, &b->overruns, &err) < 0) {
		printf("needs root, RT groups of cgroup v1 and BPF: %s\n", err.msg);
		return 77;
	}
	b->engine.escalation.rules =
		(struct escalation_rules){ .dwell_max_ns = 1, .headroom_us = 500 };
	return 0;
}

void bench_start(struct bench *b)
{
	struct error err = ERROR_INIT, why = ERROR_INIT;

	if (overrun_threads_start(&b->overrun_threads, &b->engine, &why, &err) < 0)
		exit(1);
	if (why.code)
		printf("# %s\n", why.msg);
	realtime_lock_memory(&err);
}

void bench_close(struct bench *b)
{
	overrun_threads_stop(&b->overrun_threads);
	engine_restore(&b->engine);
	engine_done(&b->engine);
	overruns_close(&b->overruns);
	rt_group_remove(b->dir);
}

void bench_want(struct bench *b, const char *child, struct budget budget,
		enum enforcement enforcement)
{
	char path[128];
	const struct container_want container = { "app", path, PPM };
	struct error err;
	const struct pod_want pod = {
		.uid = child ? child : "bench",
		.ns = "bench",
		.name = child ? child : "bench",
		.budget = budget,
		.cores = { { 3 } },
		.enforcement = (uint8_t)enforcement,
		.containers = &container,
		.n_containers = 1,
	};

	snprintf(path, sizeof(path), "%s%s%s", b->path, child ? "/" : "", child ? child : "");
	if (engine_set_pod(&b->engine, &pod, &err) == 0)
		return;
	printf("%s\n", err.msg);
	bench_close(b);
	exit(1);
}

void bench_unwant(struct bench *b, const char *child)
{
	engine_remove_pod(&b->engine, child ? child : "bench");
}

void bench_tick(struct bench *b)
{
	struct node_event note;

	engine_tick(&b->engine, clock_ns());
	while (engine_take_event(&b->engine, &note))
		;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

void bench_print(const char *what, uint64_t *ns, size_t n)
{
	qsort(ns, n, sizeof(*ns), by_value);
	if (n)
		printf("%-36s n %5zu  min %8.1f  p50 %8.1f  p99 %8.1f  max %8.1f us\n", what, n,
		       (double)ns[0] / 1e3, (double)ns[n / 2] / 1e3, (double)ns[n * 99 / 100] / 1e3,
		       (double)ns[n - 1] / 1e3);
}
