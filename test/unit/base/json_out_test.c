/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_out.h"

#include "base/auto.h"
#include "test/unit/test.h"

static void write_sample(struct json_out *o)
{
	json_out_object(o);
	json_out_key(o, "name");
	json_out_text(o, "a \"b\"\n\b\f\r\t\x01\x7f\xc3\xa9");
	json_out_key(o, "list");
	json_out_array(o);
	json_out_int(o, INT64_MIN);
	json_out_object(o);
	json_out_key(o, "z");
	json_out_bool(o, true);
	json_out_key(o, "aa");
	json_out_array(o);
	json_out_end(o);
	json_out_key(o, "a");
	json_out_object(o);
	json_out_end(o);
	json_out_end(o);
	json_out_text(o, "");
	json_out_end(o);
	json_out_key(o, "b");
	json_out_bool(o, false);
	json_out_end(o);
}

TEST(people_get_lines_and_the_given_order)
{
	AUTO(str_done) struct str text = STR_INIT;
	struct json_out o = { .out = &text };

	write_sample(&o);
	json_out_done(&o);
	assert_string_equal(text.s,
			    "{\n"
			    "  \"name\": \"a \\\"b\\\"\\n\\b\\f\\r\\t\\u0001\x7f\xc3\xa9\",\n"
			    "  \"list\": [\n"
			    "    -9223372036854775808,\n"
			    "    {\n"
			    "      \"z\": true,\n"
			    "      \"aa\": [],\n"
			    "      \"a\": {}\n"
			    "    },\n"
			    "    \"\"\n"
			    "  ],\n"
			    "  \"b\": false\n"
			    "}");
}

TEST(the_canonical_form_is_sorted_and_has_no_blanks)
{
	AUTO(str_done) struct str text = STR_INIT;
	struct json_out o = { .out = &text, .is_canonical = true };

	write_sample(&o);
	json_out_done(&o);
	assert_string_equal(text.s,
			    "{\"b\":false,"
			    "\"list\":[-9223372036854775808,{\"a\":{},\"aa\":[],\"z\":true},\"\"],"
			    "\"name\":\"a \\\"b\\\"\\n\\b\\f\\r\\t\\u0001\x7f\xc3\xa9\"}");
}

TEST(a_number_alone_is_a_text)
{
	AUTO(str_done) struct str text = STR_INIT;
	struct json_out o = { .out = &text };

	json_out_int(&o, -1);
	json_out_done(&o);
	assert_string_equal(text.s, "-1");
}
