/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/runtime_version.h"

#include "test/unit/test.h"

TEST(only_safe_versions_restore)
{
	static const struct {
		const char *text;
		bool is_good;
	} rows[] = {
		{ "2.2.7", true },	 { "2.2.9+unknown", true },
		{ "v2.2.9", true },	 { "2.3.4", true },
		{ "2.3.9", true },	 { "2.2.6", false },
		{ "2.3.3", false },	 { "2.3.0", false },
		{ "2.4.0", false },	 { "3.0.0", false },
		{ "1.7.30", false },	 { "", false },
		{ "2.3.4-rc.1", false }, { "x", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error err;

		assert_int_equal(containerd_can_restore(rows[i].text, &err) == 0, rows[i].is_good);
	}
}

TEST(criu_dumps_from_4_2_on)
{
	struct error err;

	assert_int_equal(criu_can_dump("4.2", &err), 0);
	assert_int_equal(criu_can_dump("4.2.1", &err), 0);
	assert_int_equal(criu_can_dump("5.0", &err), 0);
	assert_int_equal(criu_can_dump("4.1.1", &err), -ENOTSUP);
	assert_int_equal(criu_can_dump("3.17.1", &err), -ENOTSUP);
	assert_int_equal(criu_can_dump("unknown", &err), -ENOTSUP);
}
