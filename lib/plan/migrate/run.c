/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "plan/migrate/migrate_internal.h"

static uint32_t checkpoint_steps(const struct planner *p, const struct pod *pod)
{
	const uint32_t both =
		STAGE_BIT(STAGE_PAUSE) | STAGE_BIT(STAGE_CHECKPOINT) | STAGE_BIT(STAGE_RESTORE);

	if (pod->owner_kind && pod->owner_kind == p->trial.owner.stateful_set)
		return both | STAGE_BIT(STAGE_PULL) | STAGE_BIT(STAGE_REPLACE);
	return both | STAGE_BIT(STAGE_TARGET) | STAGE_BIT(STAGE_DELETE);
}

uint32_t migration_steps(const struct planner *p, const struct pod *pod,
			 enum migration_method method)
{
	if (method == MIGRATE_CHECKPOINT)
		return checkpoint_steps(p, pod);
	if (pod_is_bare(pod))
		return STAGE_BIT(STAGE_COPY) | STAGE_BIT(STAGE_EVICT) | STAGE_BIT(STAGE_BIND);
	return STAGE_BIT(STAGE_EVICT) | STAGE_BIT(STAGE_AWAIT) |
	       (pod->is_ours ? STAGE_BIT(STAGE_BIND) : 0);
}

/* A pod that is not young, or whose workload is not known, does not count. */
static uint32_t *find_young(const struct cluster *c, uint32_t seconds)
{
	uint32_t *young = xcalloc(c->strings.n + (size_t)1, sizeof(*young));

	for (pod_id id = 0; c->taken_at && id < c->pods.n; id++) {
		const struct pod *pod = &c->pods.items[id];

		uint32_t left = seconds_left(c, pod->meta.created, seconds);
		if (pod->owner_uid && left > young[pod->owner_uid])
			young[pod->owner_uid] = left;
	}
	return young;
}

static void list_pods(struct mover_run *x)
{
	const struct cluster *c = x->p->trial.c;

	x->first_on = xmalloc((c->nodes.n + (size_t)1) * sizeof(*x->first_on));
	x->next_on = xmalloc((c->pods.n + (size_t)1) * sizeof(*x->next_on));
	memset(x->first_on, 0xff, c->nodes.n * sizeof(*x->first_on)); /* NONE */
	for (pod_id id = (pod_id)c->pods.n; id-- > 0;) {
		node_id node = c->pods.items[id].node;

		if (node == NONE)
			continue;
		x->next_on[id] = x->first_on[node];
		x->first_on[node] = id;
	}
}

void mover_run_init(struct mover_run *x, struct planner *p, bool is_demanded)
{
	*x = (struct mover_run){ .p = p, .m = &p->migrations };
	movers_init(&x->movers, &p->trial, is_demanded);
	targets_init(&x->targets, p);
	list_pods(x);
	x->young_for = find_young(p->trial.c, p->trial.settings->migration.cooldown_seconds);
}

void mover_run_done(struct mover_run *x)
{
	movers_done(&x->movers);
	targets_done(&x->targets);
	free(x->first_on);
	free(x->next_on);
	free(x->young_for);
}

/* What the target uses in the end, and what is left of the node's use. */
static void note_use(struct mover_run *x, struct migration *g)
{
	const struct cluster *c = x->p->trial.c;
	struct usage *use = x->m->usage;

	for (int r = 0; r < USAGE_RESOURCES; r++) {
		use[g->to].amount[r] += g->use.amount[r];
		if (g->from == NONE)
			continue;
		use[g->from].amount[r] -= g->use.amount[r];
	}
	const struct node *to = &c->nodes.items[g->to];
	enum usage_resource r = (enum usage_resource)g->resource;
	g->target_use = usage_share_with(&use[g->to], to, r, 0);
	if (g->from != NONE)
		g->after = usage_share(use[g->from].amount[r],
				       usage_capacity(&c->nodes.items[g->from], r));
}

/* A disruption of its budget; that of a unit is counted when it is evicted. */
static void charge_budget(struct mover_run *x, const struct migration *g)
{
	if (g->unit == NONE)
		evictions_count(&x->p->trial.evictions, g->pod, x->movers.covers[g->pod].pdb, 1);
}

struct migration *mover_try(struct mover_run *x, pod_id id, enum migration_method method,
			    node_id only, bool may_exceed)
{
	const struct trial *t = &x->p->trial;
	const struct pod *pod = &t->c->pods.items[id];
	struct target_question q = {
		.movers = &x->movers,
		.pod = id,
		.use = usage_of_pod(t->c, pod),
		.method = method,
		.only = only,
		.may_exceed = may_exceed,
	};
	struct migration g = {
		.pod = id,
		.unit = t->unit_of_pod[id],
		.from = pod->node,
		.use = q.use,
	};

	if (!target_find(&x->targets, x->p, &q, &g))
		return NULL;
	g.method = (uint8_t)method;
	g.steps = migration_steps(x->p, pod, method);
	g.exceeds = may_exceed;
	note_use(x, &g);
	charge_budget(x, &g);
	if (g.unit != NONE) {
		x->p->reliefs.of_unit[g.unit] = RELIEF_MIGRATE;
		planner_refresh(x->p, pod->node);
	}
	*array_add(&x->m->list) = g;
	return &x->m->list.items[x->m->list.n - 1];
}
