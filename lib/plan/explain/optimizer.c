/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/explain/optimizer.h"

#include <string.h>

#include "base/auto.h"
#include "base/decimal.h"
#include "plan/economy/mover.h"
#include "plan/emit/emit.h"
#include "plan/planner.h"

struct asker {
	struct planner p;
	struct economy *e;
	struct optimizer_explanation *out;
	optimizer_id id;
};

static const char *node_name(const struct asker *x, node_id node)
{
	const struct cluster *c = x->e->c;

	return node == NONE
		       ? ""
		       : plan_str(&x->out->plan, cluster_str(c, c->nodes.items[node].meta.name));
}

/* ---- A node with a smaller share ---- */

static const char *const money_texts[MONEY_REFUSALS] = {
	[MONEY_BUDGET] = "its budget is spent",
	[MONEY_PER_HOUR] = "a limit of cost refuses it",
	[MONEY_POWER] = "a limit of power refuses it",
	[MONEY_CARBON] = "a limit of carbon dioxide refuses it",
	[MONEY_SPOT] = "a rule on spot nodes refuses it",
	[MONEY_SPREAD] = "half of its replicas on spot are of that type and zone",
	[MONEY_PEAK] = "peak hours",
	[MONEY_GREEN] = "not enough renewable energy",
};

/* No other pod counts: the node is one that could be made free. */
static bool has_size(const struct asker *x, const struct cargo *g, node_id node)
{
	const struct pod *pod = &x->e->c->pods.items[g->pod];
	const struct node *n = &x->e->c->nodes.items[node];

	return pod->cpu_milli <= n->cpu_milli && pod->memory <= n->memory &&
	       pod->ephemeral <= n->ephemeral &&
	       g->load.accelerators <= x->e->fleet.nodes[node].n_accelerators;
}

static node_id find_cheaper(const struct asker *x, uint32_t cargo)
{
	const struct cargo *g = &x->e->cargo.items[cargo];
	const uint64_t *allowed = economy_allowed(x->e, cargo);
	int64_t least = g->node == NONE ? INT64_MAX : g->share;
	node_id best = NONE;

	for (node_id node = 0; node < x->e->c->nodes.n; node++) {
		int64_t share = fleet_share(&x->e->fleet.nodes[node], g->billed);

		if (share >= least || !filter_bit(allowed, node) || !has_size(x, g, node))
			continue;
		least = share;
		best = node;
	}
	return best;
}

/* It could go there: is that worth it, and may it? */
static const char *stay_words(const struct asker *x, const struct cargo *g, int64_t saving)
{
	AUTO(str_done) struct str text = STR_INIT;

	if (x->e->accounts[g->of].is_suspended)
		return plan_str(&x->out->plan, x->e->accounts[g->of].why);
	if (!g->is_movable)
		return plan_strf(&x->out->plan, "the pod may not be moved: %s",
				 mover_refusal(x->e, g));
	if (saving <= 0)
		return "the cluster as a whole would not cost less";
	decimal_add(&text, saving, 0);
	return plan_strf(&x->out->plan,
			 "moving it alone saves %s $/h, too little for the disruption, or the "
			 "limits of moves are used",
			 text.s);
}

static const char *why_not_there(const struct asker *x, uint32_t cargo, node_id to)
{
	struct economy *e = x->e;
	struct cargo *g = &e->cargo.items[cargo];
	node_id from = g->node;
	char detail[EMIT_DETAIL_MAX] = "";
	const char *text;

	economy_mark(e);
	int64_t before = from == NONE ? 0 : economy_node_cost(e, from);
	int64_t penalty = from == NONE ? 0 : economy_penalty(e, cargo, from);
	if (from != NONE)
		economy_take(e, cargo);
	int64_t after = from == NONE ? 0 : economy_node_cost(e, from);
	enum refusal r = economy_filter(e, cargo, to, detail, sizeof(detail));
	enum money_refusal why =
		r == REFUSE_NOTHING ? economy_refuses(e, cargo, to) : MONEY_ACCEPTS;
	int64_t saving = before + penalty - after - economy_increase(e, cargo, to);

	if (from != NONE)
		economy_put(e, cargo, from);
	if (r != REFUSE_NOTHING)
		text = plan_strf(&x->out->plan, "%s%s%s", refusal_text(r), *detail ? ": " : "",
				 detail);
	else if (why != MONEY_ACCEPTS)
		text = money_texts[why];
	else
		text = stay_words(x, g, saving);
	return text;
}

/* ---- The pods ---- */

