/* SPDX-License-Identifier: Apache-2.0 */
#include "node/engine/engine.h"

#include "base/clock.h"
#include "test/unit/node/fake_engine.h"

TEST(pod_gets_its_budget_and_limit)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	assert_int_equal(set(&f, "p1", LEVEL_HIGH, 200000, 400000, "kubepods/podp1/c1", &err), 0);
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 200000);
	assert_int_equal(runtime_of(&f, "kubepods"), 200000);
	assert_int_equal(last_limit[0], 200000000);
	assert_int_equal(last_limit[OVERRUN_SOON], 199800000);
	assert_true(has_note(&f, NODE_EVENT_APPLIED, "200000 us of every 1000000 us"));
	assert_int_equal(set(&f, "p1", LEVEL_HIGH, 200000, 400000, "kubepods/podp1/c1", &err), 0);
	assert_false(has_note(&f, NODE_EVENT_APPLIED, ""));
	fixture_done(&f);
}

TEST(container_may_come_later_and_go)
{
	struct fixture f;
	struct error err;
	char path[128];

	fixture_init(&f);
	give_root(&f);
	assert_int_equal(set(&f, "p1", LEVEL_HIGH, 1000, 2000, NULL, &err), 0);
	assert_true(engine_awaits(&f.engine, "p1"));
	assert_int_equal(engine_place(&f.engine, "p1", "other", "kubepods/podp1/c1", &err), -ESRCH);
	assert_int_equal(engine_place(&f.engine, "p1", "app", "kubepods/podp1/c9", &err), -ENOENT);
	assert_int_equal(engine_place(&f.engine, "p1", "app", "kubepods/podp1/c1", &err), 0);
	assert_false(engine_awaits(&f.engine, "p1"));
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 1000);

	snprintf(path, sizeof(path), "%s/kubepods/podp1/c1/tasks", f.tree.root);
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	overrun(&f, "kubepods/podp1/c1");
	f.engine.checked_ns = 0;
	engine_tick(&f.engine, clock_ns());
	assert_true(engine_awaits(&f.engine, "p1"));
	fixture_done(&f);
}

/* Its cgroup goes between the look-up and each single write in turn. */
TEST(vanished_container_leaves_the_others)
{
	for (int at = 0; at < 2; at++) {
		struct fixture f;
		struct error err;
		char folder[128];

		fixture_init(&f);
		give_root(&f);
		set(&f, "p1", LEVEL_HIGH, 200000, 400000, "kubepods/podp1/c1", &err);
		snprintf(folder, sizeof(folder), "%s/kubepods/podp2/c2", f.tree.root);
		fake.vanishing = folder;
		fake.vanish_at = fake.n_writes + at;
		assert_int_equal(
			set(&f, "p2", LEVEL_HIGH, 100000, 200000, "kubepods/podp2/c2", &err), 0);
		engine_tick(&f.engine, clock_ns());
		assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 200000);
		assert_int_equal(runtime_of(&f, "kubepods"), 200000);
		assert_true(engine_awaits(&f.engine, "p2"));

		fake.vanishing = NULL;
		fake_file(&f.tree, "kubepods/podp2/c2/tasks", "");
		engine_cgroup_created(&f.engine, "kubepods/podp2/c2");
		assert_int_equal(runtime_of(&f, "kubepods/podp2/c2"), 100000);
		assert_int_equal(runtime_of(&f, "kubepods"), 300000);
		fixture_done(&f);
	}
}

TEST(what_was_written_is_read_back)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	fake.is_spoiled = true;
	set(&f, "p1", LEVEL_HIGH, 200000, 400000, "kubepods/podp1/c1", &err);
	assert_int_not_equal(fake.spoiled_dir, 0);
	f.engine.checked_ns = clock_ns();
	engine_tick(&f.engine, clock_ns());
	let_time_pass(&f);
	assert_int_equal(fake.spoiled_dir, 0);

	fake.is_spoiled = true;
	overrun(&f, "kubepods/podp1/c1");
	assert_int_not_equal(fake.spoiled_dir, 0);
	engine_tick(&f.engine, clock_ns());
	let_time_pass(&f);
	assert_int_equal(fake.spoiled_dir, 0);
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 400000);
	fixture_done(&f);
}

/* Another process takes a budget away, and the kernel refuses it at first. */
TEST(what_was_refused_is_tried_again)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	set(&f, "p1", LEVEL_HIGH, 200000, 400000, "kubepods/podp1/c1", &err);
	array_each(n, &f.engine.cgroups.nodes)
		if (strcmp((*n)->path, "kubepods/podp1/c1") == 0)
			(*n)->group.now.runtime_us = 1000;
	fake.refuse_with = -EBUSY;
	engine_tick(&f.engine, clock_ns());
	assert_true(
		has_note(&f, NODE_EVENT_REWRITTEN, "another process changed the budget to 1000/"));
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 1000);
	fake.refuse_with = 0;
	f.engine.checked_ns = 0;
	engine_tick(&f.engine, clock_ns());
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 200000);
	fixture_done(&f);
}

