/* SPDX-License-Identifier: Apache-2.0 */
#include "output/optimizer.h"

#include <string.h>

#include "base/auto.h"
#include "base/date.h"
#include "base/decimal.h"
#include "output/action.h"

enum { INDENT = 4, DETAIL = 6 };

static void add_money(struct str *out, int64_t micro, const char *unit)
{
	decimal_add(out, micro, 0);
	str_addf(out, " %s", unit);
}

/* "0.05 of 1 $/h" */
static void add_part(struct str *out, int64_t is, int64_t max, const char *unit)
{
	decimal_add(out, is, 0);
	str_add(out, " of ");
	add_money(out, max, unit);
}

/* ---- One optimizer ---- */

static void add_limit(const struct limit_report *l, struct str *out)
{
	str_addf(out, "%s: ", l->object);
	if (l->max_cost >= 0)
		add_part(out, l->cost, l->max_cost, "$/h");
	if (l->max_power >= 0) {
		str_add(out, l->max_cost >= 0 ? ", " : "");
		add_part(out, l->power * 1000, l->max_power * 1000, "W");
	}
	if (l->is_exhausted)
		str_addf(out, "%sits budget is spent",
			 l->max_cost >= 0 || l->max_power >= 0 ? ", " : "");
}

static void add_limits(const struct optimizer_report *r, const struct style *style, struct str *out)
{
	AUTO(str_done) struct str text = STR_INIT;
	bool is_first = true;

	for (uint32_t i = 0; i < r->n_limits; i++) {
		const struct limit_report *l = &r->limits[i];

		if (l->max_cost < 0 && l->max_power < 0 && !l->is_exhausted)
			continue;
		str_clear(&text);
		add_limit(l, &text);
		style_fact(style, out, is_first ? "Limits:" : "", text.s);
		is_first = false;
	}
}

static void add_budget(const struct optimizer_report *r, const struct style *style, struct str *out)
{
	AUTO(str_done) struct str text = STR_INIT;
	char when[DATE_TEXT];

	if (r->budget < 0)
		return;
	add_part(&text, r->spent, r->budget, "$ spent");
	if (r->ends_at && r->ends_at <= DATE_MAX)
		str_addf(&text, "; at this rate it ends at %s", date_format(r->ends_at, when));
	else if (r->spent >= r->budget)
		str_add(&text, "; nothing more of it is placed");
	if (r->renews_at)
		str_addf(&text, "; the next period begins at %s", date_format(r->renews_at, when));
	style_fact(style, out, "Budget:", text.s);
}

static void add_savings(const struct optimizer_report *r, const struct style *style,
			struct str *out)
{
	AUTO(str_done) struct str text = STR_INIT;

	if (!r->status.saved_cost && !r->status.saved_watts)
		return;
	add_money(&text, r->status.saved_cost, "$/h, ");
	add_money(&text, r->status.saved_watts, "W");
	str_add(&text, "; against where kube-scheduler would have put its pods, or they were "
		       "before a move");
	style_fact(style, out, "Savings:", text.s);
}

static void add_estimate(const struct optimizer_report *r, const struct style *style,
			 struct str *out)
{
	AUTO(str_done) struct str text = STR_INIT;

	if (!r->estimate_node)
		return;
	str_add(&text, "a pod would have ");
	add_money(&text, r->estimate_cost, "$/h, ");
	add_money(&text, r->estimate_power * 1000, "W");
	str_addf(&text, " on %s, by resources", r->estimate_node);
	style_fact(style, out, "Estimate:", text.s);
}

static void add_report(const struct optimizer_report *r, const struct style *style, struct str *out)
{
	AUTO(str_done) struct str text = STR_INIT;

	style_subject(style, out, "Optimizer:", r->ns, r->name);
	str_addf(&text, "%s, priority %d", r->type, r->priority);
	style_fact(style, out, "Type:", text.s);
	str_clear(&text);
	str_add(&text, r->phase);
	if (*r->suspended)
		str_addf(&text, "%s%s", text.n ? ": " : "", r->suspended);
	style_fact(style, out, "Phase:", text.s);
	str_clear(&text);
	add_money(&text, r->cost, "$/h, ");
	add_money(&text, r->power * 1000, "W");
	str_addf(&text, "; %u of %u pods have a node, %u are ready", r->n_bound, r->n_pods,
		 r->n_ready);
	style_fact(style, out, "Pods:", text.s);
	add_estimate(r, style, out);
	str_clear(&text);
	decimal_add(&text, r->score, 2);
	str_addf(&text, "; 1 is when no better place is in the cluster");
	style_fact(style, out, "Score:", text.s);
	add_savings(r, style, out);
	add_limits(r, style, out);
	add_budget(r, style, out);
}

static void add_title(const char *title, const struct style *style, struct str *out)
{
	str_addc(out, '\n');
	style_add(style, out, COLOR_BOLD, "%s", title);
	str_addc(out, '\n');
}

static const struct column condition_columns[] = {
	{ "CONDITION", "type" },
	{ "STATUS", "status" },
	{ "REASON", "reason" },
	{ "MESSAGE", "message" },
	{},
};

