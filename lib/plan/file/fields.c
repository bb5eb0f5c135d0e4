/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/file/fields.h"

#include <inttypes.h>
#include <string.h>

#include "base/auto.h"
#include "base/date.h"
#include "base/decimal.h"
#include "budget/cpuset.h"

/* Objects */

static const struct file_field *row_of(const struct field *f)
{
	return f->more;
}

static const void *value_of(const struct field *f, const void *object)
{
	return (const char *)object + f->offset;
}

static bool is_written(const struct field *f, const void *object)
{
	const struct file_field *row = row_of(f);

	if (row->is_given)
		return row->is_given(object);
	return row->needed || !row->type->is_absent(row, value_of(f, object));
}

void fields_write(const struct field *fields, const void *object, struct json_out *o)
{
	json_out_object(o);
	for (const struct field *f = fields; f->key; f++) {
		if (!is_written(f, object))
			continue;
		json_out_key(o, f->key);
		row_of(f)->type->write(row_of(f), value_of(f, object), o);
	}
	json_out_end(o);
}

int file_field_read(struct decoder *d, const struct field *f, void *value)
{
	return row_of(f)->type->read(row_of(f), d, value);
}

int fields_read(const struct field *fields, struct decoder *d, void *object, uint64_t *ret_seen)
{
	uint64_t seen;
	int r = decode_members(d, fields, object, &seen);

	for (const struct field *f = fields; r == 0 && f->key; f++)
		if (row_of(f)->needed && !(seen >> (f - fields) & 1))
			r = decode_refuse(d, "%s: is missing", f->key);
	if (ret_seen)
		*ret_seen = seen;
	return r;
}

static bool object_is_absent(const struct file_field *f, const void *value)
{
	for (const struct field *inner = f->of; inner->key; inner++)
		if (!row_of(inner)->type->is_absent(row_of(inner), value_of(inner, value)))
			return false;
	return true;
}

static void object_write(const struct file_field *f, const void *value, struct json_out *o)
{
	fields_write(f->of, value, o);
}

