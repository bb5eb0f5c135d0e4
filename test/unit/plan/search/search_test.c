/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/search/search.h"

#include <string.h>

#include "base/auto.h"
#include "test/unit/plan/build.h"
#include "test/unit/test.h"

static const struct cost any_cost = { .part = { INT64_MAX } };

/* All nodes, and all pods that are pending or without cores. */
struct everything {
	node_list nodes;
	unit_list to_place;
	struct region region;
};

static void everything_of(struct everything *e, const struct scene *s)
{
	const struct trial *t = &s->p.trial;

	*e = (struct everything){ 0 };
	for (node_id node = 0; node < s->c.nodes.n; node++)
		*array_add(&e->nodes) = node;
	for (uint32_t turn = 0; turn < t->units.n; turn++) {
		uint8_t kind = t->units.items[t->by_turn[turn]].kind;

		if (kind == UNIT_PENDING || kind == UNIT_UNASSIGNED)
			*array_add(&e->to_place) = t->by_turn[turn];
	}
	e->region = (struct region){
		.nodes = e->nodes.items,
		.n_nodes = e->nodes.n,
		.to_place = e->to_place.items,
		.n_to_place = e->to_place.n,
		.max_steps = 100000,
		.max_discrepancies = UINT32_MAX,
	};
}

static void everything_done(struct everything *e)
{
	array_done(&e->nodes);
	array_done(&e->to_place);
}

/* What became of the pod: "edge:0", "-", "evicted" or "left". */
static const char *outcome_of(const struct scene *s, const struct search_result *a, const char *pod)
{
	unit_id id = scene_unit(s, pod);

	array_each(o, &a->outcomes)
		if (o->unit == id)
			return o->is_evicted	    ? "evicted"
			       : o->stays_displaced ? "left"
						    : scene_place(s, o->at);
	return "not there";
}

/* Arranges the cluster and says what became of the pods, in the order of their names. */
static void becomes(struct str *yaml, const char *expect)
{
	AUTO(scene_done) struct scene s;
	AUTO(everything_done) struct everything e;
	AUTO(str_done) struct str text = STR_INIT;
	struct search_result a;

	scene_start(&s, yaml);
	everything_of(&e, &s);
	search_region(&s.p, &e.region, &any_cost, &a);
	assert_true(a.was_found && a.is_exact);
	array_each(pod, &s.c.pods) {
		const char *name = cluster_str(&s.c, pod->meta.name);

		str_addf(&text, "%s%s %s", text.n ? ", " : "", name, outcome_of(&s, &a, name));
	}
	search_result_done(&a);
	assert_string_equal(text.s, expect);
}

/* ---- What is decided ---- */

TEST(a_less_critical_pod_moves_to_make_room)
{
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "edge" });
	build_pod(&yaml, (struct test_pod){ "low", "edge", "0", "Low", 350000 });
	build_pod(&yaml, (struct test_pod){ "middle", "edge", "0", "Middle", 400000 });
	build_pod(&yaml, (struct test_pod){ "new", NULL, NULL, "High", 250000, .rt = "core: '0'" });
	becomes(&yaml, "low edge:1, middle edge:0, new edge:0");
}

TEST(it_is_evicted_where_there_is_nowhere_to_go)
{
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "edge", 1 });
	build_pod(&yaml, (struct test_pod){ "low", "edge", "0", "Low", 350000 });
	build_pod(&yaml, (struct test_pod){ "middle", "edge", "0", "Middle", 400000 });
	build_pod(&yaml, (struct test_pod){ "new", NULL, NULL, "High", 250000 });
	becomes(&yaml, "low evicted, middle edge:0, new edge:0");
}

TEST(no_pod_yields_to_an_equal)
{
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "edge", 1 });
	build_pod(&yaml, (struct test_pod){ "old", "edge", "0", "Middle", 500000 });
	build_pod(&yaml, (struct test_pod){ "new", NULL, NULL, "Middle", 500000, .priority = 9 });
	becomes(&yaml, "new -, old edge:0");
}

TEST(a_pod_protected_by_a_pdb_is_not_evicted)
{
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "edge", 1 });
	build_pod(&yaml,
		  (struct test_pod){ "old", "edge", "0", "Low", 500000, .labels = "protect: g" });
	build_pod(&yaml, (struct test_pod){ "new", NULL, NULL, "High", 500000 });
	build_pdb(&yaml, "protect", "protect: g", 0);
	becomes(&yaml, "new -, old edge:0");
}

TEST(a_core_above_its_capacity_is_repaired_by_the_least_critical)
{
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "edge" });
	build_pod(&yaml, (struct test_pod){ "high", "edge", "0", "High", 500000 });
	build_pod(&yaml, (struct test_pod){ "low", "edge", "0", "Low", 500000 });
	becomes(&yaml, "high edge:0, low edge:1");
}

TEST(one_eviction_is_better_than_two)
{
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "a", 1 });
	build_node(&yaml, (struct test_node){ "b", 1 });
	build_pod(&yaml, (struct test_pod){ "one", "a", "0", "Low", 400000 });
	build_pod(&yaml, (struct test_pod){ "two", "a", "0", "Low", 400000 });
	build_pod(&yaml, (struct test_pod){ "three", "b", "0", "Low", 700000 });
	build_pod(&yaml, (struct test_pod){ "new", NULL, NULL, "High", 800000 });
	becomes(&yaml, "new b:0, one a:0, three evicted, two a:0");
}

