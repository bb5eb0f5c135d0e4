/* SPDX-License-Identifier: Apache-2.0 */
#include "base/scan.h"

#include <endian.h>
#include <string.h>
#if defined(__SSE2__) && !defined(MCKUBE_PORTABLE)
#include <emmintrin.h>
#endif

#define EACH_BYTE(x) (UINT64_C(0x0101010101010101) * (x))

/* Inside this file a position is passed and returned, so that it stays in a register; NULL is a
 * failure, which fail() has noted in the scan. `why` is NULL where the text is too short. */
__attribute__((cold)) static const char *fail(struct scan *s, const char *at, const char *why)
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

__attribute__((cold)) static const char *next_slow(struct scan *s, const char *p)
{
	p = blanks_end(p, s->end);
	return p < s->end ? p : too_short(s);
}

/* At the next byte that is no blank; there must be one. */
static inline const char *next(struct scan *s, const char *p)
{
	return p < s->end && (unsigned char)*p > ' ' ? p : next_slow(s, p);
}

/* How many of the next BLOCK bytes are plain text: ASCII without quotes, backslashes and control
 * characters. */
#if defined(__SSE2__) && !defined(MCKUBE_PORTABLE)
enum { BLOCK = 16 };
static inline unsigned plain_bytes(const char *p)
{
	const __m128i text = _mm_loadu_si128((const __m128i *)(const void *)p);
	const __m128i quote = _mm_cmpeq_epi8(text, _mm_set1_epi8('"'));
	const __m128i backslash = _mm_cmpeq_epi8(text, _mm_set1_epi8('\\'));
	/* With a sign, what is not ASCII is below zero. */
	const __m128i other = _mm_cmplt_epi8(text, _mm_set1_epi8(0x20));
	int stop = _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), other));

	return (unsigned)__builtin_ctz((unsigned)stop | 1u << BLOCK);
}
#else
/* Each subtraction borrows into the high bit of its byte where that is too small. A borrow may go
 * on into the next byte, so only the lowest mark counts. */
enum { BLOCK = 8 };
static inline unsigned plain_bytes(const char *p)
{
	uint64_t w = load8(p);
	uint64_t quote = (w ^ EACH_BYTE('"')) - EACH_BYTE(0x01);
	uint64_t backslash = (w ^ EACH_BYTE('\\')) - EACH_BYTE(0x01);
	uint64_t control = w - EACH_BYTE(0x20);
	uint64_t stop = (quote | backslash | control | w) & EACH_BYTE(0x80);

	return stop ? (unsigned)__builtin_ctzll(stop) / 8 : BLOCK;
}
#endif

static inline const char *plain_end(const char *p, const char *end)
{
	for (; end - p >= BLOCK; p += BLOCK) {
		unsigned n = plain_bytes(p);

		if (n < BLOCK)
			return p + n;
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

static bool is_short_escape(char c)
{
	switch (c) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		return true;
	default:
		return false;
	}
}

static const char *escape_end(struct scan *s, const char *p)
{
	if (s->end - p < 2)
		return too_short(s);
	if (p[1] != 'u')
		return is_short_escape(p[1]) ? p + 2 : fail(s, p, "an unknown escape");
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

static const char *scalar_end(struct scan *s, const char *p)
{
	switch (*p) {
	case '"':
		return string_end(s, p);
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

/* p is behind a key; at its value. */
static inline const char *after_key(struct scan *s, const char *p)
{
	p = next(s, p);
	if (!p)
		return NULL;
	return *p == ':' ? next(s, p + 1) : fail(s, p, "a colon was expected");
}

static inline const char *key_end(struct scan *s, const char *p)
{
	return *p == '"' ? string_end(s, p) : fail(s, p, "a string was expected");
}

/* p is at an entry of a container that `close` ends; at its value. */
static inline const char *entry_value(struct scan *s, const char *p, char close)
{
	if (close == ']')
		return p;
	p = key_end(s, p);
	return p ? after_key(s, p) : NULL;
}

/* p is behind a value: over what closes here, and at the next value, if one of the *n containers is
 * still open. */
static inline const char *next_value(struct scan *s, const char *p, const char *closes, unsigned *n)
{
	for (; *n; p++) {
		p = next(s, p);
		if (!p || *p != closes[*n - 1])
			break;
		--*n;
	}
	if (!p || !*n)
		return p;
	if (*p != ',')
		return fail(s, p, "a comma or the end of the list or object was expected");
	p = next(s, p + 1);
	return p ? entry_value(s, p, closes[*n - 1]) : NULL;
}

/* p is at the first byte of a value, which is there. */
static const char *value_end(struct scan *s, const char *p, unsigned depth)
{
	char closes[SCAN_MAX_DEPTH];
	unsigned n = 0;

	do {
		if (*p != '{' && *p != '[') {
			p = scalar_end(s, p);
		} else if (depth + n == SCAN_MAX_DEPTH) {
			p = fail(s, p, "nesting exceeds 100 levels");
		} else {
			/* In ASCII a closing bracket is its opening one plus 2. */
			closes[n] = (char)(*p + 2);
			p = next(s, p + 1);
			if (p && *p != closes[n++]) {
				p = entry_value(s, p, closes[n - 1]);
				continue;
			}
		}
		if (p)
			p = next_value(s, p, closes, &n);
	} while (p && n);
	return p;
}

int scan_blank_slow(struct scan *s)
{
	s->at = blanks_end(s->at, s->end);
	return s->at < s->end ? (unsigned char)*s->at : -1;
}

int scan_skip(struct scan *s)
{
	const char *p = next(s, s->at);

	if (p)
		p = *p == '"' ? string_end(s, p) : value_end(s, p, s->depth);
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
		return bad(s, "nesting exceeds 100 levels");
	s->at++;
	s->is_first = true;
	return 0;
}

/* At the next entry of a container. NULL if there is none: *ret is 0 where `close` ends it. */
static inline const char *next_entry(struct scan *s, char close, int *ret)
{
	const char *p = next(s, s->at);

	if (p && *p == close) {
		s->at = p + 1;
		s->depth--;
		s->is_first = false;
		*ret = 0;
		return NULL;
	}
	if (p && !s->is_first)
		p = *p == ',' ? next(s, p + 1)
			      : fail(s, p, "a comma or the end of the list or object was expected");
	s->is_first = false;
	*ret = p ? 1 : result_of(s);
	return p;
}

int scan_member(struct scan *s, struct slice *ret_key)
{
	int r;
	const char *key = next_entry(s, '}', &r);

	if (!key)
		return r;
	s->has_escape = false;

	const char *p = key_end(s, key);
	if (!p)
		return result_of(s);
	*ret_key = (struct slice){ key + 1, (size_t)(p - key - 2) };
	p = after_key(s, p);
	if (!p)
		return result_of(s);
	s->at = p;
	return 1;
}

int scan_element(struct scan *s)
{
	int r;
	const char *p = next_entry(s, ']', &r);

	if (p)
		s->at = p;
	return r;
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
		r = bad(&s, "trailing characters after the value");
	return r < 0 ? scan_error(&s, r, text, err) : 0;
}