static int object_read(const struct file_field *f, struct decoder *d, void *value)
{
	return fields_read(f->of, d, value, NULL);
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

static bool list_is_absent(const struct file_field *f, const void *value)
{
	(void)f;
	return array_at(value).n == 0;
}

static void list_write(const struct file_field *f, const void *value, struct json_out *o)
{
	const struct field_list *list = f->of;
	struct any_array a = array_at(value);

	json_out_array(o);
	for (size_t i = 0; i < a.n; i++)
		fields_write(list->fields, a.items + i * list->size, o);
	json_out_end(o);
}

struct list_reader {
	const struct field_list *list;
	struct any_array a;
};

static int read_item(struct decoder *d, void *arg)
{
	struct list_reader *r = arg;
	size_t size = r->list->size;
	uint64_t seen;

	if (r->a.n == r->a.cap) {
		r->a.cap = r->a.cap ? 2 * r->a.cap : 8;
		r->a.items = xreallocarray(r->a.items, r->a.cap, size);
	}
	char *item = r->a.items + r->a.n++ * size;
	memset(item, 0, size);
	int code = fields_read(r->list->fields, d, item, &seen);
	if (code == 0 && r->list->check)
		code = r->list->check(d, item, r->a.n - 1, seen);
	return code;
}

static int list_read(const struct file_field *f, struct decoder *d, void *value)
{
	struct list_reader r = { .list = f->of };
	int code = decode_list(d, read_item, &r);

	memcpy(value, &r.a, sizeof(r.a));
	return code;
}

const struct field_type field_list = { list_is_absent, list_write, list_read };

/* Texts */

static const char *text_at(const void *value)
{
	const char *s;

	memcpy(&s, value, sizeof(s));
	return s ? s : "";
}

static bool text_is_absent(const struct file_field *f, const void *value)
{
	(void)f;
	return !*text_at(value);
}

static void text_write(const struct file_field *f, const void *value, struct json_out *o)
{
	(void)f;
	json_out_text(o, text_at(value));
}

int field_string(struct decoder *d, size_t max, const char **ret)
{
	struct slice s;
	int r = decode_text(d, &s);

	if (r < 0)
		return r;
	if (s.n > max)
		return decode_refuse(d, "must be at most %zu bytes long", max);
	if (memchr(s.s, '\0', s.n))
		return decode_refuse(d, "must not hold a NUL character");
	if (s.s != d->text.s) {
		str_clear(&d->text);
		str_addn(&d->text, s.s, s.n);
	}
	*ret = d->text.s;
	return 0;
}

static int store_text(struct decoder *d, const char *s, void *value)
{
	const char *copy = plan_str(d->owner, s);

	memcpy(value, &copy, sizeof(copy));
	return 0;
}

static int text_read(const struct file_field *f, struct decoder *d, void *value)
{
	const char *s = "";
	int r = field_string(d, f->max ? (size_t)f->max : FIELD_TEXT_MAX, &s);

	return r < 0 ? r : store_text(d, s, value);
}

const struct field_type field_text = { text_is_absent, text_write, text_read };

static bool is_object_name(const char *s)
{
	static const char inner[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
	size_t n = strlen(s);

	return n > 0 && strspn(s, inner) == n && !strchr("-.", s[0]) && !strchr("-.", s[n - 1]);
}

static int name_read(const struct file_field *f, struct decoder *d, void *value)
{
	const char *s = "";
	int r = field_string(d, FIELD_NAME_MAX, &s);

	(void)f;
	if (r < 0)
		return r;
	if (!is_object_name(s))
		return decode_refuse(d, "'%.40s' is not a valid name", s);
	return store_text(d, s, value);
}

const struct field_type field_name = { text_is_absent, text_write, name_read };

static int cores_read(const struct file_field *f, struct decoder *d, void *value)
{
	const char *s = "";
	int r = field_string(d, CPUSET_TEXT, &s);
	char shortest[CPUSET_TEXT];
	struct cpuset set;
	struct error err;

	(void)f;
	if (r < 0)
		return r;
	if (cpuset_parse(s, strlen(s), &set, &err) < 0)
		return decode_refuse(d, "%s", err.msg);
	if (strcmp(cpuset_format(&set, shortest), s) != 0)
		return decode_refuse(d, "must be written '%.40s'", shortest);
	return store_text(d, s, value);
}

const struct field_type field_cores = { text_is_absent, text_write, cores_read };

static bool chars_is_absent(const struct file_field *f, const void *value)
{
	(void)f;
	return !*(const char *)value;
}

static void chars_write(const struct file_field *f, const void *value, struct json_out *o)
{
	(void)f;
	json_out_text(o, value);
}

static int chars_read(const struct file_field *f, struct decoder *d, void *value)
{
	const char *s = "";
	int r = field_string(d, (size_t)f->max - 1, &s);

	if (r < 0)
		return r;
	memcpy(value, s, strlen(s) + 1);
	return 0;
}

const struct field_type field_chars = { chars_is_absent, chars_write, chars_read };

static bool constant_is_absent(const struct file_field *f, const void *value)
{
	(void)f;
	(void)value;
	return true;
}

static void constant_write(const struct file_field *f, const void *value, struct json_out *o)
{
	(void)value;
	json_out_text(o, f->of);
}

static int constant_read(const struct file_field *f, struct decoder *d, void *value)
{
	const char *s = "";
	int r = field_string(d, FIELD_NAME_MAX, &s);

	(void)value;
	if (r < 0)
		return r;
	if (strcmp(s, f->of) != 0)
		return decode_refuse(d, "must be '%s'", (const char *)f->of);
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

static bool date_is_absent(const struct file_field *f, const void *value)
{
	(void)f;
	return i64_at(value) == 0;
}

static void date_write(const struct file_field *f, const void *value, struct json_out *o)
{
	int64_t t = i64_at(value);
	char buf[DATE_TEXT];

	(void)f;
	json_out_text(o, t > 0 && t <= DATE_MAX ? date_format(t, buf) : "");
}

static int date_read(const struct file_field *f, struct decoder *d, void *value)
{
	const char *s = "";
	int r = field_string(d, FIELD_NAME_MAX, &s);
	char shortest[DATE_TEXT];
	int64_t t = 0;

	(void)f;
	if (r < 0)
		return r;
	if (*s && (!date_parse(s, strlen(s), &t) || t <= 0 || t > DATE_MAX ||
		   strcmp(s, date_format(t, shortest)) != 0))
		return decode_refuse(d, "must be a time such as 2026-11-21T09:00:00Z");
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

static bool u32_is_absent(const struct file_field *f, const void *value)
{
	(void)f;
	return u32_at(value) == 0;
}

static void u32_write(const struct file_field *f, const void *value, struct json_out *o)
{
	(void)f;
	json_out_int(o, u32_at(value));
}

static int read_integer(const struct file_field *f, int64_t max, struct decoder *d, int64_t *ret)
{
	int r = decode_i64(d, ret);

	if (r < 0)
		return r;
	if (*ret < f->min || *ret > max)
		return decode_refuse(d, "must be from %" PRId64 " to %" PRId64, f->min, max);
	return 0;
}

static int u32_read(const struct file_field *f, struct decoder *d, void *value)
{
	int64_t n = 0;
	int r = read_integer(f, f->max ? f->max : UINT32_MAX, d, &n);

	if (r < 0)
		return r;
	memcpy(value, &(uint32_t){ (uint32_t)n }, sizeof(uint32_t));
	return 0;
}

const struct field_type field_u32 = { u32_is_absent, u32_write, u32_read };

static int32_t i32_at(const void *value)
{
	int32_t v;

	memcpy(&v, value, sizeof(v));
	return v;
}

static bool i32_is_absent(const struct file_field *f, const void *value)
{
	(void)f;
	return i32_at(value) == 0;
}

static void i32_write(const struct file_field *f, const void *value, struct json_out *o)
{
	(void)f;
	json_out_int(o, i32_at(value));
}

static int i32_read(const struct file_field *f, struct decoder *d, void *value)
{
	int64_t n = 0;
	int r = read_integer(f, f->max, d, &n);

	if (r < 0)
		return r;
	memcpy(value, &(int32_t){ (int32_t)n }, sizeof(int32_t));
	return 0;
}

const struct field_type field_i32 = { i32_is_absent, i32_write, i32_read };

static bool bool_is_absent(const struct file_field *f, const void *value)
{
	(void)f;
	return !*(const bool *)value;
}

static void bool_write(const struct file_field *f, const void *value, struct json_out *o)
{
	(void)f;
	json_out_bool(o, *(const bool *)value);
}

static int bool_read(const struct file_field *f, struct decoder *d, void *value)
{
	(void)f;
	return read_bool(d, NULL, value);
}

const struct field_type field_bool = { bool_is_absent, bool_write, bool_read };

static unsigned word_at(const struct file_field *f, const void *value)
{
	const struct field_words *words = f->of;

	return words->size == 1 ? *(const unsigned char *)value : u32_at(value);
}

static bool word_is_absent(const struct file_field *f, const void *value)
{
	return word_at(f, value) == 0;
}

static void word_write(const struct file_field *f, const void *value, struct json_out *o)
{
	const struct field_words *words = f->of;

	json_out_text(o, words->name(word_at(f, value)));
}

static int word_read(const struct file_field *f, struct decoder *d, void *value)
{
	const struct field_words *words = f->of;
	const char *s = "";
	int r = field_string(d, FIELD_NAME_MAX, &s);

	if (r < 0)
		return r;
	for (unsigned i = words->first; i < words->end; i++) {
		if (strcmp(words->name(i), s) != 0)
			continue;
		if (words->size == 1)
			*(unsigned char *)value = (unsigned char)i;
		else
			memcpy(value, &(uint32_t){ i }, sizeof(uint32_t));
		return 0;
	}
	return decode_refuse(d, "unknown value '%.40s'", s);
}

const struct field_type field_word = { word_is_absent, word_write, word_read };

/* Decimals */

static bool micro_is_absent(const struct file_field *f, const void *value)
{
	(void)f;
	return *(const int64_t *)value == 0;
}

static void micro_write(const struct file_field *f, const void *value, struct json_out *o)
{
	AUTO(str_done) struct str text = STR_INIT;

	(void)f;
	decimal_add(&text, *(const int64_t *)value, 0);
	json_out_raw(o, text.s);
}

static int micro_read(const struct file_field *f, struct decoder *d, void *value)
{
	struct slice token;
	char first;
	int r = decode_token(d, &token, &first);

	(void)f;
	if (r == 0 && (first == '"' || !decimal_parse(token.s, token.n, value, NULL)))
		return decode_refuse(d, "must be a decimal number");
	return r;
}

const struct field_type field_micro = { micro_is_absent, micro_write, micro_read };