TEST(a_replacement_that_the_new_pod_keeps_out_displaces_nothing)
{
	AUTO(scene_done) struct scene s;
	AUTO(everything_done) struct everything e;
	struct str yaml = STR_INIT;
	struct search_result a;

	build_node(&yaml, (struct test_node){ "a", 1, .labels = "zone: east" });
	build_node(&yaml, (struct test_node){ "b", 1, .labels = "zone: east" });
	build_pod(&yaml, (struct test_pod){ "low", "a", "0", "Low", 400000, .labels = "group: x" });
	build_pod(&yaml,
		  (struct test_pod){ "middle", "b", "0", "Middle", 400000,
				     .spec = "affinity: {podAntiAffinity: "
					     "{requiredDuringSchedulingIgnoredDuringExecution: [{"
					     "labelSelector: {matchLabels: {group: x}}, "
					     "topologyKey: zone}]}}" });
	build_pod(&yaml, (struct test_pod){ "new", NULL, NULL, "High", 600000, .labels = "group: x",
					    .mckube = "node: b" });
	scene_start(&s, &yaml);
	everything_of(&e, &s);
	e.region.is_whole_cluster = true;
	search_region(&s.p, &e.region, &any_cost, &a);
	assert_string_equal(outcome_of(&s, &a, "low"), "a:0");
	assert_string_equal(outcome_of(&s, &a, "middle"), "evicted");
	search_result_done(&a);
}

/* ---- How it is searched ---- */

TEST(no_result_costs_less_than_zero)
{
	AUTO(scene_done) struct scene s;
	AUTO(everything_done) struct everything e;
	struct str yaml = STR_INIT;
	const struct cost nothing = { 0 };
	struct search_result a;

	build_node(&yaml, (struct test_node){ "edge" });
	build_pod(&yaml, (struct test_pod){ "old", "edge", "0", .low = 1000 });
	scene_start(&s, &yaml);
	everything_of(&e, &s);
	search_region(&s.p, &e.region, &nothing, &a);
	assert_false(a.was_found);
	search_result_done(&a);
}

TEST(the_bound_on_the_steps_is_kept_and_reported)
{
	bool was_cut = false;

	for (uint32_t seed = 0; seed < 50; seed++) {
		AUTO(scene_done) struct scene s;
		AUTO(everything_done) struct everything e;
		struct str yaml = STR_INIT;
		struct search_result a;

		build_random(&yaml, seed);
		scene_start(&s, &yaml);
		everything_of(&e, &s);
		e.region.max_steps = 3;
		search_region(&s.p, &e.region, &any_cost, &a);
		was_cut = was_cut || !a.is_exact;
		search_result_done(&a);
	}
	assert_true(was_cut);
}

TEST(the_trial_is_as_before_after_a_search)
{
	for (uint32_t seed = 0; seed < 150; seed++) {
		AUTO(scene_done) struct scene s;
		AUTO(everything_done) struct everything e;
		AUTO(str_done) struct str before = STR_INIT, after = STR_INIT;
		struct str yaml = STR_INIT;
		struct search_result a;

		build_random(&yaml, seed);
		scene_start(&s, &yaml);
		everything_of(&e, &s);
		e.region.is_whole_cluster = seed % 2;
		e.region.max_steps = 2000;
		trial_picture(&s.p.trial, &before);
		search_region(&s.p, &e.region, &any_cost, &a);
		trial_picture(&s.p.trial, &after);
		assert_string_equal(after.s, before.s);
		search_result_done(&a);
	}
}

TEST(a_committed_result_has_its_cost)
{
	for (uint32_t seed = 0; seed < 150; seed++) {
		AUTO(scene_done) struct scene s;
		AUTO(everything_done) struct everything e;
		struct str yaml = STR_INIT;
		struct search_result a;

		build_random(&yaml, seed);
		scene_start(&s, &yaml);
		everything_of(&e, &s);
		e.region.is_whole_cluster = true; /* assumed replacements change with the trial */
		e.region.max_steps = 2000;
		search_region(&s.p, &e.region, &any_cost, &a);
		assert_true(a.was_found);
		search_commit(&s.p, &e.region, &a);

		struct cost now = search_region_cost(&s.p, &e.region);
		for (int i = 0; i < COST_PARTS; i++)
			assert_int_equal(now.part[i], a.cost.part[i]);
		search_result_done(&a);
	}
}

/* Is the cell fuller than it was, and than it may be? */
static bool is_worse(const struct cell *cell, const struct cell *before)
{
	for (int k = 0; k < LEVELS; k++)
		if (cell->used[0][k] > cell->cap[k] && cell->used[0][k] > before->used[0][k])
			return true;
	return false;
}

TEST(no_core_gets_above_its_capacity)
{
	for (uint32_t seed = 0; seed < 150; seed++) {
		AUTO(scene_done) struct scene s;
		AUTO(everything_done) struct everything e;
		struct str yaml = STR_INIT;
		struct search_result a;

		build_random(&yaml, seed);
		scene_start(&s, &yaml);
		everything_of(&e, &s);
		e.region.max_steps = 2000;

		AUTO_FREE struct cell *before = xcalloc(s.p.trial.n_cells, sizeof(*before));
		memcpy(before, s.p.trial.cells, s.p.trial.n_cells * sizeof(*before));
		search_region(&s.p, &e.region, &any_cost, &a);
		search_commit(&s.p, &e.region, &a);
		for (cell_id id = 0; id < s.p.trial.n_cells; id++)
			assert_false(is_worse(&s.p.trial.cells[id], &before[id]));
		search_result_done(&a);
	}
}
