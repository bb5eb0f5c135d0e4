/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/policies.h"

#include <stdbool.h>
#include <string.h>

#include "base/array.h"
#include "test/unit/test.h"

static const struct core_view idle = {
	.cap = { 900000, 950000, 950000 },
	.node_cores = 4,
	.siblings = 1,
	.numa_cores = 2,
};

/* Calls `look` with every policy and views from the ordinary to the absurd: loads above the
 * capacity, no capacity, a core that stands alone, cores full of pods. */
static void with_every_view(void (*look)(const struct policy *, const struct core_view *))
{
	static const uint32_t loads[] = { 0, 1, 450000, 899999, 900000, 950001, 4000000000u };
	static const uint32_t caps[] = { 0, 1, 900000, 1000000 };
	static const uint32_t pods[] = { 0, 1, 10, 11, 1000000000 };
	static const uint32_t cores[][2] = { { 0, 0 }, { 1, 0 }, { 1, 1 }, { 64, 13 }, { 64, 64 } };

	for (const struct policy *const *p = policies; *p; p++)
		for (size_t i = 0; i < ARRAY_LEN(loads) * ARRAY_LEN(caps); i++)
			for (size_t j = 0; j < ARRAY_LEN(pods) * ARRAY_LEN(cores); j++) {
				const uint32_t *n = cores[j % ARRAY_LEN(cores)];
				uint32_t load = loads[i % ARRAY_LEN(loads)];
				uint32_t cap = caps[i / ARRAY_LEN(loads)];
				const struct core_view v = {
					.load = { load, load / 2, 0 },
					.cap = { cap, cap, cap },
					.n_pods = pods[j / ARRAY_LEN(cores)],
					.node_cores = n[0],
					.node_used_cores = n[1],
					.siblings = n[0],
					.busy_siblings = n[1],
					.numa_cores = n[0],
					.numa_used_cores = n[1],
					.cost = caps[i / ARRAY_LEN(loads)],
					.power = caps[i / ARRAY_LEN(loads)],
					.renewable = caps[i / ARRAY_LEN(loads)],
				};

				look(*p, &v);
			}
}

static void is_in_range(const struct policy *p, const struct core_view *v)
{
	assert_in_range(p->score(v), 0, 100);
}

static void scores_twice_the_same(const struct policy *p, const struct core_view *v)
{
	struct core_view before = *v;
	uint32_t score = p->score(v);

	p->score(&idle);
	assert_int_equal(p->score(v), score);
	assert_memory_equal(v, &before, sizeof(before));
}

TEST(every_score_is_between_0_and_100)
{
	with_every_view(is_in_range);
}

TEST(a_score_depends_on_the_view_alone)
{
	with_every_view(scores_twice_the_same);
}

TEST(the_table_is_sorted_and_names_are_unique)
{
	for (const struct policy *const *p = policies; *p; p++)
		assert_true(p == policies || strcmp(p[-1]->name, (*p)->name) < 0);
}

TEST(names_are_keys_and_helps_are_lines)
{
	for (const struct policy *const *p = policies; *p; p++) {
		size_t n = strlen((*p)->name);

		assert_in_range(n, 1, 31); /* policy_weight.name */
		assert_int_equal(strspn((*p)->name, "abcdefghijklmnopqrstuvwxyz-"), n);
		assert_true(*(*p)->help && !strchr((*p)->help, '\n'));
	}
}

/* Does the policy want the first core more? */
static bool prefers(const struct policy *p, struct core_view better, struct core_view worse)
{
	return p->score(&better) > p->score(&worse);
}

TEST(spread_and_binpack_want_opposite_cores)
{
	struct core_view half = idle, fuller = idle;

	half.load[0] = 450000;
	fuller.load[0] = 450000;
	fuller.load[2] = 760000; /* the mode with the least room decides */
	assert_true(prefers(&policy_spread, idle, half));
	assert_true(prefers(&policy_spread, half, fuller));
	assert_true(prefers(&policy_binpack, fuller, half));
	assert_true(prefers(&policy_binpack, half, idle));
}

TEST(topology_wants_idle_siblings_before_a_quiet_numa_node)
{
	struct core_view busy_sibling = idle, busy_numa = idle;

	busy_sibling.busy_siblings = 1;
	busy_numa.numa_used_cores = 2;
	assert_true(prefers(&policy_topology, idle, busy_numa));
	assert_true(prefers(&policy_topology, busy_numa, busy_sibling));
}

TEST(example_wants_cores_with_few_pods)
{
	struct core_view one = idle, ten = idle;

	one.n_pods = 1;
	ten.n_pods = 10;
	assert_true(prefers(&policy_example, idle, one));
	assert_true(prefers(&policy_example, one, ten));
}

TEST(cost_power_and_green_want_the_node_that_is_best_at_it)
{
	struct core_view dear = idle, drawing = idle, green = idle;

	dear.cost = drawing.power = 1000000;
	green.renewable = 500000;
	assert_true(prefers(&policy_cost, idle, dear));
	assert_true(prefers(&policy_power, idle, drawing));
	assert_true(prefers(&policy_green, green, idle));
	assert_int_equal(policy_cost.score(&dear), 0);
	assert_int_equal(policy_power.score(&drawing), 0);
	assert_int_equal(policy_green.score(&green), 50);
}
