/* SPDX-License-Identifier: Apache-2.0 */
#include "execute/object_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/auto.h"

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

static void objects_are_known_by_group_kind_namespace_and_name(void **state)
{
	(void)state;
	has_key("{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\","
		"\"labels\":{\"name\":\"b\"},\"namespace\":\"x\"},\"spec\":{\"kind\":\"Node\"}}",
		"/Pod/x/a");
	has_key("{\"metadata\":{\"name\":\"n1\"},\"kind\":\"Node\",\"apiVersion\":\"v1\"}",
		"/Node//n1");
	has_key("{\"apiVersion\":\"policy/v1\",\"kind\":\"PodDisruptionBudget\","
		"\"metadata\":{\"name\":\"a\",\"namespace\":\"x\"}}",
		"policy/PodDisruptionBudget/x/a");
}

static void spellings_of_one_object_have_one_key(void **state)
{
	(void)state;
	has_key("{\"apiVersion\":\"mcoperator.sdv.com/v1\",\"kind\":\"MCKube\","
		"\"metadata\":{\"name\":\"a\"}}",
		"mcoperator.sdv.com/McKube/default/a");
	has_key("{\"kind\":\"Pod\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"z\",\"name\":\"a\"}}",
		"/Pod/default/a");
}

static void nameless_things_have_no_key(void **state)
{
	(void)state;
	has_none("[]");
	has_none("{}");
	has_none("{\"kind\":\"Pod\",\"metadata\":{\"name\":1}}");
	has_none("{\"kind\":\"Pod\",\"metadata\":\"name\"}");
}

static void a_target_has_the_key_of_its_object(void **state)
{
	AUTO(str_done) struct str key = STR_INIT;

	(void)state;
	object_key_of_target(&(struct target){ .kind = "McKube",
					       .api_version = "mcoperator.sdv.com/v1",
					       .ns = "x",
					       .name = "a" },
			     &key);
	assert_string_equal(key.s, "mcoperator.sdv.com/McKube/x/a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_are_known_by_group_kind_namespace_and_name),
		cmocka_unit_test(spellings_of_one_object_have_one_key),
		cmocka_unit_test(nameless_things_have_no_key),
		cmocka_unit_test(a_target_has_the_key_of_its_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
