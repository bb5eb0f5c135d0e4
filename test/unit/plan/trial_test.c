/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/trial.h"

#include <string.h>

#include "base/auto.h"
#include "test/unit/plan/build.h"
#include "test/unit/test.h"

static const struct test_node edge = { .name = "edge" };

static const struct cell *cell_of(const struct scene *s, const char *node, unsigned cpu)
{
	uint32_t core = capacity_core(&s->p.trial.cap, scene_node(s, node), cpu);

	return &s->p.trial.cells[s->p.trial.cell_of_core[core]];
}

static void uses(const struct cell *cell, unsigned rank, uint32_t low, uint32_t middle,
		 uint32_t high)
{
	assert_int_equal(cell->used[rank][LEVEL_LOW], low);
	assert_int_equal(cell->used[rank][LEVEL_MIDDLE], middle);
	assert_int_equal(cell->used[rank][LEVEL_HIGH], high);
}

/* ---- Initial state ---- */

TEST(a_cell_has_its_load_without_less_critical_pods)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_node(&yaml, edge);
	build_pod(&yaml, (struct test_pod){ "a", "edge", "0", "Low", 100000, 200000 });
	build_pod(&yaml, (struct test_pod){ "b", "edge", "0", "Middle", 200000, 300000 });
	build_pod(&yaml, (struct test_pod){ "c", "edge", "0", "High", 50000, 400000 });
	scene_start(&s, &yaml);

	const struct cell *cell = cell_of(&s, "edge", 0);
	uses(cell, 0, 350000, 5000 + 300000 + 400000, 5000 + 10000 + 400000);
	uses(cell, LEVEL_MIDDLE, 250000, 700000, 410000);
	uses(cell, LEVEL_HIGH, 50000, 400000, 400000);
	uses(cell, LEVELS, 0, 0, 0);
	uses(cell_of(&s, "edge", 1), 0, 0, 0, 0);
	assert_true(cell_holds(cell, 0));
	assert_int_equal(s.p.trial.pods_on_core[0], 3);
	assert_false(s.p.trial.nodes[0].is_broken);
}

TEST(a_pod_that_may_not_be_touched_counts_for_every_rank)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_node(&yaml, edge);
	build_pod(&yaml, (struct test_pod){ "a", "edge", "0", "Low", 100000,
					    .meta = "deletionTimestamp: '2026-01-01T00:00:00Z'" });
	scene_start(&s, &yaml);
	assert_int_equal(unit_at(&s, "a")->kind, UNIT_FIXED);
	for (unsigned rank = 0; rank <= LEVELS; rank++)
		uses(cell_of(&s, "edge", 0), rank, 100000, 5000, 5000);
}

TEST(a_node_wide_kernel_counts_a_pod_once)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "edge", 4,
					      .annotations = "mckube.io/capacity-scope: node" });
	build_pod(&yaml,
		  (struct test_pod){ "a", "edge", "0-2", "Low", 300000, .rt = "coreCount: 3" });
	build_pod(&yaml, (struct test_pod){ "b", "edge", "3", "Low", 200000 });
	scene_start(&s, &yaml);
	assert_int_equal(s.p.trial.n_cells, 1);
	uses(cell_of(&s, "edge", 2), 0, 500000, 25000, 25000);
	assert_int_equal(s.p.trial.pods_on_core[1], 1);
}

TEST(a_core_above_its_capacity_makes_the_node_broken)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_node(&yaml, edge);
	build_node(&yaml, (struct test_node){ .name = "fine" });
	build_pod(&yaml, (struct test_pod){ "a", "edge", "0", "Low", 500000 });
	build_pod(&yaml, (struct test_pod){ "b", "edge", "0", "High", 500000 });
	scene_start(&s, &yaml);
	assert_true(s.p.trial.nodes[scene_node(&s, "edge")].is_broken);
	assert_false(s.p.trial.nodes[scene_node(&s, "fine")].is_broken);
	assert_false(cell_holds(cell_of(&s, "edge", 0), 0));
	assert_true(cell_holds(cell_of(&s, "edge", 0), LEVEL_HIGH));
}

/* ---- Kinds of units ---- */

