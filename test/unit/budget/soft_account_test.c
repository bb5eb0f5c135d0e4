/* SPDX-License-Identifier: Apache-2.0 */
#include "budget/soft_account.h"

#include <stdint.h>
#include <stdlib.h>

#include "test/unit/test.h"

#define Q 2000ULL
#define P 10000ULL
static const struct soft_budget budget = { Q, P };

TEST(use_is_counted_in_its_period)
{
	struct soft_account a = { 0 };

	soft_account_charge(&a, &budget, 3 * P + 500, 500);
	assert_int_equal(a.number, 3);
	assert_int_equal(a.used_ns, 500);
	assert_int_equal(soft_account_left(&a, &budget), Q - 500);
	assert_int_equal(soft_account_refill(&a), 4 * P);
}

TEST(use_across_a_refill_is_split)
{
	struct soft_account a = { 0 };

	soft_account_enter(&a, &budget, 3 * P);
	soft_account_charge(&a, &budget, 4 * P + 300, 1000);
	assert_int_equal(a.number, 4);
	assert_int_equal(a.used_ns, 300);
	assert_int_equal(a.debt_ns, 0);
}

TEST(use_at_the_very_refill_is_the_former_periods)
{
	struct soft_account a = { 0 };

	soft_account_charge(&a, &budget, 4 * P, 700);
	assert_int_equal(a.number, 4);
	assert_int_equal(a.used_ns, 0);
}

TEST(what_is_used_above_the_budget_is_taken_off_the_next_period)
{
	struct soft_account a = { 0 };

	soft_account_charge(&a, &budget, 3 * P + Q + 100, Q + 100);
	assert_int_equal(soft_account_left(&a, &budget), 0);
	soft_account_enter(&a, &budget, 4 * P);
	assert_int_equal(a.debt_ns, 100);
	assert_int_equal(soft_account_available(&a, &budget), Q - 100);
	soft_account_enter(&a, &budget, 5 * P);
	assert_int_equal(a.debt_ns, 0);
}

TEST(a_debt_of_several_budgets_rests_as_long)
{
	struct soft_account a = { 0 };

	soft_account_charge(&a, &budget, 4 * P - 1, 3 * Q + 500);
	for (int i = 0; i < 2; i++) {
		soft_account_enter(&a, &budget, (uint64_t)(4 + i) * P);
		assert_int_equal(soft_account_left(&a, &budget), 0);
	}
	soft_account_enter(&a, &budget, 6 * P);
	assert_int_equal(soft_account_left(&a, &budget), Q - 500);
}

TEST(idle_periods_pay_a_debt)
{
	struct soft_account a = { 0 };

	soft_account_charge(&a, &budget, 4 * P - 1, 5 * Q);
	soft_account_enter(&a, &budget, 100 * P);
	assert_int_equal(a.debt_ns, 0);
	assert_int_equal(a.used_ns, 0);
}

TEST(a_cut_in_the_middle_makes_no_debt)
{
	const struct soft_budget cut = { 100, P };
	struct soft_account a = { 0 };

	soft_account_charge(&a, &budget, 3 * P + Q, Q);
	soft_account_enter(&a, &cut, 3 * P + Q + 1);
	assert_int_equal(soft_account_left(&a, &cut), 0);
	soft_account_enter(&a, &cut, 4 * P);
	assert_int_equal(a.debt_ns, 0);
	assert_int_equal(soft_account_left(&a, &cut), 100);
}

TEST(a_raise_holds_at_once)
{
	const struct soft_budget raised = { 2 * Q, P };
	struct soft_account a = { 0 };

	soft_account_charge(&a, &budget, 3 * P + Q, Q);
	soft_account_enter(&a, &raised, 3 * P + Q);
	assert_int_equal(soft_account_left(&a, &raised), Q);
}

TEST(a_long_charge_uses_the_budget_of_each_period)
{
	struct soft_account a = { 0 };

	soft_account_enter(&a, &budget, 10 * P);
	soft_account_charge(&a, &budget, 20 * P, 5 * P);
	assert_int_equal(a.number, 20);
	assert_int_equal(a.used_ns, 0);
	assert_int_equal(a.debt_ns, 5 * P - 5 * Q);
}

TEST(another_period_length_starts_from_nothing)
{
	const struct soft_budget other = { Q, 2 * P };
	struct soft_account a = { 0 };

	soft_account_charge(&a, &budget, 4 * P - 1, 5 * Q);
	soft_account_enter(&a, &other, 4 * P);
	assert_int_equal(a.debt_ns, 0);
	assert_int_equal(a.used_ns, 0);
	assert_int_equal(a.number, 2);
}

