/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/economy/economy.h"
#include "plan/migrate/usage.h"

static bool is_by_usage(const struct economy *e, const struct pod *pod)
{
	return e->settings->optimise.cost_basis == COST_BY_USAGE && pod->node != NONE;
}

struct load economy_billed(const struct economy *e, const struct pod *pod, struct load load)
{
	struct usage used;

	if (!is_by_usage(e, pod))
		return load;
	used = usage_of_pod(e->c, pod);
	if (used.amount[USAGE_CPU] > load.cpu_milli)
		load.cpu_milli = used.amount[USAGE_CPU];
	if (used.amount[USAGE_MEMORY] > load.memory)
		load.memory = used.amount[USAGE_MEMORY];
	return load;
}

void economy_warn_of_unread_use(struct economy *e)
{
	const struct pod *first = NULL;
	unsigned n = 0;

	for (size_t i = 0; i < e->n_bound; i++) {
		const struct pod *pod = &e->c->pods.items[e->cargo.items[i].pod];

		if (e->cargo.items[i].of == NONE || !is_by_usage(e, pod) ||
		    usage_of_pod(e->c, pod).source[USAGE_CPU] == USAGE_METRICS)
			continue;
		first = first ? first : pod;
		n++;
	}
	if (first)
		warning_add(
			&e->p->trial.warnings, "Pod", cluster_str(e->c, first->meta.ns),
			cluster_str(e->c, first->meta.name), "UnreadUse",
			"optimise.costBasis: usage: what %u pod%s use%s is not known or was read "
			"too long ago; the requests count",
			n, n == 1 ? "" : "s", n == 1 ? "s" : "");
}
