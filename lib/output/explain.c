/* SPDX-License-Identifier: Apache-2.0 */
#include "output/explain.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "budget/thread_class.h"
#include "output/action.h"
#include "output/explain_cost.h"
#include "output/replay.h"
#include "output/table.h"

enum {
	INDENT = 4,  /* of an action's sign, and of a change */
	DETAIL = 6,  /* of what stands below that */
	HOLDER = 10, /* of the pods on a core */
	NAMES = 10,  /* nodes that a shared line names */
};

/* ---- The pod ---- */

static void add_us(struct str *out, const char *word, int32_t us)
{
	if (us)
		str_addf(out, ", %s ", word), text_add_us(out, us);
}

static void add_request(const struct explanation *e, const struct style *style, struct str *out)
{
	AUTO(str_done) struct str text = STR_INIT;

	if (!*e->asked_by || !e->has_budget) {
		style_fact(style, out, "Request:",
			   *e->asked_by ? e->asked_by : "no McKube or annotation found");
		return;
	}
	str_addf(&text, "%s: %s", e->asked_by, criticality_name(e->budget.criticality));
	add_us(&text, "low", e->budget.low);
	add_us(&text, "medium", e->budget.medium);
	add_us(&text, "hi", e->budget.hi);
	add_us(&text, "floor", e->budget.floor);
	str_add(&text, " of ");
	text_add_us(&text, e->budget.period);
	if (e->core_count > 1)
		str_addf(&text, ", on %u cores", e->core_count);
	if (*e->guarantee)
		str_addf(&text, ", guarantee %s", e->guarantee);
	if (*e->policy) {
		str_add(&text, ", threads ");
		thread_class_add(&text, e->policy, e->priority, (enum level)e->budget.criticality);
	}
	style_fact(style, out, "Request:", text.s);

	str_clear(&text);
	for (int k = 0; k < LEVELS; k++) {
		str_addf(&text, k ? ", %s " : "%s ", criticality_name((enum level)k));
		text_add_ratio(&text, e->load[k]);
	}
	style_fact(style, out, "Load by mode:", text.s);
}

static void add_pins(const struct explanation *e, const struct style *style, struct str *out)
{
	AUTO(str_done) struct str text = STR_INIT;

	if (*e->node_pin)
		str_addf(&text, "node %s", e->node_pin);
	if (*e->core_pin) {
		str_add(&text, text.n ? ", " : "");
		action_add_cores(e->core_pin, &text);
	}
	if (e->has_legacy_pin)
		str_add(&text, " (a legacy pin: an older controller's choice, as in "
			       "status.allocatedCore)");
	style_fact(style, out, "Pinned to:", text.s);
}

static void add_now(const struct explanation *e, const struct style *style, struct str *out)
{
	AUTO(str_done) struct str text = STR_INIT;

	if (e->now.node)
		action_add_place(&e->now, &text);
	if (e->now.node && !*e->now.cores && !*e->optimizer)
		str_add(&text, ", without cores");
	if (*e->level)
		str_addf(&text, ", level %s", e->level);
	style_fact(style, out, "Now:", text.s);
}

static void add_migration(const struct explanation *e, const struct style *style, struct str *out)
{
	AUTO(str_done) struct str text = STR_INIT;
	bool restarts = strcmp(e->migration, "Restart") == 0;

	str_add(&text, strcmp(e->migration, "None") == 0 ? "to no other node" : e->migration);
	if (*e->migration_why)
		str_addf(&text, "%s: %s", restarts ? "; not with its memory" : "",
			 e->migration_why);
	if (*e->migration)
		style_fact(style, out, "Migration:", text.s);
	if (*e->migration_last)
		style_fact(style, out, "Last move:", e->migration_last);
}

/* "~ move  vehicle/logger  from front core 2 to front core 3  #1", and why. */
static void add_action(const struct action *a, const struct style *style, struct str *out)
{
	const struct action_style *shown = action_style(a);
	AUTO(str_done) struct str text = STR_INIT;

	if (strcmp(a->on.kind, "Pod") != 0)
		str_addf(&text, "%s ", a->on.kind);
	action_add_object(&a->on, &text);
	str_addf(out, "%*s", INDENT, "");
	style_add(style, out, shown->role, "%s %s", shown->sign, shown->verb);
	style_add(style, out, COLOR_BOLD, " %s", text.s);
	str_clear(&text);
	action_add_change(a, &text);
	if (a->by.name)
		str_addf(&text, ", %s ", action_by_words(a)), action_add_object(&a->by, &text);
	style_add(style, out, COLOR_NONE, "%s", text.s);
	style_add(style, out, COLOR_DIM, "  #%u", a->id);
	str_addc(out, '\n');
	if (a->message && *a->message)
		style_wrap(style, out, COLOR_DIM, DETAIL, a->message);
}

static void add_title(const char *title, const struct style *style, struct str *out)
{
	str_addc(out, '\n');
	style_add(style, out, COLOR_BOLD, "%s", title);
	str_addc(out, '\n');
}

