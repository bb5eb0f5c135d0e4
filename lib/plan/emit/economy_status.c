/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/auto.h"
#include "base/decimal.h"
#include "base/names.h"
#include "plan/economy/scaling.h"
#include "plan/emit/emit.h"

struct target emit_kcloud(struct emitter *e, const char *kind, const struct meta *m)
{
	const struct cluster *c = e->trial->c;

	return (struct target){
		.kind = kind,
		.api_version = KCLOUD_API_VERSION,
		.ns = plan_str(e->plan, cluster_str(c, m->ns)),
		.name = plan_str(e->plan, cluster_str(c, m->name)),
		.uid = plan_str(e->plan, cluster_str(c, m->uid)),
		.version = plan_str(e->plan, cluster_str(c, m->version)),
	};
}

const char *emit_optimizer_name(struct emitter *e, optimizer_id id)
{
	const struct cluster *c = e->trial->c;

	return id == NONE ? NULL
			  : plan_str(e->plan, cluster_str(c, c->optimizers.items[id].meta.name));
}

/* The plan's own copy. */
static struct economy_status *keep(struct emitter *e, const struct economy_status *s)
{
	struct economy_status *own = arena_new(&e->plan->arena, struct economy_status, 1);

	*own = *s;
	if (s->node)
		own->node = plan_str(e->plan, s->node);
	if (s->moved_from && s->moved_to) {
		own->moved_from = plan_str(e->plan, s->moved_from);
		own->moved_to = plan_str(e->plan, s->moved_to);
		own->moved_pod = s->moved_pod ? plan_str(e->plan, s->moved_pod) : NULL;
	}
	for (uint32_t i = 0; i < s->n_nodes; i++)
		own->nodes[i] = plan_str(e->plan, s->nodes[i]);
	if (s->target_name)
		own->target_name = plan_str(e->plan, s->target_name);
	for (uint32_t i = 0; i < s->n_avoid; i++)
		own->avoid[i].node = plan_str(e->plan, s->avoid[i].node);
	for (uint32_t i = 0; i < s->n_past; i++)
		own->past[i].node = plan_str(e->plan, s->past[i].node);
	for (uint32_t i = 0; i < s->n_conditions; i++)
		own->conditions[i].message = plan_str(e->plan, s->conditions[i].message);
	for (uint32_t i = 0; i < s->n_history; i++)
		own->history[i] = plan_str(e->plan, s->history[i]);
	return own;
}

/* "Optimized: 0.04 $/h, 12.5 W, score 0.87; 1.25 $ spent" */
static const char *describe(struct emitter *e, const struct economy_status *s)
{
	enum economy_status_kind kind = economy_status_kind(s);
	AUTO(str_done) struct str text = STR_INIT;

	str_addf(&text, "%s: ", s->phase);
	if (kind != STATUS_POWER_POLICY) {
		decimal_add(&text, s->budget.rate, 2);
		str_add(&text, " $/h");
	}
	if (kind != STATUS_COST_POLICY) {
		str_add(&text, kind == STATUS_OPTIMIZER ? ", " : "");
		decimal_add(&text, s->power, 0);
		str_add(&text, " W");
	}
	if (kind == STATUS_OPTIMIZER) {
		str_add(&text, ", score ");
		decimal_add(&text, s->score, 2);
	}
	if (kind != STATUS_POWER_POLICY) {
		str_add(&text, "; ");
		decimal_add(&text, s->budget.spent, 2);
		str_add(&text, " $ spent");
	}
	if (s->has_utilization) {
		str_add(&text, ", ");
		decimal_add(&text, s->utilization, 0);
		str_add(&text, " % of the budget");
	}
	if (s->n_alerts) {
		str_add(&text, "; alerts: ");
		economy_describe_alerts(s, &text);
	}
	return plan_str(e->plan, text.s);
}

/* `after`: the action without which it would not be true; 0. */
static uint32_t emit_one(struct emitter *e, const char *kind, const struct meta *m,
			 const struct economy_status *s, uint32_t after)
{
	struct action *a = emit_action(e, ACTION_STATUS, REASON_ACCOUNT, emit_kcloud(e, kind, m));

	a->status = keep(e, s);
	a->message = describe(e, s);
	if (after)
		emit_after(e, a, &after, 1);
	return a->id;
}

static uint32_t emit_optimizer(struct emitter *e, optimizer_id id)
{
	struct economy *x = e->p->economy;
	struct economy_status s;

	if (x->accounts[id].is_elsewhere)
		return 0;
	if (!x->scores) {
		economy_survey(x);
		x->scores = economy_scores(x);
	}
	return economy_status_of(x, id, x->scores[id], &s)
		       ? emit_one(e, "WorkloadOptimizer", &x->c->optimizers.items[id].meta, &s,
				  x->scalings[id].action)
		       : 0;
}

void emit_economy_moves(struct emitter *e, uint32_t *status_of)
{
	const struct economy *x = e->p->economy;

	for (optimizer_id id = 0; id < x->c->optimizers.n; id++)
		if (x->accounts[id].is_moved)
			status_of[id] = emit_optimizer(e, id);
}

/* After all else: what was done until a pass was cut off is in the status of the next one. */
void emit_economy_status(struct emitter *e)
{
	struct economy *x = e->p->economy;
	const struct cluster *c = e->trial->c;
	struct economy_status s;

	if (!x->is_active)
		return;
	for (optimizer_id id = 0; id < c->optimizers.n; id++)
		if (!x->accounts[id].is_moved)
			emit_optimizer(e, id);
	for (size_t i = 0; i < c->cost_policies.n; i++)
		if (settings_optimise_in(x->settings,
					 cluster_str(c, c->cost_policies.items[i].meta.ns)) &&
		    economy_policy_status(x, i, &s))
			emit_one(e, "CostPolicy", &c->cost_policies.items[i].meta, &s, 0);
	for (size_t i = 0; i < c->power_policies.n; i++)
		if (settings_optimise_in(x->settings,
					 cluster_str(c, c->power_policies.items[i].meta.ns)) &&
		    economy_power_policy_status(x, i, &s))
			emit_one(e, "PowerPolicy", &c->power_policies.items[i].meta, &s, 0);
}
