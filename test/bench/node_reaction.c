/* SPDX-License-Identifier: Apache-2.0 */

/* How long it takes from a limit passed to the new budgets, on the real kernel. First a FIFO
 * spinner that is watched passes C_low in every period, and nothing is written. Then jobs do: the
 * pod is raised (which cuts another one), and brought down again before the next job; then without
 * the warm-up of its threads; then once more with 98 other pods on the node.
 * Beside it the floor: the same files written in a bare loop, by a thread of the same priority.
 * `node_reaction [TURNS [SECONDS]]`; needs root and cgroup v1 RT groups. */
#include "node/realtime.h"
#include "node_bench.h"

enum {
	PERIOD_US = 10000,
	BENCH_LOW_US = 2000,
	BENCH_JOB_US = 3000,
	BENCH_HI_US = 4000,
	SAMPLES_MAX = 65536
};
enum { LOGGER_US = 4000, CAPACITY_US = 700000, FLOOR_ROUNDS = 2000 };
enum { OTHERS = 98, OTHER_US = 1000, OTHER_PERIOD_US = 1000000 };

static const struct budget high = { PERIOD_US, BENCH_LOW_US, BENCH_HI_US, 0, 1000, LEVEL_HIGH };
static const struct budget low = { PERIOD_US, LOGGER_US, LOGGER_US, 0, 1000, LEVEL_LOW };
static struct bench bench;
static uint64_t crossing_ns[SAMPLES_MAX], debt_ns[SAMPLES_MAX], report_ns[SAMPLES_MAX];
static uint64_t whole_ns[SAMPLES_MAX], write_ns[FLOOR_ROUNDS];
static size_t n_crossings, n_debts, n_reports, n_wholes;
static bool is_watching; /* limits do not change while the spinner runs */
static overrun_handler inner;

static uint64_t past_limit(const struct overrun_event *event)
{
	return event->used_ns - BENCH_LOW_US * 1000ULL;
}

static uint64_t since_refill_of(const struct overrun_event *event)
{
	uint64_t refill = event->period - PERIOD_US * 1000ULL;

	return event->at_ns > refill ? event->at_ns - refill : 0;
}

/* How long ago the limit was passed: as long as the group is past it. The kernel throttles at a
 * tick, so a group may begin a period with more than its limit used already. Then it passed it at
 * the refill, before it ran: what follows is the time that the kernel takes to let it run again. */
static void note_crossing(const struct overrun_event *event)
{
	uint64_t past = past_limit(event), since_refill = since_refill_of(event);

	if (past < since_refill && n_crossings < SAMPLES_MAX)
		crossing_ns[n_crossings++] = past;
	else if (past >= since_refill && n_debts < SAMPLES_MAX)
		debt_ns[n_debts++] = since_refill;
}

/* After the engine reacted: from the limit passed to the last write. */
static void note_whole(const struct overrun_event *event)
{
	const struct engine_stats *s = &bench.engine.stats;
	uint64_t past = past_limit(event);

	if (past < since_refill_of(event) && n_wholes < SAMPLES_MAX)
		whole_ns[n_wholes++] = past + s->latencies_ns[(s->n_latencies - 1) % LATENCIES];
}

/* Between BPF and the engine. */
static void take(const struct overrun_event *event, void *arg)
{
	if (event->limit == OVERRUN_SOON) {
		inner(event, arg);
		return;
	}
	if (n_reports < SAMPLES_MAX)
		report_ns[n_reports++] = rt_now_ns() - event->at_ns;
	uint64_t n_before = bench.engine.stats.n_latencies;
	if (is_watching)
		note_crossing(event);
	inner(event, arg);
	if (bench.engine.stats.n_latencies > n_before)
		note_whole(event);
}

static void run(const char *dir, int seconds, void (*program)(void *))
{
	struct rt_bursts jobs = { BENCH_JOB_US, 2 * PERIOD_US - BENCH_JOB_US };
	uint64_t end = rt_now_ns() + (uint64_t)seconds * 1000000000;
	pid_t pid = rt_start(dir, 1, program, &jobs);

	while (rt_now_ns() < end) {
		bench_tick(&bench);
		usleep(PERIOD_US / 2);
	}
	rt_stop(pid);
}

/* What a overrun_threads writes here, as the kernel alone would need: the logger's cut, the sum
 * above, the raise. */
static void *write_bare(void *arg)
{
	const struct cgroups *f = &bench.engine.cgroups;

	(void)arg;
	for (size_t i = 0; i < FLOOR_ROUNDS; i++) {
		uint64_t start = rt_now_ns();

		for (size_t k = f->nodes.n - 3; k < f->nodes.n; k++) {
			struct group *g = &f->nodes.items[k]->group;

			group_write(g, CPU_ALL, BUDGET_RUNTIME, g->now, NULL);
		}
		write_ns[i] = rt_now_ns() - start;
		usleep(500);
	}
	return NULL;
}