static void add_plan(const struct explanation *e, const struct style *style, struct str *out)
{
	enum color_role role = e->outcome == OUTCOME_UNPLACED || e->outcome == OUTCOME_EVICTED
				       ? COLOR_BAD
			       : e->outcome == OUTCOME_NOT_PLANNED ? COLOR_SPECIAL
								   : COLOR_GOOD;

	str_addc(out, '\n');
	style_wrap(style, out, role, 0, e->summary);
	array_each(i, &e->actions)
		add_action(&e->plan.actions.items[*i], style, out);
	if (e->caused.n)
		add_title("Pods that yield to it", style, out);
	array_each(i, &e->caused)
		add_action(&e->plan.actions.items[*i], style, out);
	if (e->warnings.n)
		add_title("Warnings", style, out);
	array_each(i, &e->warnings) {
		const struct warning *w = &e->plan.warnings.items[*i];

		str_addf(out, "%*s", INDENT, "");
		style_add(style, out, COLOR_CHANGE, "! %s %s", w->object, w->reason);
		str_addc(out, '\n');
		style_wrap(style, out, COLOR_DIM, DETAIL, w->message);
	}
}

/* ---- The nodes whose cores were tried ---- */

static uint32_t nearest_core(const struct node_verdict *v)
{
	uint32_t least = UINT32_MAX;

	for (uint32_t i = 0; i < v->n_cores; i++)
		if (v->cores[i].missing < least)
			least = v->cores[i].missing;
	return least;
}

static int nearest_first(const void *a, const void *b, void *nodes)
{
	const struct node_verdict *x = (const struct node_verdict *)nodes + *(const uint32_t *)a;
	const struct node_verdict *y = (const struct node_verdict *)nodes + *(const uint32_t *)b;
	uint32_t m = nearest_core(x), n = nearest_core(y);

	if (x->is_chosen != y->is_chosen)
		return x->is_chosen ? -1 : 1;
	if (!x->refused != !y->refused)
		return x->refused ? 1 : -1;
	return m != n ? (m < n ? -1 : 1) : x < y ? -1 : x > y;
}

static void add_holder(const struct holder *h, uint8_t mode, const struct style *style,
		       struct str *out)
{
	AUTO(str_done) struct str text = STR_INIT;

	str_addf(&text, "%s/%s, %s, ", h->ns, h->name, criticality_name(h->criticality));
	text_add_ratio(&text, h->load[mode]);
	str_addf(&text, ": %s", h->why);
	style_wrap(style, out, h->can_yield ? COLOR_CHANGE : COLOR_DIM, HOLDER, text.s);
}

static void add_core(const struct core_verdict *c, const struct style *style, struct str *out)
{
	AUTO(str_done) struct str text = STR_INIT;
	enum color_role role = c->missing ? COLOR_BAD : c->is_chosen ? COLOR_GOOD : COLOR_NONE;

	style_add(style, out, role, "  %s", c->is_chosen ? "*" : " ");
	str_addf(out, "%4s", c->cores);
	for (int k = 0; k < LEVELS; k++) {
		str_clear(&text);
		text_add_ratio(&text, c->load[k]);
		str_add(out, "  ");
		style_add(style, out, c->load[k] > c->cap[k] ? COLOR_BAD : COLOR_NONE, "%s",
			  text.s);
	}
	style_add(style, out, role, "  %s", c->message);
	if (!c->missing)
		style_add(style, out, COLOR_DIM, ", score %u of 100", c->score);
	str_addc(out, '\n');
	for (uint32_t i = 0; i < c->n_holders && c->missing; i++)
		add_holder(&c->holders[i], c->mode, style, out);
}

static void add_refusal(const struct node_verdict *v, const struct style *style, struct str *out)
{
	style_add(style, out, COLOR_BAD, "  %s", v->refusal);
	if (*v->detail)
		style_add(style, out, COLOR_BAD, ": %s", v->detail);
	if (v->would_yield)
		style_add(style, out, COLOR_CHANGE, ", unless less critical pods yield");
}

static void add_tried_node(const struct node_verdict *v, const struct style *style, struct str *out)
{
	AUTO(str_done) struct str caps = STR_INIT;

	str_add(&caps, "  limit");
	for (int k = 0; k < LEVELS; k++) {
		str_add(&caps, k ? ", " : " ");
		text_add_ratio(&caps, v->cores[0].cap[k]);
	}
	str_addc(out, '\n');
	style_add(style, out, COLOR_BOLD, "%s", v->node);
	if (v->refused)
		add_refusal(v, style, out);
	str_addc(out, '\n');
	style_add(style, out, COLOR_DIM, "   core  low    middle high  %s", caps.s);
	str_addc(out, '\n');
	for (uint32_t i = 0; i < v->n_cores; i++)
		add_core(&v->cores[i], style, out);
}

