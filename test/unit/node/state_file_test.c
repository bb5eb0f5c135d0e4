/* SPDX-License-Identifier: Apache-2.0 */
#include "node/state_file.h"

#include "budget/budget.h"
#include "plan/plan.h"
#include "test/unit/node/fake_tree.h"
#include "test/unit/test.h"

TEST(what_is_saved_is_loaded)
{
	struct fake_tree t;
	struct saved_state m = { 0 }, back;
	char path[80];

	fake_tree_init(&t);
	snprintf(path, sizeof(path), "%s/state.json", t.root);
	saved_state_add_group(&m, &(struct saved_group){ (char *)"kubepods/a \"b\"",
							 1,
							 { 100000, 0 },
							 { 100000, 2000 },
							 true,
							 false });
	saved_state_add_pod(&m, &(struct saved_pod){ (char *)"u1", (char *)"ns/p", LEVEL_MIDDLE,
						     ENFORCE_WATCH });
	saved_state_add_class(
		&m, &(struct saved_class){ (char *)"kubepods/a",
					   { THREAD_POLICY_RR, 20 },
					   { .policy = 3, .nice = -5, .resets_on_fork = true } });
	saved_state_add_cpus(&m,
			     &(struct saved_cpus){ (char *)"kubepods/a", { { 0 } }, { { 5, 1 } } });
	assert_int_equal(state_file_save(path, &m, NULL), 0);
	assert_int_equal(state_file_load(path, &back, NULL), 0);
	const struct saved_cpus *cpus = saved_state_cpus(&back, "kubepods/a");
	assert_non_null(cpus);
	assert_int_equal(cpuset_count(&cpus->found), 0);
	assert_true(cpuset_eq(&cpus->wanted, &m.cpus.items[0].wanted));
	assert_null(saved_state_cpus(&back, "kubepods/b"));
	const struct saved_class *class = saved_state_class(&back, "kubepods/a");
	assert_non_null(class);
	assert_int_equal(class->class.policy, THREAD_POLICY_RR);
	assert_int_equal(class->class.priority, 20);
	assert_int_equal(class->found.policy, 3);
	assert_int_equal(class->found.nice, -5);
	assert_true(class->found.resets_on_fork);
	assert_null(saved_state_class(&back, "kubepods/b"));
	assert_int_equal(saved_state_found(&back, "kubepods/a \"b\"", 1)->period_us, 100000);
	assert_null(saved_state_found(&back, "kubepods/a \"b\"", 0));
	assert_int_equal(back.groups.items[0].wanted.runtime_us, 2000);
	assert_true(back.groups.items[0].is_container);
	assert_false(back.groups.items[0].is_retained);
	assert_int_equal(saved_state_level(&back, "u1"), LEVEL_MIDDLE);
	assert_int_equal(saved_state_level(&back, "u2"), -1);
	assert_int_equal(back.pods.items[0].enforcement, ENFORCE_WATCH);
	saved_state_done(&m);
	saved_state_done(&back);
	fake_tree_done(&t);
}

TEST(missing_file_is_an_empty_memory)
{
	struct saved_state m;

	assert_int_equal(state_file_load("/nonexistent/state.json", &m, NULL), 0);
	assert_int_equal(m.groups.n + m.pods.n, 0);
	saved_state_done(&m);
}

TEST(damaged_parts_are_left_out)
{
	struct fake_tree t;
	struct saved_state m;
	struct error err;
	char path[80];

	fake_tree_init(&t);
	snprintf(path, sizeof(path), "%s/state.json", t.root);
	fake_file(
		&t, "state.json",
		"{\"groups\":[1,{\"path\":\"a\"},{\"path\":\"b\",\"cpuDomain\":0,\"found\":"
		"{\"periodUs\":1,\"runtimeUs\":\"x\"}}],\"pods\":[{\"uid\":\"u\"},"
		"{\"uid\":\"v\",\"name\":\"n/v\",\"level\":\"top\"}],\"classes\":[{\"path\":\"a\"},"
		"{\"path\":\"a\",\"policy\":\"FIFO\",\"priority\":\"90\",\"found\":{}},"
		"{\"path\":\"a\",\"policy\":\"FIFO\",\"priority\":\"9\",\"found\":"
		"{\"policy\":256,\"priority\":0,\"nice\":0}}],\"cpus\":[{\"path\":\"a\"},"
		"{\"path\":\"a\",\"found\":\"0-1\",\"wanted\":\"3-1\"},"
		"{\"path\":\"a\",\"found\":1,\"wanted\":\"1\"}]}");
	assert_int_equal(state_file_load(path, &m, &err), 0);
	assert_int_equal(m.groups.n + m.pods.n + m.classes.n + m.cpus.n, 0);
	saved_state_done(&m);
	fake_file(&t, "state.json", "{");
	assert_true(state_file_load(path, &m, &err) < 0);
	assert_non_null(strstr(err.msg, "state.json"));
	saved_state_done(&m);
	fake_tree_done(&t);
}
