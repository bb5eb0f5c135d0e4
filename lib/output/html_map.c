/* SPDX-License-Identifier: Apache-2.0 */
#include "output/html_map.h"

#include <stdio.h>

#include "base/auto.h"
#include "base/units.h"
#include "output/html.h"
#include "output/table.h"

/* The two states that a map shows. */
enum when { BEFORE, AFTER };

/* What a part of the map is made from. */
struct drawing {
	const struct coremap *m;
	enum when when;
	struct html_lengths *lengths;
	struct str *out;
};

static bool is_there(const struct seat *s, enum when when)
{
	return when == AFTER ? s->is : s->was;
}

static const char *seat_class(const struct seat *s, enum when when)
{
	if (s->was && s->is)
		return "";
	return when == AFTER ? " comes" : " goes";
}

/* Shown when the pointer is on the pod. */
static void add_details(const struct map_pod *pod, const struct map_budget *b, struct str *out)
{
	AUTO(str_done) struct str text = STR_INIT;

	str_addf(&text, "%s/%s: %s, ", pod->ns, pod->name, criticality_name(b->budget.criticality));
	text_add_us(&text, budget_runtime(&b->budget, LEVEL_LOW));
	if (b->budget.criticality != LEVEL_LOW) {
		str_add(&text, " to ");
		text_add_us(&text, budget_runtime(&b->budget, LEVEL_HIGH));
	}
	str_add(&text, " of ");
	text_add_us(&text, b->budget.period);
	str_add(&text, "; load ");
	for (int mode = 0; mode < LEVELS; mode++) {
		str_add(&text, mode ? ", " : "");
		text_add_ratio(&text, b->load[mode]);
		str_addf(&text, " in mode %s", criticality_name((enum level)mode));
	}
	html_add(out, text.s);
}

/* The bar of mode Low, which is the highest, has the pod's name and details; the others point to
 * it. */
static void add_segment(const struct drawing *d, const struct seat *s, enum level mode)
{
	static const char *const ranks[] = { "low", "middle", "high" };
	const struct map_pod *pod = &d->m->pods.items[s->pod];
	const struct map_budget *b = d->when == AFTER ? &pod->after : &pod->before;
	bool is_cut = b->budget.criticality < mode;

	str_addf(d->out, "<i class=\"%s%s%s ", ranks[b->budget.criticality], seat_class(s, d->when),
		 is_cut ? " cut" : "");
	html_add_width(d->lengths, b->load[mode], d->out);
	str_addf(d->out, "\" data-pod=%u", s->pod);
	if (mode == LEVEL_LOW) {
		str_add(d->out, " title=\"");
		add_details(pod, b, d->out);
		str_add(d->out, "\">");
		html_add(d->out, pod->name);
	} else {
		str_addc(d->out, '>');
	}
	str_add(d->out, "</i>");
}

static void add_bar(const struct drawing *d, const struct map_core *core, enum level mode)
{
	const struct map_node *node = &d->m->nodes.items[core->node];
	const uint32_t *loads = d->when == AFTER ? core->after : core->before;
	bool is_over = !node->is_one_budget && loads[mode] > node->cap[mode];

	str_addf(d->out, "<div class=\"bar m%d%s\">", mode, is_over ? " over" : "");
	for (uint32_t i = 0; i < core->seats.n; i++) {
		const struct seat *s = &d->m->seats.items[core->seats.at + i];

		if (is_there(s, d->when))
			add_segment(d, s, mode);
	}
	str_add(d->out, "<b class=");
	html_add_left(d->lengths, node->cap[mode], d->out);
	str_addf(d->out, " title=\"mode %s: at most ", criticality_name(mode));
	text_add_ratio(d->out, node->cap[mode]);
	str_add(d->out, "\"></b><s>");
	text_add_ratio(d->out, loads[mode]);
	str_add(d->out, "</s></div>");
}

