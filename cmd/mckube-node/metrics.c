/* SPDX-License-Identifier: Apache-2.0 */

/* The numbers of a running helper for Prometheus. */
#include "metrics.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/auto.h"
#include "base/units.h"
#include "serve/metrics.h"

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void add_latencies(struct str *out, struct engine_stats *s)
{
	static const char name[] = "mckube_node_reaction_seconds";
	size_t n = s->n_latencies < LATENCIES ? s->n_latencies : LATENCIES;
	static const struct {
		const char *label;
		uint32_t percent;
	} quantiles[] = { { "0.5", 50 }, { "0.99", 99 }, { "1", 100 } };

	metric_head(out, name, "summary", "From an overrun seen in the kernel to new budgets.");
	qsort(s->latencies_ns, n, sizeof(s->latencies_ns[0]), by_value);
	for (size_t i = 0; n && i < ARRAY_LEN(quantiles); i++) {
		size_t at = n * quantiles[i].percent / 100;

		metric_add_millionths(out, name, METRIC_LABELS("quantile", quantiles[i].label),
				      s->latencies_ns[at < n ? at : n - 1] / NS_PER_US);
	}
	metric_add(out, "mckube_node_reaction_seconds_count", METRIC_NO_LABELS, s->n_latencies);
}

struct pod_metrics {
	struct str overruns, levels, runtimes;
};

static void add_pod(const struct engine_pod *p, const struct escalation_pod *state, void *arg)
{
	struct pod_metrics *m = arg;
	const struct metric_label *labels = METRIC_LABELS("namespace", p->ns, "pod", p->name);

	metric_add(&m->overruns, "mckube_node_pod_overruns_total", labels, p->overruns);
	metric_add(&m->levels, "mckube_node_pod_level", labels, state->level);
	metric_add(&m->runtimes, "mckube_node_pod_runtime_microseconds", labels,
		   (uint64_t)escalation_runtime(state));
}

static void add_pods(struct run *r, struct str *out)
{
	struct pod_metrics m = { STR_INIT, STR_INIT, STR_INIT };

	engine_each(&r->engine, add_pod, &m);
	metric_head(out, "mckube_node_pod_overruns_total", "counter", "Limits passed.");
	str_add(out, m.overruns.s);
	metric_head(out, "mckube_node_pod_level", "gauge", "0 low, 1 medium, 2 hi.");
	str_add(out, m.levels.s);
	metric_head(out, "mckube_node_pod_runtime_microseconds", "gauge",
		    "Budget in each period that the kernel holds.");
	str_add(out, m.runtimes.s);
	str_done(&m.overruns);
	str_done(&m.levels);
	str_done(&m.runtimes);
}

/* Absent where it is not measured. */
static void add_pressure(struct run *r, struct str *out)
{
	static const char name[] = "mckube_node_missed_seconds_total";
	struct rt_pressure_reading now = rt_pressure_read(&r->pressure);

	if (!now.is_measured)
		return;
	metric_head(out, name, "counter",
		    "Real-time CPU time that pods were granted and did not receive.");
	metric_add_millionths(out, name, METRIC_NO_LABELS, now.total_us);
}

void metrics_write(struct run *r, struct str *out)
{
	AUTO_FREE struct engine_stats *s = xcalloc(1, sizeof(*s));

	engine_get_stats(&r->engine, s);
	metric_head(out, "mckube_node_info", "gauge", "Backend and overrun source.");
	metric_add(out, "mckube_node_info",
		   METRIC_LABELS("backend", r->backend->name, "overruns", r->overruns.source->name),
		   1);
	metric_one(out, "mckube_node_overruns_total", "counter", "Limits passed.", s->overruns);
	metric_one(out, "mckube_node_warm_ups_total", "counter",
		   "Warm-ups of the overrun handler shortly before a limit.", s->warm_ups);
	metric_one(out, "mckube_node_escalations_total", "counter", "Levels raised.",
		   s->escalations);
	metric_one(out, "mckube_node_recoveries_total", "counter", "Levels lowered.",
		   s->recoveries);
	metric_one(out, "mckube_node_refusals_total", "counter", "Budgets refused.", s->refusals);
	metric_one(out, "mckube_node_rewritten_total", "counter",
		   "Budgets that another process changed.", s->rewritten);
	metric_one(out, "mckube_node_events_lost_total", "counter",
		   "Kernel events for which there was no room.", s->lost);
	metric_one(out, "mckube_node_reports_lost_total", "counter",
		   "Events of the helper for which there was no room.", s->events_lost);
	if (r->backend == &backend_soft) {
		const struct soft_stats soft = soft_get_stats(&r->soft);

		metric_one(out, "mckube_node_soft_exhaustions_total", "counter",
			   "Budgets in software that were used up.", soft.exhaustions);
		metric_one(out, "mckube_node_soft_stops_total", "counter",
			   "Processes stopped since an agent was late.", soft.stops);
	}
	metric_head(out, "mckube_node_cpu_busy_ratio", "gauge", "Share of CPU time not idle.");
	metric_add_millionths(out, "mckube_node_cpu_busy_ratio", METRIC_NO_LABELS,
			      cpu_usage_read(&r->usage).ppm);
	add_pressure(r, out);
	add_latencies(out, s);
	add_pods(r, out);
}
