/* SPDX-License-Identifier: Apache-2.0 */

/* A pod that is placed for cost and power: what each node would cost with it, and which limit
 * refuses it there. */
#include "plan/economy/economy.h"
#include "base/auto.h"
#include "base/decimal.h"
#include "plan/explain/explainer.h"

static const char *const money_texts[MONEY_REFUSALS] = {
	[MONEY_BUDGET] = "its budget is spent",
	[MONEY_PER_HOUR] = "over the limit of cost",
	[MONEY_POWER] = "over the limit of power",
	[MONEY_CARBON] = "over the limit of carbon dioxide",
	[MONEY_SPOT] = "spot not allowed",
	[MONEY_SPREAD] = "half of its replicas on spot are of this type and zone",
	[MONEY_PEAK] = "peak hours",
	[MONEY_GREEN] = "not enough renewable energy",
};

static struct economy *economy_of(const struct explainer *x)
{
	return x->p.economy;
}

static struct cargo *find_cargo(const struct explainer *x)
{
	struct economy *e = economy_of(x);

	for (size_t i = 0; e->is_active && i < e->cargo.n; i++)
		if (e->cargo.items[i].pod == x->pod)
			return &e->cargo.items[i];
	return NULL;
}

bool explain_is_for_money(const struct explainer *x)
{
	const struct cargo *g = find_cargo(x);

	return g && x->unit == NONE && (g->of != NONE || g->group);
}

/* "1.25" and a unit, as text of the plan. */
static const char *amount(struct explainer *x, int64_t micro, const char *unit)
{
	AUTO(str_done) struct str text = STR_INIT;

	decimal_add(&text, micro, 0);
	return plan_strf(&x->out->plan, "%s %s", text.s, unit);
}

/* ---- What the plan does ---- */

static const char *suspended_words(struct explainer *x, const struct cargo *g)
{
	const struct account *a = g->of == NONE ? NULL : &economy_of(x)->accounts[g->of];

	return !a || !a->is_suspended ? ""
				      : plan_strf(&x->out->plan, " It is not moved: %s.", a->why);
}

static void fill_outcome(struct explainer *x, const struct cargo *g, const char *refusal)
{
	struct explanation *out = x->out;
	const char *to = g->node == NONE ? "" : explainer_node(x, g->node);

	if (economy_releases(economy_of(x), g->pod)) {
		out->outcome = OUTCOME_NOT_PLANNED;
		out->summary = "Its WorkloadOptimizer is being deleted: the scheduler that the pod "
			       "names places it.";
		return;
	}
	if (g->origin == NONE && g->node == NONE) {
		out->outcome = OUTCOME_UNPLACED;
		out->summary = plan_strf(&out->plan, "It cannot be placed: %s.", refusal);
		return;
	}
	if (g->origin != NONE)
		out->now =
			(struct place){ .node = plan_str(&out->plan, explainer_node(x, g->origin)),
					.cores = "" };
	if (g->group) {
		out->outcome = OUTCOME_EVICTED;
		out->replacement = (struct place){ .node = plan_str(&out->plan, to), .cores = "" };
		out->summary = plan_strf(&out->plan,
					 "It is evicted from %s; its replacement fits "
					 "on %s.",
					 out->now.node, to);
		return;
	}
	out->then = (struct place){ .node = plan_str(&out->plan, to), .cores = "" };
	out->outcome = g->origin == NONE ? OUTCOME_PLACED : OUTCOME_STAYS;
	out->summary = g->origin == NONE ? plan_strf(&out->plan, "It goes to %s.", to)
					 : plan_strf(&out->plan, "It stays on %s.%s", to,
						     suspended_words(x, g));
}

/* ---- The nodes ---- */

/* Takes the pod off, as if it had no place yet; a moved one has two. */
static void remove_pod(struct explainer *x, uint32_t cargo)
{
	struct economy *e = economy_of(x);
	struct cargo *g = &e->cargo.items[cargo];

	economy_mark(e);
	if (g->node == NONE)
		return;
	trial_uncharge_pod(&x->p.trial, g->pod, g->node);
	if (g->group)
		trial_uncharge_pod(&x->p.trial, g->pod, g->origin);
	economy_take(e, cargo);
}

static bool is_exceeded(const struct money_limit *l, enum money_refusal why)
{
	switch (why) {
	case MONEY_BUDGET:
		return l->is_exhausted;
	case MONEY_PER_HOUR:
		return l->max_cost >= 0 && l->cost > l->max_cost;
	case MONEY_POWER:
		return l->max_power >= 0 && l->power > l->max_power;
	default:
		return l->max_carbon >= 0 && l->carbon > l->max_carbon;
	}
}

/* A need or a limit of that kind, with its unit. */
static const char *limit_amount(struct explainer *x, enum money_refusal why, int64_t v)
{
	return why == MONEY_POWER    ? amount(x, v * 1000, "W")
	       : why == MONEY_CARBON ? amount(x, v, "kg/h")
				     : amount(x, v, "$/h");
}

static int64_t limit_value(const struct money_limit *l, enum money_refusal why)
{
	return why == MONEY_POWER    ? l->max_power
	       : why == MONEY_CARBON ? (int64_t)(l->max_carbon / PPM)
				     : l->max_cost;
}

/* Which limit it is, and what it lacks: the smallest that it needs is *ret_need. */
static const struct money_limit *limit_of(struct explainer *x, uint32_t cargo, node_id node,
					  enum money_refusal why, int64_t *ret_need)
{
	struct economy *e = economy_of(x);
	const struct account *a = &e->accounts[e->cargo.items[cargo].of];
	const struct money_limit *found = NULL;