/* The cgroup of the container before counts for some milliseconds more. */
TEST(refused_budget_is_tried_again_within_milliseconds)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	engine_tick(&f.engine, clock_ns()); /* the next check of everything is far away */
	fake.refuse_with = -EINVAL;
	assert_int_equal(set(&f, "p1", LEVEL_HIGH, 200000, 400000, "kubepods/podp1/c1", &err),
			 -EINVAL);
	fake.refuse_with = 0;
	assert_true(engine_tick(&f.engine, clock_ns()) <= 50);
	assert_int_not_equal(runtime_of(&f, "kubepods/podp1/c1"), 200000);
	engine_tick(&f.engine, clock_ns() + 30000000);
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 200000);
	assert_int_equal(f.engine.retry_ns, 0);
	fixture_done(&f);
}

/* The kernel takes no budget from a group whose real-time tasks run. */
TEST(removed_pod_is_counted_until_the_kernel_lets_go)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	set(&f, "p1", LEVEL_HIGH, 200000, 400000, "kubepods/podp1/c1", &err);
	fake.refuse_from = fake.n_writes;
	fake.refuse_with = -EBUSY;
	engine_remove_pod(&f.engine, "p1");
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 200000);
	assert_int_equal(runtime_of(&f, "kubepods"), 200000);
	assert_int_equal(engine_tick(&f.engine, clock_ns()), 100);
	fake.refuse_with = 0;
	assert_int_equal(engine_tick(&f.engine, clock_ns()), 1000);
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), -1);
	let_time_pass(&f);
	assert_int_equal(runtime_of(&f, "kubepods"), 0);
	fixture_done(&f);
}

/* What a pod no longer needs, those above it keep for a while: in their period it was used. */
TEST(groups_above_shrink_later)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	set(&f, "p1", LEVEL_HIGH, 200000, 400000, "kubepods/podp1/c1", &err);
	set(&f, "p2", LEVEL_HIGH, 100000, 200000, "kubepods/podp2/c2", &err);
	overrun(&f, "kubepods/podp1/c1");
	assert_int_equal(runtime_of(&f, "kubepods"), 500000);
	engine_tick(&f.engine, clock_ns() + 60000000000);
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 200000);
	assert_int_equal(runtime_of(&f, "kubepods/podp1"), 400000);
	assert_int_equal(runtime_of(&f, "kubepods"), 500000);
	f.engine.checked_ns = 0;
	engine_tick(&f.engine, clock_ns());
	assert_int_equal(runtime_of(&f, "kubepods"), 500000);
	let_time_pass(&f);
	assert_int_equal(runtime_of(&f, "kubepods/podp1"), 200000);
	assert_int_equal(runtime_of(&f, "kubepods"), 300000);
	fixture_done(&f);
}

static void remove_group(const struct fixture *f, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s/tasks", f->tree.root, name);
	assert_int_equal(unlink(path), 0);
	*strrchr(path, '/') = '\0';
	assert_int_equal(rmdir(path), 0);
}

/* Before the next check: a container that crashed is started again within milliseconds. */
TEST(restarted_container_has_its_budget_at_once)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	assert_int_equal(set(&f, "p1", LEVEL_HIGH, 1000, 2000, NULL, &err), 0);
	assert_int_equal(engine_place(&f.engine, "p1", "app", "kubepods/podp1/c1", &err), 0);
	engine_tick(&f.engine, clock_ns());
	remove_group(&f, "kubepods/podp1/c1");
	assert_true(engine_awaits(&f.engine, "p1"));
	assert_true(engine_awaits_any(&f.engine));
	fake_file(&f.tree, "kubepods/podp1/c3/tasks", "");
	assert_int_equal(engine_place(&f.engine, "p1", "app", "kubepods/podp1/c3", &err), 0);
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c3"), 1000);
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), -1);
	assert_false(engine_awaits_any(&f.engine));
	fixture_done(&f);
}

TEST(new_container_replaces_an_old_one_whose_cgroup_is_still_there)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	set(&f, "p1", LEVEL_HIGH, 600000, 600000, NULL, &err);
	engine_place(&f.engine, "p1", "app", "kubepods/podp1/c1", &err);
	fake_file(&f.tree, "kubepods/podp1/c3/tasks", "");
	engine_place(&f.engine, "p1", "app", "kubepods/podp1/c3", &err);
	engine_tick(&f.engine, clock_ns());
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c3"), 600000);
	fixture_done(&f);
}

