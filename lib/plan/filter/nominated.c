/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/filter/nominated.h"

#include <string.h>

void nominated_list(struct trial *t)
{
	for (pod_id id = 0; id < t->c->pods.n; id++) {
		const struct pod *pod = &t->c->pods.items[id];

		if (pod->nominated != NONE && !pod->node_name && !pod->is_terminating &&
		    t->unit_of_pod[id] == NONE)
			*array_add(&t->nominated) = id;
	}
}

bool nominated_counts(const struct trial *t, pod_id pod, const struct unit *u, node_id node)
{
	const struct pod *waiting = &t->c->pods.items[pod];

	return waiting->nominated == node && waiting->priority >= unit_pod(t, u)->priority;
}

void nominated_requests(const struct trial *t, const struct unit *u, node_id node,
			int64_t ret[RES_KINDS])
{
	memset(ret, 0, RES_KINDS * sizeof(*ret));
	array_each(id, &t->nominated) {
		const struct pod *pod = &t->c->pods.items[*id];

		if (!nominated_counts(t, *id, u, node))
			continue;
		ret[RES_CPU] += pod->cpu_milli;
		ret[RES_MEMORY] += pod->memory;
		ret[RES_EPHEMERAL] += pod->ephemeral;
		ret[RES_PODS]++;
	}
}

int64_t nominated_extended(const struct trial *t, const struct unit *u, node_id node, str_id name)
{
	int64_t sum = 0;

	array_each(id, &t->nominated) {
		struct range run = t->c->pods.items[*id].extended;

		for (uint32_t i = 0; i < run.n && nominated_counts(t, *id, u, node); i++)
			if (t->c->amounts.items[run.at + i].name == name)
				sum += t->c->amounts.items[run.at + i].value;
	}
	return sum;
}
