/* SPDX-License-Identifier: Apache-2.0 */
#include "base/decode.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/date.h"
#include "base/json.h"

void decoder_init(struct decoder *d, struct intern *strings)
{
	*d = (struct decoder){ .strings = strings, .text = STR_INIT };
}

void decoder_done(struct decoder *d)
{
	str_done(&d->text);
}

void decoder_start(struct decoder *d, struct slice text)
{
	d->scan = scan_of(text);
	d->depth = 0;
	d->n_deferred = 0;
	d->has_duplicate = false;
	d->unread = 0;
	d->is_remark = false;
	d->problem[0] = '\0';
}

void decoder_finish(struct decoder *d)
{
	for (unsigned i = 0; i < d->n_deferred; i++) {
		const struct deferred_text *t = &d->deferred[i];

		*t->ret = intern_add_hashed(d->strings, t->text.s, t->text.n, t->hash);
	}
	d->n_deferred = 0;
}

static void push(struct decoder *d, struct path_step step)
{
	if (d->depth < DECODE_MAX_PATH)
		d->path[d->depth] = step;
	d->depth++;
}

void decoder_enter(struct decoder *d, const char *key)
{
	push(d, (struct path_step){ key, (uint32_t)strlen(key), false });
}

static void add_path(const struct decoder *d, struct str *out)
{
	for (unsigned i = 0; i < d->depth && i < DECODE_MAX_PATH; i++) {
		const struct path_step *step = &d->path[i];

		if (!step->key)
			str_addf(out, "[%u]", step->n);
		else if (step->is_free && memchr(step->key, '.', step->n))
			str_addf(out, "[%.*s]", (int)step->n, step->key);
		else
			str_addf(out, "%s%.*s", i ? "." : "", (int)step->n, step->key);
	}
}

static void say(struct decoder *d, const char *fmt, va_list ap)
{
	AUTO(str_done) struct str s = STR_INIT_MAX(sizeof(d->problem) - 1);

	if (d->unread && !d->is_remark)
		return;
	d->is_remark = false;
	add_path(d, &s);
	str_add(&s, s.n ? ": " : "");
	str_vaddf(&s, fmt, ap);
	memcpy(d->problem, s.s, s.n + 1);
}

int decode_refuse(struct decoder *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(d, fmt, ap);
	va_end(ap);
	return DECODE_REFUSED;
}

void decode_note(struct decoder *d, unsigned unread, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(d, fmt, ap);
	va_end(ap);
	d->unread |= unread;
}

void decode_remark(struct decoder *d, unsigned unread, const char *fmt, ...)
{
	va_list ap;

	if (d->unread)
		return;
	va_start(ap, fmt);
	say(d, fmt, ap);
	va_end(ap);
	d->unread |= unread;
	d->is_remark = true;
}

int decode_pass(struct decoder *d, const char *from, unsigned depth, unsigned scan_depth,
		unsigned unread)
{
	d->unread |= unread;
	d->depth = depth;
	d->scan.at = from;
	d->scan.depth = scan_depth;
	d->scan.is_first = false;
	return scan_skip(&d->scan);
}

static inline bool is_key(const struct field *f, struct slice key)
{
	return f->n == key.n && f->key[0] == key.s[0] && memcmp(f->key, key.s, key.n) == 0;
}

/* Keys come in the order of the table more often than not: the search begins behind the last hit.
 */
static const struct field *find_field(const struct field *fields, const struct field *from,
				      struct slice key)
{
	for (const struct field *f = from; f->key; f++)
		if (is_key(f, key))
			return f;
	for (const struct field *f = fields; f < from; f++)
		if (is_key(f, key))
			return f;
	return NULL;
}

static struct slice plain_key(struct decoder *d, struct slice key)
{
	if (!d->scan.has_escape)
		return key;
	str_clear(&d->text);
	scan_unescape(key, &d->text);
	return (struct slice){ d->text.s, d->text.n };
}

