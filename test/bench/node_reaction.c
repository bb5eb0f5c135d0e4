/* SPDX-License-Identifier: Apache-2.0 */

/* How long it takes from a limit passed to the new budgets, on the real kernel. First a FIFO
 * spinner that is watched passes C_low in every period, and nothing is written. Then it is raised
 * each time (which cuts another pod), and brought down again before the next. Beside it the floor:
 * the same files written in a bare loop, by a thread of the same priority. `node_reaction
 * [SECONDS]`; needs root and cgroup v1 RT groups. */
#include "node/realtime.h"
#include "node_bench.h"

enum { PERIOD_US = 10000, BENCH_LOW_US = 2000, BENCH_HI_US = 4000, SAMPLES_MAX = 65536 };
enum { LOGGER_US = 4000, CAPACITY_US = 700000, FLOOR_ROUNDS = 2000 };

static struct bench bench;
static uint64_t crossing_ns[SAMPLES_MAX], report_ns[SAMPLES_MAX], write_ns[FLOOR_ROUNDS];
static size_t n_crossings, n_reports;
static bool is_watching; /* limits do not change while the spinner runs */
static overrun_handler inner;

/* How long ago the limit was passed: as long as the group is past it, but not since before the
 * refill. The kernel throttles at a tick, so a group may begin a period with more than its limit
 * used already; then it passed it at the refill. */
static uint64_t since_crossing_ns(const struct overrun_event *event)
{
	uint64_t past = event->used_ns - BENCH_LOW_US * 1000ULL;
	uint64_t refill = event->period - PERIOD_US * 1000ULL;
	uint64_t since_refill = event->at_ns > refill ? event->at_ns - refill : 0;

	return past < since_refill ? past : since_refill;
}

/* Between BPF and the engine. */
static void take(const struct overrun_event *event, void *arg)
{
	if (n_reports < SAMPLES_MAX)
		report_ns[n_reports++] = rt_now_ns() - event->at_ns;
	if (is_watching && n_crossings < SAMPLES_MAX)
		crossing_ns[n_crossings++] = since_crossing_ns(event);
	inner(event, arg);
}

static void run(const char *dir, int seconds)
{
	uint64_t end = rt_now_ns() + (uint64_t)seconds * 1000000000;
	pid_t pid = rt_start(dir, 1, rt_spin, NULL);

	while (rt_now_ns() < end) {
		bench_tick(&bench);
		usleep(PERIOD_US / 2);
	}
	rt_stop(pid);
}

/* What a reaction writes here, as the kernel alone would need: the logger's cut, the sum above, the
 * raise. */
static void *write_bare(void *arg)
{
	const struct forest *f = &bench.engine.forest;

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

static void report(void)
{
	static uint64_t written[LATENCIES];
	const struct engine_stats *s = &bench.engine.stats;
	size_t n = s->n_latencies < LATENCIES ? s->n_latencies : LATENCIES;

	for (size_t i = 0; i < n; i++)
		written[i] = s->latencies_ns[i];
	bench_print("limit passed -> seen in the kernel", crossing_ns, n_crossings);
	bench_print("seen -> reaction thread runs", report_ns, n_reports);
	bench_print("seen -> new budgets written", written, n);
	printf("lost %llu\n", (unsigned long long)overruns_lost(&bench.overruns));
}

static void measure(const char *brake, int seconds)
{
	const struct budget high = { PERIOD_US, BENCH_LOW_US, BENCH_HI_US, 0, 1000, LEVEL_HIGH };
	const struct budget low = { PERIOD_US, LOGGER_US, LOGGER_US, 0, 1000, LEVEL_LOW };
	struct escalation_rules *rules = &bench.engine.escalation.rules;

	rules->dwell_ns = rules->dwell_max_ns = INT64_MAX / 4;
	bench_want(&bench, "brake", high, ENFORCE_WATCH);
	is_watching = true;
	run(brake, seconds);
	is_watching = false;
	bench_unwant(&bench, "brake");

	rules->dwell_ns = 0;
	rules->dwell_max_ns = 1;
	bench_want(&bench, "brake", high, ENFORCE_RAISE);
	bench_want(&bench, "logger", low, ENFORCE_RAISE);
	run(brake, seconds);
}

int main(int argc, char **argv)
{
	char brake[128], logger[128];
	int r = bench_open(&bench, "reaction");

	if (r)
		return r;
	snprintf(brake, sizeof(brake), "%s/brake", bench.dir);
	snprintf(logger, sizeof(logger), "%s/logger", bench.dir);
	mkdir(brake, 0755);
	mkdir(logger, 0755);
	inner = bench.overruns.on_event;
	bench.overruns.on_event = take;
	bench.engine.forest.capacity_us = CAPACITY_US;
	bench_start(&bench);
	measure(brake, argc > 1 ? atoi(argv[1]) : 5);
	report();
	measure_floor();
	bench_unwant(&bench, "brake");
	bench_unwant(&bench, "logger");
	rt_group_remove(brake);
	rt_group_remove(logger);
	bench_close(&bench);
	return n_crossings == 0;
}
