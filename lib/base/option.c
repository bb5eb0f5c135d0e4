/* SPDX-License-Identifier: Apache-2.0 */
#include "base/option.h"

#include <string.h>

#include "base/auto.h"
#include "base/nearest.h"

static const struct option *find(const struct option_set *sets, const char *name, size_t n)
{
	for (const struct option_set *set = sets; set->options; set++)
		for (const struct option *o = set->options; o->name; o++)
			if (strlen(o->name) == n && memcmp(o->name, name, n) == 0)
				return o;
	return NULL;
}

static const struct option *find_letter(const struct option_set *sets, char letter)
{
	for (const struct option_set *set = sets; set->options; set++)
		for (const struct option *o = set->options; o->name; o++)
			if (letter && o->letter == letter)
				return o;
	return NULL;
}

/* Takes argv apart, one option or argument at a time. */
struct cursor {
	const struct option_set *sets;
	int argc, at;
	char **argv;
	const char *letters; /* the rest of a group such as -AR */
	int end;	     /* of the options: behind "--"; 0 while it was not seen */
};

/* What the cursor found: an option with its value, or an argument. */
struct word {
	const struct option *option; /* NULL: an argument */
	const char *text;
};

enum { CURSOR_END, CURSOR_WORD };

static int unknown_name(const struct cursor *c, const char *name, size_t n, struct error *err)
{
	AUTO_FREE char *word = xstrndup(name, n);
	struct nearest nearest = NEAREST_OF(word);

	for (const struct option_set *set = c->sets; set->options; set++)
		for (const struct option *o = set->options; o->name; o++)
			if (!o->is_hidden)
				nearest_offer(&nearest, o->name);
	if (nearest.best)
		return error_set(err, -EINVAL, "unknown flag: --%s (did you mean --%s?)", word,
				 nearest.best);
	return error_set(err, -EINVAL, "unknown flag: --%s", word);
}

static int take_name(struct cursor *c, const char *text, struct word *ret, struct error *err)
{
	const char *name = text + 2;
	size_t n = strcspn(name, "=");

	if (n == 0 || name[0] == '-')
		return error_set(err, -EINVAL, "bad flag syntax: %s", text);
	const struct option *o = find(c->sets, name, n);
	if (!o)
		return unknown_name(c, name, n, err);

	*ret = (struct word){ .option = o };
	if (name[n] == '=')
		ret->text = name + n + 1;
	else if (o->bare)
		ret->text = o->bare;
	else if (c->at < c->argc)
		ret->text = c->argv[c->at++];
	else
		return error_set(err, -EINVAL, "flag needs an argument: --%s", o->name);
	return CURSOR_WORD;
}

/* As pflag does it, "-n=" gives the value "=": only a letter that has text behind its '=' drops
 * the sign. */
static int take_letter(struct cursor *c, struct word *ret, struct error *err)
{
	const char *group = TAKE(c->letters), *rest = group + 1;
	const struct option *o = find_letter(c->sets, *group);

	if (!o)
		return error_set(err, -EINVAL, "unknown shorthand flag: '%c' in -%s", *group,
				 group);
	*ret = (struct word){ .option = o };
	if (rest[0] == '=' && rest[1]) {
		ret->text = rest + 1;
	} else if (o->bare) {
		ret->text = o->bare;
		c->letters = *rest ? rest : NULL;
	} else if (*rest) {
		ret->text = rest;
	} else if (c->at < c->argc) {
		ret->text = c->argv[c->at++];
	} else {
		return error_set(err, -EINVAL, "flag needs an argument: '%c' in -%s", *group,
				 group);
	}
	return CURSOR_WORD;
}

/* CURSOR_WORD with *ret set, CURSOR_END, or an error, after which it may be called again. */
static int cursor_next(struct cursor *c, struct word *ret, struct error *err)
{
	if (c->letters)
		return take_letter(c, ret, err);
	if (c->at == c->argc)
		return CURSOR_END;

	const char *text = c->argv[c->at++];
	if (!c->end && strcmp(text, "--") == 0) {
		c->end = c->at;
		return cursor_next(c, ret, err);
	}
	if (c->end || text[0] != '-' || !text[1]) {
		*ret = (struct word){ .text = text };
		return CURSOR_WORD;
	}
	if (text[1] == '-')
		return take_name(c, text, ret, err);
	c->letters = text + 1;
	return take_letter(c, ret, err);
}

static int store(struct option_set *sets, const struct word *w, struct arena *arena,
		 struct error *err)
{
	struct option_set *set = sets;

	for (;; set++) {
		const struct option *o = set->options;

		while (o->name && o != w->option)
			o++;
		if (o->name)
			break;
	}
	if (option_set_value(w->option, set->values, w->text, arena, err) == 0)
		return 0;

	AUTO(str_done) struct str label = STR_INIT;
	option_label(w->option, &label);
	return error_wrap(err, "invalid argument \"%s\" for \"%s\" flag", w->text, label.s);
}

int option_parse(struct option_set *sets, int argc, char **argv, struct arena *arena,
		 struct option_list *ret_args, struct error *err)
{
	struct cursor c = { .sets = sets, .argc = argc, .argv = argv };
	struct word w = { 0 };
	int r;

	for (struct option_set *set = sets; set->options; set++)
		option_preset(set->options, set->values, arena);
	while ((r = cursor_next(&c, &w, err)) == CURSOR_WORD) {
		if (!w.option)
			*array_add(ret_args) = w.text;
		else if ((r = store(sets, &w, arena, err)) < 0)
			return r;
	}
	return r;
}

void option_done(struct option_set *sets)
{
	for (const struct option_set *set = sets; set->options; set++)
		for (const struct option *o = set->options; o->name; o++) {
			struct option_list *list = (void *)((char *)set->values + o->offset);

			if (o->kind == OPTION_STRINGS || o->kind == OPTION_LIST)
				array_done(list);
		}
}

const struct option *option_awaiting(const struct option_set *sets, int argc, char **argv,
				     const char **ret_value, bool *ret_is_argument)
{
	struct cursor c = { .sets = sets, .argc = argc, .argv = argv };
	const char *last = argv[argc - 1], *end = last + strlen(last);
	const struct option *found = NULL;
	struct word w = { 0 };
	int r;

	while ((r = cursor_next(&c, &w, NULL)) != CURSOR_END) {
		if (r == CURSOR_WORD && w.option && w.text >= last && w.text <= end) {
			found = w.option;
			*ret_value = w.text;
		}
	}
	*ret_is_argument = c.end && c.end < argc;
	return found;
}
