/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/economy/scaling.h"

/* What one more replica costs and draws at the cheapest node that its pods may be on. */
struct extra {
	int64_t cost, power;
	bool is_known;
};

static uint32_t any_cargo(const struct economy *e, optimizer_id id)
{
	for (uint32_t i = 0; i < e->cargo.n; i++)
		if (e->cargo.items[i].of == id)
			return i;
	return NONE;
}

static struct extra extra_of(struct economy *e, optimizer_id id)
{
	struct extra best = { 0 };
	uint32_t cargo = any_cargo(e, id);

	if (cargo == NONE)
		return best;
	const uint64_t *allowed = economy_allowed(e, cargo);
	struct load load = e->cargo.items[cargo].load;
	bool is_training = e->c->optimizers.items[id].type == WORKLOAD_TRAINING;
	for (node_id node = 0; node < e->c->nodes.n; node++) {
		const struct fleet_node *n = &e->fleet.nodes[node];
		int64_t share = fleet_share(n, load);

		if (!(allowed[node / 64] >> node % 64 & 1) || (best.is_known && share >= best.cost))
			continue;
		best = (struct extra){
			.cost = share,
			.power = fleet_power_of(n, load, e->sites[node].cpu + load.cpu_milli,
						e->c->nodes.items[node].capacity_cpu_milli,
						is_training),
			.is_known = true,
		};
	}
	return best;
}

static int32_t at_most(__int128 n)
{
	return n < INT32_MAX ? (int32_t)n : INT32_MAX;
}

/* Fewer by the mean of those that run, more by what one more takes. */
static int32_t paid_for(int64_t limit, int64_t used, uint32_t n, int64_t extra)
{
	if (used > limit)
		return at_most((__int128)limit * n / used);
	return extra > 0 ? at_most(n + (__int128)(limit - used) / extra) : INT32_MAX;
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

static int32_t room_of(const struct money_limit *l, struct extra extra, bool *ret_is_power)
{
	int32_t by_cost = INT32_MAX, by_power = INT32_MAX;

	if (l->max_cost >= 0 && extra.cost > 0)
		by_cost = l->cost < l->max_cost ? at_most((l->max_cost - l->cost) / extra.cost) : 0;
	if (l->max_power >= 0 && extra.power > 0)
		by_power = l->power < l->max_power
				   ? at_most((l->max_power - l->power) / extra.power)
				   : 0;
	*ret_is_power = by_power < by_cost;
	return by_power < by_cost ? by_power : by_cost;
}

int32_t economy_room(struct economy *e, optimizer_id id, const char **ret_reason,
		     const char **ret_message)
{
	const struct account *a = &e->accounts[id];
	struct extra extra = extra_of(e, id);
	int32_t least = INT32_MAX;

	*ret_reason = "CostCeiling";
	*ret_message = a->is_suspended ? a->why : "its budget is spent, or a policy's";
	if (a->is_suspended)
		return 0;
	if (a->avoids_power) {
		*ret_reason = "PowerCeiling";
		*ret_message = "peak hours of a PowerPolicy";
		return 0;
	}
	for (uint32_t k = 0; k < a->limits.n; k++) {
		const struct money_limit *l =
			&e->limits.items[e->limit_ids.items[a->limits.at + k]];
		bool is_power = false;
		int32_t n = l->is_exhausted ? 0 : room_of(l, extra, &is_power);

		if (l->is_part || n >= least)
			continue;
		least = n;
		*ret_reason = is_power ? "PowerCeiling" : "CostCeiling";
		*ret_message = l->is_exhausted ? "its budget is spent, or a policy's"
			       : is_power      ? "a limit of power allows no more"
					       : "a limit of cost per hour pays for no more";
	}
	return least;
}
