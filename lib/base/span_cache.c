/* SPDX-License-Identifier: Apache-2.0 */
#include "base/span_cache.h"

#include <endian.h>
#include <string.h>
#if defined(__SSE2__) && !defined(MCKUBE_PORTABLE)
#include <emmintrin.h>
#endif

enum { WORD = 64 }; /* bits */

static inline uint64_t load8(const char *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

/* How many of BLOCK bytes are the same at both; whether LINE bytes are. */
enum { LINE = SPAN_AHEAD };
#if defined(__SSE2__) && !defined(MCKUBE_PORTABLE)
enum { BLOCK = 16 };
static inline __m128i same_mask(const char *a, const char *b)
{
	return _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)a),
			      _mm_loadu_si128((const __m128i *)(const void *)b));
}

static inline unsigned same_of_block(const char *a, const char *b)
{
	return (unsigned)__builtin_ctz(~(unsigned)_mm_movemask_epi8(same_mask(a, b)));
}

static inline bool is_same_line(const char *a, const char *b)
{
	__m128i same = _mm_and_si128(same_mask(a, b), same_mask(a + BLOCK, b + BLOCK));

	return _mm_movemask_epi8(same) == 0xffff;
}
#else
enum { BLOCK = 8 };
static inline unsigned same_of_block(const char *a, const char *b)
{
	uint64_t differ = le64toh(load8(a) ^ load8(b));

	return differ ? (unsigned)__builtin_ctzll(differ) / 8 : BLOCK;
}

static inline bool is_same_line(const char *a, const char *b)
{
	uint64_t differ = 0;

	for (int i = 0; i < LINE; i += BLOCK)
		differ |= load8(a + i) ^ load8(b + i);
	return !differ;
}
#endif

/* How many bytes are the same in a text and a span of which n are left, and LINE more may be
 * looked at. */
static inline size_t same_bytes(const char *text, size_t have, const char *span, size_t n)
{
	size_t i = 0, lines = have < LINE ? 0 : have - LINE + 1;

	lines = lines < n ? lines : n;
	while (i < lines && is_same_line(text + i, span + i))
		i += LINE;
	for (; i < n && have - i >= BLOCK; i += BLOCK) {
		unsigned same = same_of_block(text + i, span + i);

		if (same < BLOCK) {
			i += same;
			return i < n ? i : n;
		}
	}
	while (i < n && i < have && text[i] == span[i])
		i++;
	return i < n ? i : n;
}

/* The bits stand behind the text. */
static size_t bits_at(size_t n)
{
	return (n + sizeof(uint64_t) - 1) / sizeof(uint64_t) * sizeof(uint64_t);
}

static size_t size_of(size_t n)
{
	return bits_at(n) + (n / WORD + 1) * sizeof(uint64_t);
}

static uint64_t *bits_of(const struct span_cache *t, const struct span *x)
{
	return (uint64_t *)(uintptr_t)(t->room + x->at + bits_at(x->n));
}

static bool is_scalar(const uint64_t *bits, size_t i)
{
	return bits[i / WORD] >> i % WORD & 1;
}

/* Where the scalar begins that byte i belongs to; no span begins with one that is marked. */
static size_t scalar_begin(const uint64_t *bits, size_t i)
{
	size_t at = i / WORD;
	uint64_t others = ~bits[at] & ((UINT64_C(2) << i % WORD) - 1);

	while (!others)
		others = ~bits[--at];
	return at * WORD + WORD - (size_t)__builtin_clzll(others);
}

static size_t scalar_end(const uint64_t *bits, size_t i)
{
	size_t at = i / WORD;
	uint64_t others = ~bits[at] & ~((UINT64_C(1) << i % WORD) - 1);

	while (!others)
		others = ~bits[++at];
	return at * WORD + (size_t)__builtin_ctzll(others);
}

/* The text at p differs from byte *i of the span, behind `same` bytes that do not. If that is
 * within a scalar, or because a number goes on, steps over the scalar in both: it has to be good
 * JSON where the other one stood, so a string, which may be a key, only gives way to a string. NULL
 * if the texts differ otherwise. */
static const char *pass_scalar(const struct scan *s, const char *p, size_t same, const char *text,
			       const uint64_t *bits, size_t *i)
{
	bool is_inside = is_scalar(bits, *i);

	if (!is_inside && (*i == 0 || !is_scalar(bits, *i - 1)))
		return NULL;

	size_t begin = scalar_begin(bits, is_inside ? *i : *i - 1);
	if (*i - begin > same)
		return NULL;
	struct scan one = { .at = p - (*i - begin), .end = s->end };
	char c = *one.at;
	if ((unsigned char)c <= ' ' || c == '{' || c == '[' || (text[begin] == '"' && c != '"') ||
	    scan_skip(&one) < 0 || (!is_inside && one.at == p))
		return NULL;
	if (is_inside)
		*i = scalar_end(bits, *i);
	return one.at;
}

