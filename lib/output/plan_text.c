/* SPDX-License-Identifier: Apache-2.0 */
#include "output/plan_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/date.h"
#include "base/decimal.h"
#include "budget/thread_class.h"
#include "output/action.h"
#include "plan/evictions.h"

enum {
	INDENT = 4,   /* where an action's sign stands */
	DETAIL = 8,   /* where the lines below it begin */
	VERB_MAX = 8, /* columns that verbs are padded to */
};

bool plan_view_shows(const struct plan_view *view, const struct target *on)
{
	return !view->ns || !on->ns || !*on->ns || strcmp(view->ns, on->ns) == 0;
}

static bool has_cores(const struct place *place)
{
	return place->node && place->cores && *place->cores;
}

/* "to core 2", "from core 2", "core 2 → core 3", "core 1 → edge-2 core 0", "core 2, level low": the
 * node in the heading is not repeated. */
static void add_where(const struct action *a, const struct style *style, struct str *out)
{
	bool has_from = has_cores(&a->from), has_to = has_cores(&a->to);

	if (a->kind == ACTION_SET_LEVEL || a->kind == ACTION_DEGRADE) {
		action_add_cores(a->to.cores, out);
		str_addf(out, ", %s", action_level_words(a));
		return;
	}
	if (a->kind == ACTION_SCALE) {
		str_addf(out, "%u %s %u replica%s", a->from.replicas, style->has_utf8 ? "→" : "->",
			 a->to.replicas, a->to.replicas == 1 ? "" : "s");
		return;
	}
	if (a->kind == ACTION_ANNOTATE)
		str_addf(out, "deletion cost %" PRId64, a->deletion_cost);
	if (has_from) {
		str_add(out, has_to ? "" : "from ");
		action_add_cores(a->from.cores, out);
	}
	if (a->kind == ACTION_MIGRATE && !has_to) {
		str_addf(out, "%s %s", style->has_utf8 ? "→" : "->", a->to.node);
		return;
	}
	if (!has_to && a->kind == ACTION_BIND && a->to.node)
		str_add(out, "without real time");
	if (!has_to)
		return;
	if (has_from)
		str_add(out, style->has_utf8 ? " → " : " -> ");
	else if (!action_is_update(a))
		str_add(out, "to ");
	if (has_from && strcmp(a->from.node, a->to.node) != 0)
		str_addf(out, "%s ", a->to.node);
	action_add_cores(a->to.cores, out);
}

static void add_grant(const struct action *a, struct str *out)
{
	if (a->to.enforcement == ENFORCE_NONE || a->kind == ACTION_STATUS)
		return;
	str_add(out, out->n ? ", " : "");
	action_add_budget(&a->to, out);
	str_addf(out, ", %s, %s", criticality_name(a->budget.criticality),
		 enforcement_name(a->to.enforcement));
	if (a->policy && *a->policy)
		str_add(out, ", ");
	thread_class_add(out, a->policy, a->priority, (enum level)a->budget.criticality);
}

static void add_headline(const struct action *a, const struct style *style, struct str *out)
{
	const struct action_style *shown = action_style(a);
	AUTO(str_done) struct str object = STR_INIT;
	AUTO(str_done) struct str rest = STR_INIT;

	if (strcmp(a->on.kind, "Pod") != 0)
		str_addf(&object, "%s ", a->on.kind);
	action_add_object(&a->on, &object);
	add_where(a, style, &rest);
	add_grant(a, &rest);

	str_addf(out, "%*s", INDENT, "");
	style_add(style, out, shown->role, "%s", shown->sign);
	str_addc(out, ' ');
	style_pad(style, out, shown->role, VERB_MAX - 1, shown->verb);
	str_addc(out, ' ');
	style_add(style, out, COLOR_BOLD, "%s", object.s);
	if (rest.n)
		style_add(style, out, COLOR_NONE, "  %s", rest.s);
	style_add(style, out, COLOR_DIM, "  #%u", a->id);
	str_addc(out, '\n');
}

