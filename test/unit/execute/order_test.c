/* SPDX-License-Identifier: Apache-2.0 */
#include "execute/order.h"

#include "test/unit/test.h"

static struct action on_pod(const char *name)
{
	return (struct action){
		.on = { .api_version = "v1", .kind = "Pod", .ns = "x", .name = name }
	};
}

/* 0 evicts a; 1 binds b after it; 2 changes b once more; 3 is about c and waits for both a and b.
 */
TEST(after_and_the_same_object_both_count)
{
	uint32_t after_0[] = { 1 }, after_0_and_2[] = { 1, 3 };
	struct action actions[] = { on_pod("a"), on_pod("b"), on_pod("b"), on_pod("c") };
	const struct plan plan = { .actions = { actions, 4, 4 } };
	struct order o;

	actions[1].after = after_0;
	actions[1].n_after = 1;
	actions[3].after = after_0_and_2;
	actions[3].n_after = 2;
	order_init(&o, &plan);
	assert_int_equal(o.previous[0], NONE);
	assert_int_equal(o.previous[1], NONE);
	assert_int_equal(o.previous[2], 1);
	assert_int_equal(o.previous[3], NONE);
	assert_memory_equal(o.n_open, ((uint32_t[]){ 0, 1, 1, 2 }), 4 * sizeof(uint32_t));
	assert_int_equal(o.dependents[0].n, 2);
	assert_int_equal(o.list[o.dependents[0].at], 1);
	assert_int_equal(o.list[o.dependents[0].at + 1], 3);
	assert_int_equal(o.dependents[1].n, 1);
	assert_int_equal(o.list[o.dependents[1].at], 2);
	assert_int_equal(o.dependents[2].n, 1);
	assert_int_equal(o.list[o.dependents[2].at], 3);
	assert_int_equal(o.dependents[3].n, 0);
	order_done(&o);
}

TEST(an_empty_plan_has_no_order)
{
	const struct plan plan = { .name = "" };
	struct order o;

	order_init(&o, &plan);
	order_done(&o);
}
