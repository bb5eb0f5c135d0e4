/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yaml_scalar.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/alloc.h"
#include "base/array.h"
#include "base/auto.h"

enum { IS_STRING, IS_NULL, IS_BOOL, IS_INT, IS_FLOAT };

static const struct {
	const char *spelling, *json;
	int type;
} words[] = {
	{ "", "null", IS_NULL },       { "~", "null", IS_NULL },      { "null", "null", IS_NULL },
	{ "Null", "null", IS_NULL },   { "NULL", "null", IS_NULL },   { "y", "true", IS_BOOL },
	{ "Y", "true", IS_BOOL },      { "yes", "true", IS_BOOL },    { "Yes", "true", IS_BOOL },
	{ "YES", "true", IS_BOOL },    { "true", "true", IS_BOOL },   { "True", "true", IS_BOOL },
	{ "TRUE", "true", IS_BOOL },   { "on", "true", IS_BOOL },     { "On", "true", IS_BOOL },
	{ "ON", "true", IS_BOOL },     { "n", "false", IS_BOOL },     { "N", "false", IS_BOOL },
	{ "no", "false", IS_BOOL },    { "No", "false", IS_BOOL },    { "NO", "false", IS_BOOL },
	{ "false", "false", IS_BOOL }, { "False", "false", IS_BOOL }, { "FALSE", "false", IS_BOOL },
	{ "off", "false", IS_BOOL },   { "Off", "false", IS_BOOL },   { "OFF", "false", IS_BOOL },
	{ ".nan", NULL, IS_FLOAT },    { ".NaN", NULL, IS_FLOAT },    { ".NAN", NULL, IS_FLOAT },
	{ ".inf", NULL, IS_FLOAT },    { ".Inf", NULL, IS_FLOAT },    { ".INF", NULL, IS_FLOAT },
	{ "+.inf", NULL, IS_FLOAT },   { "+.Inf", NULL, IS_FLOAT },   { "+.INF", NULL, IS_FLOAT },
	{ "-.inf", NULL, IS_FLOAT },   { "-.Inf", NULL, IS_FLOAT },   { "-.INF", NULL, IS_FLOAT },
};

/* Digits of `base` to the end of the text, into a 64-bit number. */
static bool take_digits(const char *s, unsigned base, uint64_t *ret)
{
	uint64_t v = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		unsigned d = *s >= '0' && *s <= '9' ? (unsigned)(*s - '0')
			     : (*s | 0x20) >= 'a' && (*s | 0x20) <= 'f'
				     ? (unsigned)(*s | 0x20) - 'a' + 10
				     : 99;

		if (d >= base || __builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, d, &v))
			return false;
	}
	*ret = v;
	return true;
}

/* 12, -12, 0x1f, 0b11, 0o17, 017. Writes it in decimal. */
static bool int_to_json(const char *s, struct str *out)
{
	static const struct {
		char letter;
		uint8_t base;
	} prefixes[] = { { 'x', 16 }, { 'b', 2 }, { 'o', 8 } };
	bool is_negative = *s == '-', is_signed = is_negative || *s == '+';
	unsigned base = 10;
	uint64_t v;

	s += is_signed;
	if (s[0] == '0' && s[1]) {
		base = 8;
		s++;
		for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
			if ((*s | 0x20) == prefixes[i].letter)
				base = prefixes[i].base;
		s += base != 8 || (*s | 0x20) == 'o';
	}
	if (!take_digits(s, base, &v))
		return false;
	if (v > (uint64_t)INT64_MAX + (is_negative ? 1 : 0) && is_signed)
		return false;
	str_addf(out, "%s%lu", is_negative && v ? "-" : "", v);
	return true;
}

