/* SPDX-License-Identifier: Apache-2.0 */
#include "base/scan.h"

#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "test/unit/test.h"

static const char sample[] =
	"{\"a\\u00e9\" : [1, -2.5e+3, true, false, null, \"\xe6\x97\xa5 \\\"q\\\"\"],\n"
	"\t\"long text without anything special in it\": {\"x\": {}, \"y\": []},        \"z\": 0}";

/* Bytes beyond the text must not be looked at: the copy ends where the text does. */
static int skip_prefix(const char *text, size_t n)
{
	AUTO_FREE char *copy = xmalloc(n);

	memcpy(copy, text, n);
	struct scan s = scan_of((struct slice){ copy, n });
	return scan_skip(&s);
}

TEST(every_prefix_is_short_and_never_bad)
{
	for (size_t n = 0; n < sizeof(sample) - 1; n++)
		assert_int_equal(skip_prefix(sample, n), SCAN_SHORT);
	assert_int_equal(skip_prefix(sample, sizeof(sample) - 1), 0);
}

TEST(members_are_walked_in_order)
{
	static const char *const expect[] = {
		"a\\u00e9",
		"long text without anything special in it",
		"z",
	};
	struct scan s = scan_of(SLICE(sample));
	struct slice key;
	size_t n = 0;

	assert_int_equal(scan_open(&s, '{'), 0);
	while (scan_member(&s, &key) > 0) {
		assert_true(n < 3 && slice_eq(key, expect[n]));
		assert_int_equal(s.has_escape, n == 0);
		assert_int_equal(scan_skip(&s), 0);
		n++;
	}
	assert_int_equal(n, 3);
	assert_ptr_equal(s.at, s.end);
	assert_int_equal(s.depth, 0);
}

TEST(an_error_names_the_line)
{
	struct error err;

	assert_int_equal(scan_check(SLICE("{\n\"a\": [\n1,\n x]}"), &err), -EINVAL);
	assert_string_equal(err.msg, "line 4: not a JSON value");
	assert_int_equal(scan_check(SLICE("[\"\n\"]"), &err), -EINVAL);
	assert_string_equal(err.msg, "line 1: a control character in a string");
}

TEST(controls_between_tokens_are_refused)
{
	assert_int_equal(scan_check(SLICE("[\v1]"), NULL), -EINVAL);
	assert_int_equal(scan_check((struct slice){ "[1\0]", 4 }, NULL), -EINVAL);
	assert_int_equal(scan_check((struct slice){ "[]\0", 3 }, NULL), -EINVAL);
}

TEST(nested_too_deep_is_refused)
{
	char text[2 * SCAN_MAX_DEPTH + 1] = { 0 };
	struct scan s = scan_of((struct slice){ text, 2 * SCAN_MAX_DEPTH });

	memset(text, '[', SCAN_MAX_DEPTH);
	memset(text + SCAN_MAX_DEPTH, ']', SCAN_MAX_DEPTH);
	assert_int_equal(scan_skip(&s), 0);
	assert_ptr_equal(s.at, s.end);
	s.at = text;
	s.depth = 1;
	assert_int_equal(scan_skip(&s), SCAN_BAD);
}