/* Behind the span, or NULL if the text is another. */
static const char *pass(const struct span_cache *t, const struct span *x, const struct scan *s)
{
	const char *text = t->room + x->at, *p = s->at;
	const uint64_t *bits = bits_of(t, x);

	for (size_t i = 0; p;) {
		size_t same = same_bytes(p, (size_t)(s->end - p), text + i, x->n - i);

		i += same;
		p += same;
		if (i == x->n)
			break;
		p = p < s->end ? pass_scalar(s, p, same, text, bits, &i) : NULL;
	}
	return p;
}

/* By the place and the first bytes of the first key; NULL near the end of the text. */
static struct span_set *set_of(struct span_cache *t, const char *p, const char *end,
			       const void *where)
{
	p += p < end && *p == ',';
	while (p < end && (unsigned char)*p <= ' ')
		p++;
	if (end - p < 8)
		return NULL;

	uint64_t hash = ((uintptr_t)where ^ load8(p)) * UINT64_C(0x9e3779b97f4a7c15);
	return &t->sets[hash >> 32 & (SPAN_SETS - 1)];
}

bool span_cache_pass(struct span_cache *t, struct scan *s, const void *where, const void **ret_what)
{
	struct span_set *set = set_of(t, s->at, s->end, where);

	for (uint8_t i = 0; set && i < SPAN_WAYS; i++) {
		const struct span *x = &set->ways[i];
		struct scan past = *s;

		if (x->where != where || s->depth > x->depth || !(past.at = pass(t, x, s)))
			continue;
		if (x->what && scan_blank(&past) < 0)
			return false;
		s->at = past.at;
		s->depth -= !x->what;
		s->is_first = false;
		set->oldest = !i;
		set->n_misses = 0;
		*ret_what = x->what;
		return true;
	}
	return false;
}

/* Marks the bytes of all scalars, those of the object's own keys apart. The text is good JSON. */
static void mark(struct scan text, uint64_t *bits)
{
	const char *from = text.at;
	unsigned depth = 0;
	char before = ',';

	while (scan_blank(&text) >= 0) {
		char c = *text.at;

		if (strchr("{}[],:", c)) {
			depth += c == '{' || c == '[';
			depth -= c == '}' || c == ']';
			before = c;
			text.at++;
			continue;
		}
		size_t i = (size_t)(text.at - from);
		if (scan_skip(&text) < 0)
			return;
		for (; (depth || before == ':') && i < (size_t)(text.at - from); i++)
			bits[i / WORD] |= UINT64_C(1) << i % WORD;
	}
}

/* Room for a span of n bytes; all is forgotten when there is none left. */
static struct span *make_room(struct span_cache *t, struct span_set *set, size_t n)
{
	uint32_t size = (uint32_t)size_of(n);

	if (size > set->ways[set->oldest].cap && size > SPAN_ROOM - t->used) {
		memset(t->sets, 0, sizeof(t->sets));
		t->used = 0;
	}

	struct span *x = &set->ways[set->oldest];
	set->oldest = !set->oldest;
	if (size > x->cap) {
		x->at = t->used;
		x->cap = size;
		t->used += size;
	}
	return x;
}

/* Where nothing is ever met again, most of it is not worth remembering. */
static bool is_worthless(struct span_set *set)
{
	enum { OFTEN = 4, RARELY = 8 };

	return set->n_misses++ >= OFTEN && set->n_misses % RARELY;
}

void span_cache_add(struct span_cache *t, const struct scan *s, const char *from, const void *where,
		    const void *what)
{
	struct span_set *set = set_of(t, from, s->end, where);
	size_t n = (size_t)(s->at - from);

	if (!set || n > SPAN_MAX || is_worthless(set))
		return;

	struct span *x = make_room(t, set, n);
	x->where = where;
	x->what = what;
	x->n = (uint16_t)n;
	x->depth = (uint16_t)(s->depth + !what);
	memcpy(t->room + x->at, from, n);
	memset(bits_of(t, x), 0, size_of(n) - bits_at(n));
	mark(scan_of((struct slice){ t->room + x->at, n }), bits_of(t, x));
}
