/* SPDX-License-Identifier: Apache-2.0 */
#include "output/action.h"

#include <string.h>

#include "output/table.h"

/* Kinds that are shown in two ways have a second row, behind those of all kinds. */
enum { LOOK_RENEW = ACTION_KINDS, LOOK_RESTORE, LOOK_GUARD, LOOKS };

static const struct action_look looks[LOOKS + 1] = {
	[ACTION_BIND] = { "+", "bind", HUE_GOOD },
	[ACTION_ASSIGN] = { "+", "assign", HUE_GOOD },
	[ACTION_MOVE] = { "~", "move", HUE_CHANGE },
	[ACTION_EVICT] = { "-", "evict", HUE_BAD },
	[ACTION_DEGRADE] = { "~", "degrade", HUE_CHANGE },
	[ACTION_SET_LEVEL] = { "~", "relevel", HUE_CHANGE },
	[ACTION_MIGRATE] = { "~", "migrate", HUE_CHANGE },
	[ACTION_RESIZE] = { "~", "resize", HUE_CHANGE },
	[ACTION_SCALE] = { "~", "scale", HUE_CHANGE },
	[ACTION_TAINT] = { "+", "taint", HUE_CHANGE },
	[ACTION_UNTAINT] = { "-", "untaint", HUE_CHANGE },
	[ACTION_STATUS] = { "~", "update", HUE_SPECIAL },
	[ACTION_FINALIZER] = { "-", "release", HUE_SPECIAL },
	[LOOK_RENEW] = { "~", "renew", HUE_CHANGE },
	[LOOK_RESTORE] = { "~", "restore", HUE_GOOD },
	[LOOK_GUARD] = { "+", "guard", HUE_SPECIAL },
	[LOOKS] = { 0 },
};

bool action_renews(const struct action *a)
{
	return a->reason == REASON_ADOPTED || a->reason == REASON_BUDGET_CHANGED ||
	       a->reason == REASON_ENFORCEMENT_CHANGED || a->reason == REASON_RECOVERY_CHANGED;
}

const struct action_look *action_look(const struct action *a)
{
	if (action_renews(a))
		return &looks[LOOK_RENEW];
	if (a->kind == ACTION_SET_LEVEL && a->reason == REASON_RELIEVED)
		return &looks[LOOK_RESTORE];
	return &looks[a->reason == REASON_GUARDED ? LOOK_GUARD : a->kind];
}

const struct action_look *action_looks(void)
{
	return looks;
}

size_t action_count(const struct plan *p, const struct action_look *look)
{
	size_t n = 0;

	array_each(a, &p->actions)
		n += action_look(a) == look;
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
