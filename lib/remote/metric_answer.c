/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/metric_answer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/auto.h"
#include "base/date.h"
#include "base/decimal.h"
#include "base/decode.h"
#include "objects/quantity.h"

enum { MILLI_MICROS = MICRO / 1000, SHOWN = 40 };

void metric_value_missing(struct metric_value *ret, enum no_value reason, const char *fmt, ...)
{
	va_list ap;

	*ret = (struct metric_value){ .reason = reason };
	va_start(ap, fmt);
	vsnprintf(ret->why, sizeof(ret->why), fmt, ap);
	va_end(ap);
	str_make_printable(ret->why);
}

static int shown(size_t n)
{
	return (int)(n < SHOWN ? n : SHOWN);
}

/* Decodes a whole text; false: the value is missing, since the answer is none. */
static bool decode_answer(struct slice body, const struct field *fields, void *into,
			  struct metric_value *ret)
{
	struct error err = ERROR_INIT;
	struct decoder d;

	decoder_init(&d, NULL);
	decoder_start(&d, body);
	int r = decoder_end(&d, decode_object(&d, fields, into), body, &err);
	if (r == 0 && d.has_duplicate)
		r = error_set(&err, -EBADMSG, "a member comes twice");
	decoder_done(&d);
	if (r < 0)
		metric_value_missing(ret, NO_VALUE_BAD_ANSWER, "the answer: %s", err.msg);
	return r == 0;
}

/* ---- Prometheus ---- */

static const char *const statuses[] = { "", "success", "error", NULL };

enum { STATUS_SUCCESS = 1 };

enum result_type { RESULT_NONE, RESULT_VECTOR, RESULT_SCALAR, RESULT_MATRIX, RESULT_STRING };

static const char *const result_types[] = { "", "vector", "scalar", "matrix", "string", NULL };

struct answer {
	uint8_t status, type; /* an index into statuses[]; enum result_type */
	struct slice result;
};

static const struct field data_fields[] = {
	FIELD("result", read_slice, struct answer, result),
	FIELD_MORE("resultType", read_choice, struct answer, type, result_types),
	{ 0 },
};

static const struct field answer_fields[] = {
	FIELD_SUB("data", data_fields),
	FIELD_MORE("status", read_choice, struct answer, status, statuses),
	{ 0 },
};

/* A time and a value, [1795987164.934,"1"], of each element of a vector, or of a scalar. */
struct points {
	struct metric_value value; /* the last */
	uint32_t n, n_parts;	   /* of the last: 2 when it is whole */
};

static bool take_seconds(struct slice text, int64_t *ret)
{
	size_t n = 0;
	int64_t seconds = 0;

	for (; n < text.n && text.s[n] >= '0' && text.s[n] <= '9' && n < 12; n++)
		seconds = seconds * 10 + (text.s[n] - '0');
	*ret = seconds;
	return n > 0 && (n == text.n || text.s[n] == '.') && seconds <= DATE_MAX;
}

/* A value as Prometheus writes it, as a Go float: "NaN", "+Inf", "1.5e+06". */
static void take_value(struct slice text, struct metric_value *ret)
{
	int64_t at = ret->at, value;
	static const char *const no_numbers[] = { "NaN", "+Inf", "-Inf", "Inf" };

	for (size_t i = 0; i < ARRAY_LEN(no_numbers); i++)
		if (slice_eq(text, no_numbers[i])) {
			metric_value_missing(ret, NO_VALUE_NOT_A_NUMBER, "the value is %s",
					     no_numbers[i]);
			return;
		}
	if (!text.n || !strchr("-0123456789", text.s[0]))
		metric_value_missing(ret, NO_VALUE_BAD_ANSWER, "the value '%.*s' is no number",
				     shown(text.n), text.s);
	else if (!decimal_parse(text.s, text.n, &value, NULL))
		metric_value_missing(ret, NO_VALUE_TOO_LARGE,
				     "the value %.*s is no number up to %" PRId64, shown(text.n),
				     text.s, DECIMAL_MAX);
	else if (value < 0)
		metric_value_missing(ret, NO_VALUE_NEGATIVE, "the value %.*s is negative",
				     shown(text.n), text.s);
	else
		*ret = (struct metric_value){ .value = value, .at = at, .has_value = true };
}

static int take_part(struct decoder *d, void *arg)
{
	struct points *p = arg;
	struct slice text;
	char first;
	int r = decode_token(d, &text, &first);

	if (r < 0)
		return r;
	p->n_parts++;
	if (p->n_parts == 1 && !take_seconds(text, &p->value.at))
		return decode_refuse(d, "must be a time");
	if (p->n_parts == 2 && first != '"')
		return decode_refuse(d, "must be a string");
	if (p->n_parts == 2)
		take_value(text, &p->value);
	return p->n_parts > 2 ? decode_refuse(d, "is one too many") : 0;
}