/* Opens a container. What is no JSON at all will be found when its end is looked for. */
static int open_container(struct decoder *d, char bracket)
{
	int c = scan_blank(&d->scan);

	if (c >= 0 && c != bracket)
		return decode_refuse(d, bracket == '{' ? "must be an object" : "must be a list");
	return scan_open(&d->scan, bracket);
}

/* At a value. */
static bool is_null(const struct decoder *d)
{
	return *d->scan.at == 'n';
}

static int read_field(struct decoder *d, const struct field *f, void *into)
{
	if (is_null(d) && !d->unknown)
		return scan_skip(&d->scan);

	char *to = (char *)into + f->offset;
	struct value_cache *cache = f->cached && d->memory ? &d->memory->value_cache : NULL;
	if (cache && value_cache_take(cache, &d->scan, f, to))
		return 0;

	const char *from = d->scan.at;
	unsigned depth = d->depth, scan_depth = d->scan.depth, unread = d->unread;
	push(d, (struct path_step){ f->key, f->n, false });
	int r = f->read(d, f, to);
	if (r == DECODE_REFUSED && f->unread)
		return decode_pass(d, from, depth, scan_depth, f->unread);
	if (r < 0)
		return r;
	d->depth--;
	if (cache && !d->has_duplicate && d->unread == unread)
		value_cache_add(cache, &d->scan, from, f, to, f->cached);
	return 0;
}

static int refuse_unknown(struct decoder *d, struct slice key)
{
	push(d, (struct path_step){ key.s, (uint32_t)key.n, false });
	return decode_refuse(d, "%s", d->unknown);
}

/* From behind a member to the value of the next one that the table names: 1, or 0 when the object
 * is over. `next` is the row behind that of the member, and stands for the place. */
static int next_field(struct decoder *d, const struct field *fields, const struct field *next,
		      const struct field **ret)
{
	const char *from = d->scan.at;
	const void *known;
	struct slice key;
	int r;

	if (d->memory && span_cache_pass(&d->memory->span_cache, &d->scan, next, &known)) {
		*ret = known;
		return known != NULL;
	}
	*ret = NULL;
	while ((r = scan_member(&d->scan, &key)) > 0) {
		key = plain_key(d, key);
		*ret = find_field(fields, next, key);
		if (!*ret && d->unknown)
			return refuse_unknown(d, key);
		if (*ret || (r = scan_skip(&d->scan)) < 0)
			break;
	}
	if (r >= 0 && d->memory)
		span_cache_add(&d->memory->span_cache, &d->scan, from, next, *ret);
	return r;
}

/* At an element that is null, which stands for the zero value of its type. */
static bool is_null_element(struct decoder *d)
{
	return scan_blank(&d->scan) == 'n';
}

int decode_members(struct decoder *d, const struct field *fields, void *into, uint64_t *ret_seen)
{
	const struct field *next = fields, *f;
	int r;

	*ret_seen = 0;
	if (is_null_element(d) && !d->unknown)
		return scan_skip(&d->scan);
	r = open_container(d, '{');

	while (r == 0 && (r = next_field(d, fields, next, &f)) > 0) {
		uint64_t bit = UINT64_C(1) << (f - fields);

		if ((*ret_seen & bit) && d->unknown)
			return decode_refuse(d, "%s: is there twice", f->key);
		d->has_duplicate |= (*ret_seen & bit) != 0;
		*ret_seen |= bit;
		next = f + 1;
		r = read_field(d, f, into);
	}
	return r;
}

int decode_object(struct decoder *d, const struct field *fields, void *into)
{
	uint64_t seen;

	return decode_members(d, fields, into, &seen);
}

int decoder_end(struct decoder *d, int result, struct slice text, struct error *err)
{
	if (result == DECODE_REFUSED)
		return error_set(err, -EINVAL, "%s", d->problem);
	if (result >= 0 && scan_blank(&d->scan) >= 0) {
		d->scan.why = "trailing characters after the value";
		result = SCAN_BAD;
	}
	return result < 0 ? scan_error(&d->scan, result, text, err) : 0;
}