	economy_put(e, cargo, node);
	for (uint32_t k = 0; k < a->limits.n && !found; k++) {
		const struct money_limit *l =
			&e->limits.items[e->limit_ids.items[a->limits.at + k]];
		if (is_exceeded(l, why)) {
			found = l;
			*ret_need = why == MONEY_POWER	  ? l->power
				    : why == MONEY_CARBON ? (int64_t)(l->carbon / PPM)
							  : l->cost;
		}
	}
	economy_take(e, cargo);
	return found;
}

static const char *limit_words(struct explainer *x, uint32_t cargo, node_id node,
			       enum money_refusal why)
{
	const struct money_limit *l;
	int64_t need = 0;

	if (why < MONEY_BUDGET || why > MONEY_CARBON)
		return "";
	if (economy_of(x)->cargo.items[cargo].of == NONE)
		return "of a workload there";
	l = limit_of(x, cargo, node, why, &need);
	if (!l) /* the other pods of the node would draw more */
		return "of a workload there";
	if (why == MONEY_BUDGET)
		return plan_str(&x->out->plan, l->object);
	return plan_strf(&x->out->plan, "%s: %s instead of %s", l->object,
			 limit_amount(x, why, need), limit_amount(x, why, limit_value(l, why)));
}

static struct node_cost cost_on(struct explainer *x, uint32_t cargo, node_id node)
{
	struct economy *e = economy_of(x);
	const struct cargo *g = &e->cargo.items[cargo];
	struct cost_terms t = economy_terms(e, cargo, node);

	return (struct node_cost){
		.price = t.price,
		.energy = t.energy,
		.carbon = t.carbon,
		.penalty = t.penalty,
		.share = fleet_share(&e->fleet.nodes[node], g->billed),
		.power = economy_power_on(e, g, node),
	};
}

static void judge_node(struct explainer *x, struct node_verdict *v, uint32_t cargo, node_id node)
{
	struct economy *e = economy_of(x);
	char detail[EMIT_DETAIL_MAX] = "";
	enum refusal r = economy_filter(e, cargo, node, detail, sizeof(detail));

	if (r != REFUSE_NOTHING) {
		v->refused = (uint8_t)r;
		v->refusal = refusal_text(r);
		v->detail = plan_str(&x->out->plan, detail);
		return;
	}
	v->cost = arena_new(&x->out->plan.arena, struct node_cost, 1);
	*v->cost = cost_on(x, cargo, node);
	enum money_refusal why = economy_refuses(e, cargo, node);
	if (why == MONEY_ACCEPTS)
		return;
	v->refused = (uint8_t)(REFUSALS + why);
	v->refusal = money_texts[why];
	v->detail = limit_words(x, cargo, node, why);
}

static void judge_nodes(struct explainer *x, uint32_t cargo, node_id at, node_id origin)
{
	for (node_id node = 0; node < x->p.trial.c->nodes.n; node++) {
		struct node_verdict v = {
			.node = plan_str(&x->out->plan, explainer_node(x, node)),
			.is_chosen = node == at,
			.is_origin = node == origin,
			.refusal = "",
			.detail = "",
		};

		judge_node(x, &v, cargo, node);
		*array_add(&x->out->nodes) = v;
	}
}

/* ---- What would have to change ---- */

/* The node that needs the smallest limit of this kind. */
static void advise_limit(struct explainer *x, uint32_t cargo, enum money_refusal why)
{
	const struct money_limit *best = NULL;
	int64_t least = INT64_MAX, need = 0;

	for (node_id node = 0; node < x->out->nodes.n; node++) {
		if (x->out->nodes.items[node].refused != REFUSALS + why)
			continue;
		const struct money_limit *l = limit_of(x, cargo, node, why, &need);
		if (l && need < least) {
			least = need;
			best = l;
		}
	}
	if (!best)
		return;
	const char *text =
		why == MONEY_BUDGET
			? plan_strf(&x->out->plan, "Raise the budget of %s.", best->object)
			: plan_strf(&x->out->plan, "Raise the limit of %s to %s.", best->object,
				    limit_amount(x, why, least));
	*array_add(&x->out->changes) = text;
}

static void advise(struct explainer *x, uint32_t cargo)
{
	const struct account *a = &economy_of(x)->accounts[economy_of(x)->cargo.items[cargo].of];

	if (a->is_suspended) {
		*array_add(&x->out->changes) =
			plan_strf(&x->out->plan, "It waits until this is over: %s.", a->why);
		return;
	}
	for (int why = MONEY_BUDGET; why <= MONEY_CARBON; why++)
		advise_limit(x, cargo, (enum money_refusal)why);
	if (a->avoids_power)
		*array_add(&x->out->changes) = "Wait until the peak hours are over.";
}

static void fill_workload(struct explainer *x, const struct cargo *g)
{
	const struct optimizer *o;
	const struct cluster *c = x->p.trial.c;

	if (g->of == NONE)
		return;
	o = &c->optimizers.items[g->of];
	x->out->optimizer = plan_strf(&x->out->plan, "WorkloadOptimizer %s/%s",
				      cluster_str(c, o->meta.ns), cluster_str(c, o->meta.name));
}

void explain_for_money(struct explainer *x, const char *refusal)
{
	struct economy *e = economy_of(x);
	struct cargo *g = find_cargo(x);
	uint32_t cargo = (uint32_t)(g - e->cargo.items);
	node_id at = g->node;

	fill_workload(x, g);
	fill_outcome(x, g, refusal);
	remove_pod(x, cargo);
	judge_nodes(x, cargo, at, g->origin);
	if (x->out->outcome == OUTCOME_UNPLACED)
		advise(x, cargo);
}
