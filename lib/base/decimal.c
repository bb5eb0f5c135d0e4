/* SPDX-License-Identifier: Apache-2.0 */
#include "base/decimal.h"

enum { PLACES = 6, EXPONENT_MAX = 20 };

struct digits {
	int64_t value; /* in units of 10^-PLACES, as far as it was read */
	int place;     /* of the next digit: 0 is that of ones, -1 that of tenths */
	bool has_rest, rounds_up, is_too_large;
};

static int64_t power_of_ten(int n)
{
	int64_t p = 1;

	while (n-- > 0)
		p *= 10;
	return p;
}

static void take_digit(struct digits *d, int digit)
{
	int at = d->place-- + PLACES;

	if (at < 0) {
		d->has_rest |= digit != 0;
		d->rounds_up |= at == -1 && digit >= 5;
	} else if (at > 15) {
		d->is_too_large |= digit != 0;
	} else {
		d->value += digit * power_of_ten(at);
	}
}

static bool is_digit(const char *p, const char *end)
{
	return p < end && *p >= '0' && *p <= '9';
}

/* The digits of one number: those before the point are *ret_whole, all of them *ret_n. */
static const char *measure(const char *p, const char *end, int *ret_whole, int *ret_n)
{
	*ret_whole = *ret_n = 0;
	for (; is_digit(p, end); p++)
		++*ret_n;
	*ret_whole = *ret_n;
	if (p < end && *p == '.')
		for (p++; is_digit(p, end); p++)
			++*ret_n;
	return p;
}

static bool take_exponent(const char **p, const char *end, int *ret)
{
	bool is_negative = false;
	int n = 0;

	*ret = 0;
	if (*p == end || (**p != 'e' && **p != 'E'))
		return true;
	++*p;
	if (*p < end && (**p == '+' || **p == '-'))
		is_negative = *(*p)++ == '-';
	for (; is_digit(*p, end); ++*p, n++)
		if (*ret <= EXPONENT_MAX)
			*ret = *ret * 10 + (**p - '0');
	if (is_negative)
		*ret = -*ret;
	return n > 0 && *ret <= EXPONENT_MAX && *ret >= -EXPONENT_MAX;
}

bool decimal_parse(const char *text, size_t n, int64_t *ret, bool *ret_rounded)
{
	const char *p = text, *end = text + n;
	bool is_negative = p < end && *p == '-';
	struct digits d = { 0 };
	int whole, count, exponent;

	p += is_negative;
	const char *first = p;
	p = measure(p, end, &whole, &count);
	if (count == 0 || !take_exponent(&p, end, &exponent) || p != end)
		return false;
	d.place = whole - 1 + exponent;
	for (; count > 0; first++) {
		if (*first == '.')
			continue;
		take_digit(&d, *first - '0');
		count--;
	}
	d.value += d.rounds_up;
	if (d.is_too_large || d.value > DECIMAL_MAX * MICRO)
		return false;
	*ret = is_negative ? -d.value : d.value;
	if (ret_rounded)
		*ret_rounded = d.has_rest;
	return true;
}

void decimal_add_rounded(struct str *out, int64_t micro, unsigned places)
{
	int64_t unit = power_of_ten(PLACES - (int)places), half = unit / 2;
	int64_t v = (micro < 0 ? -micro : micro);

	v = (v + half) / unit;
	int64_t one = power_of_ten((int)places);
	str_addf(out, "%s%lld", micro < 0 && v ? "-" : "", (long long)(v / one));
	if (places)
		str_addf(out, ".%0*lld", (int)places, (long long)(v % one));
}

void decimal_add(struct str *out, int64_t micro, unsigned places)
{
	int64_t v = micro < 0 ? -micro : micro;
	unsigned n = PLACES;

	while (n > places && v % power_of_ten(PLACES - (int)n + 1) == 0)
		n--;
	decimal_add_rounded(out, micro, n);
}
