/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/file/fields.h"

#include <inttypes.h>
#include <string.h>

#include "base/auto.h"
#include "base/date.h"
#include "base/decimal.h"
#include "budget/cpuset.h"

int field_error(struct field_reader *r, const char *fmt, ...)
{
	AUTO(str_done) struct str text = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_vaddf(&text, fmt, ap);
	va_end(ap);
	return error_set(r->err, -EINVAL, "%s%s%s", r->path.s, r->path.n ? ": " : "", text.s);
}

static size_t field_enter(struct field_reader *r, const char *key)
{
	size_t before = r->path.n;

	str_addf(&r->path, "%s%s", before ? "." : "", key);
	return before;
}

size_t field_enter_item(struct field_reader *r, size_t index)
{
	size_t before = r->path.n;

	str_addf(&r->path, "[%zu]", index);
	return before;
}

/* Objects */

static const void *value_of(const struct field *f, const void *object)
{
	return (const char *)object + f->at;
}

static bool is_written(const struct field *f, const void *object)
{
	if (f->is_given)
		return f->is_given(object);
	return f->needed || !f->type->is_absent(f, value_of(f, object));
}

void fields_write(const struct field *fields, const void *object, struct json_out *o)
{
	json_out_object(o);
	for (const struct field *f = fields; f->key; f++) {
		if (!is_written(f, object))
			continue;
		json_out_key(o, f->key);
		f->type->write(f, value_of(f, object), o);
	}
	json_out_end(o);
}

static const struct field *find_row(const struct field *fields, const char *key)
{
	for (; fields->key; fields++)
		if (strcmp(fields->key, key) == 0)
			return fields;
	return NULL;
}

static int check_missing(const struct field *fields, uint64_t seen, struct field_reader *r)
{
	for (const struct field *f = fields; f->key; f++)
		if (f->needed && !(seen >> (f - fields) & 1))
			return field_error(r, "%s: is missing", f->key);
	return 0;
}

static int read_members(const struct field *fields, const cJSON *j, void *object, uint64_t *seen,
			struct field_reader *r)
{
	const cJSON *member;

	cJSON_ArrayForEach(member, j) {
		const struct field *f = find_row(fields, member->string);
		size_t before = field_enter(r, member->string);

		if (!f)
			return field_error(r, "is not part of a plan");
		if (f->type->read(f, member, (char *)object + f->at, r) < 0)
			return -EINVAL;
		str_cut(&r->path, before);
		*seen |= (uint64_t)1 << (f - fields);
	}
	return 0;
}

int fields_read(const struct field *fields, const cJSON *j, void *object, uint64_t *ret_seen,
		struct field_reader *r)
{
	uint64_t seen = 0;

	if (!cJSON_IsObject(j))
		return field_error(r, "must be an object");
	if (read_members(fields, j, object, &seen, r) < 0 || check_missing(fields, seen, r) < 0)
		return -EINVAL;
	if (ret_seen)
		*ret_seen = seen;
	return 0;
}

static bool object_is_absent(const struct field *f, const void *value)
{
	for (const struct field *inner = f->of; inner->key; inner++)
		if (!inner->type->is_absent(inner, value_of(inner, value)))
			return false;
	return true;
}

static void object_write(const struct field *f, const void *value, struct json_out *o)
{
	fields_write(f->of, value, o);
}

static int object_read(const struct field *f, const cJSON *j, void *value, struct field_reader *r)
{
	return fields_read(f->of, j, value, NULL, r);
}

const struct field_type field_object = { object_is_absent, object_write, object_read };

/* Lists */

/* Any ARRAY(). */
struct any_array {
	char *items;
	size_t n, cap;
};

static struct any_array array_at(const void *value)
{
	struct any_array a;

	memcpy(&a, value, sizeof(a));
	return a;
}

static bool list_is_absent(const struct field *f, const void *value)
{
	(void)f;
	return array_at(value).n == 0;
}

static void list_write(const struct field *f, const void *value, struct json_out *o)
{
	const struct field_list *list = f->of;
	struct any_array a = array_at(value);

	json_out_array(o);
	for (size_t i = 0; i < a.n; i++)
		fields_write(list->fields, a.items + i * list->size, o);
	json_out_end(o);
}

static int read_item(const struct field_list *list, const cJSON *j, void *item, size_t index,
		     struct field_reader *r)
{
	size_t before = field_enter_item(r, index);
	uint64_t seen = 0;

	if (fields_read(list->fields, j, item, &seen, r) < 0 ||
	    (list->check && list->check(r, item, index, seen) < 0))
		return -EINVAL;
	str_cut(&r->path, before);
	return 0;
}