static void add_pod(const struct asker *x, uint32_t cargo)
{
	struct economy *e = x->e;
	const struct cargo *g = &e->cargo.items[cargo];
	const struct meta *m = &e->c->pods.items[g->pod].meta;
	node_id cheaper = find_cheaper(x, cargo);
	struct pod_cost *p = array_add(&x->out->pods);

	*p = (struct pod_cost){
		.ns = plan_str(&x->out->plan, cluster_str(e->c, m->ns)),
		.name = plan_str(&x->out->plan, cluster_str(e->c, m->name)),
		.node = node_name(x, g->node),
		.was = g->group ? node_name(x, g->origin) : "",
		.share = g->share,
		.cheaper = node_name(x, cheaper),
		.why_not = "",
	};
	if (g->node != NONE) {
		p->price = e->fleet.nodes[g->node].price;
		p->power = economy_power_on(e, g, g->node);
	}
	if (cheaper == NONE)
		return;
	p->cheaper_share = fleet_share(&e->fleet.nodes[cheaper], g->billed);
	p->why_not = why_not_there(x, cargo, cheaper);
}

static int by_pod(const void *a, const void *b, void *arg)
{
	const struct economy *e = arg;
	pod_id x = e->cargo.items[*(const uint32_t *)a].pod;
	pod_id y = e->cargo.items[*(const uint32_t *)b].pod;

	return x < y ? -1 : x > y;
}

static void add_pods(const struct asker *x)
{
	ARRAY(uint32_t) list = { 0 };

	for (uint32_t i = 0; i < x->e->cargo.n; i++)
		if (x->e->cargo.items[i].of == x->id)
			*array_add(&list) = i;
	if (list.n)
		qsort_r(list.items, list.n, sizeof(*list.items), by_pod, x->e);
	array_each(i, &list)
		add_pod(x, *i);
	array_done(&list);
}

/* ---- What the plan says of them ---- */

static bool is_its_pod(const struct asker *x, const struct target *t)
{
	if (!t->kind || strcmp(t->kind, "Pod") != 0)
		return false;
	pod_id pod = cluster_pod(x->e->c, t->ns, t->name);
	return pod != NONE && x->e->of_pod[pod] == x->id;
}

static void list_plan(const struct asker *x)
{
	struct optimizer_explanation *out = x->out;
	const struct meta *m = &x->e->c->optimizers.items[x->id].meta;
	AUTO_FREE char *self = xasprintf("WorkloadOptimizer %s/%s", cluster_str(x->e->c, m->ns),
					 cluster_str(x->e->c, m->name));

	for (uint32_t i = 0; i < out->plan.actions.n; i++)
		if (is_its_pod(x, &out->plan.actions.items[i].on))
			*array_add(&out->actions) = i;
	for (uint32_t i = 0; i < out->plan.unplaced.n; i++)
		if (is_its_pod(x, &out->plan.unplaced.items[i].on))
			*array_add(&out->unplaced) = i;
	for (uint32_t i = 0; i < out->plan.warnings.n; i++)
		if (strcmp(out->plan.warnings.items[i].object, self) == 0)
			*array_add(&out->warnings) = i;
}

/* The report as its own: the cluster and what the plan was made with may go. */
static void own_report(struct optimizer_explanation *out)
{
	struct optimizer_report *r = &out->report;
	struct economy_status *s = &r->status;

	for (uint32_t i = 0; i < s->n_conditions; i++)
		s->conditions[i].message = plan_str(&out->plan, s->conditions[i].message);
	for (uint32_t i = 0; i < s->n_history; i++)
		s->history[i] = plan_str(&out->plan, s->history[i]);

	s->n_nodes = s->n_past = 0;
	s->target_kind = s->target_name = NULL;
	r->ns = plan_str(&out->plan, r->ns);
	r->name = plan_str(&out->plan, r->name);
	r->node = r->status.node = plan_str(&out->plan, r->node);
}

int explain_optimizer(const struct cluster *c, const struct policy *const *policies,
		      const struct settings *settings, uint32_t optimizer,
		      struct optimizer_explanation *ret, struct error *err)
{
	struct asker x = { .out = ret, .id = optimizer };
	int r = planner_run(&x.p, c, policies, settings, NULL, err);

	if (r < 0)
		return r;
	*ret = (struct optimizer_explanation){ 0 };
	planner_emit(&x.p, &ret->plan);
	x.e = x.p.economy;
	economy_survey(x.e);
	AUTO_FREE int64_t *scores = economy_scores(x.e);
	economy_report_optimizer(x.e, optimizer, scores[optimizer], &ret->plan.arena, &ret->report);
	own_report(ret);
	add_pods(&x);
	list_plan(&x);
	planner_done(&x.p);
	return 0;
}

void optimizer_explanation_done(struct optimizer_explanation *e)
{
	array_done(&e->pods);
	array_done(&e->actions);
	array_done(&e->unplaced);
	array_done(&e->warnings);
	plan_done(&e->plan);
}
