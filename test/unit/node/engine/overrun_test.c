/* SPDX-License-Identifier: Apache-2.0 */
#include "node/engine/engine.h"

#include "base/clock.h"
#include "test/unit/node/fake_engine.h"

TEST(overrun_raises_once)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	set(&f, "p1", LEVEL_HIGH, 200000, 400000, "kubepods/podp1/c1", &err);
	for (int i = 0; i < 1000; i++)
		overrun(&f, "kubepods/podp1/c1");
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 400000);
	assert_int_equal(f.engine.stats.overruns, 1000);
	assert_int_equal(f.engine.stats.escalations, 1);
	assert_int_equal(f.engine.stats.events_lost, 0);
	assert_true(has_note(&f, NODE_EVENT_ESCALATED, "low to hi"));
	fixture_done(&f);
}

TEST(warm_up_writes_nothing)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	set(&f, "p1", LEVEL_HIGH, 400000, 700000, "kubepods/podp1/c1", &err);
	set(&f, "p2", LEVEL_LOW, 500000, 500000, "kubepods/podp2/c2", &err);
	int n_writes = fake.n_writes;
	pass_limit(&f, "kubepods/podp1/c1", OVERRUN_SOON);
	assert_int_equal(fake.n_writes, n_writes);
	assert_int_equal(f.engine.stats.overruns, 0);
	assert_int_equal(f.engine.stats.warm_ups, 1);
	engine_tick(&f.engine, clock_ns());
	assert_int_equal(fake.n_writes, n_writes);
	overrun(&f, "kubepods/podp1/c1");
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 700000);
	assert_int_equal(runtime_of(&f, "kubepods/podp2/c2"), 1000);
	assert_int_equal(last_limit[OVERRUN_SOON], 0);
	fixture_done(&f);
}

TEST(pod_that_is_always_close_is_left_in_peace)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	set(&f, "p1", LEVEL_HIGH, 400000, 700000, "kubepods/podp1/c1", &err);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(last_limit[OVERRUN_SOON], 399800000);
		pass_limit(&f, "kubepods/podp1/c1", OVERRUN_SOON);
	}
	assert_int_equal(last_limit[OVERRUN_SOON], 0);
	assert_int_equal(last_limit[0], 400000000);
	engine_tick(&f.engine, clock_ns() + 6000000000);
	assert_int_equal(last_limit[OVERRUN_SOON], 399800000);
	fixture_done(&f);
}

/* Each single write of the overrun_threads is refused in turn: budgets and level stay. */
TEST(refused_escalation_changes_nothing)
{
	for (int at = 0; at < 4; at++) {
		struct fixture f;
		struct error err;

		fixture_init(&f);
		give_root(&f);
		set(&f, "p1", LEVEL_HIGH, 400000, 700000, "kubepods/podp1/c1", &err);
		set(&f, "p2", LEVEL_LOW, 500000, 500000, "kubepods/podp2/c2", &err);
		fake.refuse_from = fake.n_writes + at;
		fake.refuse_with = -EBUSY;
		overrun(&f, "kubepods/podp1/c1");
		assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 400000);
		assert_int_equal(f.engine.escalation.pods.items[0].level, LEVEL_LOW);
		assert_false(f.engine.escalation.pods.items[1].is_cut);
		assert_true(has_note(&f, NODE_EVENT_REFUSED, "refused by the kernel"));
		fake.refuse_with = 0;
		overrun(&f, "kubepods/podp1/c1");
		assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 700000);
		assert_int_equal(runtime_of(&f, "kubepods/podp2/c2"), 1000);
		fixture_done(&f);
	}
}

TEST(pod_that_asks_too_much_leaves_the_others_alone)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	set(&f, "p1", LEVEL_HIGH, 600000, 600000, "kubepods/podp1/c1", &err);
	assert_int_equal(set(&f, "p2", LEVEL_HIGH, 600000, 600000, "kubepods/podp2/c2", &err),
			 -EINVAL);
	assert_string_equal(err.msg, "/: its groups need 1200000 us of 1000000 us, it has 950000");
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 600000);
	assert_int_equal(runtime_of(&f, "kubepods/podp2/c2"), 0);
	assert_true(has_note(&f, NODE_EVENT_REFUSED, "its groups need"));
	engine_tick(&f.engine, clock_ns());
	assert_int_equal(runtime_of(&f, "kubepods/podp2/c2"), 0);
	engine_remove_pod(&f.engine, "p1");
	f.engine.checked_ns = 0;
	engine_tick(&f.engine, clock_ns());
	assert_int_equal(runtime_of(&f, "kubepods/podp2/c2"), 600000);
	fixture_done(&f);
}

