/* SPDX-License-Identifier: Apache-2.0 */
#include "objects/quantity.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "test/unit/test.h"

/* Text, Value(), MilliValue(); 0 milli with a value: out of range. */
static const struct {
	const char *text;
	int64_t value, milli;
} good[] = {
	{ "0", 0, 0 },
	{ "1", 1, 1000 },
	{ "+1", 1, 1000 },
	{ "-1", -1, -1000 },
	{ "250m", 1, 250 },
	{ "-250m", -1, -250 },
	{ "1500m", 2, 1500 },
	{ "0.5", 1, 500 },
	{ ".5", 1, 500 },
	{ "5.", 5, 5000 },
	{ "0.1m", 1, 1 },
	{ "1u", 1, 1 },
	{ "1000u", 1, 1 },
	{ "1001u", 1, 2 },
	{ "1n", 1, 1 },
	{ "3000000n", 1, 3 },
	{ "1k", 1000, 1000000 },
	{ "1M", 1000000, 1000000000 },
	{ "1G", 1000000000, 1000000000000 },
	{ "1T", 1000000000000, 1000000000000000 },
	{ "1P", 1000000000000000, 1000000000000000000 },
	{ "1Ki", 1024, 1024000 },
	{ "1Mi", 1 << 20, INT64_C(1048576000) },
	{ "1.5Gi", INT64_C(1610612736), INT64_C(1610612736000) },
	{ "1Ti", INT64_C(1) << 40, INT64_C(1099511627776000) },
	{ "1Pi", INT64_C(1) << 50, INT64_C(1125899906842624000) },
	{ "0.0001Ki", 1, 103 },
	{ "1e3", 1000, 1000000 },
	{ "1E3", 1000, 1000000 },
	{ "1e+3", 1000, 1000000 },
	{ "15e-1", 2, 1500 },
	{ "1.5E-2", 1, 15 },
	{ "12e0", 12, 12000 },
	{ "00012", 12, 12000 },
	{ "0.000000000000000000000000000000000000000000001", 1, 1 },
	{ "1000000000000000000000000n", 1000000000000000, 1000000000000000000 },
	{ "0e999999999999", 0, 0 },
	{ "1e-999999999999", 1, 1 },
};

TEST(every_spelling_is_read)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct slice text = slice_of(good[i].text);
		int64_t value = 77, milli = 77;

		if (quantity_value(text, &value) != 0 || value != good[i].value)
			fail_msg("%s: value %ld", good[i].text, value);
		if (quantity_milli(text, &milli) != 0 || milli != good[i].milli)
			fail_msg("%s: milli %ld", good[i].text, milli);
	}
}

TEST(the_largest_still_fit)
{
	int64_t v;

	assert_int_equal(quantity_value(SLICE("9223372036854775807"), &v), 0);
	assert_true(v == INT64_MAX);
	assert_int_equal(quantity_value(SLICE("7Ei"), &v), 0);
	assert_true(v == INT64_C(7) << 60);
	assert_int_equal(quantity_value(SLICE("9.2E"), &v), 0);
	assert_true(v == INT64_C(9200000000000000000));
}

TEST(beyond_64_bits_saturates)
{
	static const char *const large[] = {
		"9223372036854775808",
		"8Ei",
		"10E",
		"1e19",
		"1e1000000000",
		"99999999999999999999Ki",
		"9999999999999999999999999999999999999999999999",
		"1e99999999999999999999",
	};
	int64_t v;

	for (size_t i = 0; i < ARRAY_LEN(large); i++)
		if (quantity_value(slice_of(large[i]), &v) != 0 || v != INT64_MAX)
			fail_msg("%s is %lld", large[i], (long long)v);
	assert_int_equal(quantity_milli(SLICE("1E"), &v), 0);
	assert_int_equal(v, INT64_MAX);
	assert_int_equal(quantity_value(SLICE("-1e30"), &v), 0);
	assert_int_equal(v, -INT64_MAX);
}

TEST(blanks_around_do_not_count)
{
	int64_t v;

	assert_int_equal(quantity_value(SLICE(" 3"), &v), 0);
	assert_int_equal(v, 3);
	assert_int_equal(quantity_milli(SLICE("\t250m \n"), &v), 0);
	assert_int_equal(v, 250);
}

TEST(nonsense_is_refused)
{
	static const char *const bad[] = {
		"",	"m",   "abc", ".",     "+",  "-",   " ",     "1 m",   "1mi",
		"1Kib", "1K",  "1ki", "1mm",   "1e", "1e+", "1e1.5", "1.2.3", "--1",
		"0x10", "1,5", "1_0", "1e3Ki", "Ki", "1i",  "NaN",   "1e30x",
	};
	int64_t v = 77;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (quantity_value(slice_of(bad[i]), &v) != -EINVAL)
			fail_msg("'%s' was taken", bad[i]);
		assert_int_equal(v, 77);
	}
}