/* The pod that it yields to, the place of its replacement, and why. */
static void add_details(const struct action *a, const struct style *style, struct str *out)
{
	AUTO(str_done) struct str line = STR_INIT;

	if (a->by.name) {
		str_addf(&line, "%s ", action_by_words(a));
		action_add_object(&a->by, &line);
		style_wrap(style, out, COLOR_SPECIAL, DETAIL, line.s);
	}
	if (a->replacement.node) {
		str_clear(&line);
		str_add(&line, "its replacement fits on ");
		action_add_place(&a->replacement, &line);
		style_wrap(style, out, COLOR_NONE, DETAIL, line.s);
	}
	if (a->kind == ACTION_MIGRATE) {
		str_clear(&line);
		action_add_method(a, &line);
		style_wrap(style, out, COLOR_NONE, DETAIL, line.s);
	}
	if (a->message && *a->message)
		style_wrap(style, out, COLOR_DIM, DETAIL, a->message);
}

/* The shown actions, by node and then by id. */
struct group_row {
	const char *node;
	const struct action *action;
};

static int compare_rows(const void *a, const void *b)
{
	const struct group_row *x = a, *y = b;
	int order = strcmp(x->node, y->node);

	/* What belongs to no node comes last. */
	if (!*x->node != !*y->node)
		return *x->node ? -1 : 1;
	return order ? order : x->action->id < y->action->id ? -1 : 1;
}

/* Says the action below all that is to be said of this one? Pods that come to one core, or share
 * the budget of a node, have the same load behind them. */
static bool is_said_below(const struct group_row *row, const struct group_row *end)
{
	if (row + 1 == end || strcmp(row->node, row[1].node) != 0)
		return false;
	const struct action *a = row->action, *next = row[1].action;
	bool is_of_one = strcmp(a->on.kind, "Pod") == 0 && a->to.enforcement == ENFORCE_NONE;
	return !is_of_one && a->kind == next->kind && !a->by.name && !a->replacement.node &&
	       a->message && next->message && a->kind != ACTION_MIGRATE &&
	       strcmp(a->message, next->message) == 0;
}

static void add_actions(const struct plan *p, const struct plan_view *view,
			const struct style *style, struct str *out)
{
	ARRAY(struct group_row) rows = { 0 };
	const char *node = NULL;

	array_each(a, &p->actions)
		if (plan_view_shows(view, &a->on))
			*array_add(&rows) = (struct group_row){ action_node(a), a };
	if (rows.n)
		qsort(rows.items, rows.n, sizeof(*rows.items), compare_rows);
	array_each(row, &rows) {
		if (!node || strcmp(node, row->node) != 0) {
			node = row->node;
			style_add(style, out, COLOR_BOLD, *node ? "  Node %s" : "  Objects", node);
			str_addc(out, '\n');
		}
		add_headline(row->action, style, out);
		if (is_said_below(row, rows.items + rows.n))
			continue;
		add_details(row->action, style, out);
		str_addc(out, '\n');
	}
	array_done(&rows);
}

static void add_unplaced(const struct plan *p, const struct plan_view *view,
			 const struct style *style, struct str *out)
{
	bool has_title = false;

	array_each(u, &p->unplaced) {
		AUTO(str_done) struct str object = STR_INIT;

		if (!plan_view_shows(view, &u->on))
			continue;
		if (!has_title)
			style_add(style, out, COLOR_BOLD, "  Cannot be placed");
		str_add(out, has_title ? "" : "\n");
		has_title = true;
		action_add_object(&u->on, &object);
		str_addf(out, "%*s", INDENT, "");
		style_add(style, out, COLOR_BAD, "!");
		str_addc(out, ' ');
		style_add(style, out, COLOR_BOLD, "%s", object.s);
		style_add(style, out, COLOR_NONE, "  %s", reason_name(u->reason));
		str_addc(out, '\n');
		style_wrap(style, out, COLOR_DIM, DETAIL, u->message);
	}
	if (has_title)
		str_addc(out, '\n');
}

static void add_warnings(const struct plan *p, const struct style *style, struct str *out)
{
	if (!p->warnings.n)
		return;
	style_add(style, out, COLOR_BOLD, "  Warnings");
	str_addc(out, '\n');
	array_each(w, &p->warnings) {
		str_addf(out, "%*s", INDENT, "");
		style_add(style, out, COLOR_CHANGE, "!");
		str_addc(out, ' ');
		style_add(style, out, COLOR_BOLD, "%s", w->object);
		style_add(style, out, COLOR_NONE, "  %s", w->reason);
		str_addc(out, '\n');
		style_wrap(style, out, COLOR_DIM, DETAIL, w->message);
	}
	str_addc(out, '\n');
}