TEST(node_and_cores_decide_the_kind_of_a_unit)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_node(&yaml, edge);
	build_pod(&yaml, (struct test_pod){ "running", "edge", "0", .low = 1 });
	build_pod(&yaml, (struct test_pod){ "unassigned", "edge", NULL, .low = 1 });
	build_pod(&yaml, (struct test_pod){ "pending", NULL, NULL, .low = 1 });
	build_pod(&yaml, (struct test_pod){ "mirror", "edge", "0", .low = 1,
					    .annotations = "kubernetes.io/config.mirror: x" });
	build_pod(&yaml,
		  (struct test_pod){ "critical", "edge", "0", .low = 1, .priority = 2000000000 });
	build_pod(&yaml, (struct test_pod){ "lost", "gone", "0", .low = 1 });
	build_pod(&yaml, (struct test_pod){ "plain", "edge" });
	build_pod(&yaml, (struct test_pod){ "gated", .low = 1,
					    .spec = "schedulingGates: [{name: other.io/x}]" });
	scene_start(&s, &yaml);
	assert_int_equal(s.p.trial.units.n, 5);
	assert_int_equal(unit_at(&s, "running")->kind, UNIT_RUNNING);
	assert_int_equal(unit_at(&s, "unassigned")->kind, UNIT_UNASSIGNED);
	assert_int_equal(unit_at(&s, "pending")->kind, UNIT_PENDING);
	assert_int_equal(unit_at(&s, "mirror")->kind, UNIT_FIXED);
	assert_int_equal(unit_at(&s, "critical")->kind, UNIT_FIXED);
	assert_int_equal(s.p.trial.nodes[0].units.n, 4);
}

TEST(cores_that_a_pod_may_not_use_are_noticed)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_node(&yaml, edge);
	build_pod(&yaml, (struct test_pod){ "good", "edge", "0", .low = 1, .rt = "core: '0'" });
	build_pod(&yaml, (struct test_pod){ "pinned", "edge", "0", .low = 1, .rt = "core: '1'" });
	build_pod(&yaml, (struct test_pod){ "outside", "edge", "7", .low = 1 });
	build_pod(&yaml,
		  (struct test_pod){ "toofew", "edge", "0", .low = 1, .rt = "coreCount: 2" });
	scene_start(&s, &yaml);
	assert_false(unit_at(&s, "good")->is_misplaced);
	assert_true(unit_at(&s, "pinned")->is_misplaced);
	assert_true(unit_at(&s, "outside")->is_misplaced);
	assert_true(unit_at(&s, "toofew")->is_misplaced);
	assert_string_equal(scene_place(&s, unit_at(&s, "outside")->at), "edge:");
	assert_true(s.p.trial.nodes[0].is_broken);
}

TEST(evictable_pods_are_marked)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_node(&yaml, edge);
	build_pod(&yaml, (struct test_pod){ "free", "edge", "0", .low = 1 });
	build_pod(&yaml,
		  (struct test_pod){ "daemon", "edge", "0", .low = 1, .owner = "DaemonSet" });
	build_pod(&yaml, (struct test_pod){ "one", "edge", "0", .low = 1, .labels = "one: x" });
	build_pod(&yaml, (struct test_pod){ "none", "edge", "0", .low = 1, .labels = "none: x" });
	build_pod(&yaml,
		  (struct test_pod){ "two", "edge", "0", .low = 1, .labels = "one: x, other: x" });
	build_pdb(&yaml, "one", "one: x", 1);
	build_pdb(&yaml, "none", "none: x", 0);
	build_pdb(&yaml, "other", "other: x", 5);
	scene_start(&s, &yaml);
	assert_true(unit_at(&s, "free")->can_evict && unit_at(&s, "one")->can_evict);
	assert_false(unit_at(&s, "daemon")->can_evict || unit_at(&s, "none")->can_evict);
	assert_false(unit_at(&s, "two")->can_evict);
	assert_int_equal(unit_at(&s, "free")->pdb, NONE);
	assert_string_equal(cluster_str(&s.c, s.c.pdbs.items[unit_at(&s, "one")->pdb].meta.name),
			    "one");
}

