/* SPDX-License-Identifier: Apache-2.0 */
#include "output/html.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/base64.h"
#include "base/sha256.h"
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

enum { PPM_PER_UNIT = 100, UNITS_PER_PERCENT = 100, KINDS = 2 };

/* By their place in this: the class's letter, and what its rule sets. */
static const char *const kinds[KINDS][2] = { { "w", "width" }, { "l", "left" } };

static void add_length(struct html_lengths *l, uint32_t kind, uint32_t ppm, struct str *out)
{
	uint32_t units = (ppm + PPM_PER_UNIT / 2) / PPM_PER_UNIT;

	*array_add(&l->of) = units * KINDS + kind;
	str_addf(out, "%s%u", kinds[kind][0], units);
}

void html_add_width(struct html_lengths *l, uint32_t ppm, struct str *out)
{
	add_length(l, 0, ppm, out);
}

void html_add_left(struct html_lengths *l, uint32_t ppm, struct str *out)
{
	add_length(l, 1, ppm, out);
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

void html_add_rules(struct html_lengths *l, struct str *out)
{
	if (l->of.n)
		qsort(l->of.items, l->of.n, sizeof(*l->of.items), by_value);
	array_each(length, &l->of) {
		const char *const *kind = kinds[*length % KINDS];
		uint32_t units = *length / KINDS;

		if (length == l->of.items || *length != length[-1])
			str_addf(out, ".%s%u{%s:%u.%02u%%}\n", kind[0], units, kind[1],
				 units / UNITS_PER_PERCENT, units % UNITS_PER_PERCENT);
	}
}

void html_lengths_done(struct html_lengths *l)
{
	array_done(&l->of);
}

static void add_hash(const char *text, struct str *out)
{
	struct sha256 h = SHA256_INIT;
	unsigned char digest[SHA256_SIZE];

	sha256_add(&h, text, strlen(text));
	sha256_finish(&h, digest);
	str_add(out, "'sha256-");
	base64_encode(digest, sizeof(digest), out);
	str_addc(out, '\'');
}

void html_add_policy(const char *style, const char *script, struct str *out)
{
	str_add(out,
		"<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src ");
	add_hash(style, out);
	str_add(out, "; script-src ");
	add_hash(script, out);
	str_add(out, "; base-uri 'none'; form-action 'none'\">\n");
}
