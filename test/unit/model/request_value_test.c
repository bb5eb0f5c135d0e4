/* SPDX-License-Identifier: Apache-2.0 */
#include "model/request_value.h"

#include <string.h>

#include "base/auto.h"
#include "test/unit/test.h"

static struct cluster cluster; /* holds the strings only */

static struct raw number(const char *text)
{
	return (struct raw){ intern_cstr(&cluster.strings, text), RAW_NUMBER };
}

static struct raw string(const char *text)
{
	return (struct raw){ intern_cstr(&cluster.strings, text), RAW_STRING };
}

static struct raw other(const char *text)
{
	return (struct raw){ intern_cstr(&cluster.strings, text), RAW_OTHER };
}

/* 200 to 600 ms of a second; Low, for nothing else is said. */
static struct request_text good(void)
{
	return (struct request_text){
		.period = { number("1000000"), "period" },
		.low = { number("200000"), "low" },
		.hi = { number("600000"), "hi" },
		.medium.path = "medium",
		.floor.path = "floor",
		.core_count.path = "coreCount",
		.core.path = "core",
		.criticality.path = "criticality",
		.policy.path = "policy",
		.priority.path = "priority",
	};
}

static struct request_value reads(struct request_text t, bool takes_strings)
{
	struct request_value v;
	struct value_error err;

	if (!request_value_read(&cluster, &t, takes_strings, &v, &err))
		fail_msg("%s: %s", err.reason, err.message);
	assert_null(err.reason);
	return v;
}

static void refuses(struct request_text t, const char *reason, const char *message)
{
	struct request_value v;
	struct value_error err;

	assert_false(request_value_read(&cluster, &t, false, &v, &err));
	assert_string_equal(err.reason, reason);
	assert_string_equal(err.message, message);
}

TEST(what_is_not_given_has_its_default)
{
	struct request_value v = reads(good(), false);

	assert_int_equal(v.budget.period, 1000000);
	assert_int_equal(v.budget.low, 200000);
	assert_int_equal(v.budget.hi, 600000);
	assert_int_equal(v.budget.medium, 0);
	assert_int_equal(v.budget.floor, 10000);
	assert_int_equal(v.budget.criticality, LEVEL_LOW);
	assert_int_equal(v.core_count, 1);
	assert_false(v.has_cores);
}

TEST(what_is_given_is_taken)
{
	struct request_text t = good();

	t.medium.raw = number("400000");
	t.floor.raw = number("1");
	t.core_count.raw = number("3");
	t.criticality.raw = string("mIDDLE");

	struct request_value v = reads(t, false);
	assert_int_equal(v.budget.medium, 400000);
	assert_int_equal(v.budget.floor, 1);
	assert_int_equal(v.budget.criticality, LEVEL_MIDDLE);
	assert_int_equal(v.core_count, 3);
}

TEST(the_bounds_themselves_are_good)
{
	struct request_text t = good();

	t.period.raw = number("4000000");
	t.low.raw = t.medium.raw = t.hi.raw = number("4000000");
	assert_int_equal(reads(t, false).budget.medium, 4000000);
	t.period.raw = number("100");
	t.low.raw = t.hi.raw = number("1");
	t.medium.raw = (struct raw){ 0 };
	assert_int_equal(reads(t, false).budget.floor, 1);
}

TEST(a_floor_above_low_is_cut_to_low)
{
	struct request_text t = good();

	t.floor.raw = number("300000");
	assert_int_equal(reads(t, false).budget.floor, 200000);
	t.floor.raw = number("0");
	refuses(t, "BadBudget", "floor: 0 is not between 1 and 2147483647");
}

TEST(numbers_as_strings_are_for_annotations_only)
{
	struct request_text t = good();

	t.low.raw = string("200000");
	refuses(t, "BadBudget", "low: '200000' is not a whole number");
	assert_int_equal(reads(t, true).budget.low, 200000);
}

TEST(only_whole_numbers_are_budgets)
{
	static const char *const bad[] = { "1e5",	"200000.0", "",
					   "+1",	" 1",	    "1 ",
					   "0x10",	"-",	    "99999999999999999999",
					   "2147483648" };
	struct request_text t = good();
	struct request_value v;
	struct value_error err;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		t.low.raw = number(bad[i]);
		assert_false(request_value_read(&cluster, &t, false, &v, &err));
		assert_string_equal(err.reason, "BadBudget");
		assert_non_null(strstr(err.message, "is not a whole number"));
	}
	t.low.raw = other("[200000]");
	refuses(t, "BadBudget", "low: '[200000]' is not a whole number");
	t.low.raw = number("-7");
	refuses(t, "BadBudget", "low: -7 is not between 1 and 2147483647");
}

