/* SPDX-License-Identifier: Apache-2.0 */
#include "model/spending.h"

#include "test/unit/test.h"

/* 2026-11-30 was a Monday. */
static const int64_t monday = 1795996800;

static int64_t now(enum budget_period period, int64_t spent, int64_t rate, int64_t accounted_at,
		   int64_t at)
{
	const struct budget_note note = { .spent = spent,
					  .rate = rate,
					  .accounted_at = accounted_at };

	return spending_now(period, &note, at);
}

static const struct budget_note hourly = { .rate = 1000000, .accounted_at = 1795996800 + 3600 };

/* Of a day from 0:00 and one from 6:00, of which an hour was accounted. */
TEST(a_day_has_the_mean_of_the_one_before)
{
	const struct day_note full = { .since = monday, .spent = 5000000 };
	struct day_note day = spending_day(&full, &hourly, monday + 7200);

	assert_int_equal(day.since, monday);
	assert_int_equal(day.spent, 6000000);
	assert_int_equal(day.last, 0);
	/* 5 $ and 23 hours at 1 $ */
	day = spending_day(&full, &hourly, monday + 86400 + 1800);
	assert_int_equal(day.since, monday + 86400);
	assert_int_equal(day.spent, 500000);
	assert_int_equal(day.last, 28000000 / 24);
	/* whole days without a pass had one rate */
	day = spending_day(&full, &hourly, monday + 3 * 86400 + 3600);
	assert_int_equal(day.since, monday + 3 * 86400);
	assert_int_equal(day.spent, 1000000);
	assert_int_equal(day.last, 1000000);
}

TEST(a_day_of_no_account_begins_now)
{
	struct day_note none = { 0 };
	struct day_note day = spending_day(&none, &hourly, monday + 7200);

	assert_int_equal(day.since, monday + 7200);
	assert_int_equal(day.spent, 0);
	/* of the rest of the first day */
	none.since = monday + 43200;
	day = spending_day(&none,
			   &(struct budget_note){ .rate = 2000000, .accounted_at = monday + 43200 },
			   monday + 86400);
	assert_int_equal(day.last, 2000000);
	/* a clock that went back counts nothing */
	none.spent = 7;
	day = spending_day(&none, &hourly, monday);
	assert_int_equal(day.spent, 7);
}

TEST(periods_begin_at_midnight_utc)
{
	assert_int_equal(spending_period_start(BUDGET_TOTAL, monday), 0);
	assert_int_equal(spending_period_start(BUDGET_DAY, monday), monday);
	assert_int_equal(spending_period_start(BUDGET_DAY, monday - 1), monday - 86400);
	assert_int_equal(spending_period_start(BUDGET_DAY, monday + 86399), monday);
	assert_int_equal(spending_period_start(BUDGET_WEEK, monday), monday);
	assert_int_equal(spending_period_start(BUDGET_WEEK, monday - 1), monday - 7 * 86400);
	assert_int_equal(spending_period_start(BUDGET_MONTH, monday), monday - 29 * 86400);
	assert_int_equal(spending_period_start(BUDGET_MONTH, monday + 86400), monday + 86400);
	/* the end of a leap year's February */
	assert_int_equal(spending_period_start(BUDGET_MONTH, 1709164800), 1706745600);
}

TEST(time_is_spent_at_the_rate_of_the_last_pass)
{
	assert_int_equal(now(BUDGET_TOTAL, 5000000, 1000000, monday, monday + 1800), 5500000);
	/* a day without a pass */
	assert_int_equal(now(BUDGET_TOTAL, 0, 31782, monday, monday + 86400), 24 * 31782);
	/* a third of a micro-dollar, and a half */
	assert_int_equal(now(BUDGET_TOTAL, 0, 1, monday, monday + 1200), 0);
	assert_int_equal(now(BUDGET_TOTAL, 0, 1, monday, monday + 1800), 1);
}

