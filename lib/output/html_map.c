/* SPDX-License-Identifier: Apache-2.0 */
#include "output/html_map.h"

#include <stdio.h>

#include "base/auto.h"
#include "output/html.h"
#include "output/table.h"

/* The two states that a map shows. */
enum when { BEFORE, AFTER };

static bool is_there(const struct seat *s, enum when when)
{
	return when == AFTER ? s->is : s->was;
}

/* "35.0000", for a CSS percentage. */
static void add_percent(uint32_t ppm, struct str *out)
{
	str_addf(out, "%u.%04u", ppm / 10000, ppm % 10000);
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

static void add_segment(const struct coremap *m, const struct seat *s, enum when when,
			enum level mode, struct str *out)
{
	static const char *const ranks[] = { "low", "middle", "high" };
	const struct map_pod *pod = &m->pods.items[s->pod];
	const struct map_budget *b = when == AFTER ? &pod->after : &pod->before;
	bool is_cut = b->budget.criticality < mode;

	str_addf(out,
		 "<i class=\"%s%s%s\" data-pod=\"%u\" style=\"width:", ranks[b->budget.criticality],
		 seat_class(s, when), is_cut ? " cut" : "", s->pod);
	add_percent(b->load[mode], out);
	str_add(out, "%\" title=\"");
	add_details(pod, b, out);
	str_add(out, "\">");
	if (mode == LEVEL_LOW)
		html_add(out, pod->name);
	str_add(out, "</i>");
}

static void add_bar(const struct coremap *m, const struct map_core *core, enum when when,
		    enum level mode, struct str *out)
{
	const struct map_node *node = &m->nodes.items[core->node];
	const uint32_t *loads = when == AFTER ? core->after : core->before;
	bool is_over = !node->is_one_budget && loads[mode] > node->cap[mode];

	str_addf(out, "<div class=\"bar m%d%s\">", mode, is_over ? " over" : "");
	for (uint32_t i = 0; i < core->seats.n; i++) {
		const struct seat *s = &m->seats.items[core->seats.at + i];

		if (is_there(s, when))
			add_segment(m, s, when, mode, out);
	}
	str_add(out, "<b style=\"left:");
	add_percent(node->cap[mode], out);
	str_addf(out, "%%\" title=\"mode %s: at most ", criticality_name(mode));
	text_add_ratio(out, node->cap[mode]);
	str_add(out, "\"></b><s>");
	text_add_ratio(out, loads[mode]);
	str_add(out, "</s></div>");
}

static void add_core(const struct coremap *m, const struct map_core *core, enum when when,
		     struct str *out)
{
	str_addf(out, "<div class=core><span class=cpu>%u</span><div class=bars>", core->cpu);
	for (int mode = 0; mode < LEVELS; mode++)
		add_bar(m, core, when, (enum level)mode, out);
	str_add(out, "</div></div>\n");
}

static void add_state(const struct coremap *m, const struct map_node *node, enum when when,
		      struct str *out)
{
	const uint32_t *loads = when == AFTER ? node->after : node->before;

	str_addf(out, "<div class=state><h4>%s</h4>\n", when == AFTER ? "After" : "Before");
	for (uint32_t i = 0; i < node->cores.n; i++)
		add_core(m, &m->cores.items[node->cores.at + i], when, out);
	if (node->is_one_budget) {
		str_add(out, "<p class=sum>Node-wide:");
		for (int mode = 0; mode < LEVELS; mode++) {
			str_addf(out, "%s %s ", mode ? "," : "",
				 criticality_name((enum level)mode));
			text_add_ratio(out, loads[mode]);
			str_add(out, " of ");
			text_add_ratio(out, node->cap[mode]);
		}
		str_add(out, "</p>\n");
	}
	str_add(out, "</div>\n");
}

void html_add_node(const struct coremap *m, uint32_t index, struct str *out)
{
	const struct map_node *node = &m->nodes.items[index];

	str_addf(out, "<details class=node%s><summary><b>", node->is_changed ? " open" : "");
	html_add(out, node->name);
	str_addf(out, "</b> <small>%u RT cores%s%s%s</small></summary>\n<div class=states>\n",
		 node->cores.n, node->is_assumed ? ", capacity assumed" : "",
		 node->is_unschedulable ? ", unschedulable" : "",
		 node->is_changed ? "" : ", no change");
	if (node->is_changed)
		add_state(m, node, BEFORE, out);
	add_state(m, node, AFTER, out);
	str_add(out, "</div></details>\n");
}
