/* SPDX-License-Identifier: Apache-2.0 */
#include "node/soft/recent.h"

#include "test/unit/test.h"

/* Periods of 10 ms from `start` on. */
enum { US = 1000, PERIOD = 10000 * US, BUDGET = 500 * US };
static const uint64_t start = 7ULL * PERIOD;

static struct soft_recent *exhausted(struct soft_recent *list, uint64_t cgroup, uint64_t at_ns)
{
	return soft_recent_exhausted(list, cgroup, at_ns, (at_ns / PERIOD + 1) * PERIOD, BUDGET);
}

TEST(soft_recent_looks_when_a_group_can_be_exhausted)
{
	struct soft_recent list[SOFT_RECENTS] = { 0 };

	assert_int_equal(soft_recent_next(list), 0);
	assert_true(exhausted(list, 1, start + BUDGET) != NULL);
	assert_int_equal(soft_recent_next(list), start + PERIOD + BUDGET + SOFT_LOOK_AFTER_NS);
}

/* Ten groups, one after another, in each period: no look is ever due. */
TEST(soft_recent_is_put_off_by_what_others_have_used)
{
	struct soft_recent list[SOFT_RECENTS] = { 0 };

	for (uint64_t period = start; period < start + 3ULL * PERIOD; period += PERIOD)
		for (uint64_t group = 1; group <= 10; group++) {
			uint64_t now = period + group * BUDGET, next = soft_recent_next(list);

			assert_true(period == start || next > now);
			assert_true(next <= period + PERIOD + BUDGET + SOFT_LOOK_AFTER_NS);
			exhausted(list, group, now);
		}
	/* The first is not exhausted this time. */
	assert_int_equal(soft_recent_next(list),
			 start + 3ULL * PERIOD + BUDGET + SOFT_LOOK_AFTER_NS);
	exhausted(list, 2, start + 3ULL * PERIOD + BUDGET + 300 * US);
	assert_int_equal(soft_recent_next(list),
			 start + 3ULL * PERIOD + 2 * BUDGET + SOFT_LOOK_AFTER_NS);
}

/* Of another period length: what was used before its refill does not count. */
TEST(soft_recent_counts_only_what_was_used_since_the_refill)
{
	struct soft_recent list[SOFT_RECENTS] = { 0 };
	uint64_t refill = start + PERIOD + 200 * US;

	exhausted(list, 1, start + BUDGET);
	struct soft_recent *r =
		soft_recent_exhausted(list, 2, start + 2 * BUDGET, refill, 2 * BUDGET);
	exhausted(list, 1, start + PERIOD + BUDGET);
	assert_int_equal(r->look_ns, refill + 3 * BUDGET - 200 * US + SOFT_LOOK_AFTER_NS);

	/* One that has no budget yet is not put off. */
	exhausted(list, 2, start + PERIOD + 3 * BUDGET);
	exhausted(list, 1, start + PERIOD + 4 * BUDGET);
	assert_int_equal(r->look_ns, start + 2ULL * PERIOD + BUDGET + SOFT_LOOK_AFTER_NS);
}

TEST(soft_recent_looks_again_at_one_that_has_run)
{
	struct soft_recent list[SOFT_RECENTS] = { 0 };
	struct soft_recent *r = exhausted(list, 1, start + BUDGET);

	uint64_t now = soft_recent_next(list);
	soft_recent_looked(r, now, BUDGET / 2);
	assert_int_equal(r->look_ns, now + BUDGET / 2 + SOFT_LOOK_AFTER_NS);
	soft_recent_looked(r, now + 1, BUDGET / 2);
	assert_int_equal(r->look_ns, 0);
	exhausted(list, 1, start + PERIOD + BUDGET);
	soft_recent_looked(r, now, 0);
	assert_int_equal(soft_recent_next(list), 0);
}

TEST(soft_recent_forgets_the_only_thread_when_another_is_told)
{
	struct soft_recent list[SOFT_RECENTS] = { 0 };
	struct soft_recent *r = exhausted(list, 1, start + BUDGET);

	assert_int_equal(r->n_events, 1);
	r->only_tid = 42;
	assert_true(exhausted(list, 1, start + PERIOD + BUDGET) == r);
	assert_int_equal(r->only_tid, 42);
	assert_int_equal(r->n_events, 1);
	exhausted(list, 1, start + PERIOD + BUDGET + 20 * US);
	assert_int_equal(r->only_tid, 0);
	assert_int_equal(r->n_events, 2);
}

TEST(soft_recent_has_room_for_some)
{
	struct soft_recent list[SOFT_RECENTS] = { 0 };

	for (uint64_t group = 1; group <= SOFT_RECENTS; group++)
		assert_true(exhausted(list, group, start + group) != NULL);
	assert_true(!exhausted(list, 100, start + 100));
	list[3].look_ns = 0;
	list[3].only_tid = 42;
	struct soft_recent *r = exhausted(list, 100, start + 101);
	assert_true(r == &list[3]);
	assert_int_equal(r->only_tid, 0);
}
