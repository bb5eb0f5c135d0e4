/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/file/diff.h"

#include <string.h>

#include "base/auto.h"
#include "base/str.h"

/* An entry of a plan, and its key. */
struct item {
	enum diff_part part;
	const char *subject;
	size_t index; /* the order among equals */
	const void *what;
};

struct items {
	struct item *items;
	size_t n, cap;
};

/* What is compared of an action besides its kind and target */

static void add_place(struct str *b, const struct place *p)
{
	if (p->replicas) {
		str_addf(b, "%u", p->replicas);
		return;
	}
	if (!p->node || !*p->node) {
		str_add(b, "none");
		return;
	}
	str_addf(b, "%s:%s", p->node, p->cores ? p->cores : "");
	if (p->has_level || p->enforcement != ENFORCE_NONE)
		str_addf(b, " %s", level_name(p->level));
	if (p->enforcement != ENFORCE_NONE)
		str_addf(b, " %d/%d %s", p->runtime, p->period, enforcement_name(p->enforcement));
}

static void add_reason(struct str *b, const struct action *a)
{
	str_add(b, reason_name(a->reason));
}

static void add_from(struct str *b, const struct action *a)
{
	add_place(b, &a->from);
}

static void add_to(struct str *b, const struct action *a)
{
	add_place(b, &a->to);
}

static void add_replacement(struct str *b, const struct action *a)
{
	add_place(b, &a->replacement);
}

static void add_by(struct str *b, const struct action *a)
{
	if (a->by.name)
		str_addf(b, "%s/%s", a->by.ns, a->by.name);
	else
		str_add(b, "none");
}

static void add_budget(struct str *b, const struct action *a)
{
	const struct budget *u = &a->budget;

	str_addf(b, "%s %d/%d/%d/%d", criticality_name(u->criticality), u->floor, u->low,
		 u->medium ? u->medium : u->hi, u->hi);
}

static void add_source(struct str *b, const struct action *a)
{
	str_add(b, a->source ? a->source : "");
}

static void add_recovery(struct str *b, const struct action *a)
{
	str_add(b, a->recovery ? a->recovery : "");
}

static void add_class(struct str *b, const struct action *a)
{
	str_addf(b, "%s %s", a->policy ? a->policy : "", a->priority ? a->priority : "");
}

static const struct {
	const char *name;
	void (*add)(struct str *b, const struct action *a);
} compared[] = {
	{ "reason", add_reason }, { "from", add_from },
	{ "to", add_to },	  { "replacement", add_replacement },
	{ "by", add_by },	  { "budget", add_budget },
	{ "source", add_source }, { "recovery", add_recovery },
	{ "policy", add_class },
};

static void add_separator(struct str *b)
{
	if (b->n)
		str_add(b, ", ");
}

static void compare_messages(const char *before, const char *after, struct str *b)
{
	if (strcmp(before, after) == 0)
		return;
	add_separator(b);
	str_add(b, "message");
}

static void compare_actions(const struct action *before, const struct action *after, struct str *b)
{
	AUTO(str_done) struct str old = STR_INIT;
	AUTO(str_done) struct str new = STR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(compared); i++) {
		str_clear(&old);
		str_clear(&new);
		compared[i].add(&old, before);
		compared[i].add(&new, after);
		if (strcmp(old.s, new.s) == 0)
			continue;
		add_separator(b);
		str_addf(b, "%s %s -> %s", compared[i].name, old.s, new.s);
	}
	compare_messages(before->message, after->message, b);
}

static void compare_unplaced(const struct unplaced *before, const struct unplaced *after,
			     struct str *b)
{
	if (before->reason != after->reason)
		str_addf(b, "reason %s -> %s", reason_name(before->reason),
			 reason_name(after->reason));
	compare_messages(before->message, after->message, b);
}

/* Empty when they are the same. */
static void compare(const struct item *before, const struct item *after, struct str *b)
{
	switch (before->part) {
	case DIFF_ACTION:
		compare_actions(before->what, after->what, b);
		break;
	case DIFF_UNPLACED:
		compare_unplaced(before->what, after->what, b);
		break;
	case DIFF_WARNING:
		compare_messages(((const struct warning *)before->what)->message,
				 ((const struct warning *)after->what)->message, b);
		break;
	}
}

