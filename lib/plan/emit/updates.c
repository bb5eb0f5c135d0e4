/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/auto.h"
#include "base/str.h"
#include "plan/emit/emit.h"

static const struct pod_annotations *annotations_of(const struct emitter *e, const struct unit *u)
{
	const struct pod *pod = unit_pod(e->trial, u);

	return pod->annotations == NONE ? NULL : &e->trial->c->annotations.items[pod->annotations];
}

/* It stays on cores that it may use, within their capacity, and its assignment may be written. */
static bool is_stable(const struct emitter *e, const struct unit *u)
{
	const struct request *q = unit_request(e->trial, u);
	const struct pod *pod = unit_pod(e->trial, u);

	return u->origin != NONE && u->at == u->origin && !u->is_misplaced && !q->is_bad &&
	       q->source != SOURCE_NONE && !pod->is_terminating && !pod->is_mirror &&
	       !pod->is_unread && (q->shrinks || !e->trial->nodes[u->node].is_closed) &&
	       emit_place_holds(e->trial, u->at);
}

/* The enforcement in the pod's annotation; ENFORCE_NONE: none, the node helper chooses. */
static enum enforcement noted_enforcement(const struct emitter *e, const struct unit *u)
{
	const struct pod_annotations *n = annotations_of(e, u);
	enum enforcement noted = ENFORCE_NONE;

	if (n && n->enforcement != NONE)
		enforcement_parse(cluster_str(e->trial->c, n->enforcement), &noted);
	return noted;
}

static const char *noted_recovery(const struct emitter *e, const struct unit *u)
{
	const struct pod_annotations *n = annotations_of(e, u);

	return n && n->recovery != NONE ? cluster_str(e->trial->c, n->recovery) : "";
}

/* A pod without a McKube may say itself how it recovers: that is no assignment. */
static bool recovers_otherwise(const struct emitter *e, const struct unit *u)
{
	const struct request *q = unit_request(e->trial, u);
	char text[RECOVERY_TEXT];

	return q->source == SOURCE_MCKUBE &&
	       strcmp(noted_recovery(e, u), recovery_format(&q->recovery, text)) != 0;
}

static const char *noted(const struct emitter *e, str_id id)
{
	return id == NONE ? "" : cluster_str(e->trial->c, id);
}

/* A pod without a McKube says itself what its threads get. */
static bool has_other_class(const struct emitter *e, const struct unit *u)
{
	const struct pod_annotations *n = annotations_of(e, u);
	const struct request *q = unit_request(e->trial, u);
	const struct cluster *c = e->trial->c;

	return q->source == SOURCE_MCKUBE && n &&
	       (strcmp(noted(e, n->policy), cluster_str(c, q->policy)) != 0 ||
		strcmp(noted(e, n->priority), cluster_str(c, q->priority)) != 0);
}

static enum reason choose_update(const struct emitter *e, unit_id id)
{
	const struct unit *u = &e->trial->units.items[id];

	if (!is_stable(e, u))
		return REASON_NONE;
	if (unit_request(e->trial, u)->assignment == ASSIGNMENT_NONE)
		return REASON_ADOPTED;
	if (unit_request(e->trial, u)->assignment == ASSIGNMENT_OTHER && !u->keeps_grant &&
	    !u->denial)
		return REASON_BUDGET_CHANGED;
	enum enforcement noted = noted_enforcement(e, u);
	if (noted != ENFORCE_NONE && noted != e->enforcement[id])
		return REASON_ENFORCEMENT_CHANGED;
	if (recovers_otherwise(e, u))
		return REASON_RECOVERY_CHANGED;
	return has_other_class(e, u) ? REASON_POLICY_CHANGED : REASON_NONE;
}

void emit_choose_updates(struct emitter *e)
{
	for (unit_id id = 0; id < e->trial->units.n; id++)
		e->update_reason[id] = (uint8_t)choose_update(e, id);
}

static void add_change(struct str *text, const char *field, int32_t from, int32_t to)
{
	if (from != to)
		str_addf(text, "%s%s %d to %d us", text->n ? ", " : "", field, from, to);
}

