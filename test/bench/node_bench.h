/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BENCH_NODE_BENCH_H
#define MCKUBE_BENCH_NODE_BENCH_H

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include "../kernel/rt_group.h"
#include "node/engine.h"
#include "node/realtime.h"

/* What the measurements on the real kernel share: the engine with its reaction thread as the helper
 * runs it, a group of their own, and how numbers are printed. */

struct bench {
	struct kernel kernel;
	struct engine engine;
	struct overruns overruns;
	char path[64], dir[96]; /* the group, below the hierarchy and in the file system */
	pthread_t thread;
	int stop_fd;
};

static inline void *bench_react(void *arg)
{
	struct bench *b = arg;

	for (;;) {
		struct pollfd p[] = { { b->overruns.fd, POLLIN, 0 }, { b->stop_fd, POLLIN, 0 } };

		poll(p, 2, -1);
		if (p[1].revents)
			return NULL;
		engine_react(&b->engine);
	}
}

/* 77, with the reason printed, where this cannot run. Levels come down as soon as they may. */
static inline int bench_open(struct bench *b, const char *name)
{
	struct kernel_roots roots = KERNEL_ROOTS_HOST;
	struct error err = ERROR_INIT, why = ERROR_INIT;

	snprintf(b->path, sizeof(b->path), "mckube-%s-%d", name, getpid());
	snprintf(b->dir, sizeof(b->dir), RT_MOUNT "/%s", b->path);
	b->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (kernel_probe(&roots, &b->kernel, &err) < 0 || !b->kernel.has[FEATURE_RT_GROUPS_V1] ||
	    mkdir(b->dir, 0755) < 0 ||
	    overruns_open(&b->overruns, &b->kernel, &backend_cgroup_v1, &overrun_bpf, &why, &err) <
		    0 ||
	    engine_init(&b->engine, &b->kernel, &backend_cgroup_v1, &b->overruns, &err) < 0) {
		printf("needs root, RT groups of cgroup v1 and BPF: %s\n", err.msg);
		return 77;
	}
	b->engine.escalation.rules = (struct escalation_rules){ .dwell_max_ns = 1 };
	return 0;
}

static inline void bench_start(struct bench *b)
{
	struct error err = ERROR_INIT, why = ERROR_INIT;

	if (realtime_start(&b->thread, bench_react, b, &b->kernel, &why, &err) < 0)
		exit(1);
	if (why.code)
		printf("# %s\n", why.msg);
	realtime_lock_memory(&err);
}

static inline void bench_close(struct bench *b)
{
	eventfd_write(b->stop_fd, 1);
	pthread_join(b->thread, NULL);
	engine_restore(&b->engine);
	engine_done(&b->engine);
	overruns_close(&b->overruns);
	rt_group_remove(b->dir);
}

/* The engine's time passes, its notes are read. */
static inline void bench_tick(struct bench *b)
{
	struct note note;

	engine_tick(&b->engine, engine_now_ns());
	while (engine_take_note(&b->engine, &note))
		;
}

static inline int bench_by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static inline void bench_print(const char *what, uint64_t *ns, size_t n)
{
	qsort(ns, n, sizeof(*ns), bench_by_value);
	if (n)
		printf("%-36s n %5zu  min %8.1f  p50 %8.1f  p99 %8.1f  max %8.1f us\n", what, n,
		       (double)ns[0] / 1e3, (double)ns[n / 2] / 1e3, (double)ns[n * 99 / 100] / 1e3,
		       (double)ns[n - 1] / 1e3);
}

#endif
