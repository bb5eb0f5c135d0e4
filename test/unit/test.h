/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_TEST_UNIT_TEST_H
#define MCKUBE_TEST_UNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A test defines and registers itself; test.c has main(). They run in the order of the file.
 *
 *	TEST(zero_is_no_period)
 *	{
 *		assert_false(period_is_valid(0));
 *	}
 *
 * TEST_WITH() names a function to be called before and one to be called after it (NULL: none); both
 * see `state`, as the test does. GROUP() names those of the whole file. */
#define TEST(name) TEST_WITH(name, NULL, NULL)

#define TEST_WITH(name, setup, teardown)                                                   \
	static void name(void **state);                                                    \
	__attribute__((constructor)) static void name##_register(void)                     \
	{                                                                                  \
		test_register(&(struct CMUnitTest){ #name, name, setup, teardown, NULL }); \
	}                                                                                  \
	static void name(__attribute__((unused)) void **state)

#define GROUP(setup, teardown)                                        \
	__attribute__((constructor)) static void group_register(void) \
	{                                                             \
		test_group(setup, teardown);                          \
	}

/* Copies *test. */
void test_register(const struct CMUnitTest *test);
void test_group(CMFixtureFunction setup, CMFixtureFunction teardown);

#endif