/* What the totals count and is not shown. */
static void add_hidden(const struct plan *p, const struct plan_view *view,
		       const struct style *style, struct str *out)
{
	size_t n = 0;

	array_each(a, &p->actions)
		n += !plan_view_shows(view, &a->on);
	array_each(u, &p->unplaced)
		n += !plan_view_shows(view, &u->on);
	if (!n)
		return;
	style_add(style, out, COLOR_DIM, "  Not shown: %zu in other namespaces", n);
	str_add(out, "\n\n");
}

/* " 0.538 → 0.154 $/h" */
static void add_pair(const struct economy_pair *pair, unsigned places, const char *unit,
		     const struct style *style, struct str *out)
{
	decimal_add(out, pair->before, places);
	if (pair->after != pair->before) {
		str_add(out, style->has_utf8 ? " → " : " -> ");
		decimal_add(out, pair->after, places);
	}
	str_addf(out, " %s", unit);
}

void plan_share_text(const struct action *a, const struct style *style, struct str *out)
{
	struct economy_pair cost = a->share.cost, watts = a->share.watts;

	if (!a->group) { /* it had none */
		cost.before = cost.after;
		watts.before = watts.after;
	}
	add_pair(&cost, 2, "$/h", style, out);
	str_add(out, ", ");
	add_pair(&watts, 0, "W", style, out);
}

enum { SAVINGS_SHOWN = 10 };

/* Of many nodes the first ones, and the sum of the others. */
static void add_savings(const struct plan_economy *x, struct str *out)
{
	size_t shown = x->savings.n > SAVINGS_SHOWN + 1 ? SAVINGS_SHOWN : x->savings.n;
	int64_t cost = 0, watts = 0;

	for (size_t i = 0; i < shown; i++)
		str_addf(out, "  %s.\n", x->savings.items[i].message);
	if (shown == x->savings.n)
		return;
	for (size_t i = shown; i < x->savings.n; i++) {
		cost += x->savings.items[i].cost;
		watts += x->savings.items[i].watts;
	}
	str_addf(out, "  %zu more nodes are empty of movable pods: removing them saves ",
		 x->savings.n - shown);
	decimal_add(out, cost, 2);
	str_add(out, " $/h and ");
	decimal_add(out, watts, 0);
	str_add(out, " W.\n");
}

static void add_economy(const struct plan_economy *x, const struct style *style, struct str *out)
{
	str_add(out, "Nodes: ");
	add_pair(&x->cost, 2, "$/h", style, out);
	str_add(out, ", ");
	add_pair(&x->watts, 0, "W", style, out);
	if (x->carbon.before || x->carbon.after) {
		str_add(out, ", ");
		add_pair(&x->carbon, 0, "kg CO2/h", style, out);
	}
	str_add(out, ".\n");
	add_savings(x, out);
}

void plan_text(const struct plan *p, const struct plan_view *view, const struct style *style,
	       struct str *out)
{
	add_actions(p, view, style, out);
	add_unplaced(p, view, style, out);
	add_warnings(p, style, out);
	add_hidden(p, view, style, out);
	plan_totals(p, style, out);
}

/* What is left undone since the hour forbids it. */
static void add_closed(const struct plan *p, struct str *out)
{
	bool is_for_all = p->settings.evictions.outside == EVICT_FOR_NOTHING;
	int64_t closed = evictions_closed_for(&p->settings, p->taken_at);
	char date[DATE_TEXT];

	if (closed)
		str_addf(out, "Until evictions.windows opens at %s no pod is %s.\n",
			 date_format(p->taken_at + closed, date),
			 is_for_all ? "evicted or moved" : "moved for cost, power or a node's use");
}

void plan_notes(const struct plan *p, const struct style *style, struct str *out)
{
	if (p->economy.is_given)
		add_economy(&p->economy, style, out);
	add_closed(p, out);
}

void plan_totals(const struct plan *p, const struct style *style, struct str *out)
{
	struct plan_total totals[PLAN_TOTALS_MAX];
	size_t n = plan_list_totals(p, totals);

	for (size_t i = 0; i < n; i++) {
		str_add(out, i ? ", " : "Plan: ");
		style_add(style, out, totals[i].role, "%s", totals[i].text);
	}
	str_add(out, ".\n");
	plan_notes(p, style, out);
}