static int list_read(const struct field *f, const cJSON *j, void *value, struct field_reader *r)
{
	const struct field_list *list = f->of;
	struct any_array a = { 0 };
	const cJSON *member;

	if (!cJSON_IsArray(j))
		return field_error(r, "must be a list");

	a.n = a.cap = (size_t)cJSON_GetArraySize(j);
	a.items = a.n ? xcalloc(a.n, list->size) : NULL;
	memcpy(value, &a, sizeof(a));
	size_t i = 0;
	cJSON_ArrayForEach(member, j) {
		if (read_item(list, member, a.items + i * list->size, i, r) < 0)
			return -EINVAL;
		i++;
	}
	return 0;
}

const struct field_type field_list = { list_is_absent, list_write, list_read };

/* Texts */

static const char *text_at(const void *value)
{
	const char *s;

	memcpy(&s, value, sizeof(s));
	return s ? s : "";
}

static bool text_is_absent(const struct field *f, const void *value)
{
	(void)f;
	return !*text_at(value);
}

static void text_write(const struct field *f, const void *value, struct json_out *o)
{
	(void)f;
	json_out_text(o, text_at(value));
}

/* The text, at most `max` bytes; NULL with the error set. */
static const char *take_text(const cJSON *j, size_t max, struct field_reader *r)
{
	const char *s = json_text(j);

	if (!s)
		field_error(r, "must be a string");
	else if (strlen(s) > max)
		field_error(r, "must be at most %zu bytes long", max);
	else
		return s;
	return NULL;
}

static int store_text(const char *s, void *value, struct field_reader *r)
{
	const char *copy = plan_str(r->plan, s);

	memcpy(value, &copy, sizeof(copy));
	return 0;
}

static int text_read(const struct field *f, const cJSON *j, void *value, struct field_reader *r)
{
	const char *s = take_text(j, f->max ? (size_t)f->max : FIELD_TEXT_MAX, r);

	return s ? store_text(s, value, r) : -EINVAL;
}

const struct field_type field_text = { text_is_absent, text_write, text_read };

