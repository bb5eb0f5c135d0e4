/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/economy/replicas.h"

#include "base/array.h"
#include "test/unit/test.h"

/* The numbers are those that the original gives for the same pods. */

enum { NOW = 100000 };

/* Long ready, requests a core. */
static struct replica_pod pod_using(int64_t milli)
{
	return (struct replica_pod){ .used = milli,
				     .requested = 1000,
				     .started = NOW - 3600,
				     .ready_since = NOW - 3500,
				     .sampled = NOW - 10,
				     .window = 30,
				     .is_sampled = true,
				     .has_condition = true,
				     .is_ready = true };
}

static int32_t by_cpu(const struct replica_pod *pods, size_t n, int32_t target)
{
	const struct replica_state s = { pods, n, (int32_t)n, NOW };
	int32_t ret = -1;

	return replicas_by_use(&s, target, true, &ret) ? ret : -1;
}

TEST(use_above_its_target_asks_for_more_and_below_for_fewer)
{
	struct replica_pod pods[] = { pod_using(900), pod_using(900), pod_using(300) };

	assert_int_equal(by_cpu(pods, 3, 50), 5);  /* 70 % of 50 %: 1.4 * 3 */
	assert_int_equal(by_cpu(pods, 3, 100), 3); /* 0.7 * 3 = 2.1 */
	assert_int_equal(by_cpu(pods, 3, 200), 2);
}

TEST(a_tenth_is_tolerated)
{
	struct replica_pod pods[] = { pod_using(540), pod_using(560) };

	assert_int_equal(by_cpu(pods, 2, 50), 2); /* 1.1 */
	pods[0].used = 570;
	assert_int_equal(by_cpu(pods, 2, 50), 3);
}

TEST(a_pod_without_a_sample_counts_against_the_change)
{
	struct replica_pod pods[] = { pod_using(900), pod_using(900), pod_using(0) };

	pods[2].is_sampled = false;
	assert_int_equal(by_cpu(pods, 3, 50), 4); /* 60 % */
	pods[0].used = pods[1].used = 200;
	assert_int_equal(by_cpu(pods, 3, 50), 3); /* 46 % with one at 100 % */
}

/* A pod that starts uses much CPU, or none: it must not double the replicas. */
TEST(a_pod_that_is_not_ready_yet_counts_as_using_nothing)
{
	struct replica_pod pods[] = { pod_using(900), pod_using(3000) };

	pods[1].started = NOW - 60;
	pods[1].is_ready = false;
	pods[1].is_unready = true;
	assert_int_equal(by_cpu(pods, 2, 50), 2); /* 45 % of both */
	pods[1].is_pending = true;
	assert_int_equal(by_cpu(pods, 2, 50), 2);
	pods[1].is_pending = pods[1].is_unready = false;
	pods[1].is_ready = true;
	pods[1].ready_since = NOW - 20; /* the sample began before */
	assert_int_equal(by_cpu(pods, 2, 50), 2);
	pods[1].ready_since = NOW - 50;
	assert_int_equal(by_cpu(pods, 2, 50), 8);
}

TEST(without_requests_or_samples_there_is_no_number)
{
	struct replica_pod pods[] = { pod_using(900), pod_using(900) };

	pods[1].requested = -1;
	assert_int_equal(by_cpu(pods, 2, 50), -1);
	pods[1] = pods[0];
	pods[0].is_sampled = pods[1].is_sampled = false;
	assert_int_equal(by_cpu(pods, 2, 50), -1);
	assert_int_equal(by_cpu(pods, 0, 50), -1);
	pods[0] = pod_using(100);
	pods[0].is_ending = true;
	assert_int_equal(by_cpu(pods, 1, 50), -1);
}

TEST(one_value_is_multiplied_by_the_pods_that_are_ready)
{
	struct replica_pod pods[] = { pod_using(0), pod_using(0), pod_using(0) };
	const struct replica_state s = { pods, 3, 3, NOW };
	int32_t n;

	pods[2].is_ready = false;
	assert_true(replicas_by_value(&s, 200, 100, &n));
	assert_int_equal(n, 4);
	assert_true(replicas_by_value(&s, 109, 100, &n));
	assert_int_equal(n, 3);
	assert_true(replicas_by_value(&s, 0, 100, &n));
	assert_int_equal(n, 0);
}

TEST(up_goes_no_faster_than_twice_or_four_more)
{
	assert_int_equal(replicas_rate_limit(1, 1), 5);
	assert_int_equal(replicas_rate_limit(10, 10), 20);
	assert_int_equal(replicas_rate_limit(1, 5), 5); /* within the same 15 s */
	assert_int_equal(replicas_rate_limit(1, 9), 9);
	assert_int_equal(replicas_rate_limit(INT32_MAX, INT32_MAX), INT32_MAX);
}
