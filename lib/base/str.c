/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

char str_empty[1];

/* How many of n bytes may be added; makes room for them. */
static size_t room_for(struct str *b, size_t n)
{
	if (b->max && n > b->max - b->n) {
		b->is_full = true;
		n = b->max - b->n;
	}
	if (b->n + n + 1 > b->cap) {
		size_t cap = b->cap + b->cap / 2;

		cap = cap < b->n + n + 1 ? b->n + n + 1 : cap;
		cap = cap < 64 ? 64 : cap;
		b->s = xreallocarray(b->s == str_empty ? NULL : b->s, cap, 1);
		b->cap = cap;
	}
	return n;
}

void str_addn(struct str *b, const void *s, size_t n)
{
	if (!n)
		return;
	n = room_for(b, n);
	memcpy(b->s + b->n, s, n);
	b->n += n;
	b->s[b->n] = '\0';
}

void str_add(struct str *b, const char *s)
{
	str_addn(b, s, strlen(s));
}

void str_addc(struct str *b, char c)
{
	str_addn(b, &c, 1);
}

void str_vaddf(struct str *b, const char *fmt, va_list ap)
{
	char small[256];
	va_list again;

	va_copy(again, ap);
	int n = vsnprintf(small, sizeof(small), fmt, ap);
	if (n >= 0 && (size_t)n < sizeof(small)) {
		str_addn(b, small, (size_t)n);
	} else if (n >= 0) {
		char *large = xmalloc((size_t)n + 1);

		vsnprintf(large, (size_t)n + 1, fmt, again);
		str_addn(b, large, (size_t)n);
		free(large);
	}
	va_end(again);
}

void str_addf(struct str *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	str_vaddf(b, fmt, ap);
	va_end(ap);
}

/* RFC 3629, table 3-7 of the Unicode standard. */
size_t str_utf8_len(const unsigned char *s)
{
	static const struct {
		unsigned char first, last, low, high, n;
	} forms[] = {
		{ 0x00, 0x7f, 0x00, 0xff, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (s[0] < forms[i].first || s[0] > forms[i].last)
			continue;
		if (forms[i].n == 1)
			return 1;
		if (s[1] < forms[i].low || s[1] > forms[i].high)
			return 0;
		for (size_t k = 2; k < forms[i].n; k++)
			if ((s[k] & 0xc0) != 0x80)
				return 0;
		return forms[i].n;
	}
	return 0;
}

static void add_control(struct str *b, unsigned char c)
{
	static const char letters[0x20] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r',
	};

	if (letters[c])
		str_addf(b, "\\%c", letters[c]);
	else
		str_addf(b, "\\u%04x", c);
}

/* Printable ASCII that stands for itself: nearly all of most texts. */
static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* Adds one character that is not plain; returns how many bytes of s it is. */
static size_t add_special(struct str *b, const unsigned char *s)
{
	size_t n = str_utf8_len(s);

	if (n == 0) {
		str_add(b, "\xef\xbf\xbd");
		return 1;
	}
	if (*s == '"' || *s == '\\') {
		str_addc(b, '\\');
		str_addc(b, (char)*s);
	} else if (*s < 0x20) {
		add_control(b, *s);
	} else {
		str_addn(b, s, n);
	}
	return n;
}

void str_add_json(struct str *b, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	str_addc(b, '"');
	while (*s) {
		const unsigned char *plain = s;

		while (is_plain(*s))
			s++;
		str_addn(b, plain, (size_t)(s - plain));
		if (*s)
			s += add_special(b, s);
	}
	str_addc(b, '"');
}

void str_cut(struct str *b, size_t n)
{
	if (n < b->n) {
		b->n = n;
		b->s[n] = '\0';
	}
}

size_t rune_decode(const char *text, uint32_t *ret)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t n = str_utf8_len(s);

	*ret = n > 1 ? *s & (0x7fu >> n) : *s;
	for (size_t i = 1; i < n; i++)
		*ret = *ret << 6 | (s[i] & 0x3f);
	return n;
}

bool rune_is_harmful(uint32_t rune)
{
	return rune < 0x20 || (rune >= 0x7f && rune < 0xa0) || rune == 0x61c ||
	       (rune >= 0x200e && rune <= 0x200f) || (rune >= 0x2028 && rune <= 0x202e) ||
	       (rune >= 0x2066 && rune <= 0x2069);
}

void str_make_printable(char *text)
{
	for (char *s = text; *s;) {
		uint32_t rune;
		size_t n = rune_decode(s, &rune);

		if (!n || rune_is_harmful(rune))
			memset(s, *s == '\n' || *s == '\t' ? ' ' : '?', n ? n : 1);
		s += n ? n : 1;
	}
}

void str_clear(struct str *b)
{
	str_cut(b, 0);
	b->is_full = false;
}

void str_done(struct str *b)
{
	if (b->s != str_empty)
		free(b->s);
	*b = (struct str)STR_INIT;
}

char *str_detach(struct str *b)
{
	char *s = b->s == str_empty || !b->s ? xstrdup("") : b->s;

	*b = (struct str)STR_INIT;
	return s;
}

struct slice slice_of(const char *s)
{
	return (struct slice){ s, strlen(s) };
}

bool slice_eq(struct slice a, const char *b)
{
	return strlen(b) == a.n && memcmp(a.s, b, a.n) == 0;
}
