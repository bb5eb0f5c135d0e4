/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/auto.h"
#include "plan/migrate/migrate_internal.h"

static const struct pod_annotations *notes_of(const struct cluster *c, pod_id id)
{
	return &c->annotations.items[c->pods.items[id].annotations];
}

static node_id noted_target(const struct cluster *c, pod_id id)
{
	return cluster_node(c, cluster_str(c, notes_of(c, id)->migrate_to));
}

/* The node that a copy's original was on; NONE: it is gone. */
static node_id noted_source(const struct cluster *c, pod_id id)
{
	const char *from = cluster_str(c, notes_of(c, id)->migrate_from);
	AUTO_FREE char *name = xstrndup(from, strcspn(from, "/"));

	return cluster_node(c, name);
}

/* A checkpoint is on its way: the helpers know where it is. */
static void resume_checkpoint(struct mover_run *x, pod_id id, node_id to)
{
	const struct pod *pod = &x->p->trial.c->pods.items[id];
	bool is_arriving = flight_of(&x->p->trial.flights, id) == FLIGHT_ARRIVING;

	if (to == NONE || (pod->node == NONE && !is_arriving))
		return;
	*array_add(&x->m->list) = (struct migration){
		.pod = id,
		.unit = NONE,
		.from = is_arriving ? NONE : pod->node,
		.to = to,
		.place = NONE,
		.method = MIGRATE_CHECKPOINT,
		.reason = REASON_RESUMED,
		.steps = is_arriving ? STAGE_BIT(STAGE_REPLACE) | STAGE_BIT(STAGE_RESTORE)
				     : migration_steps(x->p, pod, MIGRATE_CHECKPOINT),
	};
}

static void resume_on(struct mover_run *x, pod_id id, node_id noted, uint32_t steps, node_id from)
{
	struct migration *g = NULL;

	if (noted != NONE)
		g = mover_try(x, id, MIGRATE_RESTART, noted, true);
	if (!g)
		g = mover_try(x, id, MIGRATE_RESTART, NONE, false);
	if (!g)
		g = mover_try(x, id, MIGRATE_RESTART, NONE, true);
	if (!g)
		return;
	g->reason = REASON_RESUMED;
	g->steps = steps;
	g->from = from;
}

/* The copy of a bare pod is made: the pod goes, and the copy is released. One with real time that
 * waits alone is placed like any pending pod. */
static void resume_copy(struct mover_run *x, pod_id id, enum flight flight)
{
	const struct trial *t = &x->p->trial;
	enum migration_method method;

	if (flight == FLIGHT_ORPHAN && t->req.of_pod[id] == NONE)
		resume_on(x, id, noted_target(t->c, id), STAGE_BIT(STAGE_BIND),
			  noted_source(t->c, id));
	else if (flight == FLIGHT_COPIED && movers_ask(&x->movers, id, &method) == STAY_NOT)
		resume_on(x, id, noted_target(t->c, t->flights.copy_of[id]),
			  STAGE_BIT(STAGE_COPY) | STAGE_BIT(STAGE_EVICT) | STAGE_BIT(STAGE_BIND),
			  t->c->pods.items[id].node);
}

void migrate_resume(struct mover_run *x)
{
	const struct trial *t = &x->p->trial;

	x->movers.is_demanded = true; /* it was when it was begun, or is said */
	for (pod_id id = 0; t->flights.of_pod && id < t->c->pods.n; id++) {
		enum flight flight = flight_of(&t->flights, id);

		if (flight == FLIGHT_SOURCE)
			resume_checkpoint(x, id, noted_target(t->c, id));
		else if (flight == FLIGHT_ARRIVING)
			resume_checkpoint(x, id, t->flights.to[id]);
		else
			resume_copy(x, id, flight);
	}
	x->movers.is_demanded = false;
}
