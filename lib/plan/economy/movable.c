/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/decimal.h"
#include "plan/economy/mover.h"

/* Which running pods may be moved for money or power, and what a move costs them. */

enum { COOLDOWN_SECONDS = 1800, MAX_COOLDOWNS = 8, MAX_AGE_SECONDS = 4 * 3600 };

static const char *text_of(const struct economy *e, str_id id)
{
	return id == NONE ? NULL : cluster_str(e->c, id);
}

static bool says(const char *text, const char *word)
{
	return text && strcmp(text, word) == 0;
}

/* 30 minutes after a move, twice as long for each further one of the last day. */
static bool is_within_cooldown(const struct economy *e, int64_t moved, long n)
{
	long doubled = n < 1 ? 0 : (n < MAX_COOLDOWNS ? n : MAX_COOLDOWNS) - 1;

	return e->c->taken_at < moved + ((int64_t)COOLDOWN_SECONDS << doubled);
}

static bool is_cooling(const struct economy *e, const struct pod_annotations *a)
{
	const char *at = text_of(e, a->moved_at), *moves = text_of(e, a->moves);
	int64_t moved = 0;

	return at && date_parse(at, strlen(at), &moved) &&
	       is_within_cooldown(e, moved, moves ? strtol(moves, NULL, 10) : 1);
}

/* What replaces a pod that was moved is no older than the last move of its workload. */
static bool may_have_moved(const struct economy *e, const struct cargo *g)
{
	const struct optimizer *o = g->of == NONE ? NULL : &e->c->optimizers.items[g->of];
	const struct meta *m = &e->c->pods.items[g->pod].meta;

	return o && o->moved_at && m->created >= o->moved_at &&
	       !(m->uid && m->uid == o->moved_pod) && is_within_cooldown(e, o->moved_at, o->moves);
}

static bool is_marked(const struct economy *e, const struct pod_annotations *a)
{
	const char *disrupt = text_of(e, a->do_not_disrupt);

	return (disrupt && strcmp(disrupt, "false") != 0) ||
	       says(text_of(e, a->safe_to_evict), "false") || a->no_eviction != NONE ||
	       says(text_of(e, a->is_disabled), "true");
}

/* By what the pod is, and the workload does. */
static const char *workload_refusal(const struct economy *e, const struct cargo *g,
				    const struct pod *pod)
{
	const struct account *a = g->of == NONE ? NULL : &e->accounts[g->of];
	bool is_closed = a && (a->is_suspended || a->is_exhausted);

	if (g->has_failed)
		return !a || is_closed ? "its workload is suspended, or its budget is spent" : NULL;
	if (may_have_moved(e, g))
		return "it was made since a pod of its workload was moved lately";
	if (a && a->is_in_flight)
		return "another pod of its workload was moved, and is not ready yet";
	if (!a && !pod->is_ours)
		return "it has no WorkloadOptimizer";
	if (is_closed)
		return "its workload is suspended, or its budget is spent";
	return NULL;
}

/* By what would be lost. */
static const char *data_refusal(const struct economy *e, const struct pod *pod)
{
	const struct rules *rules = &e->c->rules.items[pod->rules];
	const struct trial *t = &e->p->trial;

	if (!pod->owner_kind ||
	    (pod->owner_kind != t->owner.replica_set && pod->owner_kind != t->owner.stateful_set))
		return "no ReplicaSet or StatefulSet would create it again";
	if (pod->has_local_data || rules->claims.n || rules->devices.n)
		return "it has local data, claims or devices";
	if (pod->annotations == NONE)
		return NULL;
	const struct pod_annotations *notes = &e->c->annotations.items[pod->annotations];
	if (is_cooling(e, notes))
		return "it was moved lately";
	return is_marked(e, notes) ? "an annotation of it forbids that" : NULL;
}

const char *mover_refusal(const struct economy *e, const struct cargo *g)
{
	const struct trial *t = &e->p->trial;
	const struct pod *pod = &e->c->pods.items[g->pod];

	if (pod->node == NONE || pod->node != g->origin || t->req.of_pod[g->pod] != NONE ||
	    t->unit_of_pod[g->pod] != NONE)
		return "the plan for real time has it";
	if (flight_of(&t->flights, g->pod) != FLIGHT_NONE)
		return "a move of it was begun";
	if (trial_is_untouchable(t, pod) || trial_may_not_evict(t, pod))
		return "it is being deleted, or protected from eviction";
	if (!settings_optimise_in(e->settings, cluster_str(e->c, pod->meta.ns)))
		return "its namespace is not among optimise.namespaces";
	const char *why = workload_refusal(e, g, pod);
	return why || g->has_failed ? why : data_refusal(e, pod);
}

int64_t mover_disruption(const struct economy *e, const struct cargo *g)
{
	const struct pod *pod = &e->c->pods.items[g->pod];
	const char *text =
		pod->annotations == NONE
			? NULL
			: text_of(e, e->c->annotations.items[pod->annotations].deletion_cost);
	int64_t deletion = text ? strtoll(text, NULL, 10) : 0;
	int64_t d =
		MICRO + deletion * MICRO / (1 << 27) + (int64_t)pod->priority * MICRO / (1 << 25);
	bool loses_work =
		g->of != NONE && (e->c->optimizers.items[g->of].type == WORKLOAD_TRAINING ||
				  e->c->optimizers.items[g->of].type == WORKLOAD_BATCH);
	int64_t age =
		pod->started && e->c->taken_at > pod->started ? e->c->taken_at - pod->started : 0;

	d = d < 0 ? 0 : d > 10 * INT64_C(1000000) ? 10 * INT64_C(1000000) : d;
	age = age > MAX_AGE_SECONDS ? MAX_AGE_SECONDS : age;
	return loses_work ? d + d * age / 3600 : d;
}
