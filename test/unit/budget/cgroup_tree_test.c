/* SPDX-License-Identifier: Apache-2.0 */
#include "budget/cgroup_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "test/unit/test.h"

static const struct bandwidth second = { 1000000, 0 };

/* root 950000 > kubepods > pod > two containers, all new: no budget yet. */
struct pod_tree {
	struct cgroup_tree t;
	uint32_t root, kubepods, pod, app, sidecar;
};

static void pod_tree_init(struct pod_tree *p)
{
	*p = (struct pod_tree){ .t.global = { 1000000, 950000 } };
	p->root = cgroup_tree_add(&p->t, -1, "/", p->t.global);
	p->kubepods = cgroup_tree_add(&p->t, (int32_t)p->root, "kubepods", second);
	p->pod = cgroup_tree_add(&p->t, (int32_t)p->kubepods, "pod", second);
	p->app = cgroup_tree_add(&p->t, (int32_t)p->pod, "app", second);
	p->sidecar = cgroup_tree_add(&p->t, (int32_t)p->pod, "sidecar", second);
	p->t.nodes.items[p->root].is_root = true;
	p->t.nodes.items[p->kubepods].is_derived = true;
	p->t.nodes.items[p->pod].is_derived = true;
}

static void want(struct cgroup_tree *t, uint32_t node, int64_t runtime_us, int64_t period_us)
{
	cgroup_tree_want(t, node, (struct bandwidth){ period_us, runtime_us });
}

/* Carries the plan out on the model; every step must be accepted. */
static size_t apply_changes(struct cgroup_tree *t)
{
	struct budget_write writes[64];
	struct error err;
	size_t n;

	assert_int_equal(cgroup_tree_derive(t, &err), 0);
	assert_int_equal(cgroup_tree_plan(t, writes, &n, &err), 0);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(cgroup_tree_check(t, writes[i].node, writes[i].to), 0);
		cgroup_tree_set(t, writes[i].node, writes[i].to);
	}
	array_each(node, &t->nodes)
		assert_true(bandwidth_eq(node->now, node->want));
	return n;
}

TEST(ratio_is_the_kernels)
{
	assert_int_equal(bandwidth_ratio((struct bandwidth){ 1000000, 950000 }), 996147);
	assert_int_equal(bandwidth_ratio((struct bandwidth){ 1000000, 1 }), 1);
	assert_int_equal(bandwidth_ratio((struct bandwidth){ 3000000, 1 }), 0);
	assert_int_equal(bandwidth_ratio((struct bandwidth){ 1000000, -1 }), 1048576);
	assert_int_equal(bandwidth_ratio((struct bandwidth){ 0, 5 }), 0);
}

TEST(smallest_runtime_has_at_least_the_ratio)
{
	for (int64_t period = 100; period < 4000000; period = period * 17 / 10 + 3) {
		for (int64_t runtime = 1; runtime < period; runtime = runtime * 2 + 1) {
			uint64_t ratio = bandwidth_ratio((struct bandwidth){ period, runtime });
			int64_t least = bandwidth_runtime(ratio, period);
			struct bandwidth found = { period, least }, below = { period, least - 1 };

			assert_true(bandwidth_ratio(found) >= ratio);
			assert_true(least == 0 || bandwidth_ratio(below) < ratio);
		}
	}
}

TEST(first_budget_is_written_from_the_root_down)
{
	struct pod_tree p;
	struct budget_write writes[16];
	size_t n;

	pod_tree_init(&p);
	want(&p.t, p.app, 25000, 1000000);
	assert_int_equal(cgroup_tree_derive(&p.t, NULL), 0);
	assert_int_equal(cgroup_tree_plan(&p.t, writes, &n, NULL), 0);
	assert_int_equal(n, 3);
	assert_int_equal(writes[0].node, p.kubepods);
	assert_int_equal(writes[1].node, p.pod);
	assert_int_equal(writes[2].node, p.app);
	assert_int_equal(writes[0].to.runtime_us, 25000);
	cgroup_tree_done(&p.t);
}

