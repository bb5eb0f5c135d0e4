/* SPDX-License-Identifier: Apache-2.0 */
#include "output/action.h"

#include <string.h>

#include "output/table.h"

/* Kinds that are shown in two ways have a second row, behind those of all kinds. */
enum { STYLE_UPDATE = ACTION_KINDS, STYLE_RESTORE, STYLE_FINALIZER, STYLES };

static const struct action_style looks[STYLES + 1] = {
	[ACTION_BIND] = { "+", "bind", COLOR_GOOD },
	[ACTION_ASSIGN] = { "+", "assign", COLOR_GOOD },
	[ACTION_MOVE] = { "~", "move", COLOR_CHANGE },
	[ACTION_EVICT] = { "-", "evict", COLOR_BAD },
	[ACTION_DEGRADE] = { "~", "degrade", COLOR_CHANGE },
	[ACTION_SET_LEVEL] = { "~", "relevel", COLOR_CHANGE },
	[ACTION_TAINT] = { "+", "taint", COLOR_CHANGE },
	[ACTION_UNTAINT] = { "-", "untaint", COLOR_CHANGE },
	[ACTION_STATUS] = { "~", "update", COLOR_SPECIAL },
	[ACTION_FINALIZER] = { "-", "release", COLOR_SPECIAL },
	[STYLE_UPDATE] = { "~", "renew", COLOR_CHANGE },
	[STYLE_RESTORE] = { "~", "restore", COLOR_GOOD },
	[STYLE_FINALIZER] = { "+", "guard", COLOR_SPECIAL },
	[STYLES] = { 0 },
};

bool action_is_update(const struct action *a)
{
	return a->reason == REASON_ADOPTED || a->reason == REASON_BUDGET_CHANGED ||
	       a->reason == REASON_ENFORCEMENT_CHANGED || a->reason == REASON_RECOVERY_CHANGED;
}

const struct action_style *action_style(const struct action *a)
{
	if (action_is_update(a))
		return &looks[STYLE_UPDATE];
	if (a->kind == ACTION_SET_LEVEL && a->reason == REASON_RELIEVED)
		return &looks[STYLE_RESTORE];
	return &looks[a->reason == REASON_FINALIZER_ADDED ? STYLE_FINALIZER : a->kind];
}

const struct action_style *action_styles(void)
{
	return looks;
}

size_t action_count(const struct plan *p, const struct action_style *style)
{
	size_t n = 0;

	array_each(a, &p->actions)
		n += action_style(a) == style;
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
