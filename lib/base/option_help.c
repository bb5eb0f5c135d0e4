/* SPDX-License-Identifier: Apache-2.0 */
#include "base/option.h"

#include <inttypes.h>
#include <string.h>

#include "base/auto.h"

/* Where help texts begin; a longer label gets a line of its own. */
enum { HELP_COLUMN = 30 };

void option_label(const struct option *o, struct str *out)
{
	if (o->letter)
		str_addf(out, "-%c, ", o->letter);
	str_addf(out, "--%s", o->name);
}

/* The value as it follows the name: " FILE", "[=MODE]", or nothing. */
static void add_arg(const struct option *o, struct str *out)
{
	if (!o->arg)
		return;
	str_addf(out, o->bare ? "[=%s]" : " %s", o->arg);
}

static void add_ratio(int64_t ppm, struct str *out)
{
	char digits[8];
	size_t n = 6;

	snprintf(digits, sizeof(digits), "%06d", (int)(ppm % 1000000));
	while (n && digits[n - 1] == '0')
		n--;
	str_addf(out, "%" PRId64 "%s%.*s", ppm / 1000000, n ? "." : "", (int)n, digits);
}

void option_domain(const struct option *o, struct str *out)
{
	if (o->kind == OPTION_INT) {
		str_addf(out, "%" PRId64 " to %" PRId64, o->min, o->max);
	} else if (o->kind == OPTION_RATIO) {
		add_ratio(o->min, out);
		str_add(out, " to ");
		add_ratio(o->max, out);
	} else if (o->choices) {
		for (int i = 0; o->choices[i]; i++)
			str_addf(out, i ? "|%s" : "%s", o->choices[i]);
	}
}

/* The help text, and behind it what the value may be and what it is without the option. */
static void add_text(const struct option *o, struct str *out)
{
	AUTO(str_done) struct str domain = STR_INIT;

	str_add(out, o->help);
	option_domain(o, &domain);
	if (domain.n)
		str_addf(out, ": %s", domain.s);
	if (o->preset && *o->preset)
		str_addf(out, " (default %s)", o->preset);
}

/* Adds words in lines of `width` columns, from `column` on; further lines begin there too. */
static void add_wrapped(const char *text, unsigned column, unsigned width, struct str *out)
{
	unsigned at = column;

	for (const char *s = text; *s;) {
		unsigned n = (unsigned)strcspn(s, " ");

		if (at > column && at + 1 + n > width) {
			str_addf(out, "\n%*s", (int)column, "");
			at = column;
		}
		str_addf(out, at > column ? " %.*s" : "%.*s", (int)n, s);
		at += n + (at > column);
		s += n + (s[n] == ' ');
	}
	str_addc(out, '\n');
}

static void add_help_row(const struct option *o, unsigned width, struct str *out)
{
	AUTO(str_done) struct str text = STR_INIT;
	size_t start = out->n;

	str_add(out, o->letter ? "  " : "      ");
	option_label(o, out);
	add_arg(o, out);
	size_t n = out->n - start;
	if (n + 2 > HELP_COLUMN)
		str_addf(out, "\n%*s", HELP_COLUMN, "");
	else
		str_addf(out, "%*s", (int)(HELP_COLUMN - n), "");
	add_text(o, &text);
	add_wrapped(text.s, HELP_COLUMN, width, out);
}

void option_help(const struct option *options, unsigned width, struct str *out)
{
	for (const struct option *o = options; o->name; o++)
		if (!o->is_hidden)
			add_help_row(o, width, out);
}

/* In man-page source a '-' must be "\-" to stay an ASCII minus, and a line may not begin with a
 * dot or quote, which no help text does behind the option's name. */
static void add_roff(const char *text, struct str *out)
{
	for (; *text; text++) {
		if (*text == '-' || *text == '\\')
			str_addc(out, '\\');
		str_addc(out, *text);
	}
}

void option_man(const struct option *options, struct str *out)
{
	for (const struct option *o = options; o->name; o++) {
		AUTO(str_done) struct str text = STR_INIT;

		if (o->is_hidden)
			continue;
		option_label(o, &text);
		add_arg(o, &text);
		str_add(out, ".TP\n.B ");
		add_roff(text.s, out);
		str_addc(out, '\n');
		str_clear(&text);
		add_text(o, &text);
		add_roff(text.s, out);
		str_addc(out, '\n');
	}
}

static void add_word(const char *word, const char *help, struct str *out)
{
	str_addf(out, help ? "%s\t%s\n" : "%s\n", word, help);
}

static void complete_option(const struct option *o, const char *word, struct str *out)
{
	AUTO_FREE char *name = xasprintf("--%s", o->name);

	if (!o->is_hidden && strncmp(name, word, strlen(word)) == 0)
		add_word(name, o->help, out);
}

void option_complete(const struct option_set *sets, const char *word, struct str *out)
{
	for (const struct option_set *set = sets; set->options; set++)
		for (const struct option *o = set->options; o->name; o++)
			complete_option(o, word, out);
}

void option_complete_value(const struct option *o, const char *value, struct str *out)
{
	static const char *const bools[] = { "true", "false", NULL };
	const char *const *choices = o->kind == OPTION_BOOL ? bools : o->choices;

	for (; choices && *choices; choices++)
		if (strncmp(*choices, value, strlen(value)) == 0)
			add_word(*choices, NULL, out);
}
