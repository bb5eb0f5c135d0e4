/* SPDX-License-Identifier: Apache-2.0 */
#include "model/guarantee.h"

#include "test/unit/test.h"

TEST(words_are_read_as_they_are_written)
{
	enum guarantee g = GUARANTEES;

	for (enum guarantee each = GUARANTEE_ANY; each < GUARANTEES; each++) {
		assert_true(guarantee_parse(guarantee_name(each), &g));
		assert_int_equal(g, each);
	}
	assert_false(guarantee_parse("", &g));
	assert_false(guarantee_parse("realtime", &g));
	assert_int_equal(g, GUARANTEE_KERNEL);
}

TEST(backend_gives_what_its_kernel_files_enforce)
{
	assert_int_equal(guarantee_of_backend("noop"), GUARANTEE_ANY);
	assert_int_equal(guarantee_of_backend("cap-v2"), GUARANTEE_CAP);
	assert_int_equal(guarantee_of_backend("cgroup-v1"), GUARANTEE_KERNEL);
	assert_int_equal(guarantee_of_backend("hcbs-max"), GUARANTEE_KERNEL);
}

TEST(unknown_backend_gives_nothing)
{
	assert_int_equal(guarantee_of_backend("cgroup-v3"), GUARANTEE_ANY);
	assert_int_equal(guarantee_of_backend(""), GUARANTEE_ANY);
	assert_false(backend_is_known("cgroup-v3"));
}
