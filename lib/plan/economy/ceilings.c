/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/economy/scaling.h"

uint32_t economy_any_replica(const struct economy *e, optimizer_id id)
{
	for (uint32_t i = 0; i < e->cargo.n; i++)
		if (e->cargo.items[i].of == id)
			return i;
	return NONE;
}

struct extra economy_extra_on(const struct economy *e, uint32_t cargo, node_id node)
{
	const struct cargo *g = &e->cargo.items[cargo];
	int64_t power = economy_power_of(e, g, node, e->sites[node].cpu + g->load.cpu_milli);

	return (struct extra){
		.cost = fleet_share(&e->fleet.nodes[node], g->load),
		.power = power,
		.carbon = (__int128)power * e->fleet.nodes[node].carbon,
	};
}

/* On the cheapest node that may have it, whether there is room or not. */
static struct extra extra_of(struct economy *e, optimizer_id id)
{
	uint32_t cargo = economy_any_replica(e, id);
	struct extra best = { 0 };
	bool is_known = false;

	if (cargo == NONE)
		return best;
	const uint64_t *allowed = economy_allowed(e, cargo);
	for (node_id node = 0; node < e->c->nodes.n; node++) {
		const struct fleet_node *n = &e->fleet.nodes[node];
		struct extra one = economy_extra_on(e, cargo, node);

		if (!filter_bit(allowed, node) || (is_known && one.cost >= best.cost) ||
		    (n->capacity_type == CAPACITY_SPOT &&
		     !economy_spot_is_open(&e->accounts[id], n)))
			continue;
		best = one;
		is_known = true;
	}
	return best;
}

int32_t replicas_at_most(__int128 n)
{
	return n < INT32_MAX ? (int32_t)n : INT32_MAX;
}

/* Fewer by the mean of those that run, more by what one more takes. */
static int32_t paid_for(int64_t limit, int64_t used, uint32_t n, int64_t extra)
{
	if (used > limit)
		return replicas_at_most((__int128)limit * n / used);
	return extra > 0 ? replicas_at_most(n + (__int128)(limit - used) / extra) : INT32_MAX;
}

/* The threshold of a cost metric is per cent of maxCostPerHour, without one dollars per hour. */
static int64_t cost_limit(const struct optimizer *o, int64_t threshold)
{
	enum { PERCENT = 100 };

	if (o->max_cost < 0)
		return threshold;
	return (int64_t)((__int128)o->max_cost * threshold / ((__int128)PERCENT * PPM));
}

int32_t economy_ceiling(struct economy *e, optimizer_id id, const char **ret_reason,
			const char **ret_message)
{
	const struct optimizer *o = &e->c->optimizers.items[id];
	const struct account *a = &e->accounts[id];
	struct extra extra = extra_of(e, id);
	int32_t least = INT32_MAX;

	for (uint32_t i = 0; i < o->metrics.n; i++) {
		const struct scaling_metric *m = &e->c->scaling_metrics.items[o->metrics.at + i];
		bool is_cost = m->type == METRIC_COST;
		int32_t n = INT32_MAX;

		if (is_cost)
			n = paid_for(cost_limit(o, m->threshold), a->cost, a->n_bound, extra.cost);
		else if (m->type == METRIC_POWER)
			n = paid_for(m->threshold / 1000, a->power, a->n_bound, extra.power);
		if (n >= least)
			continue;
		least = n;
		*ret_reason = is_cost ? "CostCeiling" : "PowerCeiling";
		*ret_message = is_cost ? "the threshold of metric cost pays for no more"
				       : "the threshold of metric power allows no more";
	}
	return least;
}