static void add_conditions(const struct optimizer_report *r, const struct style *style,
			   struct str *out)
{
	AUTO(table_done) struct table t = { .columns = condition_columns };

	for (uint32_t i = 0; i < r->status.n_conditions; i++) {
		const struct plan_condition *c = &r->status.conditions[i];

		table_row(&t, CELL_TEXT(c->type), CELL_TEXT(c->status), CELL_TEXT(c->reason),
			  CELL_TEXT(*c->message ? c->message : "-"));
	}
	if (!table_rows(&t))
		return;
	str_addc(out, '\n');
	table_render(&t, FORMAT_TABLE, style, true, out, NULL);
}

/* ---- Its pods ---- */

static const struct column pod_columns[] = {
	{ "POD", "name" },
	{ "NODE", "node" },
	{ "PRICE", "nodePricePerHour" },
	{ "SHARE", "sharePerHour" },
	{ "WATTS", "watts" },
	{ "CHEAPER", "cheaperNode" },
	{ "SHARE", "cheaperSharePerHour" },
	{},
};

static void add_pod_row(struct table *t, const struct pod_cost *p)
{
	AUTO(str_done) struct str node = STR_INIT;

	str_addf(&node, "%s%s%s", p->was, *p->was ? " to " : "", p->node);
	table_row(t, CELL_TEXT(p->name), CELL_TEXT(node.s), CELL_MICRO_IF(*p->node, p->price),
		  CELL_MICRO_IF(*p->node, p->share), CELL_MICRO_IF(*p->node, p->power * 1000),
		  CELL_TEXT(p->cheaper), CELL_MICRO_IF(*p->cheaper, p->cheaper_share));
}

static void add_pods(const struct optimizer_explanation *e, const struct style *style,
		     struct str *out)
{
	AUTO(table_done) struct table t = { .columns = pod_columns };
	AUTO(str_done) struct str text = STR_INIT;

	array_each(p, &e->pods)
		add_pod_row(&t, p);
	if (!table_rows(&t))
		return;
	add_title("Cost of its pods, $/h, and the node where each would cost least", style, out);
	table_render(&t, FORMAT_TABLE, style, true, out, NULL);
	array_each(p, &e->pods) {
		if (!*p->why_not)
			continue;
		str_clear(&text);
		str_addf(&text, "%s is not on %s: %s", p->name, p->cheaper, p->why_not);
		style_wrap(style, out, COLOR_DIM, INDENT, text.s);
	}
}

static void add_action(const struct action *a, const struct style *style, struct str *out)
{
	const struct action_style *shown = action_style(a);
	AUTO(str_done) struct str text = STR_INIT;

	action_add_object(&a->on, &text);
	action_add_change(a, &text);
	str_addf(out, "%*s", INDENT, "");
	style_add(style, out, shown->role, "%s %s", shown->sign, shown->verb);
	style_add(style, out, COLOR_NONE, " %s", text.s);
	style_add(style, out, COLOR_DIM, "  %s #%u", reason_name(a->reason), a->id);
	str_addc(out, '\n');
	if (a->message && *a->message)
		style_wrap(style, out, COLOR_DIM, DETAIL, a->message);
}

static void add_unplaced(const struct unplaced *u, const struct style *style, struct str *out)
{
	AUTO(str_done) struct str text = STR_INIT;

	action_add_object(&u->on, &text);
	str_addf(out, "%*s", INDENT, "");
	style_add(style, out, COLOR_BAD, "! %s  %s", text.s, reason_name(u->reason));
	str_addc(out, '\n');
	style_wrap(style, out, COLOR_DIM, DETAIL, u->message);
}

void optimizer_explain_text(const struct optimizer_explanation *e, const struct style *style,
			    struct str *out)
{
	add_report(&e->report, style, out);
	add_conditions(&e->report, style, out);
	add_pods(e, style, out);
	if (e->actions.n)
		add_title("What the plan does", style, out);
	array_each(i, &e->actions)
		add_action(&e->plan.actions.items[*i], style, out);
	if (e->unplaced.n)
		add_title("Cannot be placed", style, out);
	array_each(i, &e->unplaced)
		add_unplaced(&e->plan.unplaced.items[*i], style, out);
	if (e->warnings.n)
		add_title("Warnings", style, out);
	array_each(i, &e->warnings)
		style_wrap(style, out, COLOR_CHANGE, INDENT, e->plan.warnings.items[*i].message);
}

/* ---- All of them ---- */

static const struct column columns[] = {
	{ "NAMESPACE", "namespace" },
	{ "NAME", "name", .is_name = true, .kind = "workloadoptimizer" },
	{ "TYPE", "type" },
	{ "PHASE", "phase" },
	{ "$/H", "costPerHour" },
	{ "WATTS", "watts" },
	{ "SCORE", "score" },
	{ "SPENT", "spent" },
	{ "BUDGET", "budget" },
	{ "PODS", "replicas" },
	{ "READY", "readyReplicas" },
	{ "NODE", "node" },
	{ "ENDS", "budgetEnds", .is_wide = true },
	{ "MAX-$/H", "maxCostPerHour", .is_wide = true },
	{ "MAX-WATTS", "maxWatts", .is_wide = true },
	{ "PRIORITY", "priority", .is_wide = true },
	{ "SAVES-$/H", "savedPerHour", .is_wide = true },
	{ "SAVES-WATTS", "savedWatts", .is_wide = true },
	{},
};

