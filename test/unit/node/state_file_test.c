/* SPDX-License-Identifier: Apache-2.0 */
#include "node/state_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "budget/budget.h"
#include "fake_tree.h"
#include "plan/plan.h"

static void what_is_saved_is_loaded(void **state)
{
	struct fake_tree t;
	struct memory m = { 0 }, back;
	char path[80];

	(void)state;
	fake_tree_init(&t);
	snprintf(path, sizeof(path), "%s/state.json", t.root);
	memory_add_group(&m,
			 &(struct memory_group){
				 (char *)"kubepods/a \"b\"", 1, { 100000, 0 }, { 100000, 2000 } });
	memory_add_pod(&m, &(struct memory_pod){ (char *)"u1", (char *)"ns/p", LEVEL_MIDDLE,
						 ENFORCE_WATCH });
	assert_int_equal(memory_save(path, &m, NULL), 0);
	assert_int_equal(memory_load(path, &back, NULL), 0);
	assert_int_equal(memory_found(&back, "kubepods/a \"b\"", 1)->period_us, 100000);
	assert_null(memory_found(&back, "kubepods/a \"b\"", 0));
	assert_int_equal(back.groups.items[0].wanted.runtime_us, 2000);
	assert_int_equal(memory_level(&back, "u1"), LEVEL_MIDDLE);
	assert_int_equal(memory_level(&back, "u2"), -1);
	assert_int_equal(back.pods.items[0].enforcement, ENFORCE_WATCH);
	memory_done(&m);
	memory_done(&back);
	fake_tree_done(&t);
}

static void missing_file_is_an_empty_memory(void **state)
{
	struct memory m;

	(void)state;
	assert_int_equal(memory_load("/nonexistent/state.json", &m, NULL), 0);
	assert_int_equal(m.groups.n + m.pods.n, 0);
	memory_done(&m);
}

static void damaged_parts_are_left_out(void **state)
{
	struct fake_tree t;
	struct memory m;
	struct error err;
	char path[80];

	(void)state;
	fake_tree_init(&t);
	snprintf(path, sizeof(path), "%s/state.json", t.root);
	fake_file(&t, "state.json",
		  "{\"groups\":[1,{\"path\":\"a\"},{\"path\":\"b\",\"lane\":0,\"found\":"
		  "{\"periodUs\":1,\"runtimeUs\":\"x\"}}],\"pods\":[{\"uid\":\"u\"},"
		  "{\"uid\":\"v\",\"name\":\"n/v\",\"level\":\"top\"}]}");
	assert_int_equal(memory_load(path, &m, &err), 0);
	assert_int_equal(m.groups.n + m.pods.n, 0);
	memory_done(&m);
	fake_file(&t, "state.json", "{");
	assert_true(memory_load(path, &m, &err) < 0);
	assert_non_null(strstr(err.msg, "state.json"));
	memory_done(&m);
	fake_tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_saved_is_loaded),
		cmocka_unit_test(missing_file_is_an_empty_memory),
		cmocka_unit_test(damaged_parts_are_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
