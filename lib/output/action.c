/* SPDX-License-Identifier: Apache-2.0 */
#include "output/action.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "output/table.h"

/* Kinds that are shown in two ways have a second row, behind those of all kinds. */
enum {
	STYLE_UPDATE = ACTION_KINDS,
	STYLE_RESTORE,
	STYLE_UNASSIGN,
	STYLE_ADD_FINALIZER,
	STYLES,
};

static const struct action_style styles[STYLES + 1] = {
	[ACTION_BIND] = { "+", "bind", COLOR_GOOD },
	[ACTION_ASSIGN] = { "+", "assign", COLOR_GOOD },
	[ACTION_MOVE] = { "~", "move", COLOR_CHANGE },
	[ACTION_EVICT] = { "-", "evict", COLOR_BAD },
	[ACTION_DEGRADE] = { "~", "degrade", COLOR_CHANGE },
	[ACTION_SET_LEVEL] = { "~", "set level", COLOR_CHANGE, "level to set", "levels to set" },
	[ACTION_TAINT] = { "+", "taint", COLOR_CHANGE },
	[ACTION_UNTAINT] = { "-", "untaint", COLOR_CHANGE },
	[ACTION_STATUS] = { "~", "set status", COLOR_SPECIAL, "status to set", "statuses to set" },
	[ACTION_FINALIZER] = { "-", "remove finalizer", COLOR_SPECIAL, "finalizer to remove",
			       "finalizers to remove" },
	[ACTION_MIGRATE] = { "~", "migrate", COLOR_CHANGE },
	[ACTION_RELEASE] = { "-", "release", COLOR_SPECIAL },
	[ACTION_SCALE] = { "~", "scale", COLOR_CHANGE },
	[ACTION_ANNOTATE] = { "~", "annotate", COLOR_SPECIAL },
	[STYLE_UPDATE] = { "~", "update", COLOR_CHANGE },
	[STYLE_RESTORE] = { "~", "restore", COLOR_GOOD },
	[STYLE_UNASSIGN] = { "-", "unassign", COLOR_SPECIAL },
	[STYLE_ADD_FINALIZER] = { "+", "add finalizer", COLOR_SPECIAL, "finalizer to add",
				  "finalizers to add" },
	[STYLES] = { 0 },
};

bool action_is_update(const struct action *a)
{
	return a->reason == REASON_ADOPTED || a->reason == REASON_BUDGET_CHANGED ||
	       a->reason == REASON_ENFORCEMENT_CHANGED || a->reason == REASON_RECOVERY_CHANGED ||
	       a->reason == REASON_POLICY_CHANGED;
}

static bool is_pod(const struct target *on)
{
	return !on->kind || strcmp(on->kind, "Pod") == 0;
}

const struct action_style *action_style(const struct action *a)
{
	if (action_is_update(a))
		return &styles[STYLE_UPDATE];
	if (a->kind == ACTION_SET_LEVEL && a->reason == REASON_RELIEVED)
		return &styles[STYLE_RESTORE];
	if (a->kind == ACTION_STATUS && is_pod(&a->on))
		return &styles[STYLE_UNASSIGN];
	return &styles[a->reason == REASON_FINALIZER_ADDED ? STYLE_ADD_FINALIZER : a->kind];
}

static size_t count(const struct plan *p, const struct action_style *style)
{
	size_t n = 0;

	array_each(a, &p->actions)
		n += action_style(a) == style;
	return n;
}

