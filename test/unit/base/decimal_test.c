/* SPDX-License-Identifier: Apache-2.0 */
#include "base/decimal.h"

#include <string.h>

#include "base/array.h"
#include "base/auto.h"
#include "test/unit/test.h"

static int64_t read_as(const char *text, bool expect_rounded)
{
	int64_t v = -1;
	bool is_rounded = false;

	assert_true(decimal_parse(text, strlen(text), &v, &is_rounded));
	assert_int_equal(is_rounded, expect_rounded);
	return v;
}

TEST(decimals_are_exact_millionths)
{
	assert_int_equal(read_as("50", false), 50000000);
	assert_int_equal(read_as("0.192", false), 192000);
	assert_int_equal(read_as("-0.000001", false), -1);
	assert_int_equal(read_as("1.2e3", false), 1200000000);
	assert_int_equal(read_as("5.0e-2", false), 50000);
	assert_int_equal(read_as("1E-6", false), 1);
	assert_int_equal(read_as(".5", false), 500000);
	assert_int_equal(read_as("1000000000", false), 1000000000000000);
}

TEST(a_seventh_place_rounds_half_up)
{
	assert_int_equal(read_as("0.0000005", true), 1);
	assert_int_equal(read_as("0.0000004999", true), 0);
	assert_int_equal(read_as("0.1234565", true), 123457);
	assert_int_equal(read_as("0.1234560", false), 123456);
}

TEST(what_is_no_decimal_is_refused)
{
	static const char *const bad[] = { "",	    "low", "-",	   ".",	   "1e",
					   "1.2.3", "NaN", "+Inf", "1e21", "1000000001",
					   "0x10",  "1 ",  "1e-21" };
	int64_t v;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (decimal_parse(bad[i], strlen(bad[i]), &v, NULL))
			fail_msg("'%s' was read as %lld", bad[i], (long long)v);
}

static void expect_text(int64_t micro, unsigned places, const char *exact, const char *rounded)
{
	AUTO(str_done) struct str a = STR_INIT;
	AUTO(str_done) struct str b = STR_INIT;

	decimal_add(&a, micro, places);
	decimal_add_rounded(&b, micro, places);
	assert_string_equal(a.s, exact);
	assert_string_equal(b.s, rounded);
}

TEST(decimals_are_written_without_needless_zeros)
{
	expect_text(538000, 2, "0.538", "0.54");
	expect_text(0, 2, "0.00", "0.00");
	expect_text(42500000, 0, "42.5", "43");
	expect_text(-4000, 2, "-0.004", "0.00");
	expect_text(-5000, 2, "-0.005", "-0.01");
	expect_text(31782, 2, "0.031782", "0.03");
}