static uint64_t reported_overruns(struct fixture *f)
{
	struct node_event n;
	uint64_t count = 0;

	while (engine_take_event(&f->engine, &n))
		count += n.kind == NODE_EVENT_OVERRUN ? n.count : 0;
	return count;
}

TEST(overruns_are_told_at_once_and_then_by_their_number)
{
	const int64_t later = 11000000000;
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	set(&f, "p1", LEVEL_HIGH, 200000, 400000, "kubepods/podp1/c1", &err);
	overrun(&f, "kubepods/podp1/c1");
	engine_tick(&f.engine, clock_ns());
	assert_int_equal(reported_overruns(&f), 1);
	for (int i = 0; i < 500; i++)
		overrun(&f, "kubepods/podp1/c1");
	engine_tick(&f.engine, clock_ns());
	assert_int_equal(reported_overruns(&f), 0);
	engine_tick(&f.engine, clock_ns() + later);
	assert_int_equal(reported_overruns(&f), 500);
	for (int i = 0; i < 7; i++)
		overrun(&f, "kubepods/podp1/c1");
	engine_report_counts(&f.engine);
	assert_int_equal(reported_overruns(&f), 7);
	fixture_done(&f);
}

TEST(level_is_ordered_from_outside)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	set(&f, "p1", LEVEL_HIGH, 200000, 400000, "kubepods/podp1/c1", &err);
	assert_int_equal(engine_set_level(&f.engine, "p2", LEVEL_HIGH, &err), -ESRCH);
	assert_int_equal(engine_set_level(&f.engine, "p1", LEVEL_HIGH, &err), 0);
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 400000);
	fake.refuse_from = fake.n_writes;
	fake.refuse_with = -EBUSY;
	assert_int_equal(engine_set_level(&f.engine, "p1", LEVEL_LOW, &err), -EBUSY);
	assert_int_equal(f.engine.escalation.pods.items[0].level, LEVEL_HIGH);
	fixture_done(&f);
}

TEST(level_survives_a_restart)
{
	struct saved_state m = { 0 };
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	saved_state_add_pod(&m, &(struct saved_pod){ (char *)"p1", (char *)"p1", LEVEL_HIGH, 0 });
	f.engine.saved = &m;
	set(&f, "p1", LEVEL_HIGH, 200000, 400000, "kubepods/podp1/c1", &err);
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 400000);
	engine_tick(&f.engine, clock_ns());
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 400000);
	saved_state_done(&m);
	fixture_done(&f);
}

/* A pod that is moved with its memory: its container is restored seconds after the pod is known. */
TEST(level_that_a_pod_comes_with_waits_for_its_containers)
{
	const int64_t second = 1000000000, start = clock_ns();
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	assert_int_equal(set_at(&f, LEVEL_HIGH, "p1", LEVEL_HIGH, 200000, 400000, NULL, &err), 0);
	for (int s = 1; s <= 120; s++)
		engine_tick(&f.engine, start + s * second);
	assert_int_equal(engine_place(&f.engine, "p1", "app", "kubepods/podp1/c1", &err), 0);
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 400000);
	engine_tick(&f.engine, start + 200 * second);
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 200000);
	fixture_done(&f);
}

TEST(pod_that_is_cut_for_one_that_comes_is_told)
{
	struct fixture f;
	struct error err;

	fixture_init(&f);
	give_root(&f);
	set(&f, "p2", LEVEL_LOW, 600000, 600000, "kubepods/podp2/c2", &err);
	assert_int_equal(
		set_at(&f, LEVEL_HIGH, "p1", LEVEL_HIGH, 200000, 400000, "kubepods/podp1/c1", &err),
		0);
	assert_int_equal(runtime_of(&f, "kubepods/podp1/c1"), 400000);
	assert_int_equal(runtime_of(&f, "kubepods/podp2/c2"), 1000);
	assert_true(has_note(&f, NODE_EVENT_DEGRADED, "low to floor, budget 600000 to 1000 us"));
	engine_remove_pod(&f.engine, "p1");
	assert_int_equal(runtime_of(&f, "kubepods/podp2/c2"), 600000);
	assert_true(has_note(&f, NODE_EVENT_RESTORED, "floor to low, budget 1000 to 600000 us"));
	fixture_done(&f);
}
