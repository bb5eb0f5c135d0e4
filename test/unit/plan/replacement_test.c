/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/replacement.h"

#include <string.h>

#include "base/auto.h"
#include "test/unit/plan/build.h"
#include "test/unit/test.h"

static unit_id evict(struct scene *s, const char *pod)
{
	unit_id id = scene_unit(s, pod);

	trial_unassign(&s->p.trial, id);
	trial_evict(&s->p.trial, id);
	for (node_id node = 0; node < s->c.nodes.n; node++)
		planner_refresh(&s->p, node);
	return id;
}

static void is_whole_cluster(struct scene *s, const char *pod, const char *expect)
{
	assert_string_equal(scene_place(s, unit_at(s, pod)->replacement), expect);
}

TEST(a_replacement_fits_on_another_node)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "a" });
	build_node(&yaml, (struct test_node){ "b" });
	build_pod(&yaml, (struct test_pod){ "p", "a", "0", .low = 500000 });
	build_pod(&yaml, (struct test_pod){ "q", "b", "0", .low = 100000 });
	scene_start(&s, &yaml);

	unit_id p = evict(&s, "p");
	replacement_find(&s.p, &p, 1);
	is_whole_cluster(&s, "p", "b:1"); /* a is empty now, but it was evicted from there */
}

TEST(two_replacements_do_not_share_one_room)
{
	AUTO(scene_done) struct scene s;
	AUTO(str_done) struct str before = STR_INIT, after = STR_INIT;
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "a" });
	build_node(&yaml, (struct test_node){ "b", 1 });
	build_pod(&yaml, (struct test_pod){ "p", "a", "0", "Low", 500000 });
	build_pod(&yaml, (struct test_pod){ "q", "a", "1", "Middle", 500000 });
	scene_start(&s, &yaml);

	unit_id evicted[] = { evict(&s, "p"), evict(&s, "q") };
	trial_picture(&s.p.trial, &before);
	replacement_find(&s.p, evicted, 2);
	is_whole_cluster(&s, "q", "b:0"); /* the more critical one chooses first */
	is_whole_cluster(&s, "p", "-");
	trial_picture(&s.p.trial, &after);
	assert_string_equal(after.s, before.s);
}

TEST(a_replacement_needs_room_for_its_requests)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "a" });
	build_node(&yaml, (struct test_node){ "b" });
	build_pod(&yaml, (struct test_pod){ "p", "a", "0", .low = 1000, .requests = "cpu: 1500m" });
	build_pod(&yaml, (struct test_pod){ "q", "b", .requests = "cpu: 600m" });
	scene_start(&s, &yaml);

	unit_id p = evict(&s, "p");
	replacement_find(&s.p, &p, 1);
	is_whole_cluster(&s, "p", "-");
}

TEST(a_pod_that_is_not_recreated_has_no_replacement)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "a" });
	build_node(&yaml, (struct test_node){ "b" });
	build_pod(&yaml, (struct test_pod){ "p", "a", "0", .low = 1000, .mckube = "podname: p" });
	scene_start(&s, &yaml);

	unit_id p = evict(&s, "p");
	replacement_find(&s.p, &p, 1);
	is_whole_cluster(&s, "p", "-");
}

TEST(no_evicted_pods_need_no_replacements)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "a" });
	scene_start(&s, &yaml);
	replacement_find(&s.p, NULL, 0);
}
