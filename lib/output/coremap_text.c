/* SPDX-License-Identifier: Apache-2.0 */
#include "output/coremap.h"

#include <string.h>

#include "base/auto.h"
#include "output/table.h"

enum {
	BAR = 20,	  /* columns that stand for one CPU */
	PODS_COLUMN = 51, /* where the pods of a core begin */
};

static const uint8_t rank_roles[LEVELS] = {
	[LEVEL_LOW] = COLOR_GOOD,
	[LEVEL_MIDDLE] = COLOR_CHANGE,
	[LEVEL_HIGH] = COLOR_BAD,
};

static const char *block(const struct style *style, int rank)
{
	static const char *const fine[LEVELS] = { "▒", "▓", "█" };
	static const char *const plain[LEVELS] = { "-", "=", "#" };

	return style->has_utf8 ? fine[rank] : plain[rank];
}

/* Columns for a load, so that the end of a stack of loads is rounded, not each of them. */
static unsigned columns_to(uint32_t sum)
{
	return (unsigned)(((uint64_t)sum * BAR + PPM / 2) / PPM);
}

/* Draws a block `n` times, in one colour. */
static void add_blocks(const struct style *style, struct str *out, enum color_role role,
		       const char *text, unsigned n)
{
	AUTO(str_done) struct str run = STR_INIT;

	while (n--)
		str_add(&run, text);
	style_add(style, out, role, "%s", run.s);
}

static void add_bar(const struct coremap *m, const struct map_core *core, uint32_t cap,
		    const struct style *style, struct str *out)
{
	unsigned at = 0, limit = columns_to(cap);
	uint32_t sum = 0;

	for (uint32_t i = 0; i < core->seats.n; i++) {
		const struct seat *s = &m->seats.items[core->seats.at + i];
		const struct map_pod *pod = &m->pods.items[s->pod];
		int rank = pod->after.budget.criticality;

		if (!s->is)
			continue;
		sum += pod->after.load[LEVEL_LOW];
		unsigned end = columns_to(sum) < BAR ? columns_to(sum) : BAR;
		add_blocks(style, out, rank_roles[rank], block(style, rank), end - at);
		at = end;
	}
	if (at < limit)
		add_blocks(style, out, COLOR_DIM, style->has_utf8 ? "░" : ".", limit - at);
	at = at < limit ? limit : at;
	add_blocks(style, out, COLOR_NONE, " ", BAR - at);
}

/* "default/brake High 0.250", with "at hi" or "at floor" if it is not at level low; returns
 * its width.
 */
static unsigned add_pod(const struct map_pod *pod, const struct style *style, struct str *out)
{
	AUTO(str_done) struct str name = STR_INIT;
	AUTO(str_done) struct str facts = STR_INIT;

	str_addf(&name, "%s/%s", pod->ns, pod->name);
	str_addf(&facts, " %s ", criticality_name(pod->after.budget.criticality));
	text_add_ratio(&facts, pod->after.load[LEVEL_LOW]);
	if (pod->requested) {
		str_add(&facts, " (requests ");
		text_add_ratio(&facts, pod->requested);
		str_addc(&facts, ')');
	}
	if (strcmp(pod->level_name, level_name(LEVEL_LOW)) != 0)
		str_addf(&facts, strcmp(pod->level_name, "unknown") == 0 ? " level %s" : " at %s",
			 pod->level_name);
	style_add(style, out, rank_roles[pod->after.budget.criticality], "%s", name.s);
	style_add(style, out, COLOR_DIM, "%s", facts.s);
	return text_width(name.s) + text_width(facts.s);
}

