/* SPDX-License-Identifier: Apache-2.0 */
#include "execute/relocate_copy.h"

#include <string.h>

#include "base/auto.h"
#include "test/unit/test.h"

TEST(a_copy_has_a_name_that_does_not_grow)
{
	AUTO_FREE char *first = relocate_copy_name("tool", "uid-1");
	AUTO_FREE char *again = relocate_copy_name("tool", "uid-1");
	AUTO_FREE char *next = relocate_copy_name(first, "uid-2");

	assert_string_equal(first, again);
	assert_int_equal(strlen(first), strlen("tool") + 7);
	assert_int_equal(strlen(next), strlen(first));
	assert_string_not_equal(first, next);
}

static const struct action action = {
	.on = { .kind = "Pod", .ns = "default", .name = "tool", .uid = "u1" },
	.from = { .node = "a" },
	.to = { .node = "b" },
};

TEST(a_copy_waits_for_us_and_says_where_it_goes)
{
	AUTO_FREE char *copy = relocate_copy(
		&action,
		slice_of(
			"{\"metadata\":{\"name\":\"tool\",\"uid\":\"u1\",\"resourceVersion\":\"7\","
			"\"labels\":{\"app\":\"x\"},\"annotations\":{\"team\":\"t\","
			"\"mckube.io/rt-core\":\"1\"}},\"spec\":{\"nodeName\":\"a\","
			"\"schedulerName\":\"default-scheduler\",\"containers\":[]},"
			"\"status\":{\"phase\":\"Running\"}}"),
		"tool-mxyz22");

	assert_string_equal(
		copy,
		"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"tool-mxyz22\","
		"\"namespace\":\"default\",\"labels\":{\"app\":\"x\"},\"annotations\":{"
		"\"team\":\"t\",\"mckube.io/migrate-to\":\"b\",\"mckube.io/migrate-from\":\"a/"
		"u1\"}},\"spec\":{\"containers\":[],\"schedulerName\":\"mckube\"}}");
}

TEST(another_pod_of_that_name_is_not_copied)
{
	assert_null(relocate_copy(&action, slice_of("{\"metadata\":{\"uid\":\"u2\"},\"spec\":{}}"),
				  "x"));
	assert_null(relocate_copy(&action, slice_of("nonsense"), "x"));
}
