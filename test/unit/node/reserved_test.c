/* SPDX-License-Identifier: Apache-2.0 */
#include "node/reserved.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "test/unit/node/fake_tree.h"
#include "test/unit/test.h"

static int reserve(struct fake_tree *t, const char *given, const char *config, const char *expect,
		   struct error *err)
{
	char path[300], text[CPUSET_TEXT];
	struct cpuset cpus;

	snprintf(path, sizeof(path), "%s/config.yaml", t->root);
	if (config)
		fake_file(t, "config.yaml", config);
	int r = reserved_cpus(given, path, &cpus, err);
	if (r == 0)
		assert_string_equal(cpuset_format(&cpus, text), expect);
	return r;
}

TEST(reserved_cpus_are_given_or_those_of_the_kubelet)
{
	struct fake_tree t;
	struct error err = ERROR_INIT;

	fake_tree_init(&t);
	assert_int_equal(reserve(&t, NULL, NULL, "", &err), 0);
	assert_int_equal(reserve(&t, "0,2-3", NULL, "0,2-3", &err), 0);
	assert_int_equal(reserve(&t, NULL, "kind: KubeletConfiguration\n", "", &err), 0);
	assert_int_equal(reserve(&t, NULL,
				 "kind: KubeletConfiguration\nreservedSystemCPUs: \"0-1\"\n", "0-1",
				 &err),
			 0);
	assert_int_equal(reserve(&t, "", NULL, "", &err), 0);
	fake_tree_done(&t);
}

TEST(a_list_that_cannot_be_read_is_not_taken_for_none)
{
	struct fake_tree t;
	struct error err = ERROR_INIT;

	fake_tree_init(&t);
	assert_int_equal(reserve(&t, "one", NULL, "", &err), -EINVAL);
	assert_string_equal(err.msg, "--reserved-cpus: 'one' is not a list of CPUs such as 0-1");
	assert_int_equal(reserve(&t, NULL, "reservedSystemCPUs: x\n", "", &err), -EINVAL);
	assert_non_null(strstr(err.msg, "config.yaml: reservedSystemCPUs: 'x' is not a list"));
	assert_true(reserve(&t, NULL, "a: [\n", "", &err) < 0);
	fake_tree_done(&t);
}