static struct plan_total total(enum color_role role, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static struct plan_total total(enum color_role role, const char *fmt, ...)
{
	struct plan_total t = { .role = (uint8_t)role };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(t.text, sizeof(t.text), fmt, ap);
	va_end(ap);
	return t;
}

size_t plan_list_totals(const struct plan *p, struct plan_total ret[static PLAN_TOTALS_MAX])
{
	size_t n = 0;

	_Static_assert(STYLES + 2 <= PLAN_TOTALS_MAX, "each style may have a total");
	for (const struct action_style *row = styles; row->verb; row++) {
		size_t n_actions = count(p, row);

		if (n_actions && row->one)
			ret[n++] = total(row->role, "%zu %s", n_actions,
					 n_actions == 1 ? row->one : row->many);
		else if (n_actions)
			ret[n++] = total(row->role, "%zu to %s", n_actions, row->verb);
	}
	if (!n)
		ret[n++] = total(COLOR_NONE, "nothing %s", p->unplaced.n ? "can be done" : "to do");
	if (p->unplaced.n)
		ret[n++] = total(COLOR_BAD, "%zu cannot be placed", p->unplaced.n);
	if (p->warnings.n)
		ret[n++] = total(COLOR_CHANGE, "%zu warning%s", p->warnings.n,
				 p->warnings.n == 1 ? "" : "s");
	return n;
}

void action_add_object(const struct target *on, struct str *out)
{
	if (on->ns && *on->ns)
		str_addf(out, "%s/", on->ns);
	str_add(out, on->name);
}

void action_add_cores(const char *cores, struct str *out)
{
	str_addf(out, strpbrk(cores, ",-") ? "cores %s" : "core %s", cores);
}

void action_add_place(const struct place *place, struct str *out)
{
	if (!place->node) {
		str_addf(out, "%u", place->replicas);
		return;
	}
	str_add(out, place->node);
	if (place->cores && *place->cores) {
		str_addc(out, ' ');
		action_add_cores(place->cores, out);
	}
}

const char *action_level_words(const struct action *a)
{
	static const char *const words[LEVELS] = { "level low", "level medium", "level hi" };

	return a->kind == ACTION_DEGRADE ? "at its floor" : words[a->to.level];
}

const char *action_by_words(const struct action *a)
{
	return a->reason == REASON_PRESSURE ? "protects" : "yields to";
}

void action_add_method(const struct action *a, struct str *out)
{
	const char *separator = ": ";

	str_add(out, migration_method_name((enum migration_method)a->method));
	for (unsigned step = 0; step < MIGRATION_STEPS; step++) {
		if (!(a->steps & STAGE_BIT(step)))
			continue;
		str_addf(out, "%s%s", separator, migration_step_name(step));
		separator = ", ";
	}
	if (a->downtime_ms) {
		str_add(out, "; about ");
		text_add_us(out, (int64_t)a->downtime_ms * 1000);
		str_add(out, " without the program");
	}
}

void action_add_deletion_cost(const struct action *a, struct str *out)
{
	str_addf(out, " deletion cost %" PRId64, a->deletion_cost);
}

static void add_place(const char *word, const struct place *place, bool is_scale, struct str *out)
{
	if (!place->node && !is_scale)
		return;
	str_addf(out, " %s ", word);
	action_add_place(place, out);
}

void action_add_change(const struct action *a, struct str *out)
{
	if (a->kind == ACTION_SET_LEVEL || a->kind == ACTION_DEGRADE) {
		add_place("on", &a->to, false, out);
		str_addf(out, ", %s", action_level_words(a));
		return;
	}
	if (a->kind == ACTION_ANNOTATE)
		action_add_deletion_cost(a, out);
	add_place("from", &a->from, a->kind == ACTION_SCALE, out);
	add_place("to", &a->to, a->kind == ACTION_SCALE, out);
}

void action_add_budget(const struct place *place, struct str *out)
{
	text_add_us(out, place->runtime);
	str_add(out, " of ");
	text_add_us(out, place->period);
}

const char *action_node(const struct action *a)
{
	if (a->from.node)
		return a->from.node;
	if (a->to.node)
		return a->to.node;
	return a->on.kind && strcmp(a->on.kind, "Node") == 0 ? a->on.name : "";
}

void action_add_kind(const struct target *on, struct str *out)
{
	for (const char *s = on->kind ? on->kind : "Pod"; *s; s++)
		str_addc(out, (char)(*s >= 'A' && *s <= 'Z' ? *s - 'A' + 'a' : *s));
}