TEST(reschedulable_pods_are_marked)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_node(&yaml, edge);
	build_pod(&yaml, (struct test_pod){ "replica", "edge", "0", .low = 1 });
	build_pod(&yaml,
		  (struct test_pod){ "daemon", "edge", "0", .low = 1, .owner = "DaemonSet" });
	build_pod(&yaml,
		  (struct test_pod){ "named", "edge", "0", .low = 1, .mckube = "podname: named" });
	build_pod(&yaml,
		  (struct test_pod){ "stateful", "edge", "0", .low = 1,
				     .mckube = "podname: stateful", .owner = "StatefulSet" });
	build_pod(&yaml, (struct test_pod){ "unassigned", "edge", NULL, .low = 1 });
	scene_start(&s, &yaml);
	assert_true(unit_at(&s, "replica")->is_reschedulable &&
		    unit_at(&s, "stateful")->is_reschedulable);
	assert_false(unit_at(&s, "daemon")->is_reschedulable ||
		     unit_at(&s, "named")->is_reschedulable);
	assert_false(unit_at(&s, "unassigned")->is_reschedulable);
}

TEST(turns_go_by_criticality_priority_age_and_name)
{
	static const char *const expect[] = { "f", "c", "e", "b", "a", "d" };
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_node(&yaml, edge);
	build_pod(&yaml, (struct test_pod){ "a", .low = 1 });
	build_pod(&yaml, (struct test_pod){ "b", .low = 1, .priority = 1 });
	build_pod(&yaml, (struct test_pod){ "c", .low = 1, .criticality = "Middle" });
	build_pod(&yaml, (struct test_pod){ "d", .low = 1 });
	build_pod(&yaml, (struct test_pod){ "e", .low = 1, .priority = 2 });
	build_pod(&yaml, (struct test_pod){ "f", .low = 1, .criticality = "High" });
	scene_start(&s, &yaml);
	for (uint32_t turn = 0; turn < ARRAY_LEN(expect); turn++) {
		assert_int_equal(s.p.trial.by_turn[turn], scene_unit(&s, expect[turn]));
		assert_int_equal(unit_at(&s, expect[turn])->turn, turn);
	}
}

/* ---- Places ---- */

TEST(a_set_of_cores_is_one_place)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;
	const uint32_t cores[] = { 0, 1, 3 };

	build_node(&yaml, (struct test_node){ "edge", 4 });
	scene_start(&s, &yaml);

	struct trial *t = &s.p.trial;
	place_id pair = trial_place(t, 0, cores, 2), all = trial_place(t, 0, cores, 3);
	assert_int_not_equal(pair, all);
	assert_int_equal(trial_place(t, 0, cores, 2), pair);
	assert_int_equal(trial_place(t, 0, cores + 2, 1), 3);
	assert_string_equal(scene_place(&s, all), "edge:0,1,3");
	assert_int_equal(t->places.items[all].cells.n, 3);
}

TEST(a_place_takes_what_every_core_can_take)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;
	const uint32_t cores[] = { 0, 1 };

	build_node(&yaml, edge);
	build_pod(&yaml, (struct test_pod){ "a", "edge", "1", "Low", 500000 });
	build_pod(&yaml, (struct test_pod){ "new", .low = 400000, .criticality = "Middle" });
	build_pod(&yaml, (struct test_pod){ "big", .low = 400001, .criticality = "Middle" });
	scene_start(&s, &yaml);

	place_id both = trial_place(&s.p.trial, 0, cores, 2);
	assert_true(trial_fits(&s.p.trial, unit_at(&s, "new"), both, 0));
	assert_false(trial_fits(&s.p.trial, unit_at(&s, "big"), both, 0));
	assert_true(trial_fits(&s.p.trial, unit_at(&s, "big"), 0, 0));
	assert_true(trial_fits(&s.p.trial, unit_at(&s, "big"), both, LEVEL_MIDDLE));
}

/* ---- Requests ---- */

TEST(room_is_counted_without_less_critical_pods)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "edge", .allocatable = "example.com/gpu: '1'" });
	build_pod(&yaml, (struct test_pod){ "low", "edge", "0", .low = 1,
					    .requests = "cpu: 1500m, example.com/gpu: 1" });
	build_pod(&yaml, (struct test_pod){ "plain", "edge", .requests = "cpu: 400m" });
	build_pod(&yaml, (struct test_pod){ "high", .low = 1, .criticality = "High",
					    .requests = "cpu: 1600m" });
	build_pod(&yaml, (struct test_pod){ "huge", .low = 1, .criticality = "High",
					    .requests = "cpu: 1601m" });
	build_pod(&yaml, (struct test_pod){ "gpu", .low = 1, .criticality = "High",
					    .requests = "cpu: 1m, example.com/gpu: 1" });
	build_pod(&yaml, (struct test_pod){ "fpga", .low = 1, .criticality = "High",
					    .requests = "cpu: 1m, example.com/fpga: 1" });
	scene_start(&s, &yaml);

	const struct trial *t = &s.p.trial;
	assert_false(trial_has_room(t, unit_at(&s, "high"), 0, 0));
	assert_true(trial_has_room(t, unit_at(&s, "high"), 0, LEVEL_HIGH));
	assert_false(trial_has_room(t, unit_at(&s, "huge"), 0, LEVEL_HIGH));
	assert_false(trial_has_room(t, unit_at(&s, "gpu"), 0, 0));
	assert_true(trial_has_room(t, unit_at(&s, "gpu"), 0, LEVEL_HIGH));
	assert_false(trial_has_room(t, unit_at(&s, "fpga"), 0, LEVEL_HIGH));
	assert_true(trial_keeps_room(t, unit_at(&s, "low"), 0, 0));
}

