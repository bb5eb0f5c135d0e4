/* SPDX-License-Identifier: Apache-2.0 */
#include "execute/object_key.h"

#include "base/auto.h"
#include "test/unit/test.h"

static void has_key(const char *json, const char *expect)
{
	AUTO(str_done) struct str key = STR_INIT;

	assert_true(object_key_of_text(slice_of(json), &key));
	assert_string_equal(key.s, expect);
}

static void has_none(const char *json)
{
	AUTO(str_done) struct str key = STR_INIT;

	assert_false(object_key_of_text(slice_of(json), &key));
}

TEST(objects_are_known_by_group_kind_namespace_and_name)
{
	has_key("{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\","
		"\"labels\":{\"name\":\"b\"},\"namespace\":\"x\"},\"spec\":{\"kind\":\"Node\"}}",
		"/Pod/x/a");
	has_key("{\"metadata\":{\"name\":\"n1\"},\"kind\":\"Node\",\"apiVersion\":\"v1\"}",
		"/Node//n1");
	has_key("{\"apiVersion\":\"policy/v1\",\"kind\":\"PodDisruptionBudget\","
		"\"metadata\":{\"name\":\"a\",\"namespace\":\"x\"}}",
		"policy/PodDisruptionBudget/x/a");
}

TEST(spellings_of_one_object_have_one_key)
{
	has_key("{\"apiVersion\":\"mcoperator.sdv.com/v1\",\"kind\":\"MCKube\","
		"\"metadata\":{\"name\":\"a\"}}",
		"mcoperator.sdv.com/McKube/default/a");
	has_key("{\"kind\":\"Pod\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"z\",\"name\":\"a\"}}",
		"/Pod/default/a");
}

TEST(nameless_things_have_no_key)
{
	has_none("[]");
	has_none("{}");
	has_none("{\"kind\":\"Pod\",\"metadata\":{\"name\":1}}");
	has_none("{\"kind\":\"Pod\",\"metadata\":\"name\"}");
}

TEST(a_target_has_the_key_of_its_object)
{
	AUTO(str_done) struct str key = STR_INIT;

	object_key_of_target(&(struct target){ .kind = "McKube",
					       .api_version = "mcoperator.sdv.com/v1",
					       .ns = "x",
					       .name = "a" },
			     &key);
	assert_string_equal(key.s, "mcoperator.sdv.com/McKube/x/a");
}
