/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/economy/economy.h"

/* By the default power of a node, mW. */
enum { CORE_MW = 15000, GIB_MW = 500, ACCELERATOR_MW = 300000 };

static void sum_asked(struct economy *e)
{
	for (pod_id pod = 0; pod < e->c->pods.n; pod++) {
		const struct pod *p = &e->c->pods.items[pod];

		if (e->of_pod[pod] == NONE || p->is_terminating)
			continue;
		struct load load = load_of_pod(e->c, p);
		e->asked[e->of_pod[pod]] += load.cpu_milli * CORE_MW / 1000 +
					    (load.memory >> 30) * GIB_MW +
					    load.accelerators * ACCELERATOR_MW;
	}
}

static int64_t weight_of(const struct economy *e, size_t policy, optimizer_id id)
{
	int64_t priority = e->c->optimizers.items[id].priority;

	switch ((enum power_allocation)e->c->power_policies.items[policy].allocation) {
	case ALLOCATE_PRIORITY:
		return priority < 0 ? 1 : priority + 1;
	case ALLOCATE_WORKLOAD:
		return e->asked[id];
	case ALLOCATE_NONE:
	case ALLOCATE_EQUAL:
		break;
	}
	return 1;
}

void economy_read_weights(struct economy *e,
			  bool (*covers)(const struct economy *e, size_t policy, optimizer_id id))
{
	size_t n = e->c->power_policies.n;

	if (!n)
		return;
	e->asked = xcalloc(e->c->optimizers.n + 1, sizeof(*e->asked));
	e->weights = xcalloc(n, sizeof(*e->weights));
	sum_asked(e);
	for (size_t policy = 0; policy < n; policy++)
		for (optimizer_id id = 0; id < e->c->optimizers.n; id++)
			if (covers(e, policy, id))
				e->weights[policy] += weight_of(e, policy, id);
}

int64_t economy_part(const struct economy *e, size_t policy, optimizer_id id)
{
	__int128 part =
		(__int128)e->c->power_policies.items[policy].max_power * weight_of(e, policy, id);

	return e->weights[policy] > 0 ? (int64_t)(part / e->weights[policy]) : 0;
}

static bool has_part(const struct economy *e, const struct cargo *g)
{
	struct range own = e->accounts[g->of].limits;

	for (uint32_t k = 0; k < own.n; k++)
		if (e->limits.items[e->limit_ids.items[own.at + k]].is_part)
			return true;
	return false;
}

static bool is_refused_power(struct economy *e, uint32_t cargo)
{
	economy_mark_for(e, cargo);
	for (node_id node = 0; node < e->c->nodes.n; node++)
		if (economy_filter(e, cargo, node, NULL, 0) == REFUSE_NOTHING &&
		    economy_refuses(e, cargo, node) == MONEY_POWER)
			return true;
	return false;
}

bool economy_is_power_short(struct economy *e)
{
	for (uint32_t i = (uint32_t)e->n_bound; i < e->cargo.n; i++) {
		const struct cargo *g = &e->cargo.items[i];

		if (g->node == NONE && !e->accounts[g->of].is_suspended && has_part(e, g) &&
		    is_refused_power(e, i))
			return true;
	}
	return false;
}
