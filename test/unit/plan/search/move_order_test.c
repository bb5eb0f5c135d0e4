/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/search/move_order.h"

#include <string.h>

#include "base/auto.h"
#include "test/unit/plan/build.h"
#include "test/unit/test.h"

static void move(struct scene *s, const char *pod, place_id to)
{
	unit_id id = scene_unit(s, pod);

	trial_unassign(&s->p.trial, id);
	trial_assign(&s->p.trial, id, to);
}

/* The steps of the only node, "edge", as "pod>cores". */
static void is_ordered(struct scene *s, const char *expect)
{
	AUTO(str_done) struct str text = STR_INIT;
	order_steps steps = { 0 };

	assert_int_equal(order_node(&s->p, 0, &steps), 0);
	array_each(step, &steps)
		str_addf(&text, "%s>%s ",
			 cluster_str(&s->c,
				     unit_pod(&s->p.trial, &s->p.trial.units.items[step->unit])
					     ->meta.name),
			 scene_place(s, step->to) + strlen("edge:"));
	array_done(&steps);
	assert_string_equal(text.s, expect);
}

TEST(without_moves_there_are_no_steps)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "edge" });
	build_pod(&yaml, (struct test_pod){ "a", "edge", "0", .low = 500000 });
	scene_start(&s, &yaml);
	is_ordered(&s, "");
}

/* a leaves core 0 only after b has left core 1, which waits for c. */
TEST(a_chain_is_moved_from_its_end)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "edge", 4 });
	build_pod(&yaml, (struct test_pod){ "a", "edge", "0", .low = 500000 });
	build_pod(&yaml, (struct test_pod){ "b", "edge", "1", .low = 500000 });
	build_pod(&yaml, (struct test_pod){ "c", "edge", "2", .low = 500000 });
	scene_start(&s, &yaml);
	move(&s, "a", 1);
	move(&s, "b", 2);
	move(&s, "c", 3);
	is_ordered(&s, "c>3 b>2 a>1 ");
	assert_int_equal(order_rests(&s.p, (node_id[]){ 0 }, 1), 0);
}

TEST(pods_that_swap_need_a_rest)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "edge", 3 });
	build_pod(&yaml, (struct test_pod){ "a", "edge", "0", .low = 500000 });
	build_pod(&yaml, (struct test_pod){ "b", "edge", "1", .low = 500000 });
	scene_start(&s, &yaml);
	move(&s, "a", 1);
	move(&s, "b", 0);
	is_ordered(&s, "a>2 b>0 a>1 ");
	assert_int_equal(order_rests(&s.p, (node_id[]){ 0 }, 1), 1);
}

TEST(a_swap_with_nowhere_to_rest_has_no_order)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;
	order_steps steps = { 0 };

	build_node(&yaml, (struct test_node){ "edge", 3 });
	build_pod(&yaml, (struct test_pod){ "a", "edge", "0", .low = 500000 });
	build_pod(&yaml, (struct test_pod){ "b", "edge", "1", .low = 500000 });
	build_pod(&yaml, (struct test_pod){ "c", "edge", "2", .low = 500000 });
	scene_start(&s, &yaml);
	move(&s, "a", 1);
	move(&s, "b", 0);
	assert_int_equal(order_node(&s.p, 0, &steps), -EDEADLK);
	assert_true(order_rests(&s.p, (node_id[]){ 0 }, 1) < 0);
	array_done(&steps);
}

/* The evicted pod is gone before the first move. */
TEST(the_evicted_make_room_first)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "edge", 2 });
	build_pod(&yaml, (struct test_pod){ "a", "edge", "0", .low = 500000 });
	build_pod(&yaml, (struct test_pod){ "b", "edge", "1", .low = 500000 });
	scene_start(&s, &yaml);
	trial_unassign(&s.p.trial, scene_unit(&s, "b"));
	trial_evict(&s.p.trial, scene_unit(&s, "b"));
	move(&s, "a", 1);
	is_ordered(&s, "a>1 ");
}

/* A core that is over its capacity may be left, but not entered. */
TEST(an_overfull_core_allows_no_order)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "edge", 2 });
	build_pod(&yaml, (struct test_pod){ "a", "edge", "0", .low = 500000 });
	build_pod(&yaml, (struct test_pod){ "b", "edge", "0", .low = 500000 });
	build_pod(&yaml, (struct test_pod){ "c", "edge", "1", .low = 300000 });
	scene_start(&s, &yaml);
	move(&s, "a", 1);
	move(&s, "c", 0);
	is_ordered(&s, "a>1 c>0 ");
}

TEST(shared_cores_may_be_kept_while_full)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;
	const uint32_t cores[] = { 1, 2 };

	build_node(&yaml, (struct test_node){ "edge", 3 });
	build_pod(&yaml,
		  (struct test_pod){ "a", "edge", "0-1", .low = 800000, .rt = "coreCount: 2" });
	build_pod(&yaml, (struct test_pod){ "b", "edge", "1", .low = 300000 });
	scene_start(&s, &yaml);
	move(&s, "a", trial_place(&s.p.trial, 0, cores, 2));
	is_ordered(&s, "a>1,2 ");
}
