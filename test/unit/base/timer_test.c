/* SPDX-License-Identifier: Apache-2.0 */

#include "base/timer.h"

#include "test/unit/test.h"

TEST(time_left_is_between_zero_and_the_bound)
{
	assert_int_equal(timer_left(1500, 1000, 2000), 500);
	assert_int_equal(timer_left(1500, 1500, 2000), 0);
	assert_int_equal(timer_left(1500, 9000, 2000), 0);
	assert_int_equal(timer_left(INT64_MAX, 9000, 2000), 2000);
}

TEST(the_least_wait_is_taken_and_an_error_before_any)
{
	assert_int_equal(TIMER_MIN(30, 10, 20), 10);
	assert_int_equal(TIMER_MIN(30, -5, 0), -5);
	assert_int_equal(TIMER_MIN(7), 7);
}

TEST(pauses_double_up_to_the_last)
{
	for (unsigned tries = 1; tries < 100; tries++)
		assert_int_equal(backoff_ms(100, 5000, tries),
				 tries < 7 ? 100 << (tries - 1) : 5000);
}

TEST(jitter_keeps_at_least_half)
{
	for (int i = 0; i < 1000; i++)
		assert_in_range(jittered_ms(1000), 500, 1000);
	assert_int_equal(jittered_ms(0), 0);
}
