/* SPDX-License-Identifier: Apache-2.0 */
#include "base/decode.h"

#include <string.h>

#include "base/array.h"
#include "base/auto.h"
#include "test/unit/test.h"

struct thing {
	str_id name, code;
	int32_t size;
	int64_t at;
	struct slice rest;
	uint8_t color;
	bool is_on, has_extra;
	unsigned n_parts;
};

static const char *const colors[] = { "red", "green", NULL };

static int count(struct decoder *d, void *arg)
{
	struct slice text;
	int r = decode_text(d, &text);

	++*(unsigned *)arg;
	return r;
}

static int read_parts(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	return decode_list(d, count, into);
}

static const struct field inner_fields[] = {
	FIELD("at", read_time, struct thing, at),
	FIELD_MORE("color", read_choice, struct thing, color, colors),
	FIELD("on", read_bool, struct thing, is_on),
	FIELD("size", read_i32, struct thing, size),
	{ 0 },
};

static const struct field fields[] = {
	FIELD("code", read_token, struct thing, code),
	FIELD("extra", read_exists, struct thing, has_extra),
	FIELD_SUB("inner", inner_fields),
	FIELD("name", read_text, struct thing, name),
	FIELD("parts", read_parts, struct thing, n_parts),
	FIELD("rest", read_slice, struct thing, rest),
	{ 0 },
};

static int take_pair(struct decoder *d, struct slice key, void *arg)
{
	str_id value;
	int r = decode_id(d, &value);

	(void)key;
	*(str_id *)arg = value;
	return r;
}

static unsigned n_reads;

static int read_last(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	n_reads++;
	return decode_map(d, take_pair, into);
}

static const struct field kept_fields[] = {
	FIELD("code", read_deferred_token, struct thing, code),
	FIELD_CACHED("labels", read_last, struct thing, name),
	{ 0 },
};

struct fixture {
	struct intern strings;
	struct decoder d;
	struct thing thing;
};

static void fixture_done(struct fixture *f)
{
	decoder_done(&f->d);
	intern_done(&f->strings);
}

static int decode(struct fixture *f, const char *json)
{
	*f = (struct fixture){ 0 };
	decoder_init(&f->d, &f->strings);
	decoder_start(&f->d, slice_of(json));
	return decode_object(&f->d, fields, &f->thing);
}

TEST(fields_are_filled_and_the_rest_is_skipped)
{
	AUTO(fixture_done) struct fixture f;
	const char *json =
		"{ \"x\": [{\"name\":1}], \"name\":\"a\\u00e9\", \"inner\": {\"name\": 5,"
		"\"size\":-7,\"on\":true,\"color\":\"green\","
		"\"at\":\"2026-11-21T09:00:00Z\"},\"parts\":[\"a\",\"b\"],"
		"\"rest\":{\"a\": [1]},\"extra\":{},\"c\\u006fde\":12.50}";

	assert_int_equal(decode(&f, json), 0);
	assert_string_equal(intern_str(&f.strings, f.thing.name), "a\xc3\xa9");
	assert_string_equal(intern_str(&f.strings, f.thing.code), "12.50");
	assert_int_equal(f.thing.size, -7);
	assert_int_equal(f.thing.color, 1);
	assert_int_equal(f.thing.at, 1795251600);
	assert_int_equal(f.thing.n_parts, 2);
	assert_true(f.thing.is_on && f.thing.has_extra && !f.d.has_duplicate);
	assert_true(slice_eq(f.thing.rest, "{\"a\": [1]}"));
	assert_ptr_equal(f.d.scan.at, f.d.scan.end);
}

TEST(null_is_absent)
{
	AUTO(fixture_done) struct fixture f;

	assert_int_equal(decode(&f, "{\"name\":null,\"inner\":null,\"extra\":null,\"parts\":null}"),
			 0);
	assert_int_equal(f.thing.name, 0);
	assert_false(f.thing.has_extra);
}