static int take_point(struct decoder *d, void *arg)
{
	struct points *p = arg;

	p->value = (struct metric_value){ 0 };
	p->n_parts = 0;
	int r = decode_list(d, take_part, p);

	if (r == 0 && p->n_parts != 2)
		return decode_refuse(d, "must be a time and a value");
	return r;
}

static int read_point(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	return take_point(d, into);
}

static const struct field element_fields[] = {
	FIELD_WHOLE("value", read_point, NULL),
	{ 0 },
};

static int take_element(struct decoder *d, void *arg)
{
	struct points *p = arg;
	uint64_t seen;
	int r = decode_members(d, element_fields, p, &seen);

	p->n++;
	return r == 0 && !seen ? decode_refuse(d, "value is missing") : r;
}

static void take_result(const struct answer *a, struct metric_value *ret)
{
	struct points p = { 0 };
	struct error err = ERROR_INIT;
	struct decoder d;

	decoder_init(&d, NULL);
	decoder_start(&d, a->result);
	int r = a->type == RESULT_SCALAR ? take_point(&d, &p) : decode_list(&d, take_element, &p);
	r = decoder_end(&d, r, a->result, &err);
	decoder_done(&d);
	if (r < 0)
		metric_value_missing(ret, NO_VALUE_BAD_ANSWER, "the answer: data.result: %s",
				     err.msg);
	else if (a->type == RESULT_VECTOR && p.n == 0)
		metric_value_missing(ret, NO_VALUE_NO_DATA, "the query has no result");
	else if (a->type == RESULT_VECTOR && p.n > 1)
		metric_value_missing(ret, NO_VALUE_SEVERAL,
				     "the query has %" PRIu32 " results, one is needed", p.n);
	else
		*ret = p.value;
}

static bool take_success(struct slice body, struct answer *a, struct metric_value *ret)
{
	if (!decode_answer(body, answer_fields, a, ret))
		return false;
	if (a->status == STATUS_SUCCESS && a->result.n)
		return true;
	metric_value_missing(ret, NO_VALUE_BAD_ANSWER,
			     "the answer: no status success with a result");
	return false;
}

void metric_answer_prometheus(struct slice body, struct metric_value *ret)
{
	struct answer a = { 0 };

	if (!take_success(body, &a, ret))
		return;
	if (a.type != RESULT_VECTOR && a.type != RESULT_SCALAR)
		metric_value_missing(ret, NO_VALUE_BAD_ANSWER,
				     "the query gives a %s, a vector or scalar is needed",
				     a.type ? result_types[a.type] : "value without a type");
	else
		take_result(&a, ret);
}

/* ---- A value of each node ---- */

struct node_element {
	struct points points;
	struct metric_of_node of_node; /* at hand */
	void (*take)(const struct metric_of_node *m, void *arg);
	void *arg;
};

static int read_node_name(struct decoder *d, const struct field *f, void *into)
{
	struct node_element *e = into;
	struct slice text;
	int r = decode_text(d, &text);
	bool is_first_choice = strcmp(f->key, "node") == 0;

	if (r == 0 && text.n <= METRIC_NODE_MAX && (is_first_choice || !*e->of_node.node))
		snprintf(e->of_node.node, sizeof(e->of_node.node), "%.*s", (int)text.n, text.s);
	return r;
}

static int read_node_point(struct decoder *d, const struct field *f, void *into)
{
	struct node_element *e = into;

	(void)f;
	return take_point(d, &e->points);
}

static const struct field label_fields[] = {
	FIELD_WHOLE("node", read_node_name, NULL),
	FIELD_WHOLE("node_name", read_node_name, NULL),
	{ 0 },
};

static const struct field node_element_fields[] = {
	FIELD_SUB("metric", label_fields),
	FIELD_WHOLE("value", read_node_point, NULL),
	{ 0 },
};

static int take_node_element(struct decoder *d, void *arg)
{
	struct node_element *e = arg;

	*e->of_node.node = '\0';
	e->points.n_parts = 0;
	int r = decode_object(d, node_element_fields, e);

	if (r == 0 && e->points.n_parts != 2)
		return decode_refuse(d, "value is missing");
	e->of_node.value = e->points.value;
	e->points.n++;
	if (r == 0)
		e->take(&e->of_node, e->arg);
	return r;
}