/* ---- There and back ---- */

TEST(an_eviction_uses_up_a_disruption)
{
	AUTO(scene_done) struct scene s;
	AUTO(str_done) struct str before = STR_INIT, after = STR_INIT;
	struct str yaml = STR_INIT;

	build_node(&yaml, edge);
	build_pod(&yaml, (struct test_pod){ "a", "edge", "0", .low = 1000, .labels = "keep: x" });
	build_pdb(&yaml, "budget", "keep: x", 1);
	scene_start(&s, &yaml);

	struct trial *t = &s.p.trial;
	unit_id a = scene_unit(&s, "a");
	place_id origin = t->units.items[a].at;
	trial_picture(t, &before);
	trial_unassign(t, a);
	trial_evict(t, a);
	assert_int_equal(t->evictions.of_pdb[0], 0);
	assert_true(t->units.items[a].is_evicted);
	assert_int_equal(t->nodes[0].used[0][RES_PODS], 0);
	uses(cell_of(&s, "edge", 0), 0, 0, 0, 0);
	trial_unevict(t, a);
	trial_assign(t, a, origin);
	trial_picture(t, &after);
	assert_string_equal(after.s, before.s);
}

/* What the filters say of every pod, node and rank. */
static void ask_all(struct scene *s, struct str *ret)
{
	array_each(u, &s->p.trial.units)
		for (node_id node = 0; node < s->c.nodes.n; node++)
			for (unsigned rank = 0; rank < LEVELS; rank++)
				str_addf(ret, "%d ",
					 filter_node(&s->p.filters, u, node, rank, NULL, 0));
}

/* Bound pods are evicted, pending ones are put anywhere, whether they fit or not. */
static void turn_upside_down(struct scene *s, uint32_t *random)
{
	struct trial *t = &s->p.trial;

	for (unit_id id = 0; id < t->units.n; id++) {
		const struct unit *u = &t->units.items[id];
		place_id place = random_below(random, (uint32_t)t->places.n);

		if (u->at != NONE)
			trial_unassign(t, id);
		if (u->kind != UNIT_PENDING) {
			trial_evict(t, id);
			continue;
		}
		trial_charge(t, id, t->places.items[place].node);
		trial_assign(t, id, place);
	}
}

static void put_back(struct scene *s)
{
	struct trial *t = &s->p.trial;

	for (unit_id id = 0; id < t->units.n; id++) {
		const struct unit *u = &t->units.items[id];

		if (u->kind != UNIT_PENDING) {
			trial_unevict(t, id);
		} else {
			trial_uncharge(t, id, t->places.items[u->at].node);
			trial_unassign(t, id);
		}
		if (u->origin != NONE)
			trial_assign(t, id, u->origin);
	}
}

TEST(any_trial_is_restored_exactly)
{
	uint32_t random = 7;

	for (uint32_t seed = 0; seed < 200; seed++) {
		AUTO(scene_done) struct scene s;
		AUTO(str_done) struct str before = STR_INIT, between = STR_INIT, after = STR_INIT;
		struct str yaml = STR_INIT;

		build_random(&yaml, seed);
		scene_start(&s, &yaml);
		trial_picture(&s.p.trial, &before);
		ask_all(&s, &before);
		turn_upside_down(&s, &random);
		trial_picture(&s.p.trial, &between);
		put_back(&s);
		trial_picture(&s.p.trial, &after);
		ask_all(&s, &after);
		assert_string_equal(after.s, before.s);
		assert_true(s.p.trial.units.n == 0 || strcmp(between.s, before.s) != 0);
	}
}
