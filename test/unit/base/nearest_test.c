/* SPDX-License-Identifier: Apache-2.0 */
#include "base/nearest.h"

#include <string.h>

#include "base/array.h"
#include "test/unit/test.h"

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

TEST(typos_are_understood)
{
	static const struct {
		const char *word, *best;
	} cases[] = {
		{ "pln", "plan" },	     { "paln", "plan" },	  { "plann", "plan" },
		{ "aply", "apply" },	     { "statsu", "status" },	  { "polices", "policies" },
		{ "explian", "explain" },    { "namspaec", "namespace" }, { "name", "namespace" },
		{ "snapshots", "snapshot" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(nearest_of(cases[i].word), cases[i].best);
}

TEST(nothing_is_near_to_something_else)
{
	static const char *const words[] = { "", "x", "zz", "xyzzy", "kubernetes", "delete" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		assert_null(nearest_of(words[i]));
}

TEST(length_is_no_trouble)
{
	char longest[64], longer[65];
	struct nearest n;

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
