/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/node_index.h"

#include <string.h>

#include "base/auto.h"
#include "plan/candidate.h"
#include "test/unit/plan/build.h"
#include "test/unit/test.h"

static void is_best(struct scene *s, const char *pod, const char *expect)
{
	assert_string_equal(scene_place(s, index_best(&s->p, unit_at(s, pod), NONE)), expect);
}

TEST(the_emptiest_core_of_all_nodes_is_best)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "a" });
	build_node(&yaml, (struct test_node){ "b" });
	build_pod(&yaml, (struct test_pod){ "one", "a", "0", .low = 100000 });
	build_pod(&yaml, (struct test_pod){ "two", "a", "1", .low = 200000 });
	build_pod(&yaml, (struct test_pod){ "three", "b", "0", .low = 50000 });
	build_pod(&yaml, (struct test_pod){ "new", .low = 1000 });
	scene_start(&s, &yaml);
	is_best(&s, "new", "b:1");
	assert_string_equal(scene_place(&s, index_best(&s.p, unit_at(&s, "new"), 1)), "a:0");
}

TEST(of_equal_places_the_first_by_name_is_taken)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "b" });
	build_node(&yaml, (struct test_node){ "a" });
	build_pod(&yaml, (struct test_pod){ "new", .low = 1000 });
	scene_start(&s, &yaml);
	is_best(&s, "new", "a:0");
}

TEST(a_pod_that_is_bound_stays_on_its_node)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "a", .spec = "unschedulable: true" });
	build_node(&yaml, (struct test_node){ "b" });
	build_pod(&yaml, (struct test_pod){ "here", "a", NULL, .low = 1000 });
	build_pod(&yaml, (struct test_pod){ "new", .low = 1000 });
	scene_start(&s, &yaml);
	is_best(&s, "here", "a:0");
	is_best(&s, "new", "b:0");
}

TEST(a_pin_to_an_unknown_node_is_nowhere)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;
	node_id nodes[1];

	build_node(&yaml, (struct test_node){ "a" });
	build_pod(&yaml, (struct test_pod){ "new", .criticality = "High", .low = 1000,
					    .mckube = "node: gone" });
	scene_start(&s, &yaml);
	is_best(&s, "new", "-");
	assert_int_equal(index_yielding(&s.p, unit_at(&s, "new"), nodes, 1), 0);
}

TEST(a_change_shows_after_the_refresh)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "a", 1 });
	build_pod(&yaml, (struct test_pod){ "old", "a", "0", .low = 800000 });
	build_pod(&yaml, (struct test_pod){ "new", .low = 200000 });
	scene_start(&s, &yaml);
	is_best(&s, "new", "-");
	trial_unassign(&s.p.trial, scene_unit(&s, "old"));
	planner_refresh(&s.p, 0);
	is_best(&s, "new", "a:0");
}

TEST(nodes_with_evictable_pods_are_listed_best_first)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;
	node_id nodes[4];

	build_node(&yaml, (struct test_node){ "a", 1 });
	build_node(&yaml, (struct test_node){ "b", 1 });
	build_node(&yaml, (struct test_node){ "c", 1 });
	build_pod(&yaml, (struct test_pod){ "one", "a", "0", "Low", 900000 });
	build_pod(&yaml, (struct test_pod){ "two", "b", "0", "Low", 500000 });
	build_pod(&yaml, (struct test_pod){ "three", "c", "0", "High", 100000 });
	build_pod(&yaml, (struct test_pod){ "new", .criticality = "High", .low = 900000 });
	build_pod(&yaml, (struct test_pod){ "low", .criticality = "Low", .low = 900000 });
	scene_start(&s, &yaml);
	assert_int_equal(index_yielding(&s.p, unit_at(&s, "new"), nodes, 4), 2);
	assert_int_equal(nodes[0], scene_node(&s, "b"));
	assert_int_equal(nodes[1], scene_node(&s, "a"));
	assert_int_equal(index_yielding(&s.p, unit_at(&s, "new"), nodes, 1), 1);
	assert_int_equal(nodes[0], scene_node(&s, "b"));
	assert_int_equal(index_yielding(&s.p, unit_at(&s, "low"), nodes, 4), 0);
}

/* ---- Against a search without an index ---- */

static bool takes(struct scene *s, const struct unit *u, node_id node, unsigned rank)
{
	if (u->kind == UNIT_UNASSIGNED)
		return node == u->node;
	return filter_node(&s->p.filters, u, node, rank, NULL, 0) == REFUSE_NOTHING;
}

static place_id best_of_all(struct scene *s, const struct unit *u)
{
	place_id best = NONE;
	uint32_t score = 0;

	for (node_id node = 0; node < s->c.nodes.n; node++) {
		candidates list = { 0 };

		if (takes(s, u, node, 0))
			candidates_of(&s->p, u, node, &list);
		array_each(c, &list) {
			if (!trial_fits(&s->p.trial, u, c->place, 0) ||
			    (best != NONE && c->score <= score))
				continue;
			best = c->place;
			score = c->score;
		}
		array_done(&list);
	}
	return best;
}

/* Would the pod fit on some place of the node if the less critical were gone? */
static bool could_take(struct scene *s, const struct unit *u, node_id node)
{
	candidates list = { 0 };
	bool is_good = false;

	if (takes(s, u, node, u->rank))
		candidates_of(&s->p, u, node, &list);
	array_each(c, &list)
		is_good = is_good || trial_fits(&s->p.trial, u, c->place, u->rank);
	array_done(&list);
	return is_good;
}

static bool is_among(node_id node, const node_id *nodes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (nodes[i] == node)
			return true;
	return false;
}

TEST(the_index_finds_what_a_full_search_finds)
{
	unsigned n_found = 0, n_yielding = 0;

	for (uint32_t seed = 0; seed < 200; seed++) {
		AUTO(scene_done) struct scene s;
		struct str yaml = STR_INIT;
		node_id nodes[MAX_PREEMPTION_NODES];

		build_random(&yaml, seed);
		scene_start(&s, &yaml);
		array_each(u, &s.p.trial.units) {
			if (u->kind != UNIT_PENDING && u->kind != UNIT_UNASSIGNED)
				continue;
			place_id best = index_best(&s.p, u, NONE);
			size_t n = index_yielding(&s.p, u, nodes, ARRAY_LEN(nodes));

			assert_int_equal(best, best_of_all(&s, u));
			for (node_id node = 0; node < s.c.nodes.n; node++)
				if (could_take(&s, u, node))
					assert_true(is_among(node, nodes, n));
			n_found += best != NONE;
			n_yielding += n > 0;
		}
	}
	assert_true(n_found > 200 && n_yielding > 200); /* the clusters were worth it */
}
