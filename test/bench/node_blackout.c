/* SPDX-License-Identifier: Apache-2.0 */

/* How long a FIFO spinner stands still in a period in which it passes C_low, with the two ways of
 * enforcement: `watch` (the kernel holds C_hi from the start) and `raise` (C_low, raised when it is
 * passed), and `none` (C_low, without reaction). Its need, 12 ms of 50, is between C_low (8) and
 * C_hi (20). `node_blackout [ROUNDS]`; needs root and cgroup v1 RT groups. */
#include <sys/mman.h>

#include "node_bench.h"

enum { PERIOD_US = 50000, C_LOW_US = 8000, C_HI_US = 20000, NEED_US = 12000, ROUNDS_MAX = 2000 };
enum { JUMP_NS = 20000 };

static struct bench bench;

/* Shared with the spinner. */
struct job {
	unsigned n;
	volatile bool is_working;
	uint64_t gap_ns[ROUNDS_MAX]; /* the longest stand-still in each job */
};

/* One job in three periods, so that each finds a full budget. A step that is longer than a jump is
 * time that others had. The clock of CPU time is not looked at: to read it the kernel charges the
 * task at once, and throttles it to the microsecond, where others are charged by the tick. */
static void work(void *arg)
{
	struct job *job = arg;

	for (job->n = 0; job->n < ROUNDS_MAX; job->n++) {
		uint64_t last = rt_now_ns(), used = 0, worst = 0;

		job->is_working = true;
		while (used < NEED_US * 1000ULL) {
			uint64_t now = rt_now_ns();

			used += now - last < JUMP_NS ? now - last : 0;
			worst = now - last > worst ? now - last : worst;
			last = now;
		}
		job->gap_ns[job->n] = worst;
		job->is_working = false;
		usleep(3 * PERIOD_US);
	}
}

/* Lowers the level after each job, so that the next one is an overrun again; in the midst of one,
 * where it would stand still for what is left of the period, the helper's own rules lower nothing:
 * those that hold here do. */
static void run(struct job *job, unsigned rounds)
{
	pid_t pid = rt_start(bench.dir, 1, work, job);

	while (job->n < rounds) {
		if (!job->is_working)
			bench_tick(&bench);
		usleep(2 * PERIOD_US);
	}
	rt_stop(pid);
}

static void measure(const char *what, enum enforcement e, int hi, unsigned rounds)
{
	struct job *job =
		mmap(NULL, sizeof(*job), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	bench_want(&bench, NULL, (struct budget){ PERIOD_US, C_LOW_US, hi, 0, 1000, LEVEL_HIGH },
		   e);
	run(job, rounds);
	bench_print(what, job->gap_ns, job->n);
	munmap(job, sizeof(*job));
	bench_unwant(&bench, NULL);
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 50;
	int r = rounds < ROUNDS_MAX ? bench_open(&bench, "blackout") : 1;

	if (r)
		return r;
	bench_start(&bench);
	measure("stand-still with watch", ENFORCE_WATCH, C_HI_US, rounds);
	measure("stand-still with raise", ENFORCE_RAISE, C_HI_US, rounds);
	measure("stand-still without reaction", ENFORCE_RAISE, C_LOW_US, rounds);
	bench_close(&bench);
	return 0;
}
