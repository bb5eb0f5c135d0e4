/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/economy/estimate.h"

#include <inttypes.h>

#include "base/auto.h"
#include "model/match.h"

static struct load load_of_estimate(const struct estimate *r)
{
	return (struct load){ r->cpu_milli, r->memory, (int64_t)r->gpu + r->npu };
}

static bool is_given(struct load l)
{
	return l.cpu_milli > 0 || l.memory > 0 || l.accelerators > 0;
}

static bool is_feasible(const struct economy *e, const struct optimizer *o, struct load load,
			node_id id)
{
	const struct node *node = &e->c->nodes.items[id];
	const struct fleet_node *n = &e->fleet.nodes[id];
	const struct rules none = { 0 };
	const struct account *a = &e->accounts[o - e->c->optimizers.items];
	bool is_refused_spot = n->capacity_type == CAPACITY_SPOT && !economy_spot_is_open(a, n);

	return !n->leaving && !node->is_unschedulable && !is_refused_spot &&
	       !match_untolerated(e->c, &none, node) && economy_selects_node(e, o, id) &&
	       load.cpu_milli <= node->cpu_milli && load.memory <= node->memory &&
	       load.accelerators <= n->n_accelerators;
}

bool economy_estimate(const struct economy *e, optimizer_id id, struct cost_estimate *ret)
{
	const struct optimizer *o = &e->c->optimizers.items[id];
	struct load load = load_of_estimate(&o->estimate);

	*ret = (struct cost_estimate){ .node = NONE };
	if (e->accounts[id].n_pods || !is_given(load))
		return false;
	for (node_id node = 0; node < e->c->nodes.n; node++) {
		const struct fleet_node *n = &e->fleet.nodes[node];
		int64_t share = fleet_share(n, load);

		if ((ret->node != NONE && share >= ret->cost) || !is_feasible(e, o, load, node))
			continue;
		*ret = (struct cost_estimate){
			.node = node,
			.cost = share,
			.power = fleet_power_of(n, load, e->sites[node].cpu + load.cpu_milli,
						e->c->nodes.items[node].capacity_cpu_milli,
						accelerator_use_of((enum workload_type)o->type)),
		};
	}
	return ret->node != NONE;
}

/* ---- Pods that ask for more ---- */

static void warn(struct economy *e, const struct cargo *g, const char *member, const char *unit,
		 int64_t asked, int64_t given)
{
	const struct meta *m = &e->c->optimizers.items[g->of].meta;

	warning_add(&e->p->trial.warnings, "WorkloadOptimizer", cluster_str(e->c, m->ns),
		    cluster_str(e->c, m->name), "EstimateExceeded",
		    "resources.%s: is %" PRId64 "%s, and pod %s requests %" PRId64 "%s", member,
		    given, unit, cluster_str(e->c, e->c->pods.items[g->pod].meta.name), asked,
		    unit);
}

/* In MiB, up. */
static int64_t mebibytes(int64_t bytes)
{
	return (bytes >> 20) + ((bytes & ((1 << 20) - 1)) != 0);
}

static bool check(struct economy *e, const struct cargo *g)
{
	const struct estimate *r = &e->c->optimizers.items[g->of].estimate;
	struct load given = load_of_estimate(r), asked = g->load;

	if (given.cpu_milli > 0 && asked.cpu_milli > given.cpu_milli)
		warn(e, g, "cpu", "m", asked.cpu_milli, given.cpu_milli);
	else if (given.memory > 0 && asked.memory > given.memory)
		warn(e, g, "memory", "Mi", mebibytes(asked.memory), given.memory >> 20);
	else if (given.accelerators > 0 && asked.accelerators > given.accelerators)
		warn(e, g, r->gpu > 0 ? "gpu" : "npu", "", asked.accelerators, given.accelerators);
	else
		return true;
	return false;
}

void economy_check_estimates(struct economy *e)
{
	AUTO_FREE bool *is_told = xcalloc(e->c->optimizers.n + 1, sizeof(*is_told));

	for (size_t i = 0; i < e->cargo.n; i++) {
		const struct cargo *g = &e->cargo.items[i];

		if (g->of != NONE && !is_told[g->of] && !e->accounts[g->of].is_elsewhere)
			is_told[g->of] = !check(e, g);
	}
}
