/* SPDX-License-Identifier: Apache-2.0 */
#include "base/scan.h"

#include <endian.h>
#include <string.h>

#define EACH_BYTE(x) (UINT64_C(0x0101010101010101) * (x))

static int bad(struct scan *s, const char *at, const char *why)
{
	s->at = at;
	s->why = why;
	return SCAN_BAD;
}

static uint64_t load8(const char *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return le64toh(w);
}

/* The high bit of each byte that is zero. Bytes above the first zero one may be marked wrongly:
 * only the lowest mark counts. */
static uint64_t zero_bytes(uint64_t w)
{
	return (w - EACH_BYTE(0x01)) & ~w & EACH_BYTE(0x80);
}

int scan_blank(struct scan *s)
{
	const char *p = s->at, *end = s->end;

	while (p < end && (unsigned char)*p <= ' ') {
		if (end - p >= 8 && load8(p) == EACH_BYTE(' '))
			p += 8;
		else if (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')
			p++;
		else
			break;
	}
	s->at = p;
	return p < end ? (unsigned char)*p : -1;
}

/* The first byte from p that is not plain text of a string: a quote, a backslash, a control
 * character, or one outside ASCII. */
static const char *plain_end(const char *p, const char *end)
{
	for (; end - p >= 8; p += 8) {
		uint64_t w = load8(p);
		uint64_t stop = zero_bytes(w ^ EACH_BYTE('"')) | zero_bytes(w ^ EACH_BYTE('\\')) |
				((w - EACH_BYTE(0x20)) & ~w) | w;

		stop &= EACH_BYTE(0x80);
		if (stop)
			return p + __builtin_ctzll(stop) / 8;
	}
	while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 && *p != '"' &&
	       *p != '\\')
		p++;
	return p;
}

/* Steps over the UTF-8 sequence at p. */
static int utf8_skip(struct scan *s, const char **p)
{
	size_t have = (size_t)(s->end - *p);
	unsigned char copy[5] = { 0 };

	memcpy(copy, *p, have < 4 ? have : 4);

	size_t n = str_utf8_len(copy);
	if (n == 0 && have < 4)
		return SCAN_SHORT;
	if (n == 0)
		return bad(s, *p, "text that is not UTF-8");
	*p += n;
	return 0;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static int escape_skip(struct scan *s, const char **p)
{
	const char *at = *p;

	s->has_escape = true;
	if (s->end - at < 2)
		return SCAN_SHORT;
	if (at[1] != 'u') {
		*p += 2;
		return at[1] && strchr("\"\\/bfnrt", at[1]) ? 0 : bad(s, at, "an unknown escape");
	}
	for (int i = 2; i < 6; i++) {
		if (at + i >= s->end)
			return SCAN_SHORT;
		if (!is_hex(at[i]))
			return bad(s, at, "a \\u escape without four hex digits");
	}
	*p += 6;
	return 0;
}

int scan_string(struct scan *s, struct slice *ret)
{
	const char *p = s->at + 1;
	int r = 0;

	if (s->at >= s->end)
		return SCAN_SHORT;
	if (*s->at != '"')
		return bad(s, s->at, "a string was expected");
	s->has_escape = false;
	while (r == 0) {
		p = plain_end(p, s->end);
		if (p >= s->end)
			return SCAN_SHORT;
		if (*p == '"')
			break;
		if (*p == '\\')
			r = escape_skip(s, &p);
		else if ((unsigned char)*p >= 0x80)
			r = utf8_skip(s, &p);
		else
			r = bad(s, p, "a control character in a string");
	}
	if (r < 0)
		return r;
	*ret = (struct slice){ s->at + 1, (size_t)(p - s->at - 1) };
	s->at = p + 1;
	return 0;
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

int scan_number(struct scan *s, struct slice *ret)
{
	const char *p = s->at, *end = s->end;

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
	if (!p || (p < end && *p >= '0' && *p <= '9'))
		return digits_end(s->at + 1, end) == end ? SCAN_SHORT
							 : bad(s, s->at, "not a JSON value");
	*ret = (struct slice){ s->at, (size_t)(p - s->at) };
	s->at = p;
	return 0;
}

static int literal_skip(struct scan *s, const char *word)
{
	size_t n = strlen(word), have = (size_t)(s->end - s->at);

	if (memcmp(s->at, word, have < n ? have : n) != 0)
		return bad(s, s->at, "not a JSON value");
	if (have < n)
		return SCAN_SHORT;
	s->at += n;
	return 0;
}

int scan_open(struct scan *s, char bracket)
{
	int c = scan_blank(s);

	if (c < 0)
		return SCAN_SHORT;
	if (c != bracket)
		return bad(s, s->at,
			   bracket == '{' ? "an object was expected" : "a list was expected");
	if (++s->depth > SCAN_MAX_DEPTH)
		return bad(s, s->at, "nested more than 100 deep");
	s->at++;
	s->is_first = true;
	return 0;
}

/* To the next entry of a container: 1 if there is one, 0 if `close` ends it. */
static int next_entry(struct scan *s, char close)
{
	int c = scan_blank(s);

	if (c < 0)
		return SCAN_SHORT;
	if (c == close) {
		s->at++;
		s->depth--;
		s->is_first = false;
		return 0;
	}
	if (!s->is_first) {
		if (c != ',')
			return bad(s, s->at,
				   "a comma or the end of the list or object was expected");
		s->at++;
		if (scan_blank(s) < 0)
			return SCAN_SHORT;
	}
	s->is_first = false;
	return 1;
}

int scan_member(struct scan *s, struct slice *ret_key)
{
	int r = next_entry(s, '}');

	if (r <= 0)
		return r;
	r = scan_string(s, ret_key);
	if (r < 0)
		return r;

	bool key_has_escape = s->has_escape;
	int c = scan_blank(s);
	if (c < 0)
		return SCAN_SHORT;
	if (c != ':')
		return bad(s, s->at, "a colon was expected");
	s->at++;
	if (scan_blank(s) < 0)
		return SCAN_SHORT;
	s->has_escape = key_has_escape;
	return 1;
}

int scan_element(struct scan *s)
{
	return next_entry(s, ']');
}

static int object_skip(struct scan *s)
{
	struct slice key;
	int r = scan_open(s, '{');

	while (r == 0 && (r = scan_member(s, &key)) > 0)
		r = scan_skip(s);
	return r;
}

static int array_skip(struct scan *s)
{
	int r = scan_open(s, '[');

	while (r == 0 && (r = scan_element(s)) > 0)
		r = scan_skip(s);
	return r;
}

int scan_skip(struct scan *s)
{
	struct slice token;

	switch (scan_blank(s)) {
	case -1:
		return SCAN_SHORT;
	case '"':
		return scan_string(s, &token);
	case '{':
		return object_skip(s);
	case '[':
		return array_skip(s);
	case 't':
		return literal_skip(s, "true");
	case 'f':
		return literal_skip(s, "false");
	case 'n':
		return literal_skip(s, "null");
	default:
		return scan_number(s, &token);
	}
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
		str_addc(out, named ? to[named - from] : p[1]);
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
		r = bad(&s, s.at, "something stands behind the end of the value");
	return r < 0 ? scan_error(&s, r, text, err) : 0;
}