TEST(cut_is_written_from_the_leaves_up)
{
	struct pod_tree p;
	struct budget_write writes[16];
	size_t n;

	pod_tree_init(&p);
	want(&p.t, p.app, 300000, 1000000);
	apply_changes(&p.t);
	want(&p.t, p.app, 100000, 1000000);
	assert_int_equal(cgroup_tree_derive(&p.t, NULL), 0);
	assert_int_equal(cgroup_tree_plan(&p.t, writes, &n, NULL), 0);
	assert_int_equal(n, 3);
	assert_int_equal(writes[0].node, p.app);
	assert_int_equal(writes[2].node, p.kubepods);
	cgroup_tree_done(&p.t);
}

TEST(pod_is_the_sum_of_its_containers)
{
	struct pod_tree p;

	pod_tree_init(&p);
	want(&p.t, p.app, 20000, 100000);
	want(&p.t, p.sidecar, 7, 3000);
	apply_changes(&p.t);
	assert_int_equal(p.t.nodes.items[p.pod].now.runtime_us, 200000 + 2334);
	cgroup_tree_done(&p.t);
}

/* The kernel counts it for a while: a container in its place needs as much again above it. */
TEST(removed_container_counts_above_it_until_it_is_forgotten)
{
	struct pod_tree p;

	pod_tree_init(&p);
	want(&p.t, p.app, 20000, 100000);
	apply_changes(&p.t);
	cgroup_tree_removed(&p.t, p.app);
	apply_changes(&p.t);
	assert_int_equal(p.t.nodes.items[p.pod].now.runtime_us, 400000);
	assert_int_equal(p.t.nodes.items[p.kubepods].now.runtime_us, 400000);
	cgroup_tree_forget_removed(&p.t);
	apply_changes(&p.t);
	assert_int_equal(p.t.nodes.items[p.pod].now.runtime_us, 200000);
	assert_int_equal(p.t.nodes.items[p.kubepods].now.runtime_us, 200000);
	cgroup_tree_done(&p.t);
}

TEST(period_changes_in_either_direction)
{
	static const struct bandwidth steps[] = {
		{ 100000, 20000 }, { 1000000, 900000 }, { 50000, 40000 },
		{ 50001, 40000 },  { 4000000, 40000 },	{ 100, 50 },
	};
	struct pod_tree p;

	pod_tree_init(&p);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		want(&p.t, p.app, steps[i].runtime_us, steps[i].period_us);
		apply_changes(&p.t);
	}
	cgroup_tree_done(&p.t);
}

TEST(found_budget_is_never_lowered)
{
	struct pod_tree p;

	pod_tree_init(&p);
	p.t.nodes.items[p.kubepods].at_least_us = 500000;
	want(&p.t, p.app, 100000, 1000000);
	apply_changes(&p.t);
	assert_int_equal(p.t.nodes.items[p.kubepods].now.runtime_us, 500000);
	cgroup_tree_done(&p.t);
}

TEST(refusals_name_the_group)
{
	struct pod_tree p;
	struct error err;

	pod_tree_init(&p);
	p.t.nodes.items[p.kubepods].at_most_us = 900000;
	want(&p.t, p.app, 920000, 1000000);
	assert_int_equal(cgroup_tree_derive(&p.t, &err), -EINVAL);
	assert_string_equal(err.msg,
			    "kubepods: needs 920000 us of 1000000, its limit is 900000 us");
	p.t.nodes.items[p.kubepods].at_most_us = 0;
	want(&p.t, p.app, 960000, 1000000);
	assert_int_equal(cgroup_tree_derive(&p.t, &err), -EINVAL);
	assert_string_equal(err.msg, "/: its groups need 960000 us of 1000000 us, it has 950000");
	cgroup_tree_done(&p.t);
}

static int64_t runtime_of(const struct pod_tree *p, uint32_t node)
{
	return p->t.nodes.items[node].now.runtime_us;
}

