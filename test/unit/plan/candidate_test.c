/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/candidate.h"

#include <string.h>

#include "base/auto.h"
#include "test/unit/plan/build.h"
#include "test/unit/test.h"

/* The pod's candidates on the first node, in their order. */
static void has_candidates(struct scene *s, const char *pod, const char *expect)
{
	AUTO(str_done) struct str text = STR_INIT;
	candidates list = { 0 };

	candidates_of(&s->p, unit_at(s, pod), 0, &list);
	array_each(c, &list)
		str_addf(&text, "%s ", scene_place(s, c->place));
	array_done(&list);
	assert_string_equal(text.s, expect);
}

TEST(the_best_core_comes_first)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "edge", 4 });
	build_pod(&yaml, (struct test_pod){ "a", "edge", "0", .low = 300000 });
	build_pod(&yaml, (struct test_pod){ "b", "edge", "2", .low = 100000 });
	build_pod(&yaml, (struct test_pod){ "new", .low = 1000 });
	scene_start(&s, &yaml);
	has_candidates(&s, "new", "edge:1 edge:3 edge:2 edge:0 ");
}

TEST(full_cores_are_candidates_too)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "edge", 2 });
	build_pod(&yaml, (struct test_pod){ "a", "edge", "0", .low = 900000 });
	build_pod(&yaml, (struct test_pod){ "new", .low = 900000 });
	scene_start(&s, &yaml);
	has_candidates(&s, "new", "edge:1 edge:0 ");
}

TEST(named_cores_are_the_only_candidate)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "edge", 4 });
	build_pod(&yaml, (struct test_pod){ "one", .low = 1000, .rt = "core: '3'" });
	build_pod(&yaml, (struct test_pod){ "two", .low = 1000, .rt = "core: '1,3'" });
	build_pod(&yaml, (struct test_pod){ "none", .low = 1000, .rt = "core: '3-4'" });
	scene_start(&s, &yaml);
	has_candidates(&s, "one", "edge:3 ");
	has_candidates(&s, "two", "edge:1,3 ");
	has_candidates(&s, "none", "");
}

TEST(several_cores_are_tried_in_every_combination)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "edge", 3 });
	build_pod(&yaml, (struct test_pod){ "a", "edge", "0", .low = 300000 });
	build_pod(&yaml, (struct test_pod){ "two", .low = 1000, .rt = "coreCount: 2" });
	build_pod(&yaml, (struct test_pod){ "three", .low = 1000, .rt = "coreCount: 3" });
	build_pod(&yaml, (struct test_pod){ "four", .low = 1000, .rt = "coreCount: 4" });
	scene_start(&s, &yaml);
	has_candidates(&s, "two", "edge:1,2 edge:0,1 edge:0,2 ");
	has_candidates(&s, "three", "edge:0,1,2 ");
	has_candidates(&s, "four", "");
}

TEST(near_cores_score_higher)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "edge", 4,
					      .annotations = "mckube.io/topology: '0 2,3 | 1'" });
	build_pod(&yaml, (struct test_pod){ "two", .low = 1000, .rt = "coreCount: 2" });
	scene_start(&s, &yaml);
	has_candidates(&s, "two", "edge:2,3 edge:0,2 edge:0,3 edge:0,1 edge:1,2 edge:1,3 ");
}

TEST(combinations_are_bounded)
{
	static const struct {
		int cpus;
		const char *rt;
		size_t expect;
	} rows[] = {
		{ 8, "coreCount: 4", 70 }, /* all of them */
		{ 64, "coreCount: 2", MAX_CORE_SETS },
		{ 64, "coreCount: 63", 64 },
		{ 64, "coreCount: 64", 1 },
		{ 64, "coreCount: 65", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(scene_done) struct scene s;
		struct str yaml = STR_INIT;
		candidates list = { 0 };

		build_node(&yaml, (struct test_node){ "edge", rows[i].cpus });
		build_pod(&yaml, (struct test_pod){ "new", .low = 1000, .rt = rows[i].rt });
		scene_start(&s, &yaml);
		candidates_of(&s.p, unit_at(&s, "new"), 0, &list);
		assert_int_equal(list.n, rows[i].expect);
		array_done(&list);
	}
}

TEST(candidates_are_added_behind_others)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;
	candidates list = { 0 };

	build_node(&yaml, (struct test_node){ "a", 1 });
	build_node(&yaml, (struct test_node){ "b", 2 });
	build_pod(&yaml, (struct test_pod){ "full", "a", "0", .low = 900000 });
	build_pod(&yaml, (struct test_pod){ "new", .low = 1000 });
	scene_start(&s, &yaml);
	candidates_of(&s.p, unit_at(&s, "new"), 0, &list);
	candidates_of(&s.p, unit_at(&s, "new"), 1, &list);
	assert_int_equal(list.n, 3);
	assert_string_equal(scene_place(&s, list.items[0].place), "a:0");
	assert_string_equal(scene_place(&s, list.items[1].place), "b:0");
	array_done(&list);
}