static const char *digits_end(const char *s)
{
	while (*s >= '0' && *s <= '9')
		s++;
	return s;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool looks_like_float(const char *s)
{
	s += *s == '-' || *s == '+';

	const char *whole = digits_end(s);
	const char *end = *whole == '.' ? digits_end(whole + 1) : whole;
	if (end == s || (whole == s && end == s + 1))
		return false;
	if ((*end | 0x20) == 'e') {
		s = end + 1;
		s += *s == '-' || *s == '+';
		end = digits_end(s);
		if (end == s)
			return false;
	}
	return !*end;
}

/* The shortest digits that read back as v: "ddd" with the decimal point behind the first. */
static int shortest(double v, char digits[static 20])
{
	char text[40];

	for (int precision = 0; precision < 17; precision++) {
		snprintf(text, sizeof(text), "%.*e", precision, v);
		if (strtod(text, NULL) == v)
			break;
	}

	char *e = strchr(text, 'e');
	size_t n = 0;
	for (const char *p = text; p < e && n < 19; p++)
		if (*p != '.')
			digits[n++] = *p;
	digits[n] = '\0';
	return (int)strtol(e + 1, NULL, 10);
}

/* As encoding/json writes a float64: plain from 1e-6 to 1e21, else with an exponent; but a negative
 * zero loses its sign. */
static void float_to_json(double v, struct str *out)
{
	char digits[20] = "";
	int exponent = shortest(fabs(v), digits);
	int n = (int)strlen(digits);

	if (v < 0)
		str_addc(out, '-');
	if (v != 0 && (exponent < -6 || exponent >= 21)) {
		str_addf(out, "%c%s%se%+d", digits[0], n > 1 ? "." : "", digits + 1, exponent);
		return;
	}
	if (exponent < 0) {
		str_addf(out, "0.%.*s%s", -exponent - 1, "00000", digits);
		return;
	}
	for (int i = 0; i <= exponent || i < n; i++) {
		if (i == exponent + 1)
			str_addc(out, '.');
		str_addn(out, i < n ? digits + i : "0", 1);
	}
}

static bool try_float(const char *s, struct str *out)
{
	if (!looks_like_float(s))
		return false;

	double v = strtod(s, NULL);
	if (!isfinite(v))
		return false;
	float_to_json(v, out);
	return true;
}

/* The type that a plain scalar has by its looks, and its JSON text (none for strings, and for the
 * floats that JSON does not know). */
static int type_of(struct slice text, struct str *out)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (slice_eq(text, words[i].spelling)) {
			if (words[i].json)
				str_add(out, words[i].json);
			return words[i].type;
		}
	}
	if (!text.s[0] || !strchr("+-.0123456789", text.s[0]))
		return IS_STRING;

	/* Underscores may stand between digits, but not in a number that begins with a point. */
	AUTO_FREE char *plain = xstrndup(text.s, text.n);
	if (*plain != '.') {
		char *to = plain;

		for (const char *from = plain; *from; from++)
			if (*from != '_')
				*to++ = *from;
		*to = '\0';
		if (int_to_json(plain, out))
			return IS_INT;
	}
	return try_float(plain, out) ? IS_FLOAT : IS_STRING;
}

static void string_to_json(struct slice text, struct str *out)
{
	AUTO_FREE char *copy = xstrndup(text.s, text.n);

	str_add_json(out, copy);
}

static const struct {
	const char *tag;
	int type;
} typed_tags[] = {
	{ YAML_NULL_TAG, IS_NULL },
	{ YAML_BOOL_TAG, IS_BOOL },
	{ YAML_INT_TAG, IS_INT },
	{ YAML_FLOAT_TAG, IS_FLOAT },
};

/* The type a tag asks for, -1 where the looks decide. */
static int asked_type(const char *tag, bool is_plain)
{
	if (!tag)
		return is_plain ? -1 : IS_STRING;
	for (size_t i = 0; i < ARRAY_LEN(typed_tags); i++)
		if (strcmp(tag, typed_tags[i].tag) == 0)
			return typed_tags[i].type;
	return IS_STRING;
}

int yaml_scalar_to_json(struct slice text, const char *tag, bool is_plain, struct str *out,
			struct error *err)
{
	int asked = asked_type(tag, is_plain);
	size_t start = out->n;

	if (memchr(text.s, '\0', text.n))
		return error_set(err, -EINVAL, "a NUL character in a string");
	if (asked == IS_STRING) {
		string_to_json(text, out);
		return 0;
	}

	int type = type_of(text, out);
	bool is_whole_float = asked == IS_FLOAT && type == IS_INT;
	if (asked >= 0 && type != asked && !is_whole_float)
		return error_set(err, -EINVAL, "'%.*s' is not what its tag %s says",
				 (int)(text.n > 40 ? 40 : text.n), text.s, tag);
	if (type == IS_FLOAT && out->n == start)
		return error_set(err, -EINVAL, "%.*s is not a number in JSON", (int)text.n, text.s);
	if (type == IS_STRING)
		string_to_json(text, out);
	return 0;
}

bool yaml_scalar_is_typed(struct slice text)
{
	AUTO(str_done) struct str ignored = STR_INIT;

	return type_of(text, &ignored) != IS_STRING;
}