static void measure_floor(void)
{
	struct error err = ERROR_INIT, why = ERROR_INIT;
	pthread_t thread;

	if (realtime_start(&thread, write_bare, NULL, &bench.kernel, &why, &err) == 0)
		pthread_join(thread, NULL);
	bench_print("floor: the three writes alone", write_ns, FLOOR_ROUNDS);
}

/* The reactions since there were `first` of them. */
static void print_written(const char *what, uint64_t first)
{
	static uint64_t written[LATENCIES];
	const struct engine_stats *s = &bench.engine.stats;
	size_t n = 0;

	for (uint64_t i = first; i < s->n_latencies && n < LATENCIES; i++)
		written[n++] = s->latencies_ns[i % LATENCIES];
	bench_print(what, written, n);
}

static void measure_seen(const char *brake, int seconds)
{
	struct escalation_rules *rules = &bench.engine.escalation.rules;

	rules->dwell_ns = rules->dwell_max_ns = INT64_MAX / 4;
	bench_want(&bench, "brake", high, ENFORCE_WATCH);
	is_watching = true;
	run(brake, seconds, rt_spin);
	is_watching = false;
	bench_unwant(&bench, "brake");
	rules->dwell_ns = 0;
	rules->dwell_max_ns = 1;
	bench_print("limit passed -> seen in the kernel", crossing_ns, n_crossings);
	bench_print("passed at the refill -> seen", debt_ns, n_debts);
}

static void measure_written(const char *what, const char *brake, int seconds)
{
	uint64_t first = bench.engine.stats.n_latencies;

	run(brake, seconds, rt_burst);
	print_written(what, first);
}

static int watch_limits_alone(struct overruns *o, const struct group *g, uint64_t cgroup,
			      const uint64_t limit_ns[OVERRUN_LIMITS], uint64_t granted_ns,
			      struct error *err)
{
	const uint64_t alone[OVERRUN_LIMITS] = { limit_ns[0], limit_ns[1] };

	return overrun_bpf.watch(o, g, cgroup, alone, granted_ns, err);
}

static void measure_unprepared(const char *brake, int seconds)
{
	struct overrun_source alone = overrun_bpf;

	alone.watch = watch_limits_alone;
	bench.overruns.source = &alone;
	measure_written("seen -> written, without warm-up", brake, seconds);
	bench.overruns.source = &overrun_bpf;
}

static void measure_among_others(const char *brake, int seconds)
{
	const struct budget small = {
		OTHER_PERIOD_US, OTHER_US, OTHER_US, 0, OTHER_US, LEVEL_HIGH
	};
	char dir[128], name[16];

	for (int i = 0; i < OTHERS; i++) {
		snprintf(name, sizeof(name), "other%d", i);
		snprintf(dir, sizeof(dir), "%s/%s", bench.dir, name);
		mkdir(dir, 0755);
		bench_want(&bench, name, small, ENFORCE_WATCH);
	}
	measure_written("seen -> written, among 100 pods", brake, seconds);
	for (int i = 0; i < OTHERS; i++) {
		snprintf(name, sizeof(name), "other%d", i);
		snprintf(dir, sizeof(dir), "%s/%s", bench.dir, name);
		bench_unwant(&bench, name);
		rt_group_remove(dir);
	}
}

static void measure(const char *brake, int seconds)
{
	measure_seen(brake, seconds);
	bench_want(&bench, "brake", high, ENFORCE_RAISE);
	bench_want(&bench, "logger", low, ENFORCE_RAISE);
	n_reports = 0;
	measure_written("seen -> new budgets written", brake, seconds);
	bench_print("seen -> reaction thread runs", report_ns, n_reports);
	bench_print("limit passed -> new budgets written", whole_ns, n_wholes);
	measure_floor();
	measure_unprepared(brake, seconds);
	measure_among_others(brake, seconds);
	printf("lost %llu\n", (unsigned long long)overruns_lost(&bench.overruns));
}

static int turn(int seconds)
{
	char brake[128], logger[128];
	int r = bench_open(&bench, "reaction");

	if (r)
		return r;
	snprintf(brake, sizeof(brake), "%s/brake", bench.dir);
	snprintf(logger, sizeof(logger), "%s/logger", bench.dir);
	mkdir(brake, 0755);
	mkdir(logger, 0755);
	n_crossings = n_debts = n_reports = n_wholes = 0;
	inner = bench.overruns.on_event;
	bench.overruns.on_event = take;
	bench.engine.cgroups.capacity_us = CAPACITY_US;
	bench.engine.escalation.rules.calm_periods = 1;
	bench_start(&bench);
	measure(brake, seconds);
	bench_unwant(&bench, "brake");
	bench_unwant(&bench, "logger");
	rt_group_remove(brake);
	rt_group_remove(logger);
	bench_close(&bench);
	return n_crossings == 0;
}

int main(int argc, char **argv)
{
	int turns = argc > 1 ? atoi(argv[1]) : 1, seconds = argc > 2 ? atoi(argv[2]) : 5, r = 0;

	for (int i = 0; i < turns && r == 0; i++)
		r = turn(seconds);
	return r;
}
