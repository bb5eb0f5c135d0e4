/* SPDX-License-Identifier: Apache-2.0 */
#include "base/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"

static const char *nearest_of(const char *word)
{
	static const char *const known[] = {
		"plan", "apply", "status", "explain", "policies", "namespace", "snapshot", "e",
	};
	struct nearest n = NEAREST_OF(word);

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		nearest_offer(&n, known[i]);
	return n.best;
}

static void typos_are_understood(void **state)
{
	static const struct {
		const char *word, *best;
	} cases[] = {
		{ "pln", "plan" },	     { "paln", "plan" },	  { "plann", "plan" },
		{ "aply", "apply" },	     { "statsu", "status" },	  { "polices", "policies" },
		{ "explian", "explain" },    { "namspaec", "namespace" }, { "name", "namespace" },
		{ "snapshots", "snapshot" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(nearest_of(cases[i].word), cases[i].best);
}

static void nothing_is_near_to_something_else(void **state)
{
	static const char *const words[] = { "", "x", "zz", "xyzzy", "kubernetes", "delete" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		assert_null(nearest_of(words[i]));
}

static void length_is_no_trouble(void **state)
{
	char longest[64], longer[65];
	struct nearest n;

	(void)state;
	memset(longest, 'a', sizeof(longest));
	memset(longer, 'a', sizeof(longer));
	longest[sizeof(longest) - 1] = longer[sizeof(longer) - 1] = '\0';
	n = NEAREST_OF(longest);
	nearest_offer(&n, longest);
	assert_non_null(n.best);
	n = NEAREST_OF(longer);
	nearest_offer(&n, longer);
	assert_null(n.best);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(typos_are_understood),
		cmocka_unit_test(nothing_is_near_to_something_else),
		cmocka_unit_test(length_is_no_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
