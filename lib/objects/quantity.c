/* SPDX-License-Identifier: Apache-2.0 */
#include "objects/quantity.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/array.h"

typedef unsigned __int128 wide;

/* mantissa * 10^tens * 2^twos, and a little more if has_rest. */
struct number {
	wide mantissa;
	int tens, twos;
	bool is_negative, has_rest;
};

static const struct {
	char text[3];
	int tens, twos;
} suffixes[] = {
	{ "", 0, 0 },	 { "m", -3, 0 },  { "k", 3, 0 },  { "Ki", 0, 10 },
	{ "Mi", 0, 20 }, { "Gi", 0, 30 }, { "M", 6, 0 },  { "G", 9, 0 },
	{ "T", 12, 0 },	 { "Ti", 0, 40 }, { "P", 15, 0 }, { "Pi", 0, 50 },
	{ "E", 18, 0 },	 { "Ei", 0, 60 }, { "u", -6, 0 }, { "n", -9, 0 },
};

/* Digits beyond this many count as zeros, but for rounding up. */
static const wide mantissa_max = (wide)UINT64_MAX * 10000000000u;

static void add_digit(struct number *x, char digit, bool is_fraction)
{
	if (x->mantissa > mantissa_max) {
		x->has_rest |= digit != '0';
		x->tens += !is_fraction;
		return;
	}
	x->mantissa = x->mantissa * 10 + (unsigned)(digit - '0');
	x->tens -= is_fraction;
}

/* [+-]?[0-9]*(.[0-9]*)? with a digit somewhere. Moves *p behind it. */
static int take_decimal(const char **p, const char *end, struct number *x)
{
	bool is_fraction = false, has_digit = false;

	if (*p < end && (**p == '+' || **p == '-'))
		x->is_negative = *(*p)++ == '-';
	for (; *p < end; (*p)++) {
		if (**p == '.' && !is_fraction) {
			is_fraction = true;
		} else if (**p >= '0' && **p <= '9') {
			has_digit = true;
			add_digit(x, **p, is_fraction);
		} else {
			break;
		}
	}
	return has_digit ? 0 : -EINVAL;
}

/* e3, E+3, e-12; p is at the letter. */
static int take_exponent(const char *p, const char *end, struct number *x)
{
	bool is_negative = false;
	int exponent = 0;

	p++;
	if (p < end && (*p == '-' || *p == '+'))
		is_negative = *p++ == '-';
	if (p == end)
		return -EINVAL;
	for (; p < end; p++) {
		if (*p < '0' || *p > '9')
			return -EINVAL;
		exponent = exponent < 1000 ? exponent * 10 + (*p - '0') : exponent;
	}
	x->tens += is_negative ? -exponent : exponent;
	return 0;
}

static int take_suffix(const char *p, const char *end, struct number *x)
{
	size_t n = (size_t)(end - p);

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		if (strlen(suffixes[i].text) == n && memcmp(suffixes[i].text, p, n) == 0) {
			x->tens += suffixes[i].tens;
			x->twos = suffixes[i].twos;
			return 0;
		}
	}
	return n && (*p | 0x20) == 'e' ? take_exponent(p, end, x) : -EINVAL;
}

/* What 64 bits do not hold is the nearest number that they do. */
static int64_t resolve(struct number x)
{
	wide v = x.mantissa;
	bool is_huge;

	if (v == 0)
		return 0;
	is_huge = __builtin_mul_overflow(v, (wide)1 << x.twos, &v);
	for (; x.tens > 0 && !is_huge; x.tens--)
		is_huge = __builtin_mul_overflow(v, 10, &v);
	for (; x.tens < 0 && v > 0; x.tens++) {
		x.has_rest |= v % 10 != 0;
		v /= 10;
	}
	v += x.has_rest;
	if (is_huge || v > INT64_MAX)
		v = INT64_MAX;
	return x.is_negative ? -(int64_t)v : (int64_t)v;
}

static struct slice trim(struct slice text)
{
	while (text.n && strchr(" \t\r\n\v\f", *text.s)) {
		text.s++;
		text.n--;
	}
	while (text.n && strchr(" \t\r\n\v\f", text.s[text.n - 1]))
		text.n--;
	return text;
}

static int parse(struct slice text, int scale, int64_t *ret)
{
	text = trim(text);

	const char *p = text.s, *end = p + text.n;
	struct number x = { .tens = scale };
	int r = take_decimal(&p, end, &x);

	if (r == 0)
		r = take_suffix(p, end, &x);
	if (r == 0)
		*ret = resolve(x);
	return r;
}

int quantity_value(struct slice text, int64_t *ret)
{
	return parse(text, 0, ret);
}

int quantity_milli(struct slice text, int64_t *ret)
{
	return parse(text, 3, ret);
}
