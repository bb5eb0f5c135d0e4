/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/explain/explain.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/names.h"
#include "model/guarantee.h"
#include "model/match.h"
#include "model/pod_level.h"
#include "plan/explain/explainer.h"

static const char *const outcome_names[OUTCOMES] = {
	[OUTCOME_NOT_PLANNED] = "NotPlanned", [OUTCOME_STAYS] = "Stays",
	[OUTCOME_PLACED] = "Placed",	      [OUTCOME_MOVES] = "Moves",
	[OUTCOME_EVICTED] = "Evicted",	      [OUTCOME_UNPLACED] = "Unplaced",
};

const char *outcome_name(enum outcome o)
{
	return outcome_names[o];
}

static const struct pod *pod_of(const struct explainer *x)
{
	return &x->p.trial.c->pods.items[x->pod];
}

static const struct request *request_of(const struct explainer *x)
{
	uint32_t i = x->p.trial.req.of_pod[x->pod];

	return i == NONE ? NULL : &x->p.trial.req.list.items[i];
}

/* ---- The request ---- */

static void fill_pins(struct explainer *x, const struct request *q)
{
	const struct trial *t = &x->p.trial;
	const struct mckube *m = q->mckube == NONE ? NULL : &t->c->mckubes.items[q->mckube];
	char text[CPUSET_TEXT];

	if (q->has_node_pin && m)
		x->out->node_pin = plan_str(&x->out->plan, cluster_str(t->c, m->node));
	if (!q->has_pin)
		return;
	const struct cpuset *pin = &t->req.sets.items[q->pin];
	x->out->core_pin = plan_str(&x->out->plan, cpuset_format(pin, text));
	x->out->has_legacy_pin = m && request_pin_is_legacy(t->c, m, pin);
}

static const char *asked_by(struct explainer *x, const struct request *q)
{
	const struct cluster *c = x->p.trial.c;
	const struct mckube *m = q->mckube == NONE ? NULL : &c->mckubes.items[q->mckube];

	if (m)
		return plan_strf(&x->out->plan, "%s %s/%s", cluster_str(c, m->kind),
				 cluster_str(c, m->meta.ns), cluster_str(c, m->meta.name));
	return q->source == SOURCE_NONE
		       ? ""
		       : plan_strf(&x->out->plan, "Pod %s/%s", x->out->ns, x->out->name);
}

static void fill_request(struct explainer *x)
{
	const struct request *q = request_of(x);
	struct explanation *out = x->out;

	out->ns = plan_str(&out->plan, cluster_str(x->p.trial.c, pod_of(x)->meta.ns));
	out->name = plan_str(&out->plan, cluster_str(x->p.trial.c, pod_of(x)->meta.name));
	out->asked_by = out->source = out->node_pin = out->core_pin = "";
	out->level = out->guarantee = out->policy = out->priority = out->optimizer = "";
	if (!q)
		return;
	if (q->has_cores)
		out->level = pod_level_name(x->p.trial.c, pod_of(x), (enum level)q->level);
	out->asked_by = asked_by(x, q);
	out->source = request_source_name((enum request_source)q->source);
	out->has_budget = q->has_budget;
	out->budget = q->budget;
	memcpy(out->load, q->load, sizeof(out->load));
	out->core_count = q->core_count;
	if (q->guarantee)
		out->guarantee = guarantee_name((enum guarantee)q->guarantee);
	out->policy = plan_str(&out->plan, cluster_str(x->p.trial.c, q->policy));
	out->priority = plan_str(&out->plan, cluster_str(x->p.trial.c, q->priority));
	fill_pins(x, q);
}

/* ---- What the plan does ---- */

static bool is_about(const struct explainer *x, const struct target *t)
{
	return t->name && strcmp(t->kind, "Pod") == 0 && strcmp(t->ns, x->out->ns) == 0 &&
	       strcmp(t->name, x->out->name) == 0;
}