int decode_list(struct decoder *d, element_reader read, void *arg)
{
	uint32_t i = 0;
	int r = open_container(d, '[');

	for (; r == 0 && (r = scan_element(&d->scan)) > 0; i++) {
		push(d, (struct path_step){ NULL, i, false });
		r = read(d, arg);
		if (r == 0)
			d->depth--;
	}
	return r;
}

int decode_map(struct decoder *d, member_reader read, void *arg)
{
	struct slice key;
	int r = open_container(d, '{');

	while (r == 0 && (r = scan_member(&d->scan, &key)) > 0) {
		if (d->scan.has_escape) {
			key = plain_key(d, key);
			str_id id = intern_add(d->strings, key.s, key.n);
			key.s = intern_str(d->strings, id);
		}
		push(d, (struct path_step){ key.s, (uint32_t)key.n, true });
		r = read(d, key, arg);
		if (r == 0)
			d->depth--;
	}
	return r;
}

/* A list or an object as d->text, without blanks and with sorted keys. */
static struct slice plain_container(struct decoder *d, struct slice json)
{
	AUTO_JSON cJSON *tree = NULL;

	if (json_parse(json.s, json.n, &tree, NULL) < 0)
		return json;
	json_sort(tree);

	AUTO_FREE char *text = cJSON_PrintUnformatted(tree);
	str_clear(&d->text);
	str_add(&d->text, text ? text : "");
	return (struct slice){ d->text.s, d->text.n };
}

int decode_token(struct decoder *d, struct slice *ret, char *ret_first)
{
	int c = scan_blank(&d->scan);
	const char *from = d->scan.at;

	*ret_first = (char)c;
	if (c != '"') {
		int r = scan_skip(&d->scan);

		*ret = (struct slice){ from, (size_t)(d->scan.at - from) };
		if (r == 0 && (c == '{' || c == '['))
			*ret = plain_container(d, *ret);
		return r;
	}

	int r = scan_string(&d->scan, ret);
	if (r == 0 && d->scan.has_escape) {
		str_clear(&d->text);
		scan_unescape(*ret, &d->text);
		*ret = (struct slice){ d->text.s, d->text.n };
	}
	return r;
}

int decode_text(struct decoder *d, struct slice *ret)
{
	char first;
	int r = decode_token(d, ret, &first);

	if (r == 0 && first == 'n' && !d->unknown)
		*ret = SLICE("");
	else if (r == 0 && first != '"')
		return decode_refuse(d, "must be a string");
	return r;
}

int decode_id(struct decoder *d, str_id *ret)
{
	struct slice text;
	int r = decode_text(d, &text);

	if (r == 0)
		*ret = intern_add(d->strings, text.s, text.n);
	return r;
}

int read_object(struct decoder *d, const struct field *f, void *into)
{
	return decode_object(d, f->more, into);
}

int read_text(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	return decode_id(d, into);
}

int read_token(struct decoder *d, const struct field *f, void *into)
{
	struct slice token;
	char first;
	int r = decode_token(d, &token, &first);

	(void)f;
	if (r == 0)
		*(str_id *)into = intern_add(d->strings, token.s, token.n);
	return r;
}

/* What lies in d->text will be gone by then. */
static void take_deferred(struct decoder *d, struct slice text, str_id *ret)
{
	if (text.s == d->text.s || d->n_deferred == DECODE_MAX_DEFERRED) {
		*ret = intern_add(d->strings, text.s, text.n);
		return;
	}
	d->deferred[d->n_deferred++] = (struct deferred_text){
		.text = text,
		.hash = intern_prefetch(d->strings, text.s, text.n),
		.ret = ret,
	};
}

int read_deferred_text(struct decoder *d, const struct field *f, void *into)
{
	struct slice text;
	int r = decode_text(d, &text);

	(void)f;
	if (r == 0)
		take_deferred(d, text, into);
	return r;
}