/* The pods of a core side by side, in further lines where the terminal is narrow. */
static void add_pods(const struct coremap *m, const struct map_core *core, const char *ns,
		     const struct style *style, struct str *out)
{
	unsigned column = PODS_COLUMN, n_others = 0;
	bool is_first = true;

	for (uint32_t i = 0; i < core->seats.n; i++) {
		const struct seat *s = &m->seats.items[core->seats.at + i];
		AUTO(str_done) struct str pod = STR_INIT;

		if (!s->is)
			continue;
		if (ns && strcmp(ns, m->pods.items[s->pod].ns) != 0) {
			n_others++;
			continue;
		}
		unsigned width = add_pod(&m->pods.items[s->pod], style, &pod);
		if (!is_first && style->width && column + 2 + width > style->width) {
			str_addf(out, ",\n%*s", PODS_COLUMN, "");
			column = PODS_COLUMN;
		} else if (!is_first) {
			str_add(out, ", ");
			column += 2;
		}
		str_add(out, pod.s);
		column += width;
		is_first = false;
	}
	if (n_others)
		style_add(style, out, COLOR_DIM, "%s%u of other namespaces", is_first ? "" : ", ",
			  n_others);
	else if (is_first)
		style_add(style, out, COLOR_DIM, "-");
}

static void add_loads(const uint32_t *loads, const uint32_t *caps, const struct style *style,
		      struct str *out)
{
	for (int mode = 0; mode < LEVELS; mode++) {
		AUTO(str_done) struct str text = STR_INIT;
		enum color_role role = loads[mode] > caps[mode] ? COLOR_BAD
				       : loads[mode]		? COLOR_NONE
								: COLOR_DIM;

		text_add_ratio(&text, loads[mode]);
		str_add(out, "  ");
		style_add(style, out, role, "%s", text.s);
	}
}

static void add_heading(const struct map_node *node, const struct style *style, struct str *out)
{
	AUTO(str_done) struct str facts = STR_INIT;

	str_addf(&facts, "%u RT core%s, limit ", node->cores.n, node->cores.n == 1 ? "" : "s");
	text_add_ratio(&facts, node->cap[LEVEL_LOW]);
	str_add(&facts, node->is_one_budget ? " node-wide, " : " each, ");
	text_add_ratio(&facts, node->cap[LEVEL_HIGH]);
	str_add(&facts, " when overrunning");
	if (node->is_assumed)
		str_add(&facts, " (assumed)");
	if (*node->backend)
		str_addf(&facts, ", %s", node->backend);
	if (node->retained) {
		str_add(&facts, ", ");
		text_add_ratio(&facts, node->retained);
		str_add(&facts, " retained by containers that are no longer assigned");
	}
	if (node->missed_us) {
		str_add(&facts, ", pods miss ");
		text_add_us(&facts, (int32_t)node->missed_us);
		str_add(&facts, " of every second");
	}
	if (node->is_silent)
		str_add(&facts, ", no heartbeat from its helper");
	if (node->is_unschedulable)
		str_add(&facts, ", unschedulable");
	style_add(style, out, COLOR_BOLD, "%s", node->name);
	style_add(style, out, COLOR_DIM, "  %s", facts.s);
	str_addc(out, '\n');
}

void coremap_text(const struct coremap *m, uint32_t node_index, const char *ns,
		  const struct style *style, struct str *out)
{
	const struct map_node *node = &m->nodes.items[node_index];

	add_heading(node, style, out);
	style_add(style, out, COLOR_DIM, "  core  %-*s  low    middle high   pods", BAR, "load");
	str_addc(out, '\n');
	for (uint32_t i = 0; i < node->cores.n; i++) {
		const struct map_core *core = &m->cores.items[node->cores.at + i];

		str_addf(out, "  %4u  ", core->cpu);
		add_bar(m, core, node->cap[LEVEL_LOW], style, out);
		add_loads(core->after, node->cap, style, out);
		str_add(out, "  ");
		add_pods(m, core, ns, style, out);
		str_addc(out, '\n');
	}
	if (node->is_one_budget) {
		str_addf(out, "  %-*s", BAR + 6, "node-wide");
		add_loads(node->after, node->cap, style, out);
		str_addc(out, '\n');
	}
}