static void list_actions(struct explainer *x)
{
	const struct plan *plan = &x->out->plan;

	for (uint32_t i = 0; i < plan->actions.n; i++) {
		if (is_about(x, &plan->actions.items[i].on))
			*array_add(&x->out->actions) = i;
		else if (is_about(x, &plan->actions.items[i].by))
			*array_add(&x->out->caused) = i;
	}
}

static void list_warnings(struct explainer *x)
{
	const struct plan *plan = &x->out->plan;
	AUTO_FREE char *self = xasprintf("Pod %s/%s", x->out->ns, x->out->name);

	for (uint32_t i = 0; i < plan->warnings.n; i++) {
		const char *object = plan->warnings.items[i].object;

		if (strcmp(object, self) == 0 || strcmp(object, x->out->asked_by) == 0)
			*array_add(&x->out->warnings) = i;
	}
}

static const struct unplaced *unplaced_of(const struct explainer *x)
{
	array_each(u, &x->out->plan.unplaced)
		if (is_about(x, &u->on))
			return u;
	return NULL;
}

/* Pods that the plan does not decide about; the first row that holds. */
static bool is_terminating(const struct pod *pod)
{
	return pod->is_terminating;
}

static bool is_on_unknown_node(const struct pod *pod)
{
	return pod->node_name && pod->node == NONE;
}

static bool has_other_gate(const struct pod *pod)
{
	return !pod->node_name && pod->has_other_gate;
}

static bool is_not_ours(const struct pod *pod)
{
	return !pod->node_name && !pod->is_ours;
}

static bool is_any(const struct pod *pod)
{
	(void)pod;
	return true;
}

static const struct {
	bool (*is_so)(const struct pod *pod);
	const char *summary, *change;
} unmanaged[] = {
	{ is_terminating, "It is being deleted, so it gets no cores.", NULL },
	{ is_on_unknown_node, "It is bound to a node that is not in the snapshot.", NULL },
	{ has_other_gate, "A scheduling gate that is not ours holds it back.",
	  "The other scheduling gate has to be removed by the controller that set it." },
	{ is_not_ours,
	  "This scheduler does not place it: it has neither spec.schedulerName mckube nor the "
	  "scheduling gate " MCKUBE_GATE ".",
	  "Set spec.schedulerName to mckube, or add the scheduling gate " MCKUBE_GATE "." },
	{ is_any, NULL, NULL },
};

/* A McKube that is about the pod; NULL: none. */
static const struct mckube *find_mckube(const struct explainer *x)
{
	array_each(m, &x->p.trial.c->mckubes)
		if (!m->is_deleting && match_mckube(x->p.trial.c, m, pod_of(x)))
			return m;
	return NULL;
}

static bool has_period(const struct explainer *x)
{
	const struct cluster *c = x->p.trial.c;
	annotations_id id = pod_of(x)->annotations;

	return id != NONE && c->annotations.items[id].period != NONE;
}

/* Why it has no request, and what would give it one. */
static void explain_missing_request(struct explainer *x, const char **ret_summary)
{
	const struct cluster *c = x->p.trial.c;
	const struct mckube *m = find_mckube(x);
	struct plan *plan = &x->out->plan;
	const char *change;

	if (m) {
		const char *name =
			plan_strf(plan, "%s %s/%s", cluster_str(c, m->kind),
				  cluster_str(c, m->meta.ns), cluster_str(c, m->meta.name));

		*ret_summary = plan_strf(plan, "%s is about it, but has no %s.", name,
					 MCKUBE_PATH(period));
		change = plan_strf(plan, "Add %s and %s to %s.", MCKUBE_PATH(period),
				   MCKUBE_PATH(runtime_low), name);
	} else if (has_period(x) && !pod_of(x)->has_label) {
		*ret_summary =
			"Its real-time annotations are ignored, since it lacks the label " MCKUBE_LABEL
			".";
		change = "Add the label " MCKUBE_LABEL " to the pod.";
	} else {
		*ret_summary = "No McKube or annotation with a real-time request was found for it.";
		change = plan_strf(
			plan,
			"Create a McKube that names it by spec.podname or selects it, or set its "
			"annotations %s, %s and %s beside the label " MCKUBE_LABEL ".",
			POD_ANNOTATION(period), POD_ANNOTATION(runtime_low),
			POD_ANNOTATION(runtime_hi));
	}
	*array_add(&x->out->changes) = change;
}

