/* SPDX-License-Identifier: Apache-2.0 */
#include "budget/budget.h"

#include "test/unit/test.h"

static struct budget budget(enum level criticality, int32_t medium)
{
	return (struct budget){
		.period = 1000,
		.low = 200,
		.medium = medium,
		.hi = 600,
		.floor = 10,
		.criticality = (uint8_t)criticality,
	};
}

static void runs_for(struct budget b, int32_t low, int32_t middle, int32_t high)
{
	assert_int_equal(budget_runtime(&b, LEVEL_LOW), low);
	assert_int_equal(budget_runtime(&b, LEVEL_MIDDLE), middle);
	assert_int_equal(budget_runtime(&b, LEVEL_HIGH), high);
}

static void loads(struct budget b, uint32_t low, uint32_t middle, uint32_t high)
{
	assert_int_equal(budget_load(&b, LEVEL_LOW), low);
	assert_int_equal(budget_load(&b, LEVEL_MIDDLE), middle);
	assert_int_equal(budget_load(&b, LEVEL_HIGH), high);
}

TEST(a_low_pod_has_its_low_budget_in_every_mode)
{
	runs_for(budget(LEVEL_LOW, 0), 200, 200, 200);
	runs_for(budget(LEVEL_LOW, 400), 200, 200, 200);
}

TEST(a_middle_pod_has_all_from_mode_middle_on)
{
	runs_for(budget(LEVEL_MIDDLE, 0), 200, 600, 600);
	runs_for(budget(LEVEL_MIDDLE, 400), 200, 600, 600);
}

TEST(a_high_pod_passes_through_its_medium_budget)
{
	runs_for(budget(LEVEL_HIGH, 400), 200, 400, 600);
	runs_for(budget(LEVEL_HIGH, 0), 200, 600, 600);
}

TEST(a_pod_below_the_mode_counts_with_its_floor)
{
	loads(budget(LEVEL_LOW, 0), 200000, 10000, 10000);
	loads(budget(LEVEL_MIDDLE, 0), 200000, 600000, 10000);
	loads(budget(LEVEL_HIGH, 400), 200000, 400000, 600000);
}

TEST(loads_are_rounded_up)
{
	struct budget third = {
		.period = 3000, .low = 1000, .hi = 2000, .floor = 1, .criticality = 1
	};
	struct budget all = { .period = PERIOD_MAX_US, .low = PERIOD_MAX_US, .hi = PERIOD_MAX_US };

	loads(third, 333334, 666667, 334);
	assert_int_equal(budget_load(&all, LEVEL_LOW), PPM);
}

TEST(the_default_floor_is_five_percent_and_a_millisecond_at_least)
{
	assert_int_equal(budget_default_floor(400000), 20000);
	assert_int_equal(budget_default_floor(20001), 1001);
	assert_int_equal(budget_default_floor(20000), 1000);
	assert_int_equal(budget_default_floor(1500), 1000);
	assert_int_equal(budget_default_floor(PERIOD_MAX_US), 200000);
}

TEST(the_default_floor_is_never_above_the_low_budget)
{
	assert_int_equal(budget_default_floor(999), 999);
	assert_int_equal(budget_default_floor(1), 1);
}

TEST(names_are_read_back_in_any_case)
{
	enum level l;

	for (int i = 0; i < LEVELS; i++) {
		assert_true(criticality_parse(criticality_name((enum level)i), &l));
		assert_int_equal(l, i);
		assert_true(level_parse(level_name((enum level)i), &l));
		assert_int_equal(l, i);
	}
	assert_true(criticality_parse("HIGH", &l) && l == LEVEL_HIGH);
	assert_true(level_parse("Medium", &l) && l == LEVEL_MIDDLE);
}

TEST(other_words_are_no_level)
{
	static const char *const words[] = { "", "High ", "hig", "highest", "1" };
	enum level l = LEVEL_MIDDLE;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		assert_false(criticality_parse(words[i], &l));
		assert_false(level_parse(words[i], &l));
	}
	assert_false(criticality_parse("medium", &l) || level_parse("Middle", &l));
	assert_int_equal(l, LEVEL_MIDDLE);
}
