/* SPDX-License-Identifier: Apache-2.0 */
#include "output/plan_text.h"

#include <string.h>

#include "base/auto.h"
#include "base/decimal.h"
#include "base/intern.h"
#include "output/action.h"

static const struct column wide_columns[] = {
	{ "ID", "id" },
	{ "ACTION", "kind" },
	{ "REASON", "reason" },
	{ "KIND", "objectKind" },
	{ "OBJECT", "object", .is_name = true },
	{ "FROM", "from" },
	{ "TO", "to" },
	{ "BUDGET", "budget" },
	{ "LEVEL", "level" },
	{ "ENFORCEMENT", "enforcement" },
	{ "BY", "by" },
	{ "AFTER", "after" },
	{ "REPLACEMENT", "replacement" },
	{ "UID", "uid" },
	{ "VERSION", "resourceVersion" },
	/* Only in plans of which some action has it: see choose_columns(). */
	{ "$/H", "costPerHour" },
	{ "WATTS", "watts" },
	{ "METHOD", "method" },
	{ "DOWNTIME", "downtimeUs" },
	{},
};

enum { COLUMNS_ALWAYS = 15 };

struct optional_columns {
	bool costs, migrations;
};

/* The texts of one row, each in a buffer of its own. */
enum {
	ROW_OBJECT,
	ROW_FROM,
	ROW_TO,
	ROW_BUDGET,
	ROW_BY,
	ROW_AFTER,
	ROW_REPLACEMENT,
	ROW_COST,
	ROW_WATTS,
	ROW_TEXTS,
};

/* "0.039624 -> 0.031782" */
static void add_pair(const struct action *a, const struct economy_pair *pair,
		     const struct style *style, struct str *out)
{
	if (a->group) {
		decimal_add(out, pair->before, 0);
		str_add(out, style->has_utf8 ? " → " : " -> ");
	}
	decimal_add(out, pair->after, 0);
}

static void fill_texts(const struct action *a, const struct style *style, struct str *texts)
{
	if (a->share.is_given) {
		add_pair(a, &a->share.cost, style, &texts[ROW_COST]);
		add_pair(a, &a->share.watts, style, &texts[ROW_WATTS]);
	}
	action_add_object(&a->on, &texts[ROW_OBJECT]);
	if (a->from.node || a->kind == ACTION_SCALE)
		action_add_place(&a->from, &texts[ROW_FROM]);
	if (a->to.node || a->kind == ACTION_SCALE)
		action_add_place(&a->to, &texts[ROW_TO]);
	if (a->to.enforcement != ENFORCE_NONE)
		action_add_budget(&a->to, &texts[ROW_BUDGET]);
	if (a->by.name)
		action_add_object(&a->by, &texts[ROW_BY]);
	for (uint32_t i = 0; i < a->n_after; i++)
		str_addf(&texts[ROW_AFTER], i ? ",%u" : "%u", a->after[i]);
	if (a->replacement.node)
		action_add_place(&a->replacement, &texts[ROW_REPLACEMENT]);
}

static void add_row(struct table *t, const struct action *a, const struct style *style,
		    const struct optional_columns *has)
{
	struct cell cells[ARRAY_LEN(wide_columns)];
	struct str texts[ROW_TEXTS];

	for (int i = 0; i < ROW_TEXTS; i++)
		texts[i] = (struct str)STR_INIT;
	fill_texts(a, style, texts);
	const struct cell always[] = {
		CELL_INT(a->id),
		CELL_ROLE(action_style(a)->role, action_kind_name(a->kind)),
		CELL_TEXT(reason_name(a->reason)),
		CELL_TEXT(a->on.kind),
		CELL_TEXT(texts[ROW_OBJECT].s),
		CELL_TEXT(texts[ROW_FROM].s),
		CELL_TEXT(texts[ROW_TO].s),
		CELL_TEXT(texts[ROW_BUDGET].s),
		CELL_TEXT(a->kind == ACTION_DEGRADE ? LEVEL_NAME_FLOOR
			  : a->to.has_level	    ? level_name(a->to.level)
						    : NULL),
		CELL_TEXT(a->to.enforcement ? enforcement_name(a->to.enforcement) : NULL),
		CELL_TEXT(texts[ROW_BY].s),
		CELL_TEXT(texts[ROW_AFTER].s),
		CELL_TEXT(texts[ROW_REPLACEMENT].s),
		CELL_TEXT(a->on.uid),
		CELL_TEXT(a->on.version),
	};
	size_t n = ARRAY_LEN(always);

	memcpy(cells, always, sizeof(always));
	if (has->costs) {
		cells[n] = CELL_TEXT(texts[ROW_COST].s);
		cells[n + 1] = CELL_TEXT(texts[ROW_WATTS].s);
		n += 2;
	}
	if (has->migrations) {
		cells[n] = CELL_TEXT(migration_method_name((enum migration_method)a->method));
		cells[n + 1] = CELL_US((int64_t)a->downtime_ms * 1000);
	}
	table_add(t, cells);
	for (int i = 0; i < ROW_TEXTS; i++)
		str_done(&texts[i]);
}

