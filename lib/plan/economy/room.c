/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/economy/kinds.h"
#include "plan/economy/scaling.h"

/* How many more replicas the hard limits allow: they are placed as if they were there already,
 * which takes every limit, rule about spot nodes and power curve as it will be, and taken off
 * again. Where only room is missing, which nodes may be added for, the rest counts as on full
 * nodes. */

/* Why the limits allow no more, by the refusal that keeps them from it. */
static const struct {
	const char *reason, *message;
} stops[MONEY_REFUSALS] = {
	[MONEY_BUDGET] = { "CostCeiling", "its budget is spent, or a policy's" },
	[MONEY_PER_HOUR] = { "CostCeiling", "a limit or an alert of cost pays for no more" },
	[MONEY_POWER] = { "PowerCeiling", "a limit or an alert of power allows no more" },
	[MONEY_CARBON] = { "PowerCeiling", "a limit or an alert of carbon dioxide allows no more" },
	[MONEY_SPOT] = { "CostCeiling", "no more replicas may be on spot nodes" },
	[MONEY_SPREAD] = { "CostCeiling", "no more replicas may be on spot nodes of one kind" },
	[MONEY_PEAK] = { "PowerCeiling", "peak hours of a PowerPolicy" },
	[MONEY_GREEN] = { "PowerCeiling", "too little of the energy would be renewable" },
};

/* Another pod like that one, which has no place. */
static uint32_t add_replica(struct economy *e, uint32_t like)
{
	const struct cargo g = e->cargo.items[like];
	uint32_t id = (uint32_t)e->cargo.n;

	*array_add(&e->cargo) = (struct cargo){
		.pod = g.pod,
		.of = g.of,
		.node = NONE,
		.origin = NONE,
		.load = g.load,
		.billed = g.load, /* what it will use is not known */
		.counts = g.counts,
	};
	e->allowed[id] = economy_allowed(e, like);
	return id;
}

/* So many times this much, until the limit is reached. */
static int32_t times(__int128 left, __int128 each)
{
	return each <= 0 ? INT32_MAX : left <= 0 ? 0 : replicas_at_most(left / each);
}

struct room {
	int32_t n;
	enum money_refusal why;
};

static void narrow(struct room *r, int32_t n, enum money_refusal why)
{
	if (n < r->n)
		*r = (struct room){ n, why };
}

/* How many more its limits allow that are each as dear as on the node. */
static struct room count_on(const struct economy *e, uint32_t cargo, node_id node)
{
	const struct account *a = &e->accounts[e->cargo.items[cargo].of];
	struct extra x = economy_extra_on(e, cargo, node);
	struct room r = { INT32_MAX, MONEY_ACCEPTS };

	for (uint32_t k = 0; k < a->limits.n; k++) {
		const struct money_limit *l =
			&e->limits.items[e->limit_ids.items[a->limits.at + k]];
		struct most most = economy_most(e, l);

		if (most.cost >= 0)
			narrow(&r, times(most.cost - l->cost, x.cost), MONEY_PER_HOUR);
		if (most.power >= 0 && !l->is_part)
			narrow(&r, times(most.power - l->power, x.power), MONEY_POWER);
		if (most.carbon >= 0)
			narrow(&r, times(most.carbon - l->carbon, x.carbon), MONEY_CARBON);
	}
	return r;
}

static bool has_space(const struct economy *e, uint32_t cargo, node_id node)
{
	const struct node_load *n = &e->p->trial.nodes[node];
	const struct pod *pod = &e->c->pods.items[e->cargo.items[cargo].pod];

	return pod->cpu_milli <= n->have[RES_CPU] - n->used[0][RES_CPU] &&
	       pod->memory <= n->have[RES_MEMORY] - n->used[0][RES_MEMORY] &&
	       n->used[0][RES_PODS] < n->have[RES_PODS];
}

/* Why a pod that finds no place is not on a node with room; MONEY_ACCEPTS: there is no such node.
 */
static enum money_refusal find_refusal(struct economy *e, uint32_t cargo)
{
	for (node_id node = 0; node < e->c->nodes.n; node++)
		if (filter_bit(e->allowed[cargo], node) && has_space(e, cargo, node) &&
		    economy_filter(e, cargo, node, NULL, 0) == REFUSE_NOTHING)
			return economy_refuses(e, cargo, node);
	return MONEY_ACCEPTS;
}

