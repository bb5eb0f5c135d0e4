/* SPDX-License-Identifier: Apache-2.0 */
#include "budget/use_count.h"

#include "test/unit/test.h"

TEST(bucket_ends_at_most_an_eighth_above_a_use)
{
	__u32 last = 0;

	for (__u64 us = 0; us < 3900000; us += us < 100000 ? 1 : 37) {
		__u32 i = use_bucket(us);

		assert_true(i == last || i == last + 1);
		assert_true(use_bucket_end(i) >= us && use_bucket_end(i) <= us + us / 8);
		last = i;
	}
}

TEST(longest_uses_are_in_the_last_bucket)
{
	assert_int_equal(use_bucket(4000000), USE_BUCKETS - 1);
	assert_int_equal(use_bucket(~0ULL), USE_BUCKETS - 1);
	assert_int_equal(use_bucket_end(USE_BUCKETS - 1), 3932160);
}

static void add(struct use_count *u, __u64 us, unsigned n)
{
	u->periods += n;
	u->total_us += us * n;
	u->by_use[use_bucket(us)] += n;
}

TEST(quantile_is_of_what_came_between_two_readings)
{
	struct use_count before = { 0 }, now;

	add(&before, 900000, 1000);
	now = before;
	assert_int_equal(use_quantile(&now, &before, 99), 0);
	add(&now, 10, 98);
	add(&now, 14, 1);
	add(&now, 5000, 1);
	assert_int_equal(use_quantile(&now, &before, 50), 10);
	assert_int_equal(use_quantile(&now, &before, 99), 14);
	assert_in_range(use_quantile(&now, &before, 100), 5000, 5625);
}

/* 32 bits wrap around after some days of the shortest periods. */
TEST(counters_may_wrap_around)
{
	struct use_count before = { .periods = 5 }, now = { .periods = 7 };

	before.by_use[3] = ~0U;
	now.by_use[3] = 1;
	assert_int_equal(use_quantile(&now, &before, 99), 3);
}
