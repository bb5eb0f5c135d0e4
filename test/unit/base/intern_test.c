/* SPDX-License-Identifier: Apache-2.0 */
#include "base/intern.h"

#include "base/array.h"
#include "base/auto.h"
#include "test/unit/test.h"

TEST(equal_strings_have_equal_ids)
{
	AUTO(intern_done) struct intern t = { 0 };

	str_id one = intern_cstr(&t, "one"), two = intern_cstr(&t, "two");
	assert_int_equal(intern_cstr(&t, ""), 0);
	assert_int_not_equal(one, two);
	assert_int_equal(intern_add(&t, "one more", 3), one);
	assert_int_equal(intern_find(&t, "two", 3), two);
	assert_int_equal(intern_find(&t, "three", 5), INTERN_NONE);
	assert_string_equal(intern_str(&t, two), "two");
	assert_int_equal(intern_len(&t, two), 3);
}

TEST(a_string_can_be_added_in_two_steps)
{
	AUTO(intern_done) struct intern t = { 0 };
	uint32_t hashes[2000];

	for (uint32_t i = 0; i < 2000; i++)
		hashes[i] = intern_prefetch(&t, &i, sizeof(i));
	for (uint32_t i = 0; i < 2000; i++) {
		str_id id = intern_add_hashed(&t, &i, sizeof(i), hashes[i]);

		assert_int_equal(intern_add(&t, &i, sizeof(i)), id);
		assert_int_equal(intern_find(&t, &i, sizeof(i)), id);
	}
}

TEST(whole_numbers_are_known)
{
	static const struct {
		const char *text;
		size_t n;
		bool is_number;
		int32_t number;
	} rows[] = {
		{ "0", 1, true, 0 },
		{ "100000", 6, true, 100000 },
		{ "0000000000012", 13, true, 12 },
		{ "-7", 2, true, -7 },
		{ "2147483647", 10, true, INT32_MAX },
		{ "-2147483647", 11, true, -INT32_MAX },
		{ "2147483648", 10, false, 0 },
		{ "99999999999999999999", 20, false, 0 },
		{ "", 0, false, 0 },
		{ "-", 1, false, 0 },
		{ "--1", 3, false, 0 },
		{ "1.5", 3, false, 0 },
		{ " 1", 2, false, 0 },
		{ "1\0002", 3, false, 0 },
		{ "low", 3, false, 0 },
	};
	AUTO(intern_done) struct intern t = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		str_id id = intern_add(&t, rows[i].text, rows[i].n);
		int32_t number = 0;

		assert_int_equal(intern_number(&t, id, &number), rows[i].is_number);
		assert_int_equal(number, rows[i].number);
	}
	assert_false(intern_number(&t, INTERN_NONE, &(int32_t){ 0 }));
}

TEST(what_is_forgotten_makes_room)
{
	AUTO(intern_done) struct intern t = { 0 };
	str_id cached_value = intern_cstr(&t, "42"), gone = intern_cstr(&t, "43");
	bool is_live[3] = { 0 };
	int32_t number = 0;

	is_live[cached_value] = true;
	intern_sweep(&t, is_live);
	assert_int_equal(intern_cstr(&t, "42"), cached_value);
	assert_true(intern_number(&t, cached_value, &number));
	assert_int_equal(number, 42);
	assert_int_equal(intern_find(&t, "43", 2), INTERN_NONE);
	assert_int_equal(intern_cstr(&t, "word"), gone);
	assert_false(intern_number(&t, gone, &number));
}
