/* SPDX-License-Identifier: Apache-2.0 */
#include "base/scan.h"

#include <stdlib.h>
#include <string.h>

/* JSON as RFC 8259 writes it down, a byte at a time: what the scanner must agree with. A function
 * returns the end of what it names, or NULL where there is none. */
struct slow {
	const unsigned char *end;
	unsigned depth;
};

static const unsigned char *value(struct slow *s, const unsigned char *p);

static const unsigned char *blanks(const struct slow *s, const unsigned char *p)
{
	while (p < s->end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

static const unsigned char *byte(const struct slow *s, const unsigned char *p, int c)
{
	return p && p < s->end && *p == c ? p + 1 : NULL;
}

static const unsigned char *word(const struct slow *s, const unsigned char *p, const char *text)
{
	for (; p && *text; text++)
		p = byte(s, p, *text);
	return p;
}

static const unsigned char *digits(const struct slow *s, const unsigned char *p)
{
	const unsigned char *from = p;

	while (p < s->end && *p >= '0' && *p <= '9')
		p++;
	return p > from ? p : NULL;
}

static const unsigned char *number(const struct slow *s, const unsigned char *p)
{
	p = *p == '-' ? p + 1 : p;
	p = byte(s, p, '0') ? p + 1 : digits(s, p);
	if (p && byte(s, p, '.'))
		p = digits(s, p + 1);
	if (p && p < s->end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < s->end && (*p == '+' || *p == '-'))
			p++;
		p = digits(s, p);
	}
	return p && p < s->end && strchr("0123456789", *p) && *p ? NULL : p;
}

static const unsigned char *escape(const struct slow *s, const unsigned char *p)
{
	if (p == s->end || !*p || !strchr("\"\\/bfnrtu", *p))
		return NULL;
	if (*p != 'u')
		return p + 1;
	for (int i = 1; i <= 4; i++)
		if (p + i >= s->end || !p[i] || !strchr("0123456789abcdefABCDEF", p[i]))
			return NULL;
	return p + 5;
}

static const unsigned char *character(const struct slow *s, const unsigned char *p)
{
	unsigned char copy[5] = { 0 };

	if (*p == '\\')
		return escape(s, p + 1);
	if (*p < ' ')
		return NULL;
	memcpy(copy, p, s->end - p < 4 ? (size_t)(s->end - p) : 4);
	return str_utf8_len(copy) ? p + str_utf8_len(copy) : NULL;
}

static const unsigned char *string(const struct slow *s, const unsigned char *p)
{
	p = byte(s, p, '"');
	while (p && p < s->end && *p != '"')
		p = character(s, p);
	return byte(s, p, '"');
}

static const unsigned char *entry(struct slow *s, const unsigned char *p, int close)
{
	p = blanks(s, p);
	if (close == '}') {
		p = string(s, p);
		p = p ? byte(s, blanks(s, p), ':') : NULL;
	}
	p = p ? value(s, blanks(s, p)) : NULL;
	return p ? blanks(s, p) : NULL;
}

static const unsigned char *container(struct slow *s, const unsigned char *p, int close)
{
	if (++s->depth > SCAN_MAX_DEPTH)
		return NULL;
	p = blanks(s, p + 1);
	if (!byte(s, p, close))
		for (p = entry(s, p, close); p && byte(s, p, ',');)
			p = entry(s, p + 1, close);
	s->depth--;
	return byte(s, p, close);
}

static const unsigned char *value(struct slow *s, const unsigned char *p)
{
	if (p == s->end)
		return NULL;
	switch (*p) {
	case '{':
		return container(s, p, '}');
	case '[':
		return container(s, p, ']');
	case '"':
		return string(s, p);
	case 't':
		return word(s, p, "true");
	case 'f':
		return word(s, p, "false");
	case 'n':
		return word(s, p, "null");
	default:
		return number(s, p);
	}
}

/* The text lies in memory of just its size, so that reading beyond it is seen. */
static int skip(const char *text, size_t n, size_t *ret_n)
{
	char *copy = malloc(n);
	struct scan s = scan_of((struct slice){ copy, n });

	if (n)
		memcpy(copy, text, n);
	int r = scan_skip(&s);
	*ret_n = r == 0 ? (size_t)(s.at - copy) : 0;
	free(copy);
	return r;
}

/* The scanner takes what RFC 8259 has, no more and no less, and ends where it does; and what is a
 * part of a value is short, never bad. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *text = (const char *)data;
	struct slow slow = { .end = data + n };
	const uint8_t *end = value(&slow, blanks(&slow, data));
	size_t used, expect = end ? (size_t)(end - data) : 0;

	if ((skip(text, n, &used) == 0) != (end != NULL) || used != expect)
		abort();
	if (end && skip(text, expect - 1, &used) == SCAN_BAD)
		abort();
	return 0;
}
