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

enum {
	UNCHANGED_MAX = 200, /* nodes drawn that the plan does not touch */
	OPEN_NODES = 4,	     /* with more that change, all are folded */
	OPEN_ACTIONS = 40,   /* and a group with more actions */
};

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

/* Everything before the body: the policy and the style depend on that. */
static void add_head(const struct plan *p, const char *style, struct str *out)
{
	str_add(out, "<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n");
	html_add_policy(style, html_script, out);
	str_add(out, "<meta name=viewport content=\"width=device-width, initial-scale=1\">\n"
		     "<title>Plan ");
	html_add(out, p->name);
	str_addf(out, "</title>\n<style>%s</style>\n</head>\n", style);
}

static void add_title(const struct plan *p, struct str *out)
{
	char when[DATE_TEXT];

	str_add(out, "<body>\n<h1>Plan ");
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

static void add_link(const char *anchor, const char *title, size_t n, struct str *out)
{
	if (n)
		str_addf(out, "<a href=\"#%s\">%s <b>%zu</b></a>\n", anchor, title, n);
}

/* The sections, and what the script makes work. */
static void add_bar(const struct cluster *c, const struct plan *p, struct str *out)
{
	str_add(out, "<header id=bar>\n<nav>\n");
	add_link("changes", "What changes", p->actions.n, out);
	add_link("unplaced", "Cannot be placed", p->unplaced.n, out);
	add_link("warnings", "Warnings", p->warnings.n, out);
	add_link("cores", "Cores of nodes", c->nodes.n, out);
	str_add(out,
		"</nav>\n<div id=tools role=search hidden>\n"
		"<input type=search id=search placeholder=\"Search: pod, node, reason\" "
		"aria-label=Search>\n"
		"<label><input type=checkbox id=only> Only what changes</label>\n"
		"<label>Changes by <select id=sort-changes><option value=\"\">kind</option>"
		"<option value=order>order</option><option value=object>name</option>"
		"<option value=node>node</option></select></label>\n"
		"<label>Nodes by <select id=sort-nodes><option value=\"\">change</option>"
		"<option value=name>name</option><option value=load>load</option></select></label>\n"
		"<button type=button id=fold>Open or close all</button>\n"
		"<button type=button id=print>Print</button>\n"
		"<output id=count></output>\n"
		"<small id=keys><kbd>/</kbd> search <kbd>j</kbd> <kbd>k</kbd> next, previous "
		"<kbd>o</kbd> only what changes <kbd>x</kbd> open or close all <kbd>Tab</kbd> "
		"pods <kbd>Esc</kbd> everything again</small>\n"
		"</div>\n</header>\n");
}

/* As text says it. */
static void add_notes(const struct plan *p, struct str *out)
{
	static const struct style plain = { .has_utf8 = true };
	AUTO(str_done) struct str text = STR_INIT;

	plan_notes(p, &plain, &text);
	if (!text.n)
		return;
	str_cut(&text, text.n - 1); /* the last line feed */
	str_add(out, "<p class=economy>");
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

/* Opens a card with a sign in its colour; the tag of the card is the caller's. */
static void open_card(struct str *out, enum color_role role, const char *sign)
{
	str_addf(out, "><span class=\"%s\">%s</span><div>\n<p>", role_classes[role], sign);
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

/* The card's tag, with what it is sorted by. */
static void add_keys(const struct action *a, struct str *out)
{
	AUTO(str_done) struct str text = STR_INIT;

	action_add_object(&a->on, &text);
	str_addf(out, "<div class=card id=a%u data-order=%u data-object=\"", a->id, a->id);
	html_add(out, text.s);
	str_add(out, "\" data-node=\"");
	html_add(out, action_node(a));
	str_addc(out, '"');
}

/* Its name leads to its node. */
static void add_object(const struct cluster *c, const struct action *a, struct str *out)
{
	AUTO(str_done) struct str text = STR_INIT;
	node_id node = cluster_node(c, action_node(a));

	action_add_object(&a->on, &text);
	str_add(out, "<b>");
	if (node != NONE)
		str_addf(out, "<a href=\"#n%u\">", node);
	html_add(out, text.s);
	str_add(out, node == NONE ? "</b>" : "</a></b>");
}

static void add_action(const struct cluster *c, const struct action *a, struct str *out)
{
	const struct action_style *shown = action_style(a);
	AUTO(str_done) struct str text = STR_INIT;

	add_keys(a, out);
	open_card(out, shown->role, shown->sign);
	str_addf(out, "%s ", shown->verb);
	add_object(c, a, out);
	str_clear(&text);
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

static size_t count_style(const struct plan *p, const struct action_style *style)
{
	size_t n = 0;

	array_each(a, &p->actions)
		n += action_style(a) == style;
	return n;
}

static void add_group(const struct cluster *c, const struct plan *p,
		      const struct action_style *style, struct str *out)
{
	size_t n = count_style(p, style);

	str_addf(
		out,
		"<details class=group%s><summary><span class=\"%s\">%s</span> %s <b>%zu</b></summary>\n",
		n > OPEN_ACTIONS ? "" : " open", role_classes[style->role], style->sign,
		style->verb, n);
	array_each(a, &p->actions)
		if (action_style(a) == style)
			add_action(c, a, out);
	str_add(out, "</details>\n");
}

/* Adds a style to a list, unless it is there; false: it is. */
static bool add_style(const struct action_style **list, size_t *n, const struct action_style *style)
{
	for (size_t i = 0; i < *n; i++)
		if (list[i] == style)
			return false;
	list[(*n)++] = style;
	return true;
}

/* By kind; what takes something away comes first. */
static void add_actions(const struct cluster *c, const struct plan *p, struct str *out)
{
	static const enum color_role order[] = { COLOR_BAD, COLOR_CHANGE, COLOR_GOOD,
						 COLOR_SPECIAL };
	const struct action_style *shown[PLAN_TOTALS_MAX];
	size_t n = 0;

	str_add(out, "<section id=changes>\n");
	if (p->actions.n)
		str_add(out, "<h2>What changes</h2>\n<div id=flat></div>\n");
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		array_each(a, &p->actions)
			if (action_style(a)->role == order[i] &&
			    add_style(shown, &n, action_style(a)))
				add_group(c, p, action_style(a), out);
	str_add(out, "</section>\n");
}

static void add_problems(const struct plan *p, struct str *out)
{
	str_add(out, "<section class=problems>\n");
	if (p->unplaced.n)
		str_add(out, "<h2 id=unplaced>Cannot be placed</h2>\n");
	array_each(u, &p->unplaced) {
		AUTO(str_done) struct str object = STR_INIT;

		str_add(out, "<div class=card");
		open_card(out, COLOR_BAD, "!");
		action_add_object(&u->on, &object);
		str_add(out, "<b>");
		html_add(out, object.s);
		str_addf(out, "</b> %s", reason_name(u->reason));
		close_card(out, u->message);
	}
	if (p->warnings.n)
		str_add(out, "<h2 id=warnings>Warnings</h2>\n");
	array_each(w, &p->warnings) {
		str_add(out, "<div class=card");
		open_card(out, COLOR_CHANGE, "!");
		str_add(out, "<b>");
		html_add(out, w->object);
		str_add(out, "</b> ");
		html_add(out, w->reason);
		close_card(out, w->message);
	}
	str_add(out, "</section>\n");
}

static const char legend[] =
	"<p class=legend><span><i class=high></i>High</span><span><i class=middle></i>Middle</span>"
	"<span><i class=low></i>Low</span><span><i class=comes></i>arrives</span>"
	"<span><i class=goes></i>leaves</span><span>Each core has three bars: its load while no pod "
	"overruns (mode Low), and in modes Middle and High; pale pods keep only their floor. The "
	"line is the admission limit.</span></p>\n";

static void add_nodes(const struct coremap *m, struct html_lengths *lengths, struct str *out)
{
	size_t n_changed = 0, n_unchanged = 0;

	array_each(node, &m->nodes)
		n_changed += node->is_changed;
	for (uint32_t i = 0; i < m->nodes.n; i++)
		if (m->nodes.items[i].is_changed)
			html_add_node(m, i, n_changed <= OPEN_NODES, lengths, out);
	for (uint32_t i = 0; i < m->nodes.n; i++)
		if (!m->nodes.items[i].is_changed && n_unchanged++ < UNCHANGED_MAX)
			html_add_node(m, i, false, lengths, out);
	str_add(out, "</div>\n");
	if (n_unchanged > UNCHANGED_MAX)
		str_addf(out, "<p>%zu more nodes do not change.</p>\n",
			 n_unchanged - UNCHANGED_MAX);
}

static void add_map(const struct cluster *c, const struct plan *p, struct html_lengths *lengths,
		    struct str *out)
{
	AUTO(coremap_done) struct coremap m = { 0 };

	coremap_make(c, &p->settings, p, &m);
	str_addf(out, "<h2 id=cores>Cores</h2>\n%s<div id=nodes>\n", legend);
	add_nodes(&m, lengths, out);
}

void plan_html(const struct cluster *c, const struct plan *p, struct str *out)
{
	AUTO(html_lengths_done) struct html_lengths lengths = { 0 };
	AUTO(str_done) struct str body = STR_INIT, style = STR_INIT;

	add_title(p, &body);
	add_totals(p, &body);
	add_notes(p, &body);
	add_bar(c, p, &body);
	add_actions(c, p, &body);
	add_problems(p, &body);
	add_map(c, p, &lengths, &body);
	str_addf(&style, "\n%s", html_style);
	html_add_rules(&lengths, &style);
	add_head(p, style.s, out);
	str_addn(out, body.s, body.n);
	str_addf(out, "<div id=details></div>\n<script>%s</script>\n</body>\n</html>\n",
		 html_script);
}
