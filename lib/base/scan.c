/* SPDX-License-Identifier: Apache-2.0 */
#include "base/scan.h"

#include <endian.h>
#include <string.h>

#define EACH_BYTE(x) (UINT64_C(0x0101010101010101) * (x))

/* Inside this file a position is passed and returned, so that it stays in a register; NULL is a
 * failure, which fail() has noted in the scan. `why` is NULL where the text is too short. */
static const char *fail(struct scan *s, const char *at, const char *why)
{
	s->at = at;
	s->why = why;
	return NULL;
}

static const char *too_short(struct scan *s)
{
	return fail(s, s->end, NULL);
}

/* What a failure is to the caller. */
static int result_of(const struct scan *s)
{
	return s->why ? SCAN_BAD : SCAN_SHORT;
}

static inline uint64_t load8(const char *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return le64toh(w);
}

static const char *blanks_end(const char *p, const char *end)
{
	while (p < end && (unsigned char)*p <= ' ') {
		if (end - p >= 8 && load8(p) == EACH_BYTE(' '))
			p += 8;
		else if (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')
			p++;
		else
			break;
	}
	return p;
}

static inline const char *blank(const char *p, const char *end)
{
	return p < end && (unsigned char)*p > ' ' ? p : blanks_end(p, end);
}

/* Sets the high bit of the bytes that end plain text: a quote, a backslash, a control character, or
 * one outside ASCII. Each subtraction borrows into that bit where its byte is too small. A borrow
 * may go on into the next byte, so only the lowest mark counts. */
static inline uint64_t mark_special(uint64_t w)
{
	uint64_t quote = (w ^ EACH_BYTE('"')) - EACH_BYTE(0x01);
	uint64_t backslash = (w ^ EACH_BYTE('\\')) - EACH_BYTE(0x01);
	uint64_t control = w - EACH_BYTE(0x20);

	return (quote | backslash | control | w) & EACH_BYTE(0x80);
}

static inline const char *plain_end(const char *p, const char *end)
{
	for (; end - p >= 8; p += 8) {
		uint64_t stop = mark_special(load8(p));

		if (stop)
			return p + __builtin_ctzll(stop) / 8;
	}
	while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 && *p != '"' &&
	       *p != '\\')
		p++;
	return p;
}