static void explain_unmanaged(struct explainer *x)
{
	size_t row = 0;

	x->out->outcome = OUTCOME_NOT_PLANNED;
	while (!unmanaged[row].is_so(pod_of(x)))
		row++;
	x->out->summary = unmanaged[row].summary;
	if (!unmanaged[row].summary)
		explain_missing_request(x, &x->out->summary);
	else if (unmanaged[row].change)
		*array_add(&x->out->changes) = unmanaged[row].change;
}

/* An invalid request, or none for a pod that waits to be placed by us. */
static void explain_refused(struct explainer *x, const struct unplaced *u)
{
	struct explanation *out = x->out;

	out->outcome = OUTCOME_UNPLACED;
	out->summary = plan_strf(&out->plan, "It cannot be placed: %s.", u->message);
	if (u->reason == REASON_NO_REQUEST) {
		const char *why;

		explain_missing_request(x, &why);
		out->summary = plan_strf(&out->plan, "It cannot be placed. %s", why);
	}
	array_each(i, &out->warnings) {
		const struct warning *w = &out->plan.warnings.items[*i];

		if (u->reason == REASON_BAD_REQUEST && out->changes.n < MAX_CHANGES)
			*array_add(&out->changes) =
				plan_strf(&out->plan, "Correct %s: %s.", w->object, w->message);
	}
}

static void fill_places(struct explainer *x, const struct unit *u)
{
	if (u->kind != UNIT_PENDING)
		x->out->now = emit_origin(&x->emit, u);
	if (u->at != NONE)
		x->out->then = emit_place(&x->emit, u->at);
	if (u->replacement != NONE)
		x->out->replacement = emit_place(&x->emit, u->replacement);
}

static enum outcome outcome_of(const struct unit *u)
{
	if (u->is_evicted)
		return OUTCOME_EVICTED;
	if (u->at == NONE)
		return OUTCOME_UNPLACED;
	if (unit_is_new(u))
		return OUTCOME_PLACED;
	return u->at == u->origin ? OUTCOME_STAYS : OUTCOME_MOVES;
}

static const char *stay_words(struct explainer *x, const struct unit *u)
{
	if (u->kind == UNIT_FIXED)
		return plan_strf(&x->out->plan, "It stays on %s: %s.",
				 explain_cores_of(x, &x->out->now),
				 explain_fixed_words(&x->p.trial, u));
	if (u->is_misplaced)
		return plan_strf(&x->out->plan,
				 "It stays on %s, which its request does not allow: there is no "
				 "other place for it.",
				 explain_cores_of(x, &x->out->now));
	const struct unplaced *refused = unplaced_of(x);
	if (refused)
		return plan_strf(&x->out->plan, "It stays on %s. %s: %s.",
				 explain_cores_of(x, &x->out->now), reason_name(refused->reason),
				 refused->message);
	return plan_strf(&x->out->plan, "It stays on %s.", explain_cores_of(x, &x->out->now));
}

static const char *eviction_words(struct explainer *x, const struct unit *u)
{
	struct explanation *out = x->out;

	return plan_strf(&out->plan, "It is evicted from %s%s%s.", explain_cores_of(x, &out->now),
			 out->replacement.node ? "; its replacement fits on "
			 : u->is_reschedulable
				 ? "; no node has room for its replacement now"
				 : "; no controller recreates it with the same request",
			 out->replacement.node ? explain_cores_of(x, &out->replacement) : "");
}

