/* SPDX-License-Identifier: Apache-2.0 */

/* The numbers of a running helper for Prometheus. */
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "listen.h"
#include "serve/metrics.h"

enum { NS_PER_US = 1000 };

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
	for (size_t i = 0; n && i < 3; i++) {
		size_t at = n * quantiles[i].percent / 100;
		uint32_t us = s->latencies_ns[at < n ? at : n - 1] / NS_PER_US;

		str_addf(out, "%s{quantile=\"%s\"} 0.%06u\n", name, quantiles[i].label, us);
	}
	str_addf(out, "%s_count %llu\n", name, (unsigned long long)s->n_latencies);
}

struct pod_metrics {
	struct str overruns, levels, runtimes;
};

static void add_pod(const struct engine_pod *p, const struct escalation_pod *state, void *arg)
{
	struct pod_metrics *m = arg;

	str_addf(&m->overruns, "mckube_node_pod_overruns_total{namespace=\"%s\",pod=\"%s\"} %llu\n",
		 p->ns, p->name, (unsigned long long)p->overruns);
	str_addf(&m->levels, "mckube_node_pod_level{namespace=\"%s\",pod=\"%s\"} %u\n", p->ns,
		 p->name, state->level);
	str_addf(&m->runtimes,
		 "mckube_node_pod_runtime_microseconds{namespace=\"%s\",pod=\"%s\"} %d\n", p->ns,
		 p->name, escalation_runtime(state));
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

void metrics_write(struct run *r, struct str *out)
{
	AUTO_FREE struct engine_stats *s = xcalloc(1, sizeof(*s));

	engine_get_stats(&r->engine, s);
	metric_head(out, "mckube_node_info", "gauge", "What this node's budgets rest on.");
	str_addf(out, "mckube_node_info{backend=\"%s\",overruns=\"%s\"} 1\n", r->backend->name,
		 r->overruns.source->name);
	metric_one(out, "mckube_node_overruns_total", "counter", "Limits passed.", s->overruns);
	metric_one(out, "mckube_node_escalations_total", "counter", "Levels raised.",
		   s->escalations);
	metric_one(out, "mckube_node_recoveries_total", "counter", "Levels lowered.",
		   s->recoveries);
	metric_one(out, "mckube_node_refusals_total", "counter", "Budgets refused.", s->refusals);
	metric_one(out, "mckube_node_rewritten_total", "counter",
		   "Budgets that somebody else wrote over.", s->rewritten);
	metric_one(out, "mckube_node_events_lost_total", "counter",
		   "Events for which the kernel had no room.", s->lost);
	metric_one(out, "mckube_node_notes_lost_total", "counter",
		   "Notes for which there was no room.", s->notes_lost);
	metric_head(out, "mckube_node_cpu_busy_ratio", "gauge", "Share of CPU time not idle.");
	str_addf(out, "mckube_node_cpu_busy_ratio %u.%06u\n", r->usage.ppm / 1000000,
		 r->usage.ppm % 1000000);
	add_latencies(out, s);
	add_pods(r, out);
}
