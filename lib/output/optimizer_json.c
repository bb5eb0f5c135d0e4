/* SPDX-License-Identifier: Apache-2.0 */
#include "base/auto.h"
#include "base/date.h"
#include "base/json_out.h"
#include "base/names.h"
#include "output/optimizer.h"

static void put_decimal(struct json_out *o, const char *key, int64_t micro)
{
	if (micro == NO_LIMIT)
		return;
	json_out_key(o, key);
	json_out_micro(o, micro);
}

static void put_watts(struct json_out *o, const char *key, int64_t mw)
{
	put_decimal(o, key, mw == NO_LIMIT ? NO_LIMIT : mw * 1000);
}

static void put_date(struct json_out *o, const char *key, int64_t at)
{
	char when[DATE_TEXT];

	if (at > 0 && at <= DATE_MAX)
		json_out_member(o, key, date_format(at, when));
}

static void open_list(struct json_out *o, const char *key)
{
	json_out_key(o, key);
	json_out_array(o);
}

static void put_savings(struct json_out *o, const struct optimizer_report *r)
{
	json_out_key(o, "savings");
	json_out_object(o);
	json_out_key(o, "costPerHour");
	json_out_micro(o, r->status.saved_cost);
	json_out_key(o, "watts");
	json_out_micro(o, r->status.saved_watts);
	json_out_end(o);
}

static void put_limits(struct json_out *o, const struct optimizer_report *r)
{
	open_list(o, "limits");
	for (uint32_t i = 0; i < r->n_limits; i++) {
		const struct limit_report *l = &r->limits[i];

		json_out_object(o);
		json_out_member(o, "object", l->object);
		put_decimal(o, "costPerHour", l->cost);
		put_decimal(o, "maxCostPerHour", l->max_cost);
		put_watts(o, "watts", l->power);
		put_watts(o, "maxWatts", l->max_power);
		json_out_member_bool(o, "isSpent", l->is_exhausted);
		json_out_end(o);
	}
	json_out_end(o);
}

static void put_estimate(struct json_out *o, const struct optimizer_report *r)
{
	if (!r->estimate_node)
		return;
	json_out_key(o, "estimate");
	json_out_object(o);
	json_out_member(o, "node", r->estimate_node);
	put_decimal(o, "costPerHour", r->estimate_cost);
	put_watts(o, "watts", r->estimate_power);
	json_out_end(o);
}

static void put_report(struct json_out *o, const struct optimizer_report *r)
{
	json_out_member(o, "type", r->type);
	json_out_member_int(o, "priority", r->priority);
	json_out_given(o, "phase", r->phase);
	json_out_given(o, "suspended", r->suspended);
	put_decimal(o, "costPerHour", r->cost);
	put_watts(o, "watts", r->power);
	put_estimate(o, r);
	put_decimal(o, "score", r->score);
	put_savings(o, r);
	json_out_member_int(o, "replicas", r->n_pods);
	json_out_member_int(o, "boundReplicas", r->n_bound);
	json_out_member_int(o, "readyReplicas", r->n_ready);
	json_out_given(o, "node", r->node);
	put_decimal(o, "budget", r->budget);
	put_decimal(o, "spent", r->spent);
	put_date(o, "budgetEnds", r->ends_at);
	put_date(o, "budgetRenews", r->renews_at);
	put_limits(o, r);
	open_list(o, "conditions");
	for (uint32_t i = 0; i < r->status.n_conditions; i++) {
		const struct plan_condition *c = &r->status.conditions[i];

		json_out_object(o);
		json_out_member(o, "type", c->type);
		json_out_member(o, "status", c->status);
		json_out_member(o, "reason", c->reason);
		json_out_given(o, "message", c->message);
		json_out_end(o);
	}
	json_out_end(o);
}

static void put_pods(struct json_out *o, const struct optimizer_explanation *e)
{
	open_list(o, "pods");
	array_each(p, &e->pods) {
		json_out_object(o);
		json_out_member(o, "name", p->name);
		json_out_given(o, "node", p->node);
		json_out_given(o, "from", p->was);
		if (*p->node) {
			put_decimal(o, "nodePricePerHour", p->price);
			put_decimal(o, "sharePerHour", p->share);
			put_watts(o, "watts", p->power);
		}
		if (*p->cheaper) {
			json_out_member(o, "cheaperNode", p->cheaper);
			put_decimal(o, "cheaperSharePerHour", p->cheaper_share);
			json_out_member(o, "whyNot", p->why_not);
		}
		json_out_end(o);
	}
	json_out_end(o);
}

static void put_plan(struct json_out *o, const struct optimizer_explanation *e)
{
	open_list(o, "actions");
	array_each(i, &e->actions) {
		const struct action *a = &e->plan.actions.items[*i];

		json_out_object(o);
		json_out_member_int(o, "id", a->id);
		json_out_member(o, "kind", action_kind_name(a->kind));
		json_out_member(o, "reason", reason_name(a->reason));
		json_out_member(o, "pod", a->on.name);
		json_out_given(o, "message", a->message);
		json_out_end(o);
	}
	json_out_end(o);
	open_list(o, "unplaced");
	array_each(i, &e->unplaced) {
		const struct unplaced *u = &e->plan.unplaced.items[*i];

		json_out_object(o);
		json_out_member(o, "pod", u->on.name);
		json_out_member(o, "reason", reason_name(u->reason));
		json_out_given(o, "message", u->message);
		json_out_end(o);
	}
	json_out_end(o);
	open_list(o, "warnings");
	array_each(i, &e->warnings)
		json_out_text(o, e->plan.warnings.items[*i].message);
	json_out_end(o);
}

void optimizer_explain_json(const struct optimizer_explanation *e, struct str *out)
{
	AUTO(json_out_done) struct json_out o = { .out = out };

	json_out_object(&o);
	json_out_member(&o, "apiVersion", MCKUBE_API_VERSION);
	json_out_member(&o, "kind", "Explanation");
	json_out_key(&o, "workloadOptimizer");
	json_out_object(&o);
	json_out_member(&o, "namespace", e->report.ns);
	json_out_member(&o, "name", e->report.name);
	json_out_end(&o);
	put_report(&o, &e->report);
	put_pods(&o, e);
	put_plan(&o, e);
	json_out_end(&o);
	str_addc(out, '\n');
}
