/* SPDX-License-Identifier: Apache-2.0 */
#include "output/html.h"

#include "base/auto.h"
#include "output/style.h"

void html_add(struct str *out, const char *text)
{
	AUTO(str_done) struct str clean = STR_INIT;

	text_add(&clean, text);
	for (const char *s = clean.s; *s; s++) {
		if (*s == '&')
			str_add(out, "&amp;");
		else if (*s == '<')
			str_add(out, "&lt;");
		else if (*s == '>')
			str_add(out, "&gt;");
		else if (*s == '"')
			str_add(out, "&quot;");
		else if (*s == '\'')
			str_add(out, "&#39;");
		else
			str_addc(out, *s);
	}
}
