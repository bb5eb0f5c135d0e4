/* SPDX-License-Identifier: Apache-2.0 */
#include "base/option.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

/* The field that a value goes to. */
struct field {
	const struct option *o;
	void *at;
	struct arena *arena;
};

static void store_int(const struct field *f, int64_t value)
{
	switch (f->o->size) {
	case 1:
		*(int8_t *)f->at = (int8_t)value;
		break;
	case 4:
		*(int32_t *)f->at = (int32_t)value;
		break;
	default:
		*(int64_t *)f->at = value;
	}
}

static bool parse_int(const char *text, int64_t *ret)
{
	char *end;

	if (!*text || strchr(" \t\n\v\f\r", *text))
		return false;
	errno = 0;
	*ret = strtoll(text, &end, 10);
	return errno == 0 && !*end;
}

/* Go's strconv.ParseBool. */
static int set_bool(const struct field *f, const char *text, struct error *err)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {
		{ "1", true },	  { "t", true },      { "T", true },	  { "true", true },
		{ "TRUE", true }, { "True", true },   { "0", false },	  { "f", false },
		{ "F", false },	  { "false", false }, { "FALSE", false }, { "False", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(text, words[i].word) == 0) {
			*(bool *)f->at = words[i].value;
			return 0;
		}
	return error_set(err, -EINVAL, "must be true or false");
}

static int set_string(const struct field *f, const char *text, struct error *err)
{
	(void)err;
	*(const char **)f->at = text;
	return 0;
}

static int add_string(const struct field *f, const char *text, struct error *err)
{
	(void)err;
	*array_add((struct option_list *)f->at) = text;
	return 0;
}

/* One value of a comma list, up to the comma or the end; NULL when a quote is left open or has text
 * behind it. A quoted one may hold commas, and quotes as "". */
static const char *take_item(struct arena *arena, const char **at)
{
	const char *s = *at;
	size_t n = 0;

	if (*s != '"') {
		n = strcspn(s, ",");
		*at = s + n;
		return arena_strndup(arena, s, n);
	}
	char *item = arena_alloc(arena, strlen(s));
	for (s++; *s && (*s != '"' || s[1] == '"'); s++) {
		s += *s == '"';
		item[n++] = *s;
	}
	if (*s != '"' || (s[1] && s[1] != ','))
		return NULL;
	*at = s + 1;
	return item;
}

static int add_items(const struct field *f, const char *text, struct error *err)
{
	const char *at = text;

	while (*at) {
		const char *item = take_item(f->arena, &at);

		if (!item)
			return error_set(err, -EINVAL, "has an open or misplaced quote");
		*array_add((struct option_list *)f->at) = item;
		if (*at == ',')
			at++;
	}
	return 0;
}

static int outside_domain(const struct option *o, const char *what, struct error *err)
{
	AUTO(str_done) struct str domain = STR_INIT;

	option_domain(o, &domain);
	return error_set(err, -EINVAL, "must be %s %s", what, domain.s);
}

static int set_int(const struct field *f, const char *text, struct error *err)
{
	int64_t n;

	if (!parse_int(text, &n) || n < f->o->min || n > f->o->max)
		return outside_domain(f->o, "a whole number from", err);
	store_int(f, n);
	return 0;
}

/* Reads digits with or without a fraction, as a multiple of 1/unit. Digits beyond the unit's
 * precision are dropped, as Go does. */
static bool take_decimal(const char **at, uint64_t unit, uint64_t *ret)
{
	const char *s = *at;
	bool has_digits = false;
	uint64_t n = 0;

	for (; *s >= '0' && *s <= '9'; s++, has_digits = true)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*s - '0'), &n))
			return false;
	if (__builtin_mul_overflow(n, unit, &n))
		return false;
	if (*s == '.')
		for (s++; *s >= '0' && *s <= '9'; s++, has_digits = true) {
			unit /= 10;
			if (__builtin_add_overflow(n, unit * (uint64_t)(*s - '0'), &n))
				return false;
		}
	*at = s;
	*ret = n;
	return has_digits;
}

static bool take_unit(const char **at, uint64_t *ret)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{ "ns", 1 },	     { "us", 1000 },	   { "ms", 1000000 },
		{ "s", 1000000000 }, { "m", 60000000000 }, { "h", 3600000000000 },
	};
	size_t n = strspn(*at, "hmnsu");

	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (strlen(units[i].name) == n && memcmp(units[i].name, *at, n) == 0) {
			*at += n;
			*ret = units[i].ns;
			return true;
		}
	return false;
}

/* One "1.5s" of a duration; the unit stands behind the number that it scales. */
static bool take_part(const char **at, uint64_t *sum)
{
	const char *unit_at = *at + strspn(*at, "0123456789.");
	uint64_t unit, part;

	if (!take_unit(&unit_at, &unit) || !take_decimal(at, unit, &part))
		return false;
	*at = unit_at;
	return !__builtin_add_overflow(*sum, part, sum);
}

static int set_duration(const struct field *f, const char *text, struct error *err)
{
	const uint64_t second = 1000000000;
	const char *at = text;
	uint64_t sum = 0;
	int64_t n;
	bool is_good = *text;

	if (parse_int(text, &n))
		is_good = n >= 0 && !__builtin_mul_overflow((uint64_t)n, second, &sum);
	else
		while (is_good && *at)
			is_good = take_part(&at, &sum);
	if (!is_good || sum > INT64_MAX)
		return error_set(err, -EINVAL, "must be a time such as 500ms, 10s or 1m30s");
	*(int64_t *)f->at = (int64_t)sum;
	return 0;
}

static int set_ratio(const struct field *f, const char *text, struct error *err)
{
	const uint64_t ppm = 1000000;
	const char *at = text;
	uint64_t n;

	if (!take_decimal(&at, ppm, &n))
		return outside_domain(f->o, "a number from", err);
	if (*at == '%') {
		at++;
		n /= 100;
	}
	if (*at || n < (uint64_t)f->o->min || n > (uint64_t)f->o->max)
		return outside_domain(f->o, "a number from", err);
	store_int(f, (int64_t)n);
	return 0;
}

static int set_enum(const struct field *f, const char *text, struct error *err)
{
	for (int i = 0; f->o->choices[i]; i++)
		if (strcmp(f->o->choices[i], text) == 0) {
			store_int(f, i);
			return 0;
		}
	return outside_domain(f->o, "one of", err);
}

static int set_chars(const struct field *f, const char *text, struct error *err)
{
	if (strlen(text) >= f->o->size)
		return error_set(err, -EINVAL, "must have less than %zu bytes", f->o->size);
	memset(f->at, 0, f->o->size);
	memcpy(f->at, text, strlen(text));
	return 0;
}

static int (*const setters[])(const struct field *f, const char *text, struct error *err) = {
	[OPTION_BOOL] = set_bool,   [OPTION_STRING] = set_string, [OPTION_STRINGS] = add_string,
	[OPTION_LIST] = add_items,  [OPTION_INT] = set_int,	  [OPTION_DURATION] = set_duration,
	[OPTION_RATIO] = set_ratio, [OPTION_ENUM] = set_enum,	  [OPTION_CHARS] = set_chars,
};

int option_set_value(const struct option *o, void *values, const char *text, struct arena *arena,
		     struct error *err)
{
	struct field f = { .o = o, .at = (char *)values + o->offset, .arena = arena };

	return setters[o->kind](&f, text, err);
}

void option_preset(const struct option *options, void *values, struct arena *arena)
{
	for (const struct option *o = options; o->name; o++)
		if (o->preset)
			option_set_value(o, values, o->preset, arena, NULL);
}
