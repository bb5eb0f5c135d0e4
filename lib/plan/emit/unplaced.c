/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/str.h"
#include "model/guarantee.h"
#include "plan/candidate.h"
#include "plan/economy/economy.h"
#include "plan/emit/emit.h"
#include "plan/namespace_limits.h"

void emit_count_refusal(struct refusal_tally *tally, enum refusal r, const char *detail)
{
	array_each(t, &tally->list) {
		if (t->refusal == r && strcmp(t->detail, detail) == 0) {
			t->n++;
			return;
		}
	}
	struct tally *t = array_add(&tally->list);
	*t = (struct tally){ .refusal = r, .n = 1 };
	snprintf(t->detail, sizeof(t->detail), "%s", detail);
}

static bool has_candidates(struct planner *p, const struct unit *u, node_id node)
{
	candidates list = { 0 };

	candidates_of(p, u, node, &list);
	bool has_any = list.n > 0;
	array_done(&list);
	return has_any;
}

/* The first reason why a node did not take the pod. */
static enum refusal refusal_of(struct planner *p, const struct unit *u, node_id node, char *detail,
			       size_t size)
{
	enum refusal r = REFUSE_NOTHING;

	*detail = '\0';
	if (u->kind != UNIT_PENDING && u->node != node)
		return REFUSE_OTHER_NODE;
	if (u->kind == UNIT_UNASSIGNED && !filter_guarantees(&p->filters, u, node)) {
		snprintf(detail, size, "%s", guarantee_name(unit_request(&p->trial, u)->guarantee));
		return REFUSE_GUARANTEE;
	}
	if (u->kind == UNIT_PENDING)
		r = filter_node(&p->filters, u, node, unit_reach(&p->trial, u), detail, size);
	if (r != REFUSE_NOTHING)
		return r;
	return has_candidates(p, u, node) ? REFUSE_BUDGET : REFUSE_CORES;
}

static int most_first(const void *a, const void *b)
{
	const struct tally *x = a, *y = b;

	if (x->n != y->n)
		return x->n > y->n ? -1 : 1;
	if (x->refusal != y->refusal)
		return x->refusal < y->refusal ? -1 : 1;
	return strcmp(x->detail, y->detail);
}

size_t emit_tally_words(struct refusal_tally *tally, struct str *out)
{
	size_t n = tally->list.n;

	if (n > 0)
		qsort(tally->list.items, n, sizeof(*tally->list.items), most_first);
	for (size_t i = 0; i < n; i++)
		str_addf(out, "%s%u %s%s%s", i ? ", " : ": ", tally->list.items[i].n,
			 refusal_text(tally->list.items[i].refusal),
			 *tally->list.items[i].detail ? " " : "", tally->list.items[i].detail);
	array_done(&tally->list);
	return n;
}

/* Would more room on the node help? */
static bool is_about_room(struct planner *p, const struct unit *u, node_id node, enum refusal r)
{
	return r == REFUSE_BUDGET ||
	       (r == REFUSE_RESOURCES && !filter_is_final(&p->filters, u, node));
}

void emit_refused(struct emitter *e, const struct pod *pod, enum reason reason, const char *message)
{
	*array_add(&e->plan->unplaced) = (struct unplaced){
		.on = emit_pod(e, pod),
		.reason = reason,
		.message = message,
	};
}

/* What the settings let a plan evict, where that is bounded. */
static void add_eviction_limits(const struct settings *s, bool is_closed, struct str *out)
{
	const struct {
		uint32_t n;
		const char *of;
	} limits[] = {
		{ s->evictions.per_pass, "plan" },
		{ s->evictions.per_node, "node" },
		{ s->evictions.per_namespace, "namespace" },
	};
	const char *separator = "; evictions are limited to ";

	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		if (!limits[i].n)
			continue;
		str_addf(out, "%s%u per %s", separator, limits[i].n, limits[i].of);
		separator = ", ";
	}
	if (s->evictions.keeps_bare)
		str_add(out, "; pods without a controller are not evicted");
	if (is_closed)
		str_add(out, "; evictions.windows is closed");
}

static void emit_no_place(struct emitter *e, const struct unit *u)
{
	struct refusal_tally tally = { 0 };
	bool is_for_room = false;
	AUTO(str_done) struct str text = STR_INIT;
	char detail[EMIT_DETAIL_MAX];

	for (node_id node = 0; node < e->trial->c->nodes.n; node++) {
		enum refusal r = refusal_of(e->p, u, node, detail, sizeof(detail));

		is_for_room = is_for_room || is_about_room(e->p, u, node, r);
		emit_count_refusal(&tally, r, detail);
	}
	/* kube-scheduler's form, since people and programs know it. */
	str_addf(&text, "0/%zu nodes are available", e->trial->c->nodes.n);
	emit_tally_words(&tally, &text);
	if (is_for_room && unit_pod(e->trial, u)->never_preempts)
		str_add(&text, "; no other pod yields: preemptionPolicy Never");
	else if (is_for_room && u->rank > LEVEL_LOW)
		add_eviction_limits(e->trial->settings, evictions_are_closed(&e->trial->evictions),
				    &text);
	emit_refused(e, unit_pod(e->trial, u), is_for_room ? REASON_NO_ROOM : REASON_NO_NODE,
		     plan_str(e->plan, text.s));
}

