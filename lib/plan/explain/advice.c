/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/date.h"
#include "model/pod_level.h"
#include "plan/explain/explainer.h"
#include "plan/relief/relieve.h"

/* What the node helper reported of the pod, and what follows for its budget. */

enum { RECENT_SECONDS = 24 * 3600 };

/* The last overrun of this pod in its McKube's status; "": none, or more than RECENT_SECONDS ago.
 */
static const char *last_overrun(struct explainer *x)
{
	const struct cluster *c = x->p.trial.c;
	const struct request *q = explainer_request(x);
	const struct mckube *m = q->mckube == NONE ? NULL : &c->mckubes.items[q->mckube];
	str_id uid = c->pods.items[x->pod].meta.uid;
	int64_t when = 0;

	if (!m || q->selects_many || !m->status_overrun || (m->status_uid && m->status_uid != uid))
		return "";
	const char *text = cluster_str(c, m->status_overrun);
	if (!date_parse(text, strlen(text), &when) ||
	    (c->taken_at && c->taken_at - when > RECENT_SECONDS))
		return "";
	return plan_str(&x->out->plan, text);
}

/* What C(low) should be: the budget of the level that it needs now; one that came down again, or
 * has none to go up to, needs some of the next. */
static int32_t better_low(const struct request *q)
{
	const struct budget *b = &q->budget;
	enum level level = q->level > LEVEL_LOW ? (enum level)q->level : LEVEL_MIDDLE;

	return b->criticality == LEVEL_LOW ? b->hi : budget_runtime(b, level);
}

/* "core 2 of front has room for that", the pod itself being removed in the trial. */
static const char *room_words(struct explainer *x, const struct budget *b)
{
	struct unit tried = *explainer_unit(x);

	for (int k = 0; k < LEVELS; k++)
		tried.load[k] = budget_load(b, (enum level)k);
	return plan_strf(&x->out->plan, "%s %s room for that", explain_place_words(x, x->place),
			 trial_fits(&x->p.trial, &tried, x->place, 0) ? "has" : "has no");
}

static const char *overrun_words(struct explainer *x, const struct request *q, const char *when)
{
	struct plan *plan = &x->out->plan;

	if (q->level > LEVEL_LOW)
		return plan_strf(plan, "it overran%s%s, and runs at level %s now",
				 *when ? " at " : "", when, level_name((enum level)q->level));
	return plan_strf(plan, "it overran at %s", when);
}

/* The pod is removed in the trial. */
static void advise_budget(struct explainer *x)
{
	const struct request *q = explainer_request(x);
	const char *when = last_overrun(x);
	struct budget better = q->budget;

	if (x->place == NONE || (!*when && q->level == LEVEL_LOW))
		return;
	better.low = better_low(q);
	if (better.low <= q->budget.low)
		return;
	if (better.medium && better.medium < better.low)
		better.medium = better.low;
	*array_add(&x->out->advice) =
		plan_strf(&x->out->plan, "Raise %s in %s from %d %s %d: %s; %s.",
			  explain_budget_fields(x->out->source)->low->key, x->out->asked_by,
			  q->budget.low, q->level > LEVEL_LOW ? "to" : "up to", better.low,
			  overrun_words(x, q, when), room_words(x, &better));
}

static void suggest_for_degraded(struct explainer *x)
{
	const struct request *q = explainer_request(x);
	const struct pod *pod = &x->p.trial.c->pods.items[x->pod];
	int64_t since = relieve_degraded_since(x->p.trial.c, pod);
	char date[DATE_TEXT];

	if (since < 0 && pod_is_at_floor(x->p.trial.c, pod))
		*array_add(&x->out->advice) = plan_strf(
			&x->out->plan,
			"It has only its floor of %d us while a more critical pod on its cores overruns.",
			q->budget.floor);
	if (since < 0)
		return;
	*array_add(&x->out->advice) = plan_strf(
		&x->out->plan,
		"It is degraded%s%s: while node %s is under pressure it has only its floor of %d "
		"us.",
		since ? " since " : "", since ? date_format(since, date) : "",
		cluster_str(x->p.trial.c, pod->node_name), q->budget.floor);
}

void explain_advice(struct explainer *x)
{
	suggest_for_degraded(x);
	advise_budget(x);
}