static void add_tried_nodes(const struct explanation *e, const struct style *style, struct str *out)
{
	ARRAY(uint32_t) tried = { 0 }; /* in e->nodes */

	for (uint32_t i = 0; i < e->nodes.n; i++)
		if (e->nodes.items[i].n_cores)
			*array_add(&tried) = i;
	if (tried.n) {
		qsort_r(tried.items, tried.n, sizeof(*tried.items), nearest_first, e->nodes.items);
		add_title("Load per core, including this pod", style, out);
	}
	for (size_t i = 0; i < tried.n && i < EXPLAIN_NODES; i++)
		add_tried_node(&e->nodes.items[tried.items[i]], style, out);
	if (tried.n > EXPLAIN_NODES)
		str_addf(out, "\nand %zu more nodes, listed by -o json\n", tried.n - EXPLAIN_NODES);
	array_done(&tried);
}

/* ---- The nodes that a filter refuses ---- */

static bool is_refused_alike(const struct node_verdict *a, const struct node_verdict *b)
{
	return a->refused == b->refused && strcmp(a->detail, b->detail) == 0;
}

static int alike_together(const void *a, const void *b, void *nodes)
{
	const struct node_verdict *x = (const struct node_verdict *)nodes + *(const uint32_t *)a;
	const struct node_verdict *y = (const struct node_verdict *)nodes + *(const uint32_t *)b;
	int order = x->refused != y->refused ? (x->refused < y->refused ? -1 : 1)
					     : strcmp(x->detail, y->detail);

	return order ? order : x < y ? -1 : x > y;
}

static void add_refused_alike(const struct explanation *e, const uint32_t *all, size_t n,
			      const struct style *style, struct str *out)
{
	AUTO(str_done) struct str names = STR_INIT;

	for (size_t i = 0; i < n && i < NAMES; i++)
		str_addf(&names, "%s%s", i ? ", " : "", e->nodes.items[all[i]].node);
	if (n > NAMES)
		str_addf(&names, " and %zu more", n - NAMES);
	str_add(out, "  ");
	style_add(style, out, COLOR_NONE, "%s", names.s);
	add_refusal(&e->nodes.items[all[0]], style, out);
	str_addc(out, '\n');
}

static void add_refused_nodes(const struct explanation *e, const struct style *style,
			      struct str *out)
{
	ARRAY(uint32_t) refused = { 0 }; /* in e->nodes */

	for (uint32_t i = 0; i < e->nodes.n; i++)
		if (!e->nodes.items[i].n_cores && !e->nodes.items[i].cost)
			*array_add(&refused) = i;
	if (refused.n) {
		qsort_r(refused.items, refused.n, sizeof(*refused.items), alike_together,
			e->nodes.items);
		add_title("Nodes ruled out", style, out);
	}
	for (size_t i = 0, n; i < refused.n; i += n) {
		for (n = 1; i + n < refused.n; n++)
			if (!is_refused_alike(&e->nodes.items[refused.items[i]],
					      &e->nodes.items[refused.items[i + n]]))
				break;
		add_refused_alike(e, refused.items + i, n, style, out);
	}
	array_done(&refused);
}

static bool is_without_place(const struct explanation *e)
{
	return e->outcome == OUTCOME_UNPLACED ||
	       (e->outcome == OUTCOME_EVICTED && !e->replacement.node);
}

static void add_advice(const struct explanation *e, const struct style *style, struct str *out)
{
	if (e->advice.n)
		add_title("Observed on its node", style, out);
	array_each(advice, &e->advice)
		style_wrap(style, out, COLOR_NONE, INDENT, *advice);
}

static void add_changes(const struct explanation *e, const struct style *style, struct str *out)
{
	if (!e->changes.n && !is_without_place(e))
		return;
	add_title(e->changes.n > 1 ? "What would have to change; one of these is enough"
				   : "What would have to change",
		  style, out);
	array_each(change, &e->changes)
		style_wrap(style, out, COLOR_SPECIAL, INDENT, *change);
	if (!e->changes.n)
		style_wrap(style, out, COLOR_NONE, INDENT, "No single change would be enough.");
}

static void add_history(const struct explanation *e, const struct replay *history,
			const struct style *style, struct str *out)
{
	const struct replay_pod *p = history ? replay_find(history, e->ns, e->name) : NULL;

	if (!history)
		return;
	add_title("Recorded", style, out);
	str_addf(out, "%*s", INDENT, "");
	replay_where_text(history, style, out);
	if (p)
		replay_pod_text(p, style, out);
	else
		style_wrap(style, out, COLOR_NONE, INDENT, "Nothing is recorded of this pod.");
}

void explain_text(const struct explanation *e, const struct replay *history,
		  const struct style *style, struct str *out)
{
	style_subject(style, out, "Pod:", e->ns, e->name);
	if (*e->optimizer)
		style_fact(style, out, "Optimizer:", e->optimizer);
	else
		add_request(e, style, out);
	add_pins(e, style, out);
	add_now(e, style, out);
	add_migration(e, style, out);
	add_plan(e, style, out);
	add_tried_nodes(e, style, out);
	explain_cost_text(e, style, out);
	add_refused_nodes(e, style, out);
	add_advice(e, style, out);
	add_history(e, history, style, out);
	add_changes(e, style, out);
}
