/* SPDX-License-Identifier: Apache-2.0 */
#include "output/style.h"

#include <string.h>
#include <wchar.h>

#include "base/alloc.h"
#include "base/auto.h"

static const char *const sgr[] = {
	[COLOR_NONE] = NULL,   [COLOR_BOLD] = "1", [COLOR_DIM] = "2",	   [COLOR_GOOD] = "32",
	[COLOR_CHANGE] = "33", [COLOR_BAD] = "31", [COLOR_SPECIAL] = "36",
};

/* Adds text with '?' for what is harmful, unless it is one of the ASCII controls below `kept`. */
static void add_clean(struct str *out, const char *text, uint32_t kept)
{
	while (*text) {
		uint32_t rune;
		size_t n = rune_decode(text, &rune);

		if (n == 0 || (rune >= kept && rune_is_harmful(rune)))
			str_addc(out, '?');
		else
			str_addn(out, text, n);
		text += n ? n : 1;
	}
}

void text_add(struct str *out, const char *text)
{
	add_clean(out, text, 0);
}

void text_add_data(struct str *out, const char *text)
{
	add_clean(out, text, 0x20);
}

unsigned text_width(const char *text)
{
	unsigned width = 0;

	while (*text) {
		uint32_t rune;
		size_t n = rune_decode(text, &rune);
		int columns = n && !rune_is_harmful(rune) ? wcwidth((wchar_t)rune) : 1;

		width += columns < 0 ? 1 : (unsigned)columns;
		text += n ? n : 1;
	}
	return width;
}

static void add_colored(const struct style *l, struct str *out, enum color_role role,
			const char *text)
{
	bool is_colored = l->has_color && sgr[role] && *text;

	if (is_colored)
		str_addf(out, "\033[%sm", sgr[role]);
	text_add(out, text);
	if (is_colored)
		str_add(out, "\033[0m");
}

void style_add(const struct style *l, struct str *out, enum color_role role, const char *fmt, ...)
{
	AUTO(str_done) struct str text = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_vaddf(&text, fmt, ap);
	va_end(ap);
	add_colored(l, out, role, text.s);
}

void style_pad(const struct style *l, struct str *out, enum color_role role, unsigned columns,
	       const char *text)
{
	unsigned width = text_width(text);

	add_colored(l, out, role, text);
	if (width < columns)
		str_addf(out, "%*s", (int)(columns - width), "");
}

enum { TITLE = 15 }; /* columns */

void style_fact(const struct style *l, struct str *out, const char *title, const char *text)
{
	if (!*text)
		return;
	style_pad(l, out, COLOR_DIM, TITLE, title);
	style_add(l, out, COLOR_NONE, "%s", text);
	str_addc(out, '\n');
}

void style_subject(const struct style *l, struct str *out, const char *title, const char *ns,
		   const char *name)
{
	style_pad(l, out, COLOR_DIM, TITLE, title);
	style_add(l, out, COLOR_BOLD, "%s/%s", ns, name);
	str_addc(out, '\n');
}

void style_wrap(const struct style *l, struct str *out, enum color_role role, unsigned indent,
		const char *text)
{
	AUTO(str_done) struct str line = STR_INIT;
	unsigned room = l->width > indent + 20 ? l->width - indent : 0;

	while (*text) {
		size_t n = strcspn(text, " ");
		AUTO_FREE char *word = xstrndup(text, n);

		if (line.n && room && text_width(line.s) + 1 + text_width(word) > room) {
			str_addf(out, "%*s", (int)indent, "");
			add_colored(l, out, role, line.s);
			str_addc(out, '\n');
			str_clear(&line);
		}
		str_addf(&line, line.n ? " %s" : "%s", word);
		text += n + (text[n] == ' ');
	}
	str_addf(out, "%*s", (int)indent, "");
	add_colored(l, out, role, line.s);
	str_addc(out, '\n');
}
