/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/node_status.h"

#include <stdio.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/units.h"
#include "model/members.h"
#include "node/topology.h"

enum {
	TEXT_MAX = 64,
	INTERVAL_MS = 30000,
	BUSY_MS = 5500, /* a node that turns busy writes it again: planners wait for 5 s of it */
	CHANGE_MS = 5500,
};

static int patch_node(const struct agent_options *o, struct kube *k,
		      const struct kube_pair *annotations, size_t n, struct error *err)
{
	AUTO(kube_request_done) struct kube_request request = { 0 };
	const struct kube_ref ref = { &kube_nodes, NULL, o->node_name, NULL, NULL };
	const struct kube_change change = { .annotations = annotations, .n_annotations = n };

	kube_patch(&request, k, &ref, &change);
	return kube_do(k, &request, err);
}

static void list_cores(const struct agent_options *o, char ret[static CPUSET_TEXT])
{
	struct cpuset cores = { 0 };

	for (unsigned cpu = 0; cpu < o->kernel->cpus && cpu < CPUSET_MAX; cpu++)
		if (!cpuset_has(o->reserved, cpu))
			cpuset_add(&cores, cpu);
	cpuset_format(&cores, ret);
}

static int describe(const struct agent_options *o, struct kube *k, struct error *err)
{
	AUTO(str_done) struct str topology = STR_INIT;
	char capacity[TEXT_MAX], cores[CPUSET_TEXT];
	int64_t limit = o->kernel->rt_runtime_us < 0
				? PPM
				: o->kernel->rt_runtime_us * PPM / o->kernel->rt_period_us;

	if (o->capacity_us && o->capacity_us < limit)
		limit = o->capacity_us;
	snprintf(capacity, sizeof(capacity), "%lld", (long long)limit);
	list_cores(o, cores);
	topology_read(o->roots, o->kernel->cpus, &topology);
	const struct kube_pair annotations[] = {
		{ NODE_ANNOTATION(backend), o->backend->name },
		{ NODE_ANNOTATION(guarantee), o->backend->guarantee },
		{ NODE_ANNOTATION(overruns), o->overruns->source->name },
		{ NODE_ANNOTATION(capacity_scope),
		  o->backend->scope == SCOPE_NODE ? "node" : "core" },
		{ NODE_ANNOTATION(rt_capacity), capacity },
		{ NODE_ANNOTATION(rt_cores), cores },
		{ NODE_ANNOTATION(topology), topology.n ? topology.s : NULL },
	};
	return patch_node(o, k, annotations, ARRAY_LEN(annotations), err);
}

/* Off while there is nothing. */
static int report_retained(const struct agent_options *o, struct kube *k, uint32_t ppm,
			   struct error *err)
{
	char text[TEXT_MAX];
	const struct kube_pair annotation = { NODE_ANNOTATION(rt_retained), ppm ? text : NULL };

	snprintf(text, sizeof(text), "%u", ppm);
	return patch_node(o, k, &annotation, 1, err);
}

static int report_usage(const struct agent_options *o, struct kube *k, struct cpu_reading u,
			struct error *err)
{
	char usage[TEXT_MAX], over[TEXT_MAX];
	int64_t since = u.over_since_ns;

	snprintf(usage, sizeof(usage), "%u", u.ppm / PPM_PER_CENT);
	snprintf(over, sizeof(over), "%lld",
		 (long long)(since ? (clock_ns() - since) / NS_PER_S : 0));
	const struct kube_pair annotations[] = {
		{ NODE_ANNOTATION(cpu_usage), usage },
		{ NODE_ANNOTATION(busy_seconds), over },
		{ NODE_ANNOTATION(is_busy), u.is_busy ? "true" : "false" },
	};
	return patch_node(o, k, annotations, ARRAY_LEN(annotations), err);
}

static bool is_much(uint32_t was, uint32_t is)
{
	uint32_t change = is > was ? is - was : was - is;

	return change > was / 4;
}

int64_t pressure_status_wait(const struct pressure_status *p, const struct rt_pressure_reading *now,
			     int64_t now_ms)
{
	int64_t interval = is_much(p->us, now->us) ? CHANGE_MS : INTERVAL_MS;

	if (!p->is_written || p->is_measured != now->is_measured || !p->us != !now->us)
		return 0;
	if (p->us == now->us)
		return INTERVAL_MS;
	int64_t left = p->at_ms + interval - now_ms;
	return left > 0 ? left : 0;
}

static int report_pressure(struct node_status *n, const struct agent_options *o, struct kube *k,
			   struct error *err)
{
	struct rt_pressure_reading now = rt_pressure_read(o->pressure);
	char text[TEXT_MAX];
	const struct kube_pair annotation = {
		NODE_ANNOTATION(rt_pressure),
		now.is_measured || now.us ? text : NULL,
	};

	int64_t wait = pressure_status_wait(&n->pressure, &now, clock_ms());
	if (wait > 0)
		return (int)wait;
	snprintf(text, sizeof(text), "%u", now.us);
	if (patch_node(o, k, &annotation, 1, err) < 0)
		return err->code;
	n->pressure = (struct pressure_status){ true, now.is_measured, now.us, clock_ms() };
	return CHANGE_MS;
}

int node_status_send(struct node_status *n, const struct agent_options *o, struct kube *k,
		     struct error *err)
{
	struct cpu_reading usage = cpu_usage_read(o->usage);
	bool is_busy = usage.is_busy;

	if (!n->is_described && describe(o, k, err) < 0)
		return err->code;
	n->is_described = true;
	uint32_t retained = engine_retained(o->engine);
	if (!n->has_retained || retained != n->retained) {
		if (report_retained(o, k, retained, err) < 0)
			return err->code;
		n->has_retained = true;
		n->retained = retained;
	}
	int again = report_pressure(n, o, k, err);
	if (again < 0)
		return again;
	int64_t left = n->due_ms - clock_ms();
	if (is_busy == n->was_busy && left > 0)
		return left < again ? (int)left : again;
	if (report_usage(o, k, usage, err) < 0)
		return err->code;
	int interval = is_busy && !n->was_busy ? BUSY_MS : INTERVAL_MS;
	n->due_ms = clock_ms() + interval;
	n->was_busy = is_busy;
	return interval < again ? interval : again;
}
