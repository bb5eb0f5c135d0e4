/* SPDX-License-Identifier: Apache-2.0 */
#include "node_report.h"

#include <stdio.h>

#include "base/auto.h"
#include "base/clock.h"
#include "node/topology.h"

enum {
	TEXT_MAX = 64,
	INTERVAL_MS = 30000,
	BUSY_MS = 5500, /* a node that turns busy says so again: planners wait for 5 s of it */
	NS_PER_S = 1000000000,
	PPM_PER_CENT = 10000,
};

static int patch_node(const struct run *r, struct kube *k, const struct kube_pair *notes, size_t n,
		      struct error *err)
{
	AUTO(kube_request_done) struct kube_request request = { 0 };
	const struct kube_ref ref = { &kube_nodes, NULL, r->args->node_name, NULL, NULL };
	const struct kube_change change = { .annotations = notes, .n_annotations = n };

	kube_patch(&request, k, &ref, &change);
	return kube_do(k, &request, err);
}

static int describe(const struct run *r, struct kube *k, struct error *err)
{
	AUTO(str_done) struct str topology = STR_INIT;
	char capacity[TEXT_MAX], cores[TEXT_MAX];
	int64_t limit = r->kernel.rt_runtime_us < 0
				? PPM
				: r->kernel.rt_runtime_us * PPM / r->kernel.rt_period_us;

	if (r->args->capacity_us && r->args->capacity_us < limit)
		limit = r->args->capacity_us;
	snprintf(capacity, sizeof(capacity), "%lld", (long long)limit);
	snprintf(cores, sizeof(cores), "0-%u", r->kernel.cpus - 1);
	topology_read(&r->roots, r->kernel.cpus, &topology);
	const struct kube_pair notes[] = {
		{ "mckube.io/backend", r->backend->name },
		{ "mckube.io/guarantee", r->backend->guarantee },
		{ "mckube.io/overruns", r->overruns.source->name },
		{ "mckube.io/capacity-scope", r->backend->scope == SCOPE_NODE ? "node" : "core" },
		{ "mckube.io/rt-capacity", capacity },
		{ "mckube.io/rt-cores", r->kernel.cpus > 1 ? cores : "0" },
		{ "mckube.io/topology", topology.n ? topology.s : NULL },
	};
	return patch_node(r, k, notes, ARRAY_LEN(notes), err);
}

static int tell_usage(const struct run *r, struct kube *k, bool is_busy, struct error *err)
{
	const struct cpu_usage *u = &r->usage;
	char usage[TEXT_MAX], over[TEXT_MAX];
	int64_t since = u->over_since_ns;

	snprintf(usage, sizeof(usage), "%u", u->ppm / PPM_PER_CENT);
	snprintf(over, sizeof(over), "%lld",
		 (long long)(since ? (engine_now_ns() - since) / NS_PER_S : 0));
	const struct kube_pair notes[] = {
		{ "mckube.sdv.com/cpu-usage", usage },
		{ "mckube.sdv.com/cpu-over90-duration-s", over },
		{ "mckube.sdv.com/isCpuBusy", is_busy ? "true" : "false" },
	};
	return patch_node(r, k, notes, ARRAY_LEN(notes), err);
}

int node_report_send(struct node_report *n, const struct run *r, struct kube *k, struct error *err)
{
	bool is_busy = r->usage.is_busy;

	if (!n->is_described && describe(r, k, err) < 0)
		return err->code;
	n->is_described = true;
	int64_t left = n->due_ms - clock_ms();
	if (is_busy == n->was_busy && left > 0)
		return (int)left;
	if (tell_usage(r, k, is_busy, err) < 0)
		return err->code;
	int interval = is_busy && !n->was_busy ? BUSY_MS : INTERVAL_MS;
	n->due_ms = clock_ms() + interval;
	n->was_busy = is_busy;
	return interval;
}