static const struct column problem_columns[] = {
	{ "OBJECT", "object" },
	{ "PROBLEM", "reason" },
	{ "MESSAGE", "message" },
	{},
};

static void add_problems(const struct plan *p, const struct plan_view *view, struct table *t)
{
	array_each(u, &p->unplaced) {
		AUTO(str_done) struct str object = STR_INIT;

		if (!plan_view_shows(view, &u->on))
			continue;
		str_add(&object, "Pod ");
		action_add_object(&u->on, &object);
		table_row(t, CELL_TEXT(object.s), CELL_ROLE(COLOR_BAD, reason_name(u->reason)),
			  CELL_TEXT(u->message));
	}
	array_each(w, &p->warnings)
		table_row(t, CELL_TEXT(w->object), CELL_ROLE(COLOR_CHANGE, w->reason),
			  CELL_TEXT(w->message));
}

static struct optional_columns choose_columns(const struct plan *p, struct column *ret)
{
	struct optional_columns has = { 0 };
	size_t n = COLUMNS_ALWAYS;

	array_each(a, &p->actions) {
		has.migrations |= a->kind == ACTION_MIGRATE;
		has.costs |= a->share.is_given;
	}
	memcpy(ret, wide_columns, COLUMNS_ALWAYS * sizeof(*ret));
	for (size_t i = COLUMNS_ALWAYS; wide_columns[i].title; i++)
		if (i < COLUMNS_ALWAYS + 2 ? has.costs : has.migrations)
			ret[n++] = wide_columns[i];
	ret[n] = (struct column){ 0 };
	return has;
}

int plan_wide(const struct plan *p, const struct plan_view *view, const struct style *style,
	      struct str *out, struct error *err)
{
	struct column columns[ARRAY_LEN(wide_columns)];
	AUTO(table_done) struct table actions = { .columns = columns };
	AUTO(table_done) struct table problems = { .columns = problem_columns };

	const struct optional_columns has = choose_columns(p, columns);
	array_each(a, &p->actions)
		if (plan_view_shows(view, &a->on))
			add_row(&actions, a, style, &has);
	add_problems(p, view, &problems);

	if (table_rows(&actions) &&
	    table_render(&actions, FORMAT_WIDE, style, view->has_header, out, err) < 0)
		return err->code;
	if (table_rows(&problems)) {
		str_add(out, table_rows(&actions) ? "\n" : "");
		if (table_render(&problems, FORMAT_WIDE, style, view->has_header, out, err) < 0)
			return err->code;
	}
	str_add(out, out->n ? "\n" : "");
	plan_totals(p, style, out);
	return 0;
}

void plan_names(const struct plan *p, const struct plan_view *view, struct str *out)
{
	struct intern seen = { 0 };

	intern_cstr(&seen, "");
	array_each(a, &p->actions) {
		AUTO(str_done) struct str key = STR_INIT;
		uint32_t n = seen.n;

		str_addf(&key, "%s %s/%s", a->on.kind, a->on.ns ? a->on.ns : "", a->on.name);
		if (!plan_view_shows(view, &a->on) || intern_cstr(&seen, key.s) < n)
			continue;
		str_clear(&key);
		action_add_kind(&a->on, &key);
		str_addf(&key, "/%s", a->on.name);
		text_add(out, key.s);
		str_addc(out, '\n');
	}
	intern_done(&seen);
}

static const struct action *action_of(const struct plan *p, uint32_t id)
{
	return id && id <= p->actions.n ? &p->actions.items[id - 1] : NULL;
}

static void add_result(const struct action *a, const struct result *r, const struct style *style,
		       struct str *out)
{
	static const uint8_t roles[] = {
		[RESULT_PENDING] = COLOR_DIM,
		[RESULT_DONE] = COLOR_GOOD,
		[RESULT_FAILED] = COLOR_BAD,
		[RESULT_SKIPPED] = COLOR_CHANGE,
	};
	AUTO(str_done) struct str object = STR_INIT;

	action_add_kind(&a->on, &object);
	str_addf(&object, " %s%s%s %s", a->on.ns ? a->on.ns : "", a->on.ns && *a->on.ns ? "/" : "",
		 a->on.name, action_style(a)->verb);
	style_add(style, out, COLOR_NONE, "%s: ", object.s);
	style_add(style, out, roles[r->state], "%s", result_state_name(r->state));
	if (r->message && *r->message)
		style_add(style, out, COLOR_NONE, ": %s", r->message);
	str_addc(out, '\n');
}

void plan_results(const struct plan *p, bool is_dry_run, const struct style *style, struct str *out)
{
	size_t n_done = 0;

	array_each(r, &p->results) {
		const struct action *a = action_of(p, r->id);

		if (a)
			add_result(a, r, style, out);
		n_done += r->state == RESULT_DONE;
	}
	if (p->actions.n)
		str_addf(out, "%s %zu of %zu actions.\n",
			 is_dry_run ? "The server would take" : "Applied", n_done, p->actions.n);
	else
		str_add(out, "Nothing to do.\n");
}
