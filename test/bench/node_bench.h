/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BENCH_NODE_BENCH_H
#define MCKUBE_BENCH_NODE_BENCH_H

#include "../kernel/rt_group.h"
#include "node/engine/overrun_threads.h"

/* What the measurements on the real kernel share: the engine with its overrun_threads threads as
 * the helper runs it, a group of their own, and how numbers are printed. */

struct bench {
	struct kernel kernel;
	struct engine engine;
	struct overruns overruns;
	char path[64], dir[96]; /* the group, below the hierarchy and in the file system */
	struct overrun_threads overrun_threads;
};

/* Levels come down as soon as they may. 77, with the reason printed, where this cannot run. */
int bench_open(struct bench *b, const char *name);
void bench_close(struct bench *b);

/* Starts the overrun_threads; from now on memory is locked. */
void bench_start(struct bench *b);

/* Sets a pod with one container, in the group or in `child` of it (NULL: itself), whose
 * name is the pod's, too. Ends the program where the kernel refuses it. */
void bench_want(struct bench *b, const char *child, struct budget budget,
		enum enforcement enforcement);
void bench_unwant(struct bench *b, const char *child);

/* The engine's time passes, its annotations are read. */
void bench_tick(struct bench *b);

/* A line with count, minimum, median, 99th percentile and maximum in us; sorts the numbers. */
void bench_print(const char *what, uint64_t *ns, size_t n);

#endif
