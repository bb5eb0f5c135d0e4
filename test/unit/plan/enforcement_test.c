/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/enforcement.h"

#include <string.h>

#include "base/auto.h"
#include "test/unit/plan/build.h"
#include "test/unit/test.h"

/* "a:watch b:raise": the units in the order of their names. */
static void is_chosen(struct str *yaml, const char *expect)
{
	AUTO(scene_done) struct scene s;
	AUTO(str_done) struct str text = STR_INIT;

	scene_start(&s, yaml);
	AUTO_FREE uint8_t *chosen = enforcement_choose(&s.p.trial);
	for (unit_id id = 0; id < s.p.trial.units.n; id++)
		str_addf(&text, "%s%s:%s", id ? " " : "",
			 cluster_str(&s.c,
				     unit_pod(&s.p.trial, &s.p.trial.units.items[id])->meta.name),
			 chosen[id] == ENFORCE_NONE
				 ? "-"
				 : enforcement_name((enum enforcement)chosen[id]));
	assert_string_equal(text.s, expect);
}

TEST(pods_are_watched_while_their_high_budgets_fit)
{
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "edge" });
	build_pod(&yaml, (struct test_pod){ "a", "edge", "0", "High", 200000, 450000 });
	build_pod(&yaml, (struct test_pod){ "b", "edge", "0", "Middle", 100000, 500000 });
	is_chosen(&yaml, "a:watch b:watch");
}

TEST(the_less_critical_are_raised_when_they_do_not)
{
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "edge" });
	build_pod(&yaml, (struct test_pod){ "a", "edge", "0", "Middle", 100000, 500000 });
	build_pod(&yaml, (struct test_pod){ "b", "edge", "0", "High", 200000, 450001 });
	is_chosen(&yaml, "a:raise b:watch");
}

TEST(a_later_pod_may_be_watched_in_what_is_left)
{
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "edge" });
	build_pod(&yaml, (struct test_pod){ "a", "edge", "0", "High", 100000, 900000 });
	build_pod(&yaml, (struct test_pod){ "b", "edge", "0", "Middle", 100000, 700000 });
	build_pod(&yaml, (struct test_pod){ "c", "edge", "0", "Low", 100000, 100000 });
	is_chosen(&yaml, "a:raise b:watch c:watch");
}

TEST(every_core_of_a_pod_must_have_the_room)
{
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "edge" });
	build_pod(&yaml, (struct test_pod){ "a", "edge", "0-1", "High", 100000, 500000,
					    .rt = "coreCount: 2" });
	build_pod(&yaml, (struct test_pod){ "b", "edge", "1", "Low", 500000 });
	is_chosen(&yaml, "a:raise b:watch");
}

TEST(a_node_wide_kernel_has_one_sum)
{
	struct str yaml = STR_INIT;

	build_node(&yaml,
		   (struct test_node){ "edge", .annotations = "mckube.io/capacity-scope: node" });
	build_pod(&yaml, (struct test_pod){ "a", "edge", "0", "High", 100000, 500000 });
	build_pod(&yaml, (struct test_pod){ "b", "edge", "1", "High", 100000, 500000 });
	is_chosen(&yaml, "a:watch b:raise");
}

/* Levels come and go: what is chosen would change with each overrun. */
TEST(levels_do_not_count)
{
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "edge" });
	build_pod(&yaml, (struct test_pod){ "a", "edge", "0", "High", 100000, 600000 });
	build_pod(&yaml, (struct test_pod){ "b", "edge", "0", "High", 100000, 600000,
					    .annotations = "mckube.io/rt-current: hi" });
	is_chosen(&yaml, "a:watch b:raise");
}

TEST(pods_without_cores_have_no_enforcement)
{
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "edge" });
	build_pod(&yaml, (struct test_pod){ "a", "edge", NULL, "High", 1000 });
	build_pod(&yaml, (struct test_pod){ "b", .low = 1000 });
	is_chosen(&yaml, "a:- b:-");
}