static const char *summary_of(struct explainer *x, const struct unit *u)
{
	struct explanation *out = x->out;
	const struct unplaced *unplaced = unplaced_of(x);

	switch (out->outcome) {
	case OUTCOME_PLACED:
		return plan_strf(&out->plan, "It gets %s.", explain_cores_of(x, &out->then));
	case OUTCOME_MOVES:
		return plan_strf(&out->plan, "It moves from %s to %s.",
				 explain_cores_of(x, &out->now), explain_cores_of(x, &out->then));
	case OUTCOME_EVICTED:
		return eviction_words(x, u);
	case OUTCOME_UNPLACED:
		return plan_strf(&out->plan, "It cannot be placed: %s.",
				 unplaced ? unplaced->message : "it has no cores");
	default:
		return stay_words(x, u);
	}
}

/* ---- The nodes ---- */

/* The cluster as the plan leaves it, without the pod. */
static void remove_pod(struct explainer *x)
{
	struct trial *t = &x->p.trial;
	struct unit *u = explainer_unit(x);
	node_id node = u->at != NONE	? t->places.items[u->at].node
		       : !u->is_evicted ? u->node
					: NONE;

	x->place = u->at;
	if (u->at != NONE)
		trial_unassign(t, x->unit);
	if (node == NONE)
		return;
	trial_uncharge(t, x->unit, node);
	planner_refresh(&x->p, node);
}

static bool is_running_in_the_end(const struct explanation *e)
{
	return e->outcome == OUTCOME_STAYS || e->outcome == OUTCOME_PLACED ||
	       e->outcome == OUTCOME_MOVES || e->replacement.node;
}

/* What is explained from here on is the budget that it asks for. */
static void request_all(struct explainer *x)
{
	struct unit *u = explainer_unit(x);

	memcpy(u->load, explainer_request(x)->load, sizeof(u->load));
	u->keeps_grant = false;
}

static void explain_unit(struct explainer *x)
{
	struct unit *u = explainer_unit(x);
	bool keeps_grant = u->keeps_grant;

	fill_places(x, u);
	x->out->outcome = outcome_of(u);
	x->out->summary = summary_of(x, u);
	remove_pod(x);
	if (keeps_grant)
		request_all(x);
	if (u->is_evicted) /* what is explained from here on is its replacement */
		u->kind = UNIT_PENDING;
	explain_advice(x);
	explain_nodes(x);
	bool is_refused = keeps_grant && !u->is_evicted;
	if (!is_running_in_the_end(x->out) || (is_refused && u->denial))
		explain_changes(x);
	else if (is_refused)
		explain_lower_budget(x);
}

int explain_pod(const struct cluster *c, const struct policy *const *policies,
		const struct settings *settings, pod_id pod, struct explanation *ret,
		struct error *err)
{
	struct explainer x = { .out = ret, .pod = pod, .place = NONE };
	int r = planner_run(&x.p, c, policies, settings, NULL, err);

	if (r < 0)
		return r;
	*ret = (struct explanation){ 0 };
	planner_emit(&x.p, &ret->plan);
	x.emit = (struct emitter){ .p = &x.p, .trial = &x.p.trial, .plan = &ret->plan };
	x.unit = x.p.trial.unit_of_pod[pod];

	fill_request(&x);
	list_actions(&x);
	list_warnings(&x);
	explain_migration(&x);
	if (x.unit != NONE)
		explain_unit(&x);
	else if (explain_is_for_money(&x))
		explain_for_money(&x, unplaced_of(&x) ? unplaced_of(&x)->message : "");
	else if (unplaced_of(&x))
		explain_refused(&x, unplaced_of(&x));
	else
		explain_unmanaged(&x);

	free(x.of_cell);
	free(x.holders);
	planner_done(&x.p);
	return 0;
}

void explanation_done(struct explanation *e)
{
	plan_done(&e->plan);
	array_done(&e->actions);
	array_done(&e->caused);
	array_done(&e->warnings);
	array_done(&e->nodes);
	array_done(&e->advice);
	array_done(&e->changes);
}