/* containerd writes this name into the bundle of a container that it restores. */
TEST(restored_container_of_a_pod_with_one_is_known)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	set(&f, "p1", LEVEL_HIGH, 1000, 2000, NULL, &err);
	assert_int_equal(engine_place(&f.engine, "p1", "containerd", "kubepods/podp1/c1", &err), 0);
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 1000);
	fixture_done(&f);
}

TEST(nothing_is_applied_by_a_backend_that_enforces_nothing)
{
	struct fixture f;
	struct error err;

	fixture_init_with(&f, &fake_noop);
	assert_int_equal(set(&f, "p1", LEVEL_HIGH, 1000, 2000, "kubepods/podp1/c1", &err), 0);
	assert_false(f.engine.pods.items[0].containers[0].is_applied);
	assert_true(has_note(&f, NODE_EVENT_UNENFORCED, "no budget is enforced"));
	f.engine.checked_ns = 0;
	engine_tick(&f.engine, clock_ns());
	assert_false(has_note(&f, NODE_EVENT_APPLIED, ""));
	overrun(&f, "kubepods/podp1/c1");
	assert_true(has_note(&f, NODE_EVENT_ESCALATED, "no budget is enforced"));
	fixture_done(&f);
}

/* The kernel took the write, and has another value. */
TEST(budget_is_reported_when_it_was_read_back)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	set(&f, "p1", LEVEL_HIGH, 1000, 2000, "kubepods/podp1/c1", &err);
	assert_true(has_note(&f, NODE_EVENT_APPLIED, "1000 us of every 1000000 us"));
	struct engine_container *c = &f.engine.pods.items[0].containers[0];
	assert_true(c->is_applied);
	f.engine.pods.items[0].is_confirmed = false;
	fake.spoiled_dir = c->node->group.dir;
	fake.is_spoiled = true;
	let_time_pass(&f);
	assert_false(c->is_applied);
	assert_int_equal(c->in_kernel.runtime_us, 1007);
	assert_false(has_note(&f, NODE_EVENT_APPLIED, ""));
	fake.spoiled_dir = 0;
	let_time_pass(&f);
	assert_true(c->is_applied);
	assert_true(has_note(&f, NODE_EVENT_APPLIED, ""));
	fixture_done(&f);
}

TEST(removed_pod_whose_tasks_run_is_reported_and_counted)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	set(&f, "p1", LEVEL_HIGH, 200000, 400000, "kubepods/podp1/c1", &err);
	assert_int_equal(engine_retained(&f.engine), 0);
	fake.refuse_from = fake.n_writes;
	fake.refuse_with = -EBUSY;
	engine_remove_pod(&f.engine, "p1");
	assert_int_equal(engine_retained(&f.engine), 200000);
	assert_true(has_note(&f, NODE_EVENT_RETAINED, "app keeps 200000/1000000 us"));
	fake.refuse_with = 0;
	engine_tick(&f.engine, clock_ns());
	assert_int_equal(engine_retained(&f.engine), 0);
	fixture_done(&f);
}

/* What it had stays, and the larger budget comes when there is room. */
TEST(pod_that_grows_too_far_keeps_its_budget_until_there_is_room)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	set(&f, "p1", LEVEL_HIGH, 600000, 600000, "kubepods/podp1/c1", &err);
	set(&f, "p2", LEVEL_HIGH, 100000, 100000, "kubepods/podp2/c2", &err);
	assert_int_equal(set(&f, "p2", LEVEL_HIGH, 500000, 500000, "kubepods/podp2/c2", &err),
			 -EINVAL);
	assert_int_equal(runtime_of(&f, "kubepods/podp2/c2"), 100000);
	assert_true(f.engine.pods.items[1].containers[0].is_applied);
	let_time_pass(&f);
	assert_int_equal(runtime_of(&f, "kubepods/podp2/c2"), 100000);
	assert_non_null(f.engine.pods.items[1].refusal);
	engine_remove_pod(&f.engine, "p1");
	let_time_pass(&f);
	assert_int_equal(runtime_of(&f, "kubepods/podp2/c2"), 500000);
	assert_null(f.engine.pods.items[0].refusal);
	fixture_done(&f);
}

/* Though they would have kept it for a while: see cgroups_hold(). */
TEST(groups_above_give_back_what_they_held_at_the_end)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	set(&f, "p1", LEVEL_HIGH, 200000, 400000, "kubepods/podp1/c1", &err);
	engine_remove_pod(&f.engine, "p1");
	assert_int_equal(runtime_of(&f, "kubepods"), 200000);
	assert_int_equal(engine_restore(&f.engine), 0);
	assert_int_equal(runtime_of(&f, "kubepods"), 0);
	fixture_done(&f);
}