static const char *utf8_end(struct scan *s, const char *p)
{
	size_t have = s->end - p < 4 ? (size_t)(s->end - p) : 4;
	unsigned char copy[5] = { 0 };

	memcpy(copy, p, have);

	size_t n = str_utf8_len(copy), tail = 1;
	if (n)
		return p + n;
	while (tail < have && (copy[tail] & 0xc0) == 0x80)
		tail++;
	return tail == have && have < 4 ? too_short(s) : fail(s, p, "text that is not UTF-8");
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static const char *escape_end(struct scan *s, const char *p)
{
	if (s->end - p < 2)
		return too_short(s);
	if (p[1] != 'u')
		return p[1] && strchr("\"\\/bfnrt", p[1]) ? p + 2 : fail(s, p, "an unknown escape");
	for (int i = 2; i < 6; i++) {
		if (p + i >= s->end)
			return too_short(s);
		if (!is_hex(p[i]))
			return fail(s, p, "a \\u escape without four hex digits");
	}
	return p + 6;
}

/* Over what stopped plain_end() and is no quote. */
static const char *special_end(struct scan *s, const char *p)
{
	if (*p == '\\') {
		s->has_escape = true;
		return escape_end(s, p);
	}
	if ((unsigned char)*p >= 0x80)
		return utf8_end(s, p);
	return fail(s, p, "a control character in a string");
}

/* p is at the opening quote; behind the closing one. */
static inline const char *string_end(struct scan *s, const char *p)
{
	for (p = plain_end(p + 1, s->end);; p = plain_end(p, s->end)) {
		if (p >= s->end)
			return too_short(s);
		if (*p == '"')
			return p + 1;
		p = special_end(s, p);
		if (!p)
			return NULL;
	}
}

static const char *digits_end(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

/* One or more digits; NULL where there is none. */
static const char *some_digits(const char *p, const char *end)
{
	const char *q = digits_end(p, end);

	return q > p ? q : NULL;
}

static const char *number_end(struct scan *s, const char *p)
{
	const char *from = p, *end = s->end;

	if (p < end && *p == '-')
		p++;
	if (p < end && *p == '0')
		p++;
	else
		p = some_digits(p, end);
	if (p && p < end && *p == '.')
		p = some_digits(p + 1, end);
	if (p && p < end && (*p | 0x20) == 'e') {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		p = some_digits(p, end);
	}
	if (p && (p == end || *p < '0' || *p > '9'))
		return p;

	/* With more text it may still become a number. */
	for (p = from; p < end && *p && strchr("+-.eE0123456789", *p); p++)
		;
	return p == end ? too_short(s) : fail(s, from, "not a JSON value");
}

static const char *literal_end(struct scan *s, const char *p, const char *word)
{
	size_t n = strlen(word), have = (size_t)(s->end - p);

	if (memcmp(p, word, have < n ? have : n) != 0)
		return fail(s, p, "not a JSON value");
	return have < n ? too_short(s) : p + n;
}

static const char *value_end(struct scan *s, const char *p, unsigned depth);

/* p is at the key's quote, or where it should be; at the value. */
static inline const char *key_end(struct scan *s, const char *p)
{
	if (*p != '"')
		return fail(s, p, "a string was expected");
	p = string_end(s, p);
	if (!p)
		return NULL;
	p = blank(p, s->end);
	if (p == s->end)
		return too_short(s);
	if (*p != ':')
		return fail(s, p, "a colon was expected");
	p = blank(p + 1, s->end);
	return p == s->end ? too_short(s) : p;
}

/* p is at the bracket. */
static const char *container_end(struct scan *s, const char *p, unsigned depth)
{
	bool is_object = *p == '{';
	char close = is_object ? '}' : ']';

	if (depth > SCAN_MAX_DEPTH)
		return fail(s, p, "nested more than 100 deep");
	p = blank(p + 1, s->end);
	if (p < s->end && *p == close)
		return p + 1;
	while (p < s->end) {
		if (is_object)
			p = key_end(s, p);
		if (p)
			p = value_end(s, p, depth);
		if (!p)
			return NULL;
		p = blank(p, s->end);
		if (p == s->end)
			break;
		if (*p == close)
			return p + 1;
		if (*p != ',')
			return fail(s, p, "a comma or the end of the list or object was expected");
		p = blank(p + 1, s->end);
	}
	return too_short(s);
}

/* p is at the first byte of a value, which is there. */
static const char *value_end(struct scan *s, const char *p, unsigned depth)
{
	switch (*p) {
	case '"':
		return string_end(s, p);
	case '{':
	case '[':
		return container_end(s, p, depth + 1);
	case 't':
		return literal_end(s, p, "true");
	case 'f':
		return literal_end(s, p, "false");
	case 'n':
		return literal_end(s, p, "null");
	default:
		return number_end(s, p);
	}
}

int scan_blank(struct scan *s)
{
	s->at = blank(s->at, s->end);
	return s->at < s->end ? (unsigned char)*s->at : -1;
}

int scan_skip(struct scan *s)
{
	const char *p = blank(s->at, s->end);

	if (p == s->end)
		return SCAN_SHORT;
	p = value_end(s, p, s->depth);
	if (!p)
		return result_of(s);
	s->at = p;
	return 0;
}

int scan_string(struct scan *s, struct slice *ret)
{
	const char *from = s->at;

	if (from >= s->end)
		return SCAN_SHORT;
	s->has_escape = false;

	const char *p = *from == '"' ? string_end(s, from) : fail(s, from, "a string was expected");
	if (!p)
		return result_of(s);
	*ret = (struct slice){ from + 1, (size_t)(p - from - 2) };
	s->at = p;
	return 0;
}

int scan_number(struct scan *s, struct slice *ret)
{
	const char *from = s->at, *p = number_end(s, from);

	if (!p)
		return result_of(s);
	*ret = (struct slice){ from, (size_t)(p - from) };
	s->at = p;
	return 0;
}

static int bad(struct scan *s, const char *why)
{
	s->why = why;
	return SCAN_BAD;
}

int scan_open(struct scan *s, char bracket)
{
	int c = scan_blank(s);

	if (c < 0)
		return SCAN_SHORT;
	if (c != bracket)
		return bad(s, bracket == '{' ? "an object was expected" : "a list was expected");
	if (++s->depth > SCAN_MAX_DEPTH)
		return bad(s, "nested more than 100 deep");
	s->at++;
	s->is_first = true;
	return 0;
}

/* To the next entry of a container: 1 if there is one, 0 if `close` ends it. */
static inline int next_entry(struct scan *s, char close)
{
	bool is_first = s->is_first;
	int c = scan_blank(s);

	s->is_first = false;
	if (c < 0)
		return SCAN_SHORT;
	if (c == close) {
		s->at++;
		s->depth--;
		return 0;
	}
	if (is_first)
		return 1;
	if (c != ',')
		return bad(s, "a comma or the end of the list or object was expected");
	s->at++;
	return scan_blank(s) < 0 ? SCAN_SHORT : 1;
}

int scan_member(struct scan *s, struct slice *ret_key)
{
	int r = next_entry(s, '}');

	if (r <= 0)
		return r;
	s->has_escape = false;

	const char *from = s->at, *value = key_end(s, from);
	if (!value)
		return result_of(s);

	/* The key ends at the last quote before the colon. */
	const char *quote = value - 1;
	while (*quote != '"')
		quote--;
	*ret_key = (struct slice){ from + 1, (size_t)(quote - from - 1) };
	s->at = value;
	return 1;
}

int scan_element(struct scan *s)
{
	return next_entry(s, ']');
}

static unsigned hex4(const char *p)
{
	unsigned v = 0;

	for (int i = 0; i < 4; i++)
		v = v << 4 | (unsigned)(p[i] <= '9' ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
	return v;
}

/* The code point of the \u escape at p, which may be the first of a pair; moves p behind it. */
static unsigned code_point(const char **p, const char *end)
{
	unsigned high = hex4(*p + 2);

	*p += 6;
	if (high < 0xd800 || high > 0xdfff)
		return high;
	if (high < 0xdc00 && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u') {
		unsigned low = hex4(*p + 2);

		if (low >= 0xdc00 && low <= 0xdfff) {
			*p += 6;
			return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
		}
	}
	return 0xfffd;
}

static void add_utf8(struct str *out, unsigned c)
{
	if (c < 0x80) {
		str_addc(out, (char)c);
		return;
	}

	int tail = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
	static const unsigned char lead[] = { 0, 0xc0, 0xe0, 0xf0 };

	str_addc(out, (char)(lead[tail] | c >> 6 * tail));
	while (tail-- > 0)
		str_addc(out, (char)(0x80 | (c >> 6 * tail & 0x3f)));
}

void scan_unescape(struct slice content, struct str *out)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *p = content.s, *end = p + content.n;

	while (p < end) {
		const char *stop = memchr(p, '\\', (size_t)(end - p));

		str_addn(out, p, (size_t)((stop ? stop : end) - p));
		if (!stop)
			break;
		p = stop;
		if (p[1] == 'u') {
			add_utf8(out, code_point(&p, end));
			continue;
		}

		const char *named = strchr(from, p[1]);
		const char *c = named ? to + (named - from) : p + 1;
		str_addc(out, *c);
		p += 2;
	}
}

int scan_error(const struct scan *s, int result, struct slice text, struct error *err)
{
	uint32_t line = 1;

	if (result == SCAN_SHORT)
		return error_set(err, -EINVAL, "the text ends in the middle of a value");
	for (const char *p = text.s; (p = memchr(p, '\n', (size_t)(s->at - p))); p++)
		line++;
	return error_set(err, -EINVAL, "line %u: %s", line, s->why);
}

int scan_check(struct slice text, struct error *err)
{
	struct scan s = scan_of(text);
	int r = scan_skip(&s);

	if (r == 0 && scan_blank(&s) >= 0)
		r = bad(&s, "something stands behind the end of the value");
	return r < 0 ? scan_error(&s, r, text, err) : 0;
}
