/* SPDX-License-Identifier: Apache-2.0 */
#include "model/request_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct cluster cluster;

static int drop_cluster(void **state)
{
	(void)state;
	cluster_done(&cluster);
	return 0;
}

static struct raw number(const char *text)
{
	return (struct raw){ intern_cstr(&cluster.strings, text), RAW_NUMBER };
}

/* 200 ms, at most 400 ms, of each second, with this floor. */
static struct request_text with_floor(struct raw floor)
{
	return (struct request_text){
		.period = { number("1000000"), "period" },
		.low = { number("200000"), "low" },
		.hi = { number("400000"), "hi" },
		.floor = { floor, "floor" },
	};
}

static void floor_becomes(struct raw floor, int32_t expect)
{
	struct request_text text = with_floor(floor);
	struct request_value value;
	struct value_error err;

	assert_true(request_value_read(&cluster, &text, false, &value, &err));
	assert_null(err.reason);
	assert_int_equal(value.budget.floor, expect);
}

static void the_floor_is_cut_to_low(void **state)
{
	(void)state;
	floor_becomes((struct raw){ 0 }, 10000);
	floor_becomes(number("1"), 1);
	floor_becomes(number("200000"), 200000);
	floor_becomes(number("200001"), 200000);
	floor_becomes(number("2147483647"), 200000);
}

static void floor_is_refused(struct raw floor, const char *message)
{
	struct request_text text = with_floor(floor);
	struct request_value value;
	struct value_error err;

	assert_false(request_value_read(&cluster, &text, false, &value, &err));
	assert_string_equal(err.reason, "BadBudget");
	assert_string_equal(err.message, message);
}

static void a_floor_below_one_is_refused(void **state)
{
	(void)state;
	floor_is_refused(number("0"), "floor: 0 is not between 1 and 2147483647");
	floor_is_refused(number("-5"), "floor: -5 is not between 1 and 2147483647");
	floor_is_refused(number("1.5"), "floor: '1.5' is not a whole number");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_floor_is_cut_to_low),
		cmocka_unit_test(a_floor_below_one_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, drop_cluster);
}
