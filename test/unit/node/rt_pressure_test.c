/* SPDX-License-Identifier: Apache-2.0 */
#include "node/rt_pressure.h"

#include "test/unit/test.h"

static const int64_t second_ns = 1000000000;

/* A sample a second; the first one only starts the clock. */
static struct rt_pressure_reading sample_all(struct rt_pressure *p, const unsigned *us, size_t n)
{
	for (size_t i = 0; i < n; i++)
		rt_pressure_sample(p, true, us[i], p->sampled_ns + second_ns);
	return rt_pressure_read(p);
}

TEST(loss_of_three_seconds_is_pressure_and_of_two_is_none)
{
	const unsigned twice[] = { 0, 0, 9000, 0, 9000, 0, 0 };
	const unsigned thrice[] = { 0, 0, 9000, 0, 9000, 6000 };
	struct rt_pressure a = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct rt_pressure b = { .lock = PTHREAD_MUTEX_INITIALIZER };

	struct rt_pressure_reading r = sample_all(&a, twice, 7);
	assert_int_equal(r.us, 0);
	assert_true(r.is_measured);
	assert_int_equal(r.total_us, 18000);
	assert_int_equal(sample_all(&b, thrice, 6).us, 24000 / 5);
}

TEST(little_loss_is_no_pressure)
{
	const unsigned little[] = { 0, 1000, 1000, 1000, 1000, 1000, 1000 };
	struct rt_pressure p = { .lock = PTHREAD_MUTEX_INITIALIZER };

	assert_int_equal(sample_all(&p, little, 7).us, 0);
}

TEST(pressure_lasts_until_five_seconds_lost_nothing)
{
	const unsigned lost[] = { 0, 5000, 5000, 5000, 5000, 5000 }, none[] = { 0, 0, 0, 0 };
	struct rt_pressure p = { .lock = PTHREAD_MUTEX_INITIALIZER };

	assert_int_equal(sample_all(&p, lost, 6).us, 5000);
	assert_int_equal(sample_all(&p, none, 4).us, 1000);
	assert_int_equal(sample_all(&p, none, 1).us, 0);
}

TEST(samples_are_per_second)
{
	struct rt_pressure p = { .lock = PTHREAD_MUTEX_INITIALIZER };

	for (int i = 1; i <= 6; i++)
		rt_pressure_sample(&p, false, 10000, i * 2 * second_ns);
	struct rt_pressure_reading r = rt_pressure_read(&p);
	assert_int_equal(r.us, 5000);
	assert_false(r.is_measured);
}