/* The cell and mode that the raised budget would be over by most; NONE: it is not over. */
static cell_id tightest(const struct trial *t, const struct unit *u, int *ret_mode)
{
	const struct request *q = unit_request(t, u);
	struct range cells = t->places.items[u->at].cells;
	cell_id worst = NONE;
	int64_t most = 0;

	for (uint32_t i = 0; i < cells.n; i++) {
		cell_id id = t->place_cells.items[cells.at + i];

		for (int k = 0; k < LEVELS; k++) {
			int64_t over = (int64_t)t->cells[id].used[0][k] - u->load[k] + q->load[k] -
				       t->cells[id].cap[k];

			if (over <= most)
				continue;
			most = over;
			worst = id;
			*ret_mode = k;
		}
	}
	return worst;
}

/* The budget was raised beyond the room, and the pod keeps what it was granted. */
static void emit_kept_grant(struct emitter *e, const struct unit *u)
{
	const struct trial *t = e->trial;
	const struct request *q = unit_request(t, u);
	int mode = LEVEL_LOW;
	cell_id id = tightest(t, u, &mode);
	const char *why = "no room can be made for it";

	if (id != NONE)
		why = plan_strf(
			e->plan, "%s would be at %s of %s%s", emit_cell_name(e, id),
			emit_ratio(e, t->cells[id].used[0][mode] - u->load[mode] + q->load[mode]),
			emit_ratio(e, t->cells[id].cap[mode]), emit_mode_words(e, mode));
	emit_refused(
		e, unit_pod(t, u), REASON_NO_ROOM,
		plan_strf(e->plan,
			  "raised budget, %d to %d us of every %d us: %s; it keeps %d to %d us "
			  "of every %d us",
			  q->budget.low, q->budget.hi, q->budget.period, why, q->granted.low,
			  q->granted.hi, q->granted.period));
}

/* Its namespace may not ask for that. */
static void emit_denied(struct emitter *e, const struct unit *u)
{
	AUTO(str_done) struct str text = STR_INIT;

	limits_describe(e->trial, u, &text);
	if (u->keeps_grant)
		str_add(&text, "; it keeps what it was granted");
	emit_refused(e, unit_pod(e->trial, u),
		     u->denial == DENIAL_QUOTA ? REASON_QUOTA : REASON_CRITICALITY,
		     plan_str(e->plan, text.s));
}

/* Pods that are ours, or run without cores, and that no step could help. */
static void emit_pod_if_unplaced(struct emitter *e, pod_id id)
{
	const struct trial *t = e->trial;
	const struct pod *pod = &t->c->pods.items[id];
	uint32_t request = t->req.of_pod[id];
	const struct request *q = request == NONE ? NULL : &t->req.list.items[request];
	unit_id unit = t->unit_of_pod[id];
	const struct unit *u = unit == NONE ? NULL : &t->units.items[unit];
	bool waits =
		!pod->node_name && pod->is_ours && !pod->is_terminating && !pod->has_other_gate;
	bool lacks_cores = pod->node != NONE && q && !q->has_cores && q->source != SOURCE_NONE;

	if (pod->is_unread && (waits || lacks_cores))
		emit_refused(e, pod, REASON_BAD_REQUEST, "unreadable object: see the warning");
	else if (q && q->is_bad && (waits || (pod->node != NONE && !q->has_cores)))
		emit_refused(e, pod, REASON_BAD_REQUEST, "invalid request: see the warning");
	else if (waits && !q &&
		 (economy_handles(e->p->economy, id) || economy_is_elsewhere(e->p->economy, id)))
		return; /* emit_economy_unplaced(), or another process */
	else if (waits && !q && flight_of(&t->flights, id) == FLIGHT_NONE)
		emit_refused(e, pod, REASON_NO_REQUEST,
			     "no McKube or annotation requests real time for this pod");
	else if (u && u->denial && (u->keeps_grant || unit_is_new(u)) && !u->is_evicted)
		emit_denied(e, u);
	else if (u && unit_is_new(u) && u->at == NONE && !u->is_evicted)
		emit_no_place(e, u);
	else if (u && u->keeps_grant && u->at != NONE)
		emit_kept_grant(e, u);
}

void emit_unplaced(struct emitter *e)
{
	for (pod_id id = 0; id < e->trial->c->pods.n; id++)
		emit_pod_if_unplaced(e, id);
}
