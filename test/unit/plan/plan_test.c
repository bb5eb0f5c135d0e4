/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/plan.h"

#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "plan/file/plan_file.h"
#include "plugins/policies.h"
#include "test/unit/plan/build.h"
#include "test/unit/snapshot.h"
#include "test/unit/test.h"

/* ---- Words ---- */

TEST(words_of_the_wire_are_distinct)
{
	for (int i = 0; i < ACTION_KINDS; i++)
		for (int k = 0; k < i; k++)
			assert_string_not_equal(action_kind_name((enum action_kind)i),
						action_kind_name((enum action_kind)k));
	for (int i = 0; i < REASONS; i++)
		for (int k = 0; k < i; k++)
			assert_string_not_equal(reason_name((enum reason)i),
						reason_name((enum reason)k));
}

TEST(text_of_a_plan_is_its_own)
{
	AUTO(plan_done) struct plan p = { 0 };
	char name[] = "edge-1";

	const char *copy = plan_str(&p, name), *made = plan_strf(&p, "node %s, %d", name, 7);
	name[0] = 'x';
	assert_string_equal(copy, "edge-1");
	assert_string_equal(made, "node edge-1, 7");
}

/* ---- Plans ---- */

static const struct settings defaults = SETTINGS_DEFAULT;

/* The plan for these objects as the bytes of its file. */
static void plan_text(const char *yaml, struct str *ret)
{
	AUTO(cluster_done) struct cluster c = snapshot_of(yaml);
	AUTO(plan_done) struct plan p = { 0 };
	struct error err = ERROR_INIT;

	if (plan_make(&c, policies, &defaults, &p, &err) < 0)
		fail_msg("%s", err.msg);
	str_clear(ret);
	plan_write_json(&p, ret);
}

TEST(an_empty_cluster_has_an_empty_plan)
{
	AUTO(cluster_done) struct cluster c = snapshot_of("");
	AUTO(plan_done) struct plan p = { 0 };

	assert_int_equal(plan_make(&c, policies, &defaults, &p, NULL), 0);
	assert_false(plan_has_actions(&p));
	assert_int_equal(p.unplaced.n + p.warnings.n, 0);
	assert_int_equal(strlen(p.name), 16);
}

TEST(a_cluster_without_nodes_places_no_pod)
{
	AUTO(str_done) struct str yaml = STR_INIT;
	AUTO(plan_done) struct plan p = { 0 };

	build_pod(&yaml, (struct test_pod){ "new", .criticality = "High", .low = 1000 });
	AUTO(cluster_done) struct cluster c = snapshot_of(yaml.s);

	assert_int_equal(plan_make(&c, policies, &defaults, &p, NULL), 0);
	assert_false(plan_has_actions(&p));
	assert_int_equal(p.unplaced.n, 1);
	assert_string_equal(p.unplaced.items[0].message, "0/0 nodes are available");
}

TEST(an_unknown_policy_is_an_error)
{
	AUTO(cluster_done) struct cluster c = snapshot_of("");
	struct settings settings = SETTINGS_DEFAULT;
	struct plan p = { 0 };
	struct error err = ERROR_INIT;

	snprintf(settings.policies[0].name, sizeof(settings.policies[0].name), "sprad");
	assert_int_equal(plan_make(&c, policies, &settings, &p, &err), -EINVAL);
	assert_string_equal(err.msg, "there is no policy 'sprad'");
	assert_int_equal(plan_make(&c, policies, &settings, &p, NULL), -EINVAL);
}

TEST(weights_decide_between_policies)
{
	static const struct {
		uint32_t spread, binpack;
		const char *cores;
	} rows[] = { { 2, 1, "1" }, { 1, 2, "0" }, { 0, 0, "0" }, { 0, 1, "0" }, { 1, 0, "1" } };
	AUTO(str_done) struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "edge" });
	build_pod(&yaml, (struct test_pod){ "old", "edge", "0", .low = 300000 });
	build_pod(&yaml, (struct test_pod){ "new", .low = 100000 });
	AUTO(cluster_done) struct cluster c = snapshot_of(yaml.s);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct settings settings = {
			.core_utilization_threshold = 900000,
			.rt_capacity = 950000,
			.search_steps = 1000,
			.preemption_nodes = 1,
			.policies = { { "spread", rows[i].spread },
				      { "binpack", rows[i].binpack } },
			.n_policies = 2,
		};
		AUTO(plan_done) struct plan p = { 0 };

		assert_int_equal(plan_make(&c, policies, &settings, &p, NULL), 0);
		assert_string_equal(p.actions.items[0].to.cores, rows[i].cores);
	}
}

TEST(the_order_of_the_input_does_not_change_the_plan)
{
	uint32_t random = 3;

	for (uint32_t seed = 0; seed < 60; seed++) {
		AUTO(str_done) struct str yaml = STR_INIT, shuffled = STR_INIT;
		AUTO(str_done) struct str one = STR_INIT, other = STR_INIT;

		build_random(&yaml, seed);
		build_shuffled(yaml.s, &random, &shuffled);
		assert_int_equal(shuffled.n, yaml.n);
		plan_text(yaml.s, &one);
		plan_text(shuffled.s, &other);
		assert_string_equal(other.s, one.s);
	}
}

static void is_well_formed(const struct plan *p)
{
	for (size_t i = 0; i < p->actions.n; i++) {
		const struct action *a = &p->actions.items[i];

		assert_int_equal(a->id, i + 1);
		for (uint32_t j = 0; j < a->n_after; j++)
			assert_in_range(a->after[j], 1, i);
		assert_true(a->message && *a->message);
		assert_true(a->on.name && *a->on.name);
		if (a->kind == ACTION_MOVE) {
			assert_string_equal(a->from.node, a->to.node);
			assert_string_not_equal(a->from.cores, a->to.cores);
		}
	}
	array_each(u, &p->unplaced)
		assert_true(u->on.name && *u->message);
}

TEST(plans_are_well_formed_and_outlive_the_snapshot)
{
	unsigned kinds = 0;

	for (uint32_t seed = 0; seed < 200; seed++) {
		AUTO(plan_done) struct plan p = { 0 }, again = { 0 };
		AUTO(str_done) struct str yaml = STR_INIT, text = STR_INIT, back = STR_INIT;
		struct error err = ERROR_INIT;

		build_random(&yaml, seed);
		struct cluster c = snapshot_of(yaml.s);
		assert_int_equal(plan_make(&c, policies, &defaults, &p, &err), 0);
		cluster_done(&c);
		is_well_formed(&p);
		array_each(a, &p.actions)
			kinds |= 1u << a->kind;
		plan_write_json(&p, &text);
		if (plan_read_json(text.s, text.n, &again, &err) < 0)
			fail_msg("%s", err.msg);
		plan_write_json(&again, &back);
		assert_string_equal(back.s, text.s);
	}
	/* The clusters were worth it. */
	assert_true(kinds & 1u << ACTION_BIND && kinds & 1u << ACTION_ASSIGN);
	assert_true(kinds & 1u << ACTION_MOVE && kinds & 1u << ACTION_EVICT);
}
