/* SPDX-License-Identifier: Apache-2.0 */
#include "node/rt_operator.h"

#include <string.h>

#include "base/array.h"
#include "base/auto.h"
#include "test/unit/test.h"

static int read_text(const char *text, struct arena *arena, struct rt_operator *ret,
		     struct error *err)
{
	*err = ERROR_INIT;
	return rt_operator_parse(text, strlen(text), arena, ret, err);
}

TEST(every_key_is_read)
{
	AUTO(arena_done) struct arena arena = { 0 };
	struct rt_operator c;
	struct error err;

	assert_int_equal(read_text("---\nlog_level: \"debug\"\nkube_path: /etc/kube\n"
				   "node_name: 7\ncgroup_handler: cgroup_v1\n"
				   "cgroup_v1_capacity: 300000\n",
				   &arena, &c, &err),
			 0);
	assert_int_equal(c.log_level, 4);
	assert_string_equal(c.kube_path, "/etc/kube");
	assert_string_equal(c.node_name, "7");
	assert_string_equal(c.cgroup_handler, "cgroup_v1");
	assert_int_equal(c.cgroup_v1_capacity, 300000);
}

TEST(every_key_may_be_left_out)
{
	static const char *const texts[] = { "", "---\n", "# nothing\n", "{}" };
	AUTO(arena_done) struct arena arena = { 0 };
	struct rt_operator c;
	struct error err;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_int_equal(read_text(texts[i], &arena, &c, &err), 0);
		assert_int_equal(c.log_level, RT_OPERATOR_SILENT);
		assert_null(c.kube_path);
		assert_null(c.node_name);
		assert_null(c.cgroup_handler);
		assert_int_equal(c.cgroup_v1_capacity, 0);
	}
}

TEST(what_is_wrong_is_named)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "log_levl: DEBUG", "log_levl: unknown key; did you mean log_level" },
		{ "zzz: 1", "zzz: unknown key" },
		{ "log_level: LOUD", "log_level: 'LOUD' is not WARN, INFO or DEBUG" },
		{ "cgroup_v1_capacity: 1000001",
		  "cgroup_v1_capacity: '1000001' is not between 0 and 1000000" },
		{ "cgroup_v1_capacity: -1",
		  "cgroup_v1_capacity: '-1' is not between 0 and 1000000" },
		{ "cgroup_v1_capacity: much",
		  "cgroup_v1_capacity: 'much' is not between 0 and 1000000" },
		{ "node_name: [here]", "node_name: is not a text or number" },
		{ "node_name: null", "node_name: is not a text or number" },
		{ "- log_level", "is not a mapping of keys" },
		{ "log_level", "is not a mapping of keys" },
	};
	AUTO(arena_done) struct arena arena = { 0 };
	struct rt_operator c;
	struct error err;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(read_text(cases[i].text, &arena, &c, &err), -EINVAL);
		assert_string_equal(err.msg, cases[i].message);
	}
}