TEST(a_clock_that_is_behind_stays_in_the_period)
{
	struct soft_account a = { 0 };

	soft_account_charge(&a, &budget, 4 * P + 100, 100);
	soft_account_charge(&a, &budget, 4 * P - 50, 20);
	assert_int_equal(a.number, 4);
	assert_int_equal(a.used_ns, 120);
}

TEST(the_ends_of_the_clock)
{
	struct soft_account a = { 0 };

	soft_account_charge(&a, &budget, 0, 0);
	soft_account_charge(&a, &budget, 5, UINT64_MAX);
	assert_int_equal(a.number, 0);
	assert_true(a.used_ns == UINT64_MAX);
	soft_account_charge(&a, &budget, UINT64_MAX, 10);
	assert_true(a.number == UINT64_MAX / P);
	assert_true(soft_account_left(&a, &budget) <= Q);
	soft_account_charge(&a, &budget, UINT64_MAX, UINT64_MAX);
	assert_int_equal(soft_account_left(&a, &budget), 0);
}

TEST(without_a_period_nothing_is_counted)
{
	const struct soft_budget none = { 0, 0 };
	struct soft_account a = { 0 };

	soft_account_charge(&a, &none, 12345, 10);
	soft_account_enter(&a, &none, 12345);
	assert_int_equal(a.used_ns, 0);
}

TEST(a_budget_of_nothing_is_never_left)
{
	const struct soft_budget none = { 0, P };
	struct soft_account a = { 0 };

	soft_account_charge(&a, &none, 4 * P, 10);
	soft_account_enter(&a, &none, 400 * P);
	assert_int_equal(soft_account_left(&a, &none), 0);
	assert_int_equal(a.debt_ns, 10);
}

/* Properties, over random histories of one CPU: time goes on, the group runs now and then, the
 * budget changes now and then. */

static uint64_t random_below(uint64_t n)
{
	return ((uint64_t)(uint32_t)rand() << 16 ^ (uint64_t)(uint32_t)rand()) % n;
}

/* The same by its definition: periods one after another, each with what was used in it. */
struct slow {
	uint64_t number, used, debt, granted;
};

static void slow_enter(struct slow *s, const struct soft_budget *b, uint64_t number)
{
	while (s->number < number) {
		uint64_t owed = s->debt + s->used;

		s->debt = owed > s->granted ? owed - s->granted : 0;
		s->used = 0;
		s->granted = b->runtime_ns;
		s->number++;
	}
	if (b->runtime_ns > s->granted)
		s->granted = b->runtime_ns;
}

static void slow_charge(struct slow *s, const struct soft_budget *b, uint64_t now, uint64_t ran)
{
	uint64_t start = now - ran;

	slow_enter(s, b, start / b->period_ns);
	uint64_t here = now % b->period_ns < ran ? now % b->period_ns : ran;
	s->used += ran - here;
	slow_enter(s, b, now / b->period_ns);
	s->used += here;
}

TEST(it_is_what_the_definition_says)
{
	for (unsigned seed = 0; seed < 2000; seed++) {
		srand(seed);
		struct soft_budget b = { 1 + random_below(3000), 1000 + random_below(9000) };
		uint64_t now = seed % 3 ? random_below(1000000) : UINT64_MAX / 2;
		struct soft_account a = { 0 };

		soft_account_enter(&a, &b, now);
		struct slow s = { .number = now / b.period_ns, .granted = b.runtime_ns };
		for (int i = 0; i < 200; i++) {
			uint64_t step = random_below(random_below(8) ? 3000 : 60000);
			uint64_t ran = random_below(step + 1);

			now += step;
			if (random_below(10) == 0)
				b.runtime_ns = 1 + random_below(3000);
			slow_charge(&s, &b, now, ran);
			soft_account_charge(&a, &b, now, ran);
			assert_true(a.number == s.number && a.used_ns == s.used &&
				    a.debt_ns == s.debt);
		}
	}
}

/* Threads that stop within `late` of being told have, over a long time, their budget. */
TEST(the_share_of_a_long_time_is_exact)
{
	for (unsigned seed = 0; seed < 200; seed++) {
		srand(seed);
		const struct soft_budget b = { 500 + random_below(3000), 10000 };
		const uint64_t late = random_below(4000), periods = 2000;
		struct soft_account a = { 0 };
		uint64_t sum = 0;

		for (uint64_t n = 1; n <= periods; n++) {
			uint64_t now = n * b.period_ns;

			soft_account_enter(&a, &b, now);
			uint64_t left = soft_account_left(&a, &b);
			uint64_t ran = left ? left + random_below(late + 1) : 0;
			ran = ran > b.period_ns - 1 ? b.period_ns - 1 : ran;
			soft_account_charge(&a, &b, now + ran, ran);
			sum += ran;
		}
		assert_true(sum <= periods * b.runtime_ns + late);
		assert_true(sum + b.runtime_ns >= periods * b.runtime_ns);
	}
}