/* The same of a node that is full. */
static struct room count_beyond(const struct economy *e, uint32_t cargo, node_id node)
{
	const struct cargo *g = &e->cargo.items[cargo];
	struct room r = count_on(e, cargo, node);

	if (e->fleet.nodes[node].green_ppm < e->accounts[g->of].min_green_ppm)
		narrow(&r, 0, MONEY_GREEN);
	if (r.n && economy_price_refuses(e, g, node))
		narrow(&r, 0, MONEY_SPOT);
	return r;
}

/* How many more there may be than find a place now: as many as the limits allow on a node that is
 * full. Nodes of a pool may be added; of the others only where no limit is in the way. */
static struct room beyond(struct economy *e, uint32_t cargo)
{
	enum money_refusal why = find_refusal(e, cargo);
	struct room most = { why == MONEY_ACCEPTS ? INT32_MAX : 0, why };
	bool is_known = why != MONEY_ACCEPTS;

	for (node_id node = 0; node < e->c->nodes.n; node++) {
		if (!filter_bit(e->allowed[cargo], node) ||
		    (why != MONEY_ACCEPTS && !e->fleet.nodes[node].is_removable) ||
		    has_space(e, cargo, node))
			continue;
		struct room r = count_beyond(e, cargo, node);

		if (!is_known || r.n > most.n)
			most = r;
		is_known = true;
	}
	return most;
}

/* Do all of them fit into the limits where they take most? Then none has to be placed to know it.
 */
static bool is_far_from_limits(struct economy *e, uint32_t like, int32_t wanted)
{
	const struct account *a = &e->accounts[e->cargo.items[like].of];
	const uint64_t *allowed = economy_allowed(e, like);

	if (a->min_green_ppm >= 0)
		return false;
	for (node_id node = 0; node < e->c->nodes.n; node++)
		if (filter_bit(allowed, node) &&
		    (e->fleet.nodes[node].capacity_type == CAPACITY_SPOT ||
		     count_on(e, like, node).n < wanted))
			return false;
	return true;
}

static struct room try_replicas(struct economy *e, uint32_t like, int32_t wanted)
{
	size_t n = e->cargo.n;
	struct room r = { 0, MONEY_ACCEPTS };
	bool is_placed = true;

	if (is_far_from_limits(e, like, wanted))
		return (struct room){ wanted, MONEY_ACCEPTS };
	e->allowed = xreallocarray(e->allowed, n + (size_t)wanted + 1, sizeof(*e->allowed));
	while (is_placed && r.n < wanted) {
		uint32_t cargo = add_replica(e, like);

		economy_mark_for(e, cargo);
		node_id node = economy_best(e, cargo, false);
		is_placed = node != NONE;
		if (is_placed) {
			economy_add(e, cargo, node);
			r.n++;
			continue;
		}
		struct room rest = beyond(e, cargo);
		r.why = rest.why;
		r.n = replicas_at_most((__int128)r.n + rest.n);
	}
	for (size_t i = e->cargo.n; i-- > n;)
		if (e->cargo.items[i].node != NONE)
			economy_drop(e, (uint32_t)i);
	e->cargo.n = n;
	return r;
}

int32_t economy_room(struct economy *e, optimizer_id id, int32_t wanted, const char **ret_reason,
		     const char **ret_message)
{
	const struct account *a = &e->accounts[id];
	uint32_t like = economy_any_replica(e, id);
	struct room r = { wanted, MONEY_ACCEPTS };

	if (economy_is_spent(e, a) || a->is_suspended)
		r = (struct room){ 0, MONEY_BUDGET };
	else if (a->avoids_power)
		r = (struct room){ 0, MONEY_PEAK };
	else if (like != NONE && wanted > 0) {
		e->adds_replicas = true;
		r = try_replicas(e, like, wanted);
		e->adds_replicas = false;
	}
	*ret_reason = stops[r.why].reason;
	*ret_message = a->is_suspended ? a->why : stops[r.why].message;
	return r.n < wanted ? r.n : wanted;
}