static void add_row(const struct optimizer_report *r, struct table *t)
{
	bool has_budget = r->budget >= 0;
	char when[DATE_TEXT] = "";

	if (r->ends_at && r->ends_at <= DATE_MAX)
		date_format(r->ends_at, when);
	table_row(t, CELL_TEXT(r->ns), CELL_TEXT(r->name), CELL_TEXT(r->type), CELL_TEXT(r->phase),
		  CELL_MICRO(r->cost), CELL_MICRO(r->power * 1000), CELL_MICRO(r->score),
		  CELL_MICRO(r->spent), CELL_MICRO_IF(has_budget, r->budget), CELL_INT(r->n_pods),
		  CELL_INT(r->n_ready), CELL_TEXT(r->node), CELL_TEXT(when),
		  CELL_MICRO_IF(r->max_cost >= 0, r->max_cost),
		  CELL_MICRO_IF(r->max_power >= 0, r->max_power * 1000), CELL_INT(r->priority),
		  CELL_MICRO(r->status.saved_cost), CELL_MICRO(r->status.saved_watts));
}

int optimizer_list(const struct cluster *c, const struct settings *settings, const char *ns,
		   uint32_t optimizer, enum format format, const struct style *style,
		   bool has_header, struct str *out, struct error *err)
{
	AUTO(economy_report_done) struct economy_report report = { 0 };
	AUTO(table_done) struct table t = { .columns = columns };

	economy_report_make(c, settings, &report);
	for (uint32_t i = 0; i < report.optimizers.n; i++) {
		const struct optimizer_report *r = &report.optimizers.items[i];

		if (i == optimizer && format == FORMAT_TABLE) {
			add_report(r, style, out);
			add_conditions(r, style, out);
			return 0;
		}
		if (optimizer == NONE ? !ns || strcmp(ns, r->ns) == 0 : i == optimizer)
			add_row(r, &t);
	}
	return table_render(&t, format, style, has_header, out, err);
}

/* ---- Nodes ---- */

/* What no pod has. Shares are rounded up, so that those of a full node may sum up to more. */
static int64_t idle_cost(const struct node_report *n)
{
	return n->price > n->shares ? n->price - n->shares : 0;
}

void optimizer_node_text(const struct cluster *c, const struct settings *settings, node_id node,
			 const struct style *style, struct str *out)
{
	AUTO(economy_report_done) struct economy_report report = { 0 };
	AUTO(str_done) struct str text = STR_INIT;

	economy_report_make(c, settings, &report);
	if (!report.nodes)
		return;
	const struct node_report *n = &report.nodes[node];

	add_money(&text, n->price, "$/h");
	str_addf(&text, " (%s%s), of which pods have ", n->capacity_type,
		 n->is_price_assumed ? ", assumed" : "");
	decimal_add(&text, n->shares, 0);
	str_add(&text, " and ");
	decimal_add(&text, idle_cost(n), 0);
	str_add(&text, " are idle");
	str_addc(out, '\n');
	style_fact(style, out, "Cost:", text.s);
	str_clear(&text);
	add_money(&text, n->power * 1000, "W");
	str_addf(&text, "%s, of which ", n->is_power_assumed ? " (assumed)" : "");
	decimal_add(&text, n->idle * 1000, 0);
	str_add(&text, " are idle");
	style_fact(style, out, "Power:", text.s);
}

static const struct column node_columns[] = {
	{ "NODE", "node", .is_name = true, .kind = "node" },
	{ "CAPACITY", "capacityType" },
	{ "$/H", "costPerHour" },
	{ "IDLE-$/H", "idleCostPerHour" },
	{ "WATTS", "watts" },
	{ "IDLE-WATTS", "idleWatts" },
	{ "ASSUMED", "assumed" },
	{},
};

static const char *assumed_of(const struct node_report *n)
{
	if (n->is_price_assumed)
		return n->is_power_assumed ? "price,power" : "price";
	return n->is_power_assumed ? "power" : "";
}

void optimizer_node_table(const struct cluster *c, const struct settings *settings, node_id node,
			  struct table *ret)
{
	AUTO(economy_report_done) struct economy_report report = { 0 };

	*ret = (struct table){ .columns = node_columns };
	economy_report_make(c, settings, &report);
	for (node_id id = 0; report.nodes && id < c->nodes.n; id++) {
		const struct node_report *n = &report.nodes[id];

		if (node != NONE && node != id)
			continue;
		table_row(ret, CELL_TEXT(cluster_str(c, c->nodes.items[id].meta.name)),
			  CELL_TEXT(n->capacity_type), CELL_MICRO(n->price),
			  CELL_MICRO(idle_cost(n)), CELL_MICRO(n->power * 1000),
			  CELL_MICRO(n->idle * 1000), CELL_TEXT(assumed_of(n)));
	}
}