TEST(a_member_given_twice_is_noticed)
{
	AUTO(fixture_done) struct fixture f;

	assert_int_equal(decode(&f, "{\"x\":1,\"x\":2,\"name\":\"a\",\"name\":\"b\"}"), 0);
	assert_true(f.d.has_duplicate);
}

TEST(the_path_of_a_refused_value_is_named)
{
	static const struct {
		const char *json, *problem;
	} bad[] = {
		{ "{\"name\":1}", "name: must be a string" },
		{ "{\"inner\":{\"size\":\"1\"}}", "inner.size: must be a whole number" },
		{ "{\"inner\":{\"size\":99999999999}}",
		  "inner.size: must be a whole number of 32 bits" },
		{ "{\"inner\":{\"on\":\"true\"}}", "inner.on: must be true or false" },
		{ "{\"inner\":{\"color\":\"blue\"}}", "inner.color: unknown value 'blue'" },
		{ "{\"inner\":{\"at\":\"x\"}}", "inner.at: 'x' is not a time" },
		{ "{\"inner\":[]}", "inner: must be an object" },
		{ "{\"parts\":{}}", "parts: must be a list" },
		{ "{\"parts\":[\"a\",{}]}", "parts[1]: must be a string" },
		{ "[]", "must be an object" },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		AUTO(fixture_done) struct fixture f;

		assert_int_equal(decode(&f, bad[i].json), DECODE_REFUSED);
		assert_string_equal(f.d.problem, bad[i].problem);
	}
}

TEST(strict_reading_refuses_what_no_row_names_and_null_and_doubles)
{
	static const struct {
		const char *json, *problem;
	} bad[] = {
		{ "{\"x\":1}", "x: is not part of a thing" },
		{ "{\"inner\":{\"s\\u0131ze\":1}}", "inner.s\xc4\xb1ze: is not part of a thing" },
		{ "{\"name\":null}", "name: must be a string" },
		{ "{\"inner\":null}", "inner: must be an object" },
		{ "{\"inner\":{\"on\":null}}", "inner.on: must be true or false" },
		{ "{\"name\":\"a\",\"name\":\"a\"}", "name: is there twice" },
		{ "null", "must be an object" },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		AUTO(fixture_done) struct fixture f = { 0 };

		decoder_init(&f.d, &f.strings);
		f.d.unknown = "is not part of a thing";
		decoder_start(&f.d, slice_of(bad[i].json));
		assert_int_equal(decode_object(&f.d, fields, &f.thing), DECODE_REFUSED);
		assert_string_equal(f.d.problem, bad[i].problem);
	}
}

TEST(rows_that_were_there_are_told)
{
	AUTO(fixture_done) struct fixture f = { 0 };
	uint64_t seen;

	decoder_init(&f.d, &f.strings);
	decoder_start(&f.d, slice_of("{\"rest\":1,\"code\":\"c\",\"x\":{}}"));
	assert_int_equal(decode_members(&f.d, fields, &f.thing, &seen), 0);
	assert_int_equal(seen, 1 << 0 | 1 << 5);
}

TEST(what_follows_the_text_is_an_error)
{
	AUTO(fixture_done) struct fixture f;
	const struct slice text = slice_of("{\"name\":\"a\"}\n}");
	struct error err;

	assert_int_equal(decode(&f, text.s), 0);
	assert_true(decoder_end(&f.d, 0, text, &err) < 0);
	assert_string_equal(err.msg, "line 2: trailing characters after the value");
}