TEST(a_clock_that_went_back_adds_nothing)
{
	assert_int_equal(now(BUDGET_TOTAL, 7, 1000000, monday, monday - 3600), 7);
	assert_int_equal(now(BUDGET_DAY, 7, 1000000, monday, monday), 7);
}

TEST(nothing_was_spent_before_the_first_pass)
{
	assert_int_equal(now(BUDGET_TOTAL, 0, 1000000, 0, monday), 0);
}

TEST(a_new_period_counts_from_its_beginning)
{
	assert_int_equal(now(BUDGET_DAY, 9000000, 1000000, monday - 7200, monday + 3600), 1000000);
	assert_int_equal(now(BUDGET_DAY, 9000000, 1000000, monday - 7200, monday), 0);
	assert_int_equal(now(BUDGET_TOTAL, 9000000, 1000000, monday - 7200, monday), 11000000);
}

TEST(the_end_of_a_budget_and_of_its_period_is_known)
{
	assert_int_equal(spending_seconds_left(0, 1000000, 1000000), 3600);
	assert_int_equal(spending_seconds_left(0, 1, 1000000), 1); /* rounded up */
	assert_int_equal(spending_seconds_left(5, 5, 1), 0);
	assert_int_equal(spending_seconds_left(0, 5, 0), 0);
	assert_int_equal(spending_seconds_left(0, NO_LIMIT, 1), 0);
	assert_int_equal(spending_period_end(BUDGET_TOTAL, monday), 0);
	assert_int_equal(spending_period_end(BUDGET_DAY, monday), monday + 86400);
	assert_int_equal(spending_period_end(BUDGET_WEEK, monday + 5), monday + 7 * 86400);
	assert_int_equal(spending_period_end(BUDGET_MONTH, monday), monday + 86400);
	assert_int_equal(spending_period_end(BUDGET_MONTH, 1709164800), 1709251200); /* February */
}

static uint32_t budgets_of(int64_t monthly, int64_t total, struct budget_note note,
			   struct policy_budget ret[static POLICY_BUDGETS])
{
	const struct cost_policy p = { .monthly = monthly, .budget = total, .budget_note = note };

	return spending_of_policy(&p, 1767225600 + 3600, ret); /* 2026-01-01T01:00:00Z */
}

TEST(both_budgets_of_a_policy_count)
{
	struct policy_budget b[POLICY_BUDGETS];
	const struct budget_note note = { 7, 3, 1767225600, 1767225600, 100 };

	assert_int_equal(budgets_of(50, 200, note, b), 2);
	assert_int_equal(b[0].period, BUDGET_MONTH);
	assert_int_equal(b[0].spent, 10);
	assert_int_equal(b[1].period, BUDGET_TOTAL);
	assert_int_equal(b[1].limit, 200);
	assert_int_equal(b[1].spent, 103);
}

TEST(a_month_ends_and_the_total_goes_on)
{
	struct policy_budget b[POLICY_BUDGETS];
	/* An hour before the end of December. */
	const struct budget_note note = { 7, 3, 1764547200, 1767222000, 100 };

	assert_int_equal(budgets_of(50, 200, note, b), 2);
	assert_int_equal(b[0].spent, 3);
	assert_int_equal(b[1].spent, 106);
}

TEST(one_budget_is_what_is_noted)
{
	struct policy_budget b[POLICY_BUDGETS];
	const struct budget_note total = { 7, 3, 0, 1767225600, 0 };

	assert_int_equal(budgets_of(NO_LIMIT, 200, total, b), 1);
	assert_int_equal(b[0].spent, 10);
	assert_int_equal(budgets_of(NO_LIMIT, NO_LIMIT, total, b), 0);
	/* A monthly one that is new has nothing spent of it. */
	assert_int_equal(budgets_of(50, 200, total, b), 2);
	assert_int_equal(b[0].spent, 3);
	assert_int_equal(b[1].spent, 10);
}