static const char *message_of(const struct item *it)
{
	switch (it->part) {
	case DIFF_ACTION:
		return ((const struct action *)it->what)->message;
	case DIFF_UNPLACED:
		return ((const struct unplaced *)it->what)->message;
	default:
		return ((const struct warning *)it->what)->message;
	}
}

/* Both sides in one order, then side by side */

static int by_subject(const void *left, const void *right)
{
	const struct item *a = left, *b = right;

	if (a->part != b->part)
		return a->part < b->part ? -1 : 1;

	int c = strcmp(a->subject, b->subject);
	if (c)
		return c;
	return a->index < b->index ? -1 : a->index > b->index;
}

static void add_item(struct items *items, enum diff_part part, const void *what,
		     const struct str *subject, struct arena *arena)
{
	*array_add(items) = (struct item){
		.part = part,
		.subject = arena_strndup(arena, subject->s, subject->n),
		.index = items->n,
		.what = what,
	};
}

static void list_items(const struct plan *p, struct items *ret, struct arena *arena)
{
	AUTO(str_done) struct str s = STR_INIT;

	array_each(a, &p->actions) {
		str_clear(&s);
		str_addf(&s, "%s %s %s%s%s", action_kind_name(a->kind), a->on.kind, a->on.ns,
			 *a->on.ns ? "/" : "", a->on.name);
		add_item(ret, DIFF_ACTION, a, &s, arena);
	}
	array_each(u, &p->unplaced) {
		str_clear(&s);
		str_addf(&s, "%s %s/%s", u->on.kind, u->on.ns, u->on.name);
		add_item(ret, DIFF_UNPLACED, u, &s, arena);
	}
	array_each(w, &p->warnings) {
		str_clear(&s);
		str_addf(&s, "%s %s", w->reason, w->object);
		add_item(ret, DIFF_WARNING, w, &s, arena);
	}
	if (ret->n)
		qsort(ret->items, ret->n, sizeof(*ret->items), by_subject);
}

static void add_single(struct plan_diff *d, enum diff_change change, const struct item *it)
{
	*array_add(&d->entries) = (struct diff_entry){
		.change = change,
		.part = it->part,
		.before = change == DIFF_REMOVED ? it->what : NULL,
		.after = change == DIFF_ADDED ? it->what : NULL,
		.subject = it->subject,
		.detail = message_of(it),
	};
}

static void add_pair(struct plan_diff *d, const struct item *before, const struct item *after)
{
	AUTO(str_done) struct str detail = STR_INIT;

	compare(before, after, &detail);
	if (!detail.n)
		return;
	*array_add(&d->entries) = (struct diff_entry){
		.change = DIFF_CHANGED,
		.part = before->part,
		.before = before->what,
		.after = after->what,
		.subject = before->subject,
		.detail = arena_strndup(&d->arena, detail.s, detail.n),
	};
}

/* Which of the two comes first; 0: they are the same thing. */
static int order(const struct items *a, size_t i, const struct items *b, size_t k)
{
	if (i == a->n || k == b->n)
		return i == a->n ? 1 : -1;
	if (a->items[i].part != b->items[k].part)
		return a->items[i].part < b->items[k].part ? -1 : 1;
	return strcmp(a->items[i].subject, b->items[k].subject);
}

void plan_diff_make(const struct plan *before, const struct plan *after, struct plan_diff *ret)
{
	struct items old = { 0 }, new = { 0 };
	struct plan_diff d = { 0 };

	list_items(before, &old, &d.arena);
	list_items(after, &new, &d.arena);
	for (size_t i = 0, k = 0; i < old.n || k < new.n;) {
		int c = order(&old, i, &new, k);

		if (c < 0)
			add_single(&d, DIFF_REMOVED, &old.items[i++]);
		else if (c > 0)
			add_single(&d, DIFF_ADDED, &new.items[k++]);
		else
			add_pair(&d, &old.items[i++], &new.items[k++]);
	}
	array_done(&old);
	array_done(&new);
	*ret = d;
}

void plan_diff_done(struct plan_diff *d)
{
	array_done(&d->entries);
	arena_done(&d->arena);
	*d = (struct plan_diff){ 0 };
}
