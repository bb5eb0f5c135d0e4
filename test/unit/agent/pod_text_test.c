/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/pod_text.h"

#include <string.h>

#include "base/auto.h"
#include "test/unit/test.h"

static void reduces_to(const char *text, const char *expected)
{
	AUTO(str_done) struct str out = STR_INIT;
	struct error err = ERROR_INIT;

	assert_int_equal(pod_text_reduce(slice_of(text), &out, &err), 0);
	assert_string_equal(out.s, expected);
}

TEST(members_that_are_read_are_kept)
{
	reduces_to(
		"{\"kind\":\"Pod\",\"metadata\":{\"labels\":{\"a\":\"b\"},\"name\":\"p\","
		"\"annotations\":{\"x\":\"y\"}},\"spec\":{\"containers\":[{\"args\":[1,2],"
		"\"name\":\"app\"},{\"name\":\"log\",\"env\":[{}]}],\"priority\":5},"
		"\"status\":{\"phase\":\"Running\",\"conditions\":[{}]}}",
		"{\"metadata\":{\"name\":\"p\",\"annotations\":{\"x\":\"y\"}},"
		"\"spec\":{\"containers\":[{\"name\":\"app\"},{\"name\":\"log\"}],\"priority\":5},"
		"\"status\":{\"phase\":\"Running\"}}");
}

TEST(members_of_another_type_are_kept_as_they_are)
{
	reduces_to("{\"metadata\":null,\"spec\":7,\"status\":\"x\"}",
		   "{\"metadata\":null,\"spec\":7,\"status\":\"x\"}");
	reduces_to("[]", "[]");
}

TEST(text_that_is_not_json_is_refused)
{
	AUTO(str_done) struct str out = STR_INIT;
	struct error err = ERROR_INIT;

	assert_true(pod_text_reduce(slice_of("{\"spec\":{\"containers\":[}"), &out, &err) < 0);
}
