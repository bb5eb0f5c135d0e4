/* SPDX-License-Identifier: Apache-2.0 */

/* What pods take of their nodes besides budgets: requests, ports, and what follows for others. */
#include "plan/filter/inter_pod.h"
#include "plan/filter/nominated.h"
#include "plan/trial.h"

struct extended *trial_extended(const struct trial *t, node_id node, str_id name)
{
	struct range run = t->nodes[node].extended;

	for (uint32_t i = 0; i < run.n; i++)
		if (t->extended.items[run.at + i].name == name)
			return &t->extended.items[run.at + i];
	return NULL;
}

static void add_requests(struct trial *t, const struct pod *pod, node_id node, unsigned ranks,
			 int64_t sign)
{
	struct node_load *n = &t->nodes[node];

	for (unsigned r = 0; r < ranks; r++) {
		n->used[r][RES_CPU] += sign * pod->cpu_milli;
		n->used[r][RES_MEMORY] += sign * pod->memory;
		n->used[r][RES_EPHEMERAL] += sign * pod->ephemeral;
		n->used[r][RES_PODS] += sign;
	}
	for (uint32_t i = 0; i < pod->extended.n; i++) {
		const struct amount *a = &t->c->amounts.items[pod->extended.at + i];
		struct extended *x = trial_extended(t, node, a->name);

		for (unsigned r = 0; x && r < ranks; r++)
			x->used[r] += sign * a->value;
	}
}

void trial_charge_pod(struct trial *t, pod_id pod, node_id node)
{
	add_requests(t, &t->c->pods.items[pod], node, LEVELS, 1);
	if (t->terms)
		inter_pod_charge(t->terms, t->c, pod, node);
}

void trial_uncharge_pod(struct trial *t, pod_id pod, node_id node)
{
	add_requests(t, &t->c->pods.items[pod], node, LEVELS, -1);
	if (t->terms)
		inter_pod_uncharge(t->terms, t->c, pod, node);
}

void trial_reserve(struct trial *t, pod_id pod, node_id node)
{
	add_requests(t, &t->c->pods.items[pod], node, LEVELS, 1);
}

void trial_unreserve(struct trial *t, pod_id pod, node_id node)
{
	add_requests(t, &t->c->pods.items[pod], node, LEVELS, -1);
}

static unsigned request_ranks(const struct unit *u)
{
	return u->kind == UNIT_PENDING || u->can_evict ? u->rank + 1u : LEVELS;
}

void trial_charge(struct trial *t, unit_id id, node_id node)
{
	const struct unit *u = &t->units.items[id];

	add_requests(t, unit_pod(t, u), node, request_ranks(u), 1);
	if (t->terms)
		inter_pod_charge(t->terms, t->c, u->pod, node);
}

void trial_uncharge(struct trial *t, unit_id id, node_id node)
{
	const struct unit *u = &t->units.items[id];

	add_requests(t, unit_pod(t, u), node, request_ranks(u), -1);
	if (t->terms)
		inter_pod_uncharge(t->terms, t->c, u->pod, node);
}

static bool brings_requests(const struct unit *u)
{
	return u->kind == UNIT_PENDING || u->is_evicted;
}

void trial_add(struct trial *t, unit_id id, place_id place)
{
	if (brings_requests(&t->units.items[id]))
		trial_charge(t, id, t->places.items[place].node);
	trial_assign(t, id, place);
}

void trial_remove(struct trial *t, unit_id id)
{
	const struct unit *u = &t->units.items[id];
	node_id node = t->places.items[u->at].node;

	trial_unassign(t, id);
	if (brings_requests(u))
		trial_uncharge(t, id, node);
}

void trial_evict(struct trial *t, unit_id id)
{
	struct unit *u = &t->units.items[id];

	u->is_evicted = true;
	trial_uncharge(t, id, u->node);
	evictions_count(&t->evictions, u->pod, u->pdb, 1);
}

void trial_unevict(struct trial *t, unit_id id)
{
	struct unit *u = &t->units.items[id];

	u->is_evicted = false;
	trial_charge(t, id, u->node);
	evictions_count(&t->evictions, u->pod, u->pdb, -1);
}

/* Is what the pod asks for within what the node has, with `more` times its requests added? */
static bool requests_fit(const struct trial *t, const struct unit *u, node_id node, unsigned rank,
			 int more)
{
	const struct pod *pod = unit_pod(t, u);
	const struct node_load *n = &t->nodes[node];
	int64_t want[RES_KINDS] = { pod->cpu_milli, pod->memory, pod->ephemeral, 1 };
	int64_t kept[RES_KINDS];

	nominated_requests(t, u, node, kept);
	for (int i = 0; i < RES_KINDS; i++)
		if (want[i] && n->used[rank][i] + kept[i] + more * want[i] > n->have[i])
			return false;
	for (uint32_t i = 0; i < pod->extended.n; i++) {
		const struct amount *a = &t->c->amounts.items[pod->extended.at + i];
		const struct extended *x = trial_extended(t, node, a->name);
		int64_t kept_back = nominated_extended(t, u, node, a->name);

		if (a->value && (!x || x->used[rank] + kept_back + more * a->value > x->have))
			return false;
	}
	return true;
}

bool trial_has_room(const struct trial *t, const struct unit *u, node_id node, unsigned rank)
{
	return requests_fit(t, u, node, rank, 1);
}

bool trial_keeps_room(const struct trial *t, const struct unit *u, node_id node, unsigned rank)
{
	return requests_fit(t, u, node, rank, 0);
}
