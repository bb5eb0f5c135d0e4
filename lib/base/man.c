/* SPDX-License-Identifier: Apache-2.0 */
#include "base/man.h"

#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"

/* One character of text: '-' stays an ASCII minus, and no line of text begins a request. */
static void add_char(const char *text, bool is_line_start, struct str *out)
{
	if (is_line_start && (*text == '.' || *text == '\''))
		str_add(out, "\\&");
	if (*text == '-' || *text == '\\')
		str_addc(out, '\\');
	str_addc(out, *text);
}

static void add_lines(const char *text, struct str *out)
{
	for (const char *s = text; *s; s++)
		add_char(s, s == text || s[-1] == '\n', out);
}

void man_prose(const char *text, struct str *out)
{
	const char *gap;

	while ((gap = strstr(text, "\n\n"))) {
		AUTO_FREE char *paragraph = xstrndup(text, (size_t)(gap - text));

		add_lines(paragraph, out);
		str_add(out, "\n.PP\n");
		text = gap + 2;
	}
	add_lines(text, out);
	str_addc(out, '\n');
}

void man_literal(const char *text, struct str *out)
{
	str_add(out, ".PP\n.nf\n");
	add_lines(text, out);
	str_add(out, ".fi\n");
}