TEST(the_three_budgets_and_the_period_are_needed)
{
	struct request_text no_period = good(), no_low = good(), no_hi = good();

	no_period.period.raw = no_low.low.raw = no_hi.hi.raw = (struct raw){ 0 };
	refuses(no_period, "BadBudget", "period: is missing");
	refuses(no_low, "BadBudget", "low: is missing");
	refuses(no_hi, "BadBudget", "hi: is missing");
}

TEST(the_period_is_one_that_the_kernel_takes)
{
	struct request_text t = good();

	t.period.raw = number("99");
	refuses(t, "BadBudget", "period: 99 is not between 100 and 4000000");
	t.period.raw = number("4000001");
	refuses(t, "BadBudget", "period: 4000001 is not between 100 and 4000000");
}

TEST(budgets_rise_up_to_the_period)
{
	struct request_text t = good();

	t.hi.raw = number("1000001");
	refuses(t, "BadBudget", "hi: 1000001 is more than the period 1000000");
	t.hi.raw = number("199999");
	refuses(t, "BadBudget", "hi: 199999 is less than low, 200000");
	t = good();
	t.medium.raw = number("600001");
	refuses(t, "BadBudget",
		"medium: 600001 is not between the low budget 200000 and the high one 600000");
	t.medium.raw = number("199999");
	refuses(t, "BadBudget",
		"medium: 199999 is not between the low budget 200000 and the high one 600000");
}

TEST(a_source_may_have_a_fixed_period)
{
	struct request_text t = good();

	t.period.raw = (struct raw){ 0 };
	t.fixed_period = 600000;
	assert_int_equal(reads(t, false).budget.period, 600000);
}

TEST(criticality_is_one_of_three_words)
{
	struct request_text t = good();

	t.criticality.raw = string("urgent");
	refuses(t, "BadCriticality", "criticality: 'urgent' is not Low, Middle or High");
	t.criticality.raw = number("2");
	refuses(t, "BadCriticality", "criticality: '2' is not Low, Middle or High");
	t.criticality.raw = string("");
	refuses(t, "BadCriticality", "criticality: '' is not Low, Middle or High");
}

TEST(named_cores_win_over_their_number)
{
	struct request_text t = good();
	char text[CPUSET_TEXT];

	t.core.raw = string("4,2-3");
	t.core_count.raw = number("7");

	struct request_value v = reads(t, false);
	assert_true(v.has_cores);
	assert_string_equal(cpuset_format(&v.cores, text), "2-4");
	assert_int_equal(v.core_count, 3);
}

TEST(cores_are_a_list_in_text)
{
	struct request_text t = good();

	t.core.raw = string("0-4000000000");
	refuses(t, "BadCpuset", "core: '0-4000000000' is not a list of CPUs such as \"2-3\"");
	t.core.raw = string("");
	refuses(t, "BadCpuset", "core: '' is not a list of CPUs such as \"2-3\"");
	t.core.raw = number("2");
	refuses(t, "BadCpuset", "core: '2' is not a list of CPUs such as \"2-3\"");
	t = good();
	t.core_count.raw = number("0");
	refuses(t, "BadBudget", "coreCount: 0 is not between 1 and 1024");
}

TEST(a_long_bad_value_is_shown_in_part)
{
	struct request_text t = good();
	char text[300] = { 0 };

	memset(text, 'x', sizeof(text) - 1);
	t.low.raw = other(text);
	refuses(t, "BadBudget",
		"low: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' is not a whole number");
}

static int stop(void **state)
{
	(void)state;
	cluster_done(&cluster);
	return 0;
}

GROUP(NULL, stop)

TEST(a_policy_of_threads_is_a_text_and_a_priority_may_be_a_number)
{
	struct request_text t = good();

	t.policy.raw = string("FIFO");
	struct request_value v = reads(t, false);
	assert_string_equal(cluster_str(&cluster, v.policy), "FIFO");
	assert_int_equal(v.priority, 0);
	t.priority.raw = number("20");
	assert_string_equal(cluster_str(&cluster, reads(t, false).priority), "20");
	t.priority.raw = string("app=20");
	assert_string_equal(cluster_str(&cluster, reads(t, false).priority), "app=20");
	t.policy.raw = t.priority.raw = string("");
	assert_int_equal(reads(t, false).policy, 0);
}

TEST(a_policy_that_is_none_is_refused)
{
	struct request_text t = good();

	t.priority.raw = number("20");
	refuses(t, "BadPolicy", "priority: needs policy");
	t.policy.raw = string("FIFO");
	t.priority.raw = number("90");
	refuses(t, "BadPolicy",
		"priority: '90' is not from 1 to 89, or one for each container such as \"app=20\"");
	t.policy.raw = string("DEADLINE");
	refuses(t, "BadPolicy",
		"policy: 'DEADLINE' is not FIFO, RR, or one for each container such as \"app=FIFO\"");
	t.policy.raw = other("{}");
	refuses(t, "BadPolicy",
		"policy: '{}' is not FIFO, RR, or one for each container such as \"app=FIFO\"");
}
