/* SPDX-License-Identifier: Apache-2.0 */
#include "reconcile/schedule.h"

#include "test/unit/test.h"

static const struct pass_counts fine = { 0 }, failed = { .has_failed = true };

static struct schedule after(const struct pass_counts *last, int64_t now)
{
	struct schedule s = { .interval_ms = 60000 };

	schedule_passed(&s, last, now);
	return s;
}

TEST(first_pass_is_due_at_once)
{
	struct schedule s = { .interval_ms = 60000 };

	assert_true(schedule_wants_pass(&s, true, 1));
}

TEST(changes_are_committed_after_the_debounce)
{
	struct schedule s = after(&fine, 1000);

	assert_false(schedule_wants_commit(&s, false, 1000));
	assert_false(schedule_wants_commit(&s, true, 2000));
	assert_int_equal(schedule_wait(&s, 2000), DEBOUNCE_MS);
	assert_false(schedule_wants_commit(&s, true, 2000 + DEBOUNCE_MS - 1));
	assert_true(schedule_wants_commit(&s, true, 2000 + DEBOUNCE_MS));
	assert_false(schedule_wants_pass(&s, true, 2000 + DEBOUNCE_MS));
	schedule_committed(&s, true);
	assert_true(schedule_wants_pass(&s, true, 2000 + DEBOUNCE_MS));
}

TEST(commit_without_a_change_causes_no_pass)
{
	struct schedule s = after(&fine, 1000);

	schedule_committed(&s, false);
	assert_false(schedule_wants_pass(&s, true, 2000));
}

TEST(interval_causes_a_pass)
{
	struct schedule s = after(&fine, 1000);

	assert_false(schedule_wants_pass(&s, true, 60999));
	assert_true(schedule_wants_pass(&s, true, 61000));
}

TEST(requeue_after_shortens_the_interval)
{
	struct schedule s = after(&(struct pass_counts){ .requeue_after = 5 }, 1000);

	assert_false(schedule_wants_pass(&s, true, 5999));
	assert_true(schedule_wants_pass(&s, true, 6000));
	s = after(&(struct pass_counts){ .requeue_after = 500 }, 1000);
	assert_true(schedule_wants_pass(&s, true, 61000));
}

TEST(failures_double_the_retry_time_up_to_the_interval)
{
	static const int64_t waits[] = { 2000, 4000, 8000, 16000, 32000, 60000, 60000 };
	struct schedule s = { .interval_ms = 60000 };

	for (size_t i = 0; i < sizeof(waits) / sizeof(*waits); i++) {
		schedule_passed(&s, &failed, 0);
		assert_false(schedule_wants_pass(&s, true, waits[i] - 1));
		assert_true(schedule_wants_pass(&s, true, waits[i]));
	}
	schedule_passed(&s, &fine, 0);
	schedule_passed(&s, &failed, 0);
	assert_true(schedule_wants_pass(&s, true, RETRY_FIRST_MS));
}

TEST(slow_plan_is_followed_by_a_rest)
{
	struct schedule s = after(&(struct pass_counts){ .last_plan_us = 100000 }, 1000);

	schedule_committed(&s, true);
	assert_int_equal(schedule_wait(&s, 1200), 100);
	assert_false(schedule_wants_pass(&s, true, 1000 + REST * 100 - 1));
	assert_true(schedule_wants_pass(&s, true, 1000 + REST * 100));
}

TEST(own_writes_are_awaited_for_a_time)
{
	struct schedule s = after(&fine, 1000);

	schedule_committed(&s, true);
	assert_true(schedule_wants_pass(&s, true, 2000));
	assert_false(schedule_wants_pass(&s, false, 1000 + AWAIT_MS - 1));
	assert_true(schedule_wants_pass(&s, false, 1000 + AWAIT_MS));
}

TEST(leadership_makes_a_pass_due)
{
	struct schedule s = after(&fine, 1000);

	schedule_pass_now(&s);
	assert_true(schedule_wants_pass(&s, true, 1001));
}

TEST(wait_is_never_longer_than_a_turn)
{
	struct schedule s = after(&fine, 1000);

	assert_int_equal(schedule_wait(&s, 1000), TURN_MS);
}
