/* SPDX-License-Identifier: Apache-2.0 */

/* The numbers of a running helper for Prometheus. */
#include "metrics.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/auto.h"
#include "base/units.h"
#include "build.h"
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
	struct str overruns, levels, runtimes, runtime_seconds;
	struct str given, refused, outranking; /* of policies */
	struct str used, used_p99;
};

/* Series of what is not known yet, or not counted, are absent. */
static void add_use(const struct engine_pod *p, struct pod_metrics *m)
{
	for (size_t i = 0; i < p->n_containers; i++) {
		const struct engine_container *c = &p->containers[i];
		const struct metric_label *labels =
			METRIC_LABELS("namespace", p->ns, "pod", p->name, "container", c->name);

		if (c->use.window_ns)
			metric_add_millionths(&m->used, "mckube_node_container_used_seconds",
					      labels, c->use.mean_us);
		if (c->use.has_p99)
			metric_add_millionths(&m->used_p99,
					      "mckube_node_container_used_p99_seconds", labels,
					      c->use.p99_us);
	}
}

/* Containers that ask for no policy have no series. */
static void add_policies(const struct engine_pod *p, struct pod_metrics *m)
{
	for (size_t i = 0; i < p->n_containers; i++) {
		const struct engine_container *c = &p->containers[i];
		char policy[THREAD_CLASS_NAME];
		const struct metric_label *labels =
			METRIC_LABELS("namespace", p->ns, "pod", p->name, "container", c->name,
				      "policy", thread_class_format(c->class, policy));

		if (c->class.policy == THREAD_POLICY_KEEP)
			continue;
		metric_add(&m->given, "mckube_node_policy_applied", labels, c->threads.is_applied);
		metric_add(&m->refused, "mckube_node_policy_refused", labels,
			   c->threads.refusal.code != 0);
		metric_add(&m->outranking, "mckube_node_policy_can_outrank", labels,
			   c->threads.can_outrank);
	}
}

static void add_pod(const struct engine_pod *p, const struct escalation_pod *state, void *arg)
{
	struct pod_metrics *m = arg;
	const struct metric_label *labels = METRIC_LABELS("namespace", p->ns, "pod", p->name);

	metric_add(&m->overruns, "mckube_node_pod_overruns_total", labels, p->overruns);
	metric_add(&m->levels, "mckube_node_pod_level", labels, state->level);
	metric_add(&m->runtimes, "mckube_node_pod_runtime_microseconds", labels,
		   (uint64_t)escalation_runtime(state));
	metric_add_millionths(&m->runtime_seconds, "mckube_node_pod_runtime_seconds", labels,
			      (uint64_t)escalation_runtime(state));
	add_policies(p, m);
	add_use(p, m);
}

static void add_series(struct str *out, struct str *series, const char *name, const char *type,
		       const char *what)
{
	metric_head(out, name, type, what);
	str_add(out, series->s);
	str_done(series);
}

static void add_pods(struct run *r, struct str *out)
{
	struct pod_metrics m = { STR_INIT, STR_INIT, STR_INIT, STR_INIT, STR_INIT,
				 STR_INIT, STR_INIT, STR_INIT, STR_INIT };

	engine_each(&r->engine, add_pod, &m);
	add_series(out, &m.overruns, "mckube_node_pod_overruns_total", "counter", "Limits passed.");
	add_series(out, &m.levels, "mckube_node_pod_level", "gauge", "0 low, 1 medium, 2 hi.");
	add_series(
		out, &m.runtimes, "mckube_node_pod_runtime_microseconds", "gauge",
		"Budget in each period that the kernel holds; superseded by ..._runtime_seconds.");
	add_series(out, &m.runtime_seconds, "mckube_node_pod_runtime_seconds", "gauge",
		   "Budget in each period that the kernel holds.");
	add_series(out, &m.given, "mckube_node_policy_applied", "gauge",
		   "1: the container's threads have the policy that it asks for, read back.");
	add_series(out, &m.refused, "mckube_node_policy_refused", "gauge",
		   "1: the policy was refused, by the helper or the kernel.");
	add_series(out, &m.outranking, "mckube_node_policy_can_outrank", "gauge",
		   "1: the container has CAP_SYS_NICE and can go above the helper.");
	add_series(out, &m.used, "mckube_node_container_used_seconds", "gauge",
		   "Used in each period on each of its CPUs, mean of the last minute.");
	add_series(out, &m.used_p99, "mckube_node_container_used_p99_seconds", "gauge",
		   "99th percentile of what it used in the periods in which it ran.");
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
	metric_build_info(out, "mckube_node_build_info", MCKUBE_VERSION, MCKUBE_GIT_COMMIT);
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
