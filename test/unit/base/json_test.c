/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <string.h>

#include "base/array.h"
#include "base/str.h"
#include "test/unit/test.h"

static cJSON *parse(const char *text)
{
	cJSON *root = NULL;
	struct error err = ERROR_INIT;

	if (json_parse(text, strlen(text), &root, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	return root;
}

static void prints_as(const char *text, const char *expect)
{
	AUTO_JSON cJSON *root = parse(text);
	AUTO_FREE char *printed = cJSON_PrintUnformatted(root);

	assert_string_equal(printed, expect);
}

TEST(values_of_all_kinds_are_read)
{
	prints_as(" { \"a\" : [ 1 , true , false , null , \"x\" , { } , [ ] , -0.5 ] } \n",
		  "{\"a\":[1,true,false,null,\"x\",{},[],-0.5]}");
	prints_as("\"top\"", "\"top\"");
	prints_as("12", "12");
}

TEST(the_last_of_equal_keys_wins)
{
	prints_as("{\"a\":1,\"b\":2,\"a\":3}", "{\"b\":2,\"a\":3}");
	prints_as("{\"a\":{\"x\":1},\"a\":{\"y\":2}}", "{\"a\":{\"y\":2}}");
	prints_as("{\"a\":1,\"\\u0061\":2,\"A\":3}", "{\"a\":2,\"A\":3}");
}

TEST(escapes_become_text)
{
	AUTO_JSON cJSON *root = parse("\"\\u00e9\\ud83d\\ude00\\ud800x\\n\\/\\\"\"");

	assert_string_equal(root->valuestring, "\xc3\xa9\xf0\x9f\x98\x80\xef\xbf\xbdx\n/\"");
}

TEST(integers_are_exact)
{
	static const struct {
		const char *text;
		int64_t value;
	} good[] = {
		{ "0", 0 },
		{ "-1", -1 },
		{ "9007199254740993", INT64_C(9007199254740993) },
		{ "9223372036854775807", INT64_MAX },
		{ "-9223372036854775808", INT64_MIN },
	};
	static const char *const bad[] = {
		"9223372036854775808", "-9223372036854775809", "1.0", "1e3", "1.5", "\"1\"", "null",
	};
	int64_t v;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		AUTO_JSON cJSON *root = parse(good[i].text);

		assert_true(json_int(root, &v));
		assert_true(v == good[i].value);
		prints_as(good[i].text, good[i].text);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		AUTO_JSON cJSON *root = parse(bad[i]);

		assert_false(json_int(root, &v));
	}
}

TEST(look_up_is_exact)
{
	AUTO_JSON cJSON *root = parse("{\"a\":{\"Key\":\"v\",\"n\":1}}");

	assert_string_equal(json_text(json_path(root, "a.Key")), "v");
	assert_null(json_path(root, "a.key"));
	assert_null(json_path(root, "a.Key.x"));
	assert_null(json_text(json_path(root, "a.n")));
	assert_null(json_get(NULL, "a"));
}

TEST(sorting_goes_all_the_way_down)
{
	AUTO_JSON cJSON *root = parse("{\"b\":[{\"z\":1,\"y\":2}],\"a\":{\"d\":1,\"c\":2}}");

	json_sort(root);
	AUTO_FREE char *printed = cJSON_PrintUnformatted(root);
	assert_string_equal(printed, "{\"a\":{\"c\":2,\"d\":1},\"b\":[{\"y\":2,\"z\":1}]}");
}

TEST(what_is_not_json_is_refused)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "", "ends in the middle" },
		{ "{", "ends in the middle" },
		{ "{\"a\":", "ends in the middle" },
		{ "[1,2", "ends in the middle" },
		{ "\"abc", "ends in the middle" },
		{ "tru", "ends in the middle" },
		{ "{} x", "line 1: trailing characters" },
		{ "{}\n\n{}", "line 3: trailing characters" },
		{ "[1,]", "not a JSON value" },
		{ "{\"a\":1,}", "a string was expected" },
		{ "{a:1}", "a string was expected" },
		{ "{\"a\" 1}", "a colon was expected" },
		{ "[1 2]", "a comma" },
		{ "[01]", "not a JSON value" },
		{ "[+1]", "not a JSON value" },
		{ "[.5]", "not a JSON value" },
		{ "[1.]", "not a JSON value" },
		{ "[1e]", "not a JSON value" },
		{ "[NaN]", "not a JSON value" },
		{ "['a']", "not a JSON value" },
		{ "[True]", "not a JSON value" },
		{ "[\"\\x\"]", "an unknown escape" },
		{ "[\"\\u12g4\"]", "hex digits" },
		{ "[\"a\tb\"]", "a control character" },
		{ "[\"\xff\"]", "not UTF-8" },
		{ "[\"\xc0\x80\"]", "not UTF-8" },
		{ "[\"\xed\xa0\x80\"]", "not UTF-8" },
		{ "[\"\\u0000\"]", "a NUL character" },
		{ "[/* c */1]", "not a JSON value" },
		{ "\xef\xbb\xbf{}", "not a JSON value" },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		cJSON *root = NULL;
		struct error err = ERROR_INIT;

		assert_true(json_parse(bad[i].text, strlen(bad[i].text), &root, &err) < 0);
		assert_null(root);
		if (!strstr(err.msg, bad[i].why))
			fail_msg("%s: %s, not %s", bad[i].text, err.msg, bad[i].why);
	}
}

TEST(depth_is_limited)
{
	AUTO(str_done) struct str deep = STR_INIT;
	cJSON *root = NULL;
	struct error err;

	for (int i = 0; i < 100; i++)
		str_addc(&deep, '[');
	for (int i = 0; i < 100; i++)
		str_addc(&deep, ']');
	assert_int_equal(json_parse(deep.s, deep.n, &root, &err), 0);
	cJSON_Delete(root);

	AUTO(str_done) struct str deeper = STR_INIT;
	str_addf(&deeper, "{\"a\":%s}", deep.s);
	assert_true(json_parse(deeper.s, deeper.n, &root, &err) < 0);
	assert_non_null(strstr(err.msg, "nesting exceeds 100 levels"));
}
