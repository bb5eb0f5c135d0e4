/* SPDX-License-Identifier: Apache-2.0 */
#include "test/unit/test.h"

#include <assert.h>

enum { TESTS_MAX = 128 };

static struct CMUnitTest tests[TESTS_MAX];
static size_t n_tests;
static CMFixtureFunction group_setup, group_teardown;

void test_register(const struct CMUnitTest *test)
{
	assert_true(n_tests < TESTS_MAX);
	tests[n_tests++] = *test;
}

void test_group(CMFixtureFunction setup, CMFixtureFunction teardown)
{
	group_setup = setup;
	group_teardown = teardown;
}

int main(void)
{
	return _cmocka_run_group_tests("tests", tests, n_tests, group_setup, group_teardown);
}