/* What the rows say is lost is collected, the first problem kept, and the rest read. */
TEST(a_value_that_a_row_can_do_without_is_passed_over)
{
	static const struct field inner[] = {
		FIELD("on", read_bool, struct thing, has_extra, 1),
		FIELD("name", read_text, struct thing, name),
		{ 0 },
	};
	static const struct field outer[] = {
		FIELD_SUB("a", inner, 2),
		FIELD_SUB("b", inner, 4),
		FIELD("code", read_token, struct thing, code),
		{ 0 },
	};
	static const char json[] = "{\"a\":{\"on\":[{\"x\":1}],\"name\":\"n\"},"
				   "\"b\":{\"on\":true,\"name\":[]},\"code\":7}";
	AUTO(fixture_done) struct fixture f = { 0 };

	decoder_init(&f.d, &f.strings);
	decoder_start(&f.d, slice_of(json));
	assert_int_equal(decode_object(&f.d, outer, &f.thing), 0);
	assert_int_equal(f.d.unread, 1 | 4);
	assert_int_equal(f.d.depth, 0);
	assert_string_equal(f.d.problem, "a.on: must be true or false");
	assert_string_equal(intern_str(&f.strings, f.thing.name), "n");
	assert_string_equal(intern_str(&f.strings, f.thing.code), "7");
	assert_ptr_equal(f.d.scan.at, f.d.scan.end);
}

TEST(every_prefix_is_short)
{
	static const char json[] = "{\"name\":\"a\",\"inner\":{\"size\":-12,\"on\":true,\"at\":"
				   "\"2026-11-21T09:00:00Z\"},\"parts\":[\"\\n\"],\"code\":1.5}";

	for (size_t n = 0; n < sizeof(json) - 1; n++) {
		AUTO_FREE char *part = xstrndup(json, n);
		AUTO(fixture_done) struct fixture f;

		assert_int_equal(decode(&f, part), SCAN_SHORT);
	}
}

TEST(broken_json_is_told_apart_from_refused_values)
{
	AUTO(fixture_done) struct fixture a, b;

	assert_int_equal(decode(&a, "{\"x\":tru}"), SCAN_BAD);
	assert_int_equal(decode(&b, "{\"name\":\"a\" \"x\":1}"), SCAN_BAD);
}

/* Objects that are decoded one after the other with one memory; `labels` of the last. */
static const char *last_of(struct fixture *f, const char *const *lines, size_t n)
{
	AUTO_FREE struct decoder_memory *memory = xcalloc(1, sizeof(*memory));

	*f = (struct fixture){ 0 };
	decoder_init(&f->d, &f->strings);
	f->d.memory = memory;
	n_reads = 0;
	for (size_t i = 0; i < n; i++) {
		f->thing = (struct thing){ 0 };
		decoder_start(&f->d, slice_of(lines[i]));
		assert_int_equal(decode_object(&f->d, kept_fields, &f->thing), 0);
		assert_ptr_equal(f->d.scan.at, f->d.scan.end);
		decoder_finish(&f->d);
	}
	f->d.memory = NULL;
	return intern_str(&f->strings, f->thing.name);
}

TEST(a_value_that_stands_again_is_not_read_again)
{
	static const char *const lines[] = {
		"{\"labels\":{\"app\":\"x\",\"tier\":\"back\"},\"code\":1}",
		"{\"code\":17,\"labels\":{\"app\":\"x\",\"tier\":\"back\"}}",
		"{\"x\":[], \"labels\": {\"app\":\"x\",\"tier\":\"back\"}, \"code\": 2}",
	};
	AUTO(fixture_done) struct fixture f;

	assert_string_equal(last_of(&f, lines, 3), "back");
	assert_int_equal(n_reads, 1);
	assert_string_equal(intern_str(&f.strings, f.thing.code), "2");
}

TEST(a_value_that_differs_is_read)
{
	static const char *const lines[] = {
		"{\"labels\":{\"app\":\"x\",\"tier\":\"back\"},\"code\":1}",
		"{\"labels\":{\"app\":\"x\",\"tier\":\"bacK\"},\"code\":1}",
		"{\"labels\":{\"app\":\"x\",\"tier\":\"back\",\"z\":\"\"},\"code\":1}",
	};
	AUTO(fixture_done) struct fixture f;

	assert_string_equal(last_of(&f, lines, 2), "bacK");
	assert_int_equal(n_reads, 2);
	fixture_done(&f);
	assert_string_equal(last_of(&f, lines, 3), "");
	assert_int_equal(n_reads, 3);
}