static bool core_changes(const struct coremap *m, const struct map_core *core)
{
	for (uint32_t i = 0; i < core->seats.n; i++)
		if (coremap_seat_changes(m, &m->seats.items[core->seats.at + i]))
			return true;
	return false;
}

static void add_core(const struct drawing *d, const struct map_core *core)
{
	str_addf(d->out, "<div class=\"core%s\"><span class=cpu>%u</span><div class=bars>",
		 core_changes(d->m, core) ? "" : " same", core->cpu);
	for (int mode = 0; mode < LEVELS; mode++)
		add_bar(d, core, (enum level)mode);
	str_add(d->out, "</div></div>\n");
}

static void add_state(const struct drawing *d, const struct map_node *node, const char *title)
{
	const uint32_t *loads = d->when == AFTER ? node->after : node->before;

	str_addf(d->out, "<div class=state><h4>%s</h4>\n", title);
	for (uint32_t i = 0; i < node->cores.n; i++)
		add_core(d, &d->m->cores.items[node->cores.at + i]);
	if (node->is_one_budget) {
		str_add(d->out, "<p class=sum>Node-wide:");
		for (int mode = 0; mode < LEVELS; mode++) {
			str_addf(d->out, "%s %s ", mode ? "," : "",
				 criticality_name((enum level)mode));
			text_add_ratio(d->out, loads[mode]);
			str_add(d->out, " of ");
			text_add_ratio(d->out, node->cap[mode]);
		}
		str_add(d->out, "</p>\n");
	}
	str_add(d->out, "</div>\n");
}

static uint64_t greater(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* How full it is after the plan, at its fullest core and in the mode where it is the fullest: parts
 * per million of what may be admitted. */
static uint64_t fullness(const struct coremap *m, const struct map_node *node)
{
	uint64_t most = 0;

	for (int mode = 0; mode < LEVELS; mode++) {
		uint64_t load = node->is_one_budget ? node->after[mode] : 0;

		for (uint32_t i = 0; !node->is_one_budget && i < node->cores.n; i++)
			load = greater(load, m->cores.items[node->cores.at + i].after[mode]);
		if (node->cap[mode])
			most = greater(most, load * PPM / node->cap[mode]);
	}
	return most;
}

static bool had_pods(const struct coremap *m, const struct map_node *node)
{
	for (uint32_t i = node->cores.at; i < node->cores.at + node->cores.n; i++) {
		const struct map_core *core = &m->cores.items[i];

		for (uint32_t k = core->seats.at; k < core->seats.at + core->seats.n; k++)
			if (m->seats.items[k].was)
				return true;
	}
	return false;
}

void html_add_node(const struct coremap *m, uint32_t index, bool is_open,
		   struct html_lengths *lengths, struct str *out)
{
	const struct map_node *node = &m->nodes.items[index];
	uint64_t percent = fullness(m, node) / PPM_PER_CENT;
	struct drawing before = { m, BEFORE, lengths, out }, after = { m, AFTER, lengths, out };
	bool shows_before = node->is_changed && had_pods(m, node);

	str_addf(out, "<details class=\"node%s\" id=n%u data-load=%llu data-name=\"",
		 node->is_changed ? " changed" : "", index, (unsigned long long)fullness(m, node));
	html_add(out, node->name);
	str_addf(out, "\"%s><summary><b>", is_open ? " open" : "");
	html_add(out, node->name);
	str_addf(
		out,
		"</b> <small>%u RT cores, %llu %% full%s%s%s</small></summary>\n<div class=states>\n",
		node->cores.n, (unsigned long long)percent,
		node->is_assumed ? ", capacity assumed" : "",
		node->is_unschedulable ? ", unschedulable" : "",
		node->is_changed ? ", changes" : ", no change");
	if (shows_before)
		add_state(&before, node, "Before");
	add_state(&after, node,
		  shows_before || !node->is_changed ? "After" : "After; without pods before");
	str_add(out, "</div></details>\n");
}