static bool is_object_name(const char *s)
{
	static const char inner[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
	size_t n = strlen(s);

	return n > 0 && strspn(s, inner) == n && !strchr("-.", s[0]) && !strchr("-.", s[n - 1]);
}

static int name_read(const struct field *f, const cJSON *j, void *value, struct field_reader *r)
{
	const char *s = take_text(j, FIELD_NAME_MAX, r);

	(void)f;
	if (!s)
		return -EINVAL;
	if (!is_object_name(s))
		return field_error(r, "'%.40s' is not a valid name", s);
	return store_text(s, value, r);
}

const struct field_type field_name = { text_is_absent, text_write, name_read };

static int cores_read(const struct field *f, const cJSON *j, void *value, struct field_reader *r)
{
	const char *s = take_text(j, CPUSET_TEXT, r);
	char shortest[CPUSET_TEXT];
	struct cpuset set;
	struct error err;

	(void)f;
	if (!s)
		return -EINVAL;
	if (cpuset_parse(s, strlen(s), &set, &err) < 0)
		return field_error(r, "%s", err.msg);
	if (strcmp(cpuset_format(&set, shortest), s) != 0)
		return field_error(r, "must be written '%.40s'", shortest);
	return store_text(s, value, r);
}

const struct field_type field_cores = { text_is_absent, text_write, cores_read };

static bool chars_is_absent(const struct field *f, const void *value)
{
	(void)f;
	return !*(const char *)value;
}

static void chars_write(const struct field *f, const void *value, struct json_out *o)
{
	(void)f;
	json_out_text(o, value);
}

static int chars_read(const struct field *f, const cJSON *j, void *value, struct field_reader *r)
{
	const char *s = take_text(j, (size_t)f->max - 1, r);

	if (!s)
		return -EINVAL;
	memcpy(value, s, strlen(s) + 1);
	return 0;
}

const struct field_type field_chars = { chars_is_absent, chars_write, chars_read };

static bool constant_is_absent(const struct field *f, const void *value)
{
	(void)f;
	(void)value;
	return true;
}

static void constant_write(const struct field *f, const void *value, struct json_out *o)
{
	(void)value;
	json_out_text(o, f->of);
}

static int constant_read(const struct field *f, const cJSON *j, void *value, struct field_reader *r)
{
	const char *s = take_text(j, FIELD_NAME_MAX, r);

	(void)value;
	if (!s)
		return -EINVAL;
	if (strcmp(s, f->of) != 0)
		return field_error(r, "must be '%s'", (const char *)f->of);
	return 0;
}

const struct field_type field_constant = { constant_is_absent, constant_write, constant_read };

/* Dates */

static int64_t i64_at(const void *value)
{
	int64_t v;

	memcpy(&v, value, sizeof(v));
	return v;
}

static bool date_is_absent(const struct field *f, const void *value)
{
	(void)f;
	return i64_at(value) == 0;
}

static void date_write(const struct field *f, const void *value, struct json_out *o)
{
	int64_t t = i64_at(value);
	char buf[DATE_TEXT];

	(void)f;
	json_out_text(o, t > 0 && t <= DATE_MAX ? date_format(t, buf) : "");
}

static int date_read(const struct field *f, const cJSON *j, void *value, struct field_reader *r)
{
	const char *s = take_text(j, FIELD_NAME_MAX, r);
	char shortest[DATE_TEXT];
	int64_t t = 0;

	(void)f;
	if (!s)
		return -EINVAL;
	if (*s && (!date_parse(s, strlen(s), &t) || t <= 0 || t > DATE_MAX ||
		   strcmp(s, date_format(t, shortest)) != 0))
		return field_error(r, "must be a time such as 2026-11-21T09:00:00Z");
	memcpy(value, &t, sizeof(t));
	return 0;
}

const struct field_type field_date = { date_is_absent, date_write, date_read };

/* Numbers and words */

static uint32_t u32_at(const void *value)
{
	uint32_t v;

	memcpy(&v, value, sizeof(v));
	return v;
}

static bool u32_is_absent(const struct field *f, const void *value)
{
	(void)f;
	return u32_at(value) == 0;
}

static void u32_write(const struct field *f, const void *value, struct json_out *o)
{
	(void)f;
	json_out_int(o, u32_at(value));
}

static int u32_read(const struct field *f, const cJSON *j, void *value, struct field_reader *r)
{
	int64_t n, max = f->max ? f->max : UINT32_MAX;

	if (!json_int(j, &n))
		return field_error(r, "must be an integer");
	if (n < f->min || n > max)
		return field_error(r, "must be from %" PRId64 " to %" PRId64, f->min, max);
	memcpy(value, &(uint32_t){ (uint32_t)n }, sizeof(uint32_t));
	return 0;
}

const struct field_type field_u32 = { u32_is_absent, u32_write, u32_read };

static bool bool_is_absent(const struct field *f, const void *value)
{
	(void)f;
	return !*(const bool *)value;
}

static void bool_write(const struct field *f, const void *value, struct json_out *o)
{
	(void)f;
	json_out_bool(o, *(const bool *)value);
}

static int bool_read(const struct field *f, const cJSON *j, void *value, struct field_reader *r)
{
	(void)f;
	if (!cJSON_IsBool(j))
		return field_error(r, "must be true or false");
	*(bool *)value = cJSON_IsTrue(j);
	return 0;
}

const struct field_type field_bool = { bool_is_absent, bool_write, bool_read };

static unsigned word_at(const struct field *f, const void *value)
{
	const struct field_words *words = f->of;

	return words->size == 1 ? *(const unsigned char *)value : u32_at(value);
}

static bool word_is_absent(const struct field *f, const void *value)
{
	return word_at(f, value) == 0;
}

static void word_write(const struct field *f, const void *value, struct json_out *o)
{
	const struct field_words *words = f->of;

	json_out_text(o, words->name(word_at(f, value)));
}

static int word_read(const struct field *f, const cJSON *j, void *value, struct field_reader *r)
{
	const struct field_words *words = f->of;
	const char *s = take_text(j, FIELD_NAME_MAX, r);

	if (!s)
		return -EINVAL;
	for (unsigned i = words->first; i < words->end; i++) {
		if (strcmp(words->name(i), s) != 0)
			continue;
		if (words->size == 1)
			*(unsigned char *)value = (unsigned char)i;
		else
			memcpy(value, &(uint32_t){ i }, sizeof(uint32_t));
		return 0;
	}
	return field_error(r, "unknown value '%.40s'", s);
}

const struct field_type field_word = { word_is_absent, word_write, word_read };

/* Decimals */

static bool micro_is_absent(const struct field *f, const void *value)
{
	(void)f;
	return *(const int64_t *)value == 0;
}

static void micro_write(const struct field *f, const void *value, struct json_out *o)
{
	AUTO(str_done) struct str text = STR_INIT;

	(void)f;
	decimal_add(&text, *(const int64_t *)value, 0);
	json_out_raw(o, text.s);
}

static int micro_read(const struct field *f, const cJSON *j, void *value, struct field_reader *r)
{
	AUTO_FREE char *token =
		cJSON_IsNumber(j) || cJSON_IsRaw(j) ? cJSON_PrintUnformatted(j) : NULL;

	(void)f;
	if (!token || !decimal_parse(token, strlen(token), value, NULL))
		return field_error(r, "must be a decimal number");
	return 0;
}

const struct field_type field_micro = { micro_is_absent, micro_write, micro_read };