/* The fields that change: "runtime_hi 400000 to 500000 us, Low to High". */
static const char *budget_words(struct emitter *e, const struct budget *from,
				const struct budget *to)
{
	AUTO(str_done) struct str text = STR_INIT;

	add_change(&text, "period", from->period, to->period);
	add_change(&text, "runtime_low", from->low, to->low);
	add_change(&text, "runtime_medium", from->medium, to->medium);
	add_change(&text, "runtime_hi", from->hi, to->hi);
	add_change(&text, "runtime_floor", from->floor, to->floor);
	if (from->criticality != to->criticality)
		str_addf(&text, "%s%s to %s", text.n ? ", " : "",
			 criticality_name(from->criticality), criticality_name(to->criticality));
	return plan_strf(e->plan, "budget: %s", text.s);
}

static const char *recovery_words(struct emitter *e, const struct unit *u)
{
	const char *from = noted_recovery(e, u);
	char to[RECOVERY_TEXT];

	recovery_format(&unit_request(e->trial, u)->recovery, to);
	return plan_strf(e->plan, "recovery changed from %s to %s", *from ? from : "usual",
			 *to ? to : "usual");
}

static const char *class_words(struct emitter *e, const struct unit *u)
{
	const struct pod_annotations *n = annotations_of(e, u);
	const struct request *q = unit_request(e->trial, u);
	const struct cluster *c = e->trial->c;
	const char *from = noted(e, n->policy), *from_priority = noted(e, n->priority);
	const char *to = cluster_str(c, q->policy), *to_priority = cluster_str(c, q->priority);

	return plan_strf(e->plan, "policy of its threads changed from %s%s%s to %s%s%s",
			 *from ? from : "their own", *from_priority ? " " : "", from_priority,
			 *to ? to : "their own", *to_priority ? " " : "", to_priority);
}

static const char *update_words(struct emitter *e, unit_id id, enum reason reason)
{
	const struct unit *u = &e->trial->units.items[id];
	const struct request *q = unit_request(e->trial, u);

	if (reason == REASON_ADOPTED)
		return "it has these cores, and its annotations lack the assignment";
	if (reason == REASON_ENFORCEMENT_CHANGED)
		return plan_strf(e->plan,
				 "other budgets on its core changed: enforcement from %s to %s",
				 enforcement_name(noted_enforcement(e, u)),
				 enforcement_name(e->enforcement[id]));
	if (reason == REASON_RECOVERY_CHANGED)
		return recovery_words(e, u);
	if (reason == REASON_POLICY_CHANGED)
		return class_words(e, u);
	return budget_words(e, &q->granted, &q->budget);
}

static void emit_update(struct emitter *e, unit_id id, enum reason reason)
{
	const struct unit *u = &e->trial->units.items[id];
	struct action *a =
		emit_action(e, ACTION_ASSIGN, reason, emit_pod(e, unit_pod(e->trial, u)));
	freed_list freed = { 0 };

	a->to = emit_grant(e, id, u->origin, (enum level)unit_request(e->trial, u)->level);
	a->to.cores = emit_origin(e, u).cores;
	emit_request(e, a, u);
	if (!emit_shrinks(e, u))
		emit_list_freed(e, u->node, &freed);
	emit_depend(e, a, id, &freed, u->origin, false);
	a->message = update_words(e, id, reason);
	e->last_action[id] = a->id;
	array_done(&freed);
}

void emit_shrinking(struct emitter *e)
{
	for (unit_id id = 0; id < e->trial->units.n; id++)
		if (emit_shrinks(e, &e->trial->units.items[id]))
			emit_update(e, id, REASON_BUDGET_CHANGED);
}

/* Those that give up being watched first: others wait for that. */
void emit_updates(struct emitter *e)
{
	for (int pass = 0; pass < 2; pass++) {
		for (unit_id id = 0; id < e->trial->units.n; id++) {
			if (e->update_reason[id] != REASON_NONE &&
			    emit_gives_up_watch(e, id) == (pass == 0) &&
			    !emit_shrinks(e, &e->trial->units.items[id]))
				emit_update(e, id, (enum reason)e->update_reason[id]);
		}
	}
}
