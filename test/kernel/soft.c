/* SPDX-License-Identifier: Apache-2.0 */

/* Budgets in software with real FIFO processes: how much more than its budget a group uses in a
 * period under each load, and that nothing is left demoted or stopped. `kernel_soft [SECONDS]` for
 * each load. */
#include <bpf/bpf.h>

#include "soft_group.h"

enum { SAMPLER_PRIORITY = 80 };

static bool check(bool is_good, const char *what)
{
	printf("%s %s\n", is_good ? "PASS" : "FAIL", what);
	return is_good;
}

/* Whether budgets work; how well, test/bench measures: other work of the host decides the tail. */
static const struct load {
	const char *name;
	void (*body)(void *);
	int64_t runtime_us, period_us;
	double median_us;
	void *(*beside)(void *); /* NULL: a spinner */
} loads[] = {
	{ "a spinner, 2/10 ms", rt_spin, 2000, 10000, 300 },
	{ "a spinner beside soft interrupts, 2/10 ms", rt_spin, 2000, 10000, 300, load_paced },
	{ "a spinner, 20/100 ms", rt_spin, 20000, 100000, 300 },
	{ "20 threads, 20/100 ms", load_threads, 20000, 100000, 300 },
	{ "bursts, 2/10 ms", load_bursts, 2000, 10000, 300 },
	{ "thread churn, 20/100 ms", load_churn, 20000, 100000, 300 },
	{ "fork storm, 2/10 ms", load_storm, 2000, 10000, 1000 },
	{ "system calls, 2/10 ms", load_syscalls, 2000, 10000, 1000 },
	{ "a thread that makes itself FIFO again, 2/10 ms", load_rogue, 2000, 10000, 1000 },
};

static bool load_keeps_its_budget(struct soft_fixture *f, const struct load *l, int seconds)
{
	static struct soft_samples samples;
	struct soft_child c;
	char text[128];

	if (!soft_child_make(f, &c, "load") || !soft_child_set(&c, l->runtime_us, l->period_us))
		return check(false, "a group has a budget");
	pid_t pid = load_start(c.dir, l->body),
	      hog = load_beside(l->beside ? l->beside : load_spin_thread);
	usleep(200000);
	struct soft_stats before = soft_get_stats(&f->soft);
	soft_sample(f, &c, l->runtime_us, l->period_us, seconds, &samples);
	struct soft_stats after = soft_get_stats(&f->soft);
	double share =
		samples.periods ? (double)samples.used_ns / 1e3 / (double)samples.periods : 0;
	double median = soft_percentile(&samples, 50);
	printf("# %s: %zu of %llu periods, us above the budget: p50 %.1f p99 %.1f max %.1f; share "
	       "%+.3f %%; told %llu, stopped %llu\n",
	       l->name, samples.n, (unsigned long long)samples.periods, median,
	       soft_percentile(&samples, 99), soft_percentile(&samples, 100),
	       100 * (share / (double)l->runtime_us - 1),
	       (unsigned long long)(after.exhaustions - before.exhaustions),
	       (unsigned long long)(after.stops - before.stops));
	rt_stop(pid);
	rt_stop(hog);
	soft_child_remove(&c);
	snprintf(text, sizeof(text), "%s: median at most %.0f us", l->name, l->median_us);
	return check(samples.n > samples.periods / 2 && median <= l->median_us, text);
}

int main(int argc, char **argv)
{
	static struct soft_fixture f;
	int seconds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 3;
	struct error err = ERROR_INIT;
	bool is_good = true;

	if (soft_fixture_open(&f, "soft", SCHED_OTHER, &err) < 0) {
		soft_fixture_close(&f);
		printf("%s\n", err.msg);
		return 77;
	}
	const struct sched_param param = { .sched_priority = SAMPLER_PRIORITY };
	sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param);
	for (size_t i = 0; i < ARRAY_LEN(loads); i++)
		is_good &= load_keeps_its_budget(&f, &loads[i], seconds);
	soft_fixture_close(&f);
	return is_good ? 0 : 1;
}
