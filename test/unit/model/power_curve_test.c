/* SPDX-License-Identifier: Apache-2.0 */
#include "model/power_curve.h"

#include "test/unit/test.h"

/* W = 40 - 30 * e^(-0.02 x), the samples to the milliwatt. */
TEST(peaks_model_is_sampled_at_eleven_points)
{
	static const int64_t watts[] = { 10000, 15438, 19890, 23536, 26520, 28964,
					 30964, 32602, 33943, 35041, 35940 };
	struct power_curve p;

	assert_true(power_curve_of_peaks(40, -30, -0.02, &p));
	assert_int_equal(p.n, 11);
	for (uint32_t i = 0; i < p.n; i++) {
		assert_int_equal(p.use[i], i * 100000);
		assert_int_equal(p.power[i], watts[i]);
	}
}

TEST(what_is_negative_or_no_number_is_no_model)
{
	struct power_curve p;

	assert_false(power_curve_of_peaks(10, -30, -0.02, &p));
	assert_false(power_curve_of_peaks(10, 1, 100, &p));
	assert_false(power_curve_of_peaks(10, 1, 0.0 / 0.0, &p));
	assert_true(power_curve_of_peaks(10, 0, 0, &p));
	assert_int_equal(p.power[10], 10000);
}

TEST(numbers_of_a_curve_are_rounded_to_millionths_and_that_is_told)
{
	struct power_curve p;
	bool is_rounded = false;

	assert_true(power_curve_parse("0:8.8,0.5:28.123456,1:39.9", &p, &is_rounded));
	assert_false(is_rounded);
	assert_int_equal(p.power[1], 28123);
	assert_true(power_curve_parse("0:8.8,0.1234567:20,1:39.9", &p, &is_rounded));
	assert_true(is_rounded);
	assert_int_equal(p.use[1], 123457);
}
