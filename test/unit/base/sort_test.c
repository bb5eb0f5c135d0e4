/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sort.h"

#include <stdbool.h>
#include <stdlib.h>

#include "test/unit/test.h"

enum { MANY = 3000 };

static uint32_t ids[MANY];
static uint64_t keys[MANY];

static void begin(size_t n)
{
	for (uint32_t i = 0; i < n; i++)
		ids[i] = i;
}

/* In order, and those that are equal as they were. */
static bool is_sorted(size_t n)
{
	for (size_t i = 1; i < n; i++) {
		uint64_t a = keys[ids[i - 1]], b = keys[ids[i]];

		if (a > b || (a == b && ids[i - 1] > ids[i]))
			return false;
	}
	return true;
}

TEST(keys_of_all_sizes_are_sorted)
{
	srandom(1);
	for (unsigned bits = 1; bits <= 64; bits++) {
		begin(MANY);
		for (size_t i = 0; i < MANY; i++)
			keys[i] = ((uint64_t)random() << 33 ^ (uint64_t)random() << 11 ^
				   (uint64_t)random()) >>
				  (64 - bits);
		sort_ids(ids, MANY, keys);
		assert_true(is_sorted(MANY));
	}
}

TEST(what_all_keys_share_does_not_matter)
{
	begin(MANY);
	for (size_t i = 0; i < MANY; i++)
		keys[i] = UINT64_C(0xfedc000000000000) | (uint64_t)(i * 7919 % 17) << 40 | 0xabc;
	sort_ids(ids, MANY, keys);
	assert_true(is_sorted(MANY));
}

TEST(a_second_sort_keeps_the_first_among_equals)
{
	uint64_t lesser[MANY];

	begin(MANY);
	for (size_t i = 0; i < MANY; i++)
		lesser[i] = i * 7919 % MANY;
	sort_ids(ids, MANY, lesser);
	for (size_t i = 0; i < MANY; i++)
		keys[i] = i % 3;
	sort_ids(ids, MANY, keys);
	for (size_t i = 1; i < MANY; i++) {
		uint32_t a = ids[i - 1], b = ids[i];

		assert_true(keys[a] < keys[b] || (keys[a] == keys[b] && lesser[a] < lesser[b]));
	}
}

TEST(few_and_none)
{
	sort_ids(NULL, 0, NULL);
	begin(2);
	keys[0] = UINT64_MAX;
	keys[1] = 0;
	sort_ids(ids, 1, keys);
	assert_int_equal(ids[0], 0);
	sort_ids(ids, 2, keys);
	assert_int_equal(ids[0], 1);
	assert_int_equal(ids[1], 0);
}
