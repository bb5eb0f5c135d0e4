/* SPDX-License-Identifier: Apache-2.0 */
#include "output/plan_html.h"

#include "base/auto.h"
#include "base/date.h"
#include "output/action.h"
#include "output/coremap.h"
#include "output/html.h"
#include "output/html_map.h"
#include "output/plan_text.h"
#include "output/style.h"

enum { UNCHANGED_MAX = 200 }; /* nodes drawn that the plan does not touch */

static const char *const role_classes[] = {
	[COLOR_NONE] = "",	     [COLOR_BOLD] = "",		[COLOR_DIM] = "",
	[COLOR_GOOD] = "good",	     [COLOR_CHANGE] = "change", [COLOR_BAD] = "bad",
	[COLOR_SPECIAL] = "special",
};

static void add_totals(const struct plan *p, struct str *out)
{
	struct plan_total totals[PLAN_TOTALS_MAX];
	size_t n = plan_list_totals(p, totals);

	str_add(out, "<ul class=totals>\n");
	for (size_t i = 0; i < n; i++)
		str_addf(out, "<li class=\"%s\">%s</li>\n", role_classes[totals[i].role],
			 totals[i].text);
	str_add(out, "</ul>\n");
}

static void add_head(const struct plan *p, struct str *out)
{
	char when[DATE_TEXT];

	str_add(out, "<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n"
		     "<meta name=viewport content=\"width=device-width, initial-scale=1\">\n"
		     "<title>Plan ");
	html_add(out, p->name);
	str_addf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<h1>Plan ", html_style);
	html_add(out, p->name);
	str_add(out, "</h1>\n<p class=facts>");
	if (p->server && *p->server) {
		html_add(out, p->server);
		str_add(out, ", ");
	}
	if (p->taken_at)
		str_addf(out, "%s, ", date_format(p->taken_at, when));
	str_add(out, "snapshot ");
	html_add(out, p->digest);
	str_add(out, "</p>\n");
}

/* Cost and power before and after, as text says them. */
static void add_economy(const struct plan *p, struct str *out)
{
	static const struct style plain = { .has_utf8 = true };
	AUTO(str_done) struct str text = STR_INIT;

	if (!p->economy.is_given)
		return;
	plan_economy_text(&p->economy, &plain, &text);
	str_cut(&text, text.n - 1); /* its line feed */
	str_add(out, "<p>");
	html_add(out, text.s);
	str_add(out, "</p>\n");
}

/* "share 0.039624 → 0.031782 $/h, 9.9 → 7.2 W" */
static void add_share(const struct action *a, struct str *out)
{
	static const struct style plain = { .has_utf8 = true };
	AUTO(str_done) struct str text = STR_INIT;

	if (!a->share.is_given)
		return;
	plan_share_text(a, &plain, &text);
	str_add(out, "</p>\n<p class=by>share of the node: ");
	html_add(out, text.s);
}

/* Opens a card with a sign in its colour. */
static void open_card(struct str *out, enum color_role role, const char *sign)
{
	str_addf(out, "<div class=card><span class=\"%s\">%s</span><div>\n<p>", role_classes[role],
		 sign);
}

static void close_card(struct str *out, const char *why)
{
	str_add(out, "</p>\n");
	if (why && *why) {
		str_add(out, "<p class=why>");
		html_add(out, why);
		str_add(out, "</p>\n");
	}
	str_add(out, "</div></div>\n");
}

static void add_action(const struct action *a, struct str *out)
{
	const struct action_style *shown = action_style(a);
	AUTO(str_done) struct str text = STR_INIT;

	open_card(out, shown->role, shown->sign);
	action_add_object(&a->on, &text);
	str_addf(out, "%s <b>", shown->verb);
	html_add(out, text.s);
	str_add(out, "</b>");
	str_clear(&text);
	action_add_change(a, &text);
	html_add(out, text.s);
	if (a->to.enforcement != ENFORCE_NONE) {
		str_clear(&text);
		action_add_budget(&a->to, &text);
		str_addf(out, ", %s, %s", text.s, enforcement_name(a->to.enforcement));
	}
	str_addf(out, " <small>#%u</small>", a->id);
	if (a->replacement.node) {
		str_clear(&text);
		action_add_place(&a->replacement, &text);
		str_add(out, "</p>\n<p class=by>its replacement fits on ");
		html_add(out, text.s);
	}
	if (a->kind == ACTION_MIGRATE) {
		str_clear(&text);
		action_add_method(a, &text);
		str_add(out, "</p>\n<p class=by>");
		html_add(out, text.s);
	}
	if (a->by.name) {
		str_clear(&text);
		action_add_object(&a->by, &text);
		str_addf(out, "</p>\n<p class=by>%s ", action_by_words(a));
		html_add(out, text.s);
	}
	add_share(a, out);
	close_card(out, a->message);
}

static void add_actions(const struct plan *p, struct str *out)
{
	if (p->actions.n)
		str_add(out, "<h2>What changes</h2>\n");
	array_each(a, &p->actions)
		add_action(a, out);
}

static void add_problems(const struct plan *p, struct str *out)
{
	if (p->unplaced.n)
		str_add(out, "<h2>Cannot be placed</h2>\n");
	array_each(u, &p->unplaced) {
		AUTO(str_done) struct str object = STR_INIT;

		open_card(out, COLOR_BAD, "!");
		action_add_object(&u->on, &object);
		str_add(out, "<b>");
		html_add(out, object.s);
		str_addf(out, "</b> %s", reason_name(u->reason));
		close_card(out, u->message);
	}
	if (p->warnings.n)
		str_add(out, "<h2>Warnings</h2>\n");
	array_each(w, &p->warnings) {
		open_card(out, COLOR_CHANGE, "!");
		str_add(out, "<b>");
		html_add(out, w->object);
		str_add(out, "</b> ");
		html_add(out, w->reason);
		close_card(out, w->message);
	}
}

static const char legend[] =
	"<p class=legend><span><i class=high></i>High</span><span><i class=middle></i>Middle</span>"
	"<span><i class=low></i>Low</span><span><i class=comes></i>arrives</span>"
	"<span><i class=goes></i>leaves</span><span>Each core has three bars: its load while no pod "
	"overruns (mode Low), and in modes Middle and High; pale pods keep only their floor. The "
	"line is the admission limit.</span></p>\n";

static void add_map(const struct cluster *c, const struct plan *p, struct str *out)
{
	AUTO(coremap_done) struct coremap m = { 0 };
	size_t n_unchanged = 0;

	coremap_make(c, &p->settings, p, &m);
	str_addf(out, "<h2>Cores</h2>\n%s", legend);
	for (uint32_t i = 0; i < m.nodes.n; i++)
		if (m.nodes.items[i].is_changed)
			html_add_node(&m, i, out);
	for (uint32_t i = 0; i < m.nodes.n; i++)
		if (!m.nodes.items[i].is_changed && n_unchanged++ < UNCHANGED_MAX)
			html_add_node(&m, i, out);
	if (n_unchanged > UNCHANGED_MAX)
		str_addf(out, "<p>%zu more nodes do not change.</p>\n",
			 n_unchanged - UNCHANGED_MAX);
}

void plan_html(const struct cluster *c, const struct plan *p, struct str *out)
{
	add_head(p, out);
	add_totals(p, out);
	add_economy(p, out);
	add_map(c, p, out);
	add_actions(p, out);
	add_problems(p, out);
	str_addf(out, "<div id=details></div>\n<script>\n%s</script>\n</body>\n</html>\n",
		 html_script);
}