TEST(what_is_held_is_kept_until_it_is_needed)
{
	struct pod_tree p;

	pod_tree_init(&p);
	p.t.nodes.items[p.kubepods].at_most_us = 900000;
	uint32_t other = cgroup_tree_add(&p.t, (int32_t)p.kubepods, "other", second);
	p.t.is_holding = true;
	want(&p.t, p.app, 4000, 10000);
	want(&p.t, p.sidecar, 1000, 10000);
	apply_changes(&p.t);
	want(&p.t, p.app, 500, 10000);
	apply_changes(&p.t);
	assert_int_equal(runtime_of(&p, p.pod), 500000);
	assert_int_equal(runtime_of(&p, p.kubepods), 500000);

	want(&p.t, other, 300000, 1000000);
	apply_changes(&p.t);
	assert_int_equal(runtime_of(&p, p.pod), 500000);
	assert_int_equal(runtime_of(&p, p.kubepods), 800000);

	/* The pod gives up what is missing, less than it could. */
	want(&p.t, other, 500000, 1000000);
	apply_changes(&p.t);
	assert_in_range(runtime_of(&p, p.pod), 399990, 400000);
	assert_in_range(runtime_of(&p, p.kubepods), 899990, 900000);

	want(&p.t, other, 750000, 1000000);
	apply_changes(&p.t);
	assert_int_equal(runtime_of(&p, p.pod), 150000);
	want(&p.t, other, 750010, 1000000);
	assert_int_equal(cgroup_tree_derive(&p.t, NULL), -EINVAL);
	cgroup_tree_keep(&p.t);

	want(&p.t, other, 0, 1000000);
	p.t.is_holding = false;
	cgroup_tree_invalidate(&p.t);
	apply_changes(&p.t);
	assert_int_equal(runtime_of(&p, p.kubepods), 150000);
	cgroup_tree_done(&p.t);
}

TEST(zero_runtime_with_tasks_is_busy)
{
	struct pod_tree p;
	struct error err;

	pod_tree_init(&p);
	want(&p.t, p.app, 1000, 1000000);
	apply_changes(&p.t);
	p.t.nodes.items[p.app].has_tasks = true;
	assert_int_equal(cgroup_tree_check(&p.t, p.app, second), -EBUSY);
	want(&p.t, p.app, 0, 1000000);
	assert_int_equal(cgroup_tree_derive(&p.t, &err), -EBUSY);
	assert_string_equal(err.msg, "app: runtime 0 while real-time tasks run in it");
	cgroup_tree_done(&p.t);
}

/* 20,000 changes of random trees: whatever derive() lets through is written without a refusal,
 * and never by more than two writes a group. */
TEST(random_changes_are_accepted_at_every_step)
{
	static const int64_t periods[] = { 1000, 10000, 33333, 100000, 1000000, 4000000 };
	size_t n_done = 0;

	srandom(5);
	for (int round = 0; round < 400; round++) {
		struct cgroup_tree t = { .global = { 1000000, 950000 }, .is_holding = round & 1 };

		cgroup_tree_add(&t, -1, "root", t.global);
		for (int i = 1; i < 24; i++) {
			uint32_t id = cgroup_tree_add(&t, (int32_t)(random() % (i < 8 ? i : 8)),
						      "group", second);

			t.nodes.items[id].is_derived = i < 8;
		}
		for (int change = 0; change < 50; change++) {
			for (int k = 0; k < 3; k++) {
				int64_t period = periods[random() % 6];

				want(&t, 8 + (uint32_t)(random() % 16),
				     random() % (period / (1 + random() % 20) + 1), period);
			}
			if (cgroup_tree_derive(&t, NULL) == 0) {
				assert_true(apply_changes(&t) <= 2 * t.nodes.n);
				n_done++;
				continue;
			}
			cgroup_tree_keep(&t);
		}
		cgroup_tree_done(&t);
	}
	assert_true(n_done > 2000);
}