void metric_answer_nodes(struct slice body, void (*take)(const struct metric_of_node *m, void *arg),
			 void *arg, struct metric_value *ret)
{
	struct node_element e = { .take = take, .arg = arg };
	struct error err = ERROR_INIT;
	struct answer a = { 0 };
	struct decoder d;

	if (!take_success(body, &a, ret))
		return;
	decoder_init(&d, NULL);
	decoder_start(&d, a.result);
	int r = a.type == RESULT_VECTOR
			? decoder_end(&d, decode_list(&d, take_node_element, &e), a.result, &err)
			: error_set(&err, -EBADMSG, "a vector is needed");
	decoder_done(&d);
	if (r < 0)
		metric_value_missing(ret, NO_VALUE_BAD_ANSWER, "the answer: data.result: %s",
				     err.msg);
	else if (!e.points.n)
		metric_value_missing(ret, NO_VALUE_NO_DATA, "the query has no result");
	else
		*ret = (struct metric_value){ .has_value = true, .value = e.points.n };
}

struct problem_words {
	struct str *why;
};

static int add_word(struct decoder *d, const struct field *f, void *into)
{
	struct problem_words *w = into;
	struct slice text;
	int r = decode_text(d, &text);

	(void)f;
	if (r == 0 && text.n) {
		str_add(w->why, w->why->n ? ": " : "");
		str_addn(w->why, text.s, text.n);
	}
	return r;
}

bool metric_answer_problem(struct slice body, char why[static METRIC_WHY_MAX])
{
	static const struct field fields[] = {
		FIELD_WHOLE("error", add_word, NULL),
		FIELD_WHOLE("errorType", add_word, NULL),
		{ 0 },
	};
	AUTO(str_done) struct str text = STR_INIT;
	struct problem_words words = { &text };
	struct metric_value unused;

	if (!decode_answer(body, fields, &words, &unused) || !text.n)
		return false;
	snprintf(why, METRIC_WHY_MAX, "%s", text.s);
	str_make_printable(why);
	return true;
}

/* ---- Lists of values ---- */

static const char *const list_kinds[] = { "", "MetricValueList", "ExternalMetricValueList", NULL };

struct values {
	uint8_t kind; /* an index into list_kinds[] */
	__int128 sum; /* thousandths */
	uint32_t n;
	int64_t at; /* the oldest */
};

struct one {
	int64_t milli, at;
};

static int read_milli(struct decoder *d, const struct field *f, void *into)
{
	struct slice text;
	char first;
	int r = decode_token(d, &text, &first);

	(void)f;
	if (r < 0)
		return r;
	if (strchr("{[tfn", first) || quantity_milli(text, into) < 0)
		return decode_refuse(d, "must be a quantity");
	return 0;
}

static const struct field one_fields[] = {
	FIELD("timestamp", read_time, struct one, at),
	FIELD("value", read_milli, struct one, milli),
	{ 0 },
};

enum { HAS_BOTH = 3 };

static int take_one(struct decoder *d, void *arg)
{
	struct values *v = arg;
	struct one one = { 0 };
	uint64_t seen;
	int r = decode_members(d, one_fields, &one, &seen);

	if (r == 0 && seen != HAS_BOTH)
		return decode_refuse(d, "timestamp or value is missing");
	v->sum += one.milli;
	v->at = v->n++ && v->at < one.at ? v->at : one.at;
	return r;
}

static int read_values(struct decoder *d, const struct field *f, void *into)
{
	struct values *v = into;

	(void)f;
	return decode_list(d, take_one, v);
}

static const struct field list_fields[] = {
	FIELD_WHOLE("items", read_values, NULL),
	FIELD_MORE("kind", read_choice, struct values, kind, list_kinds),
	{ 0 },
};

void metric_answer_list(struct slice body, enum metric_fold fold, struct metric_value *ret)
{
	struct values v = { 0 };

	if (!decode_answer(body, list_fields, &v, ret))
		return;
	__int128 value = v.sum * MILLI_MICROS;
	if (fold == METRIC_MEAN && v.n)
		value /= v.n;
	if (!v.kind)
		metric_value_missing(ret, NO_VALUE_BAD_ANSWER,
				     "the answer: kind must be MetricValueList or "
				     "ExternalMetricValueList");
	else if (!v.n)
		metric_value_missing(ret, NO_VALUE_NO_DATA, "no object has the metric");
	else if (value < 0)
		metric_value_missing(ret, NO_VALUE_NEGATIVE, "the value is negative");
	else if (value > (__int128)DECIMAL_MAX * MICRO)
		metric_value_missing(ret, NO_VALUE_TOO_LARGE, "the value is above %" PRId64,
				     DECIMAL_MAX);
	else
		*ret = (struct metric_value){ .value = (int64_t)value,
					      .at = v.at,
					      .has_value = true };
}