int read_deferred_token(struct decoder *d, const struct field *f, void *into)
{
	struct slice token;
	char first;
	int r = decode_token(d, &token, &first);

	(void)f;
	if (r == 0)
		take_deferred(d, token, into);
	return r;
}

int read_bool(struct decoder *d, const struct field *f, void *into)
{
	int c = scan_blank(&d->scan);
	int r = scan_skip(&d->scan);

	(void)f;
	if (r == 0 && c != 't' && c != 'f')
		return decode_refuse(d, "must be true or false");
	if (r == 0)
		*(bool *)into = c == 't';
	return r;
}

int decode_i64(struct decoder *d, int64_t *ret)
{
	struct slice token;
	char first;
	int r = decode_token(d, &token, &first);
	bool is_negative = first == '-';
	int64_t v = 0;

	if (r < 0)
		return r;
	for (size_t i = is_negative; i < token.n; i++) {
		if (token.s[i] < '0' || token.s[i] > '9' || first == '"')
			return decode_refuse(d, "must be a whole number");
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, token.s[i] - '0', &v)) {
			*ret = is_negative ? INT64_MIN : INT64_MAX;
			return 0;
		}
	}
	*ret = is_negative ? -v : v;
	return 0;
}

int read_generation(struct decoder *d, const struct field *f, void *into)
{
	int64_t v;
	int r = decode_i64(d, &v);

	(void)f;
	if (r == 0 && (v < 0 || v == INT64_MAX))
		return decode_refuse(d, "must be a whole number from 0");
	if (r == 0)
		*(int64_t *)into = v;
	return r;
}

int read_i32(struct decoder *d, const struct field *f, void *into)
{
	int64_t v;
	int r = decode_i64(d, &v);

	(void)f;
	if (r == 0 && (v < INT32_MIN || v > INT32_MAX))
		return decode_refuse(d, "must be a whole number of 32 bits");
	if (r == 0)
		*(int32_t *)into = (int32_t)v;
	return r;
}

int read_i32_saturated(struct decoder *d, const struct field *f, void *into)
{
	int64_t v = 0;
	int r = decode_i64(d, &v);

	(void)f;
	if (r == 0)
		*(int32_t *)into = v < INT32_MIN   ? INT32_MIN
				   : v > INT32_MAX ? INT32_MAX
						   : (int32_t)v;
	return r;
}

int read_time(struct decoder *d, const struct field *f, void *into)
{
	struct slice text;
	int r = decode_text(d, &text);

	(void)f;
	if (r == 0 && slice_eq(text, "0001-01-01T00:00:00Z")) /* the zero value of a time in Go */
		*(int64_t *)into = 0;
	else if (r == 0 && !date_parse(text.s, text.n, into))
		return decode_refuse(d, "'%.*s' is not a time", (int)(text.n > 40 ? 40 : text.n),
				     text.s);
	return r;
}

int read_slice(struct decoder *d, const struct field *f, void *into)
{
	const char *from = d->scan.at;
	int r = scan_skip(&d->scan);

	(void)f;
	if (r == 0)
		*(struct slice *)into = (struct slice){ from, (size_t)(d->scan.at - from) };
	return r;
}

int read_exists(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	*(bool *)into = true;
	return scan_skip(&d->scan);
}

static int choose(struct decoder *d, const struct field *f, struct slice text, uint8_t *ret)
{
	const char *const *words = f->more;

	for (uint8_t i = 0; words[i]; i++) {
		if (slice_eq(text, words[i])) {
			*ret = i;
			return 0;
		}
	}
	return decode_refuse(d, "unknown value '%.*s'", (int)(text.n > 40 ? 40 : text.n), text.s);
}

int read_choice(struct decoder *d, const struct field *f, void *into)
{
	struct slice text;
	int r = decode_text(d, &text);

	return r < 0 ? r : choose(d, f, text, into);
}

int read_default_choice(struct decoder *d, const struct field *f, void *into)
{
	struct slice text;
	int r = decode_text(d, &text);

	return r < 0 || text.n == 0 ? r : choose(d, f, text, into);
}
