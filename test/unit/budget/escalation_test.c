/* SPDX-License-Identifier: Apache-2.0 */
#include "budget/escalation.h"

#include <stdlib.h>
#include <string.h>

#include "test/unit/test.h"

enum { MS = 1000000 };
static const int64_t second_ns = 1000000000;

static struct escalation_change changes[64];
static size_t n_changes;

static struct escalation make(enum scope scope)
{
	return (struct escalation){
		.scope = scope,
		.cap = 950000,
		.rules = ESCALATION_RULES_DEFAULT,
	};
}

/* Budgets in ms of one second, on core 0 alone. */
static uint32_t add(struct escalation *e, enum level criticality, int low, int medium, int hi)
{
	struct escalation_pod *p = array_add(&e->pods);

	*p = (struct escalation_pod){
		.budget = { 1000000, low * 1000, hi * 1000, medium * 1000,
			    budget_default_floor(low * 1000), (uint8_t)criticality },
		.order = (uint32_t)e->pods.n,
		.wanted = ENFORCE_RAISE,
		.enforcement = ENFORCE_RAISE,
		.recovery = RECOVERY_DEFAULT,
	};
	cpuset_add(&p->cores, 0);
	return (uint32_t)e->pods.n - 1;
}

static enum escalation_result overrun(struct escalation *e, uint32_t pod, unsigned limit,
				      int64_t now)
{
	return escalation_overrun(e, pod, limit, now, changes, &n_changes);
}

TEST(high_goes_up_without_a_cut_where_there_is_room)
{
	struct escalation e = make(SCOPE_CORE);
	uint32_t brake = add(&e, LEVEL_HIGH, 200, 0, 400);

	add(&e, LEVEL_LOW, 300, 0, 300);
	assert_int_equal(overrun(&e, brake, 0, 5), ESCALATION_CHANGED);
	assert_int_equal(n_changes, 1);
	assert_int_equal(changes[0].to_us, 400000);
	assert_int_equal(changes[0].to_level, LEVEL_HIGH);
	assert_int_equal(overrun(&e, brake, 0, 6), ESCALATION_NONE);
	escalation_done(&e);
}

TEST(what_comes_down_with_time_is_due_when_it_does)
{
	struct escalation e = make(SCOPE_CORE);
	uint32_t brake = add(&e, LEVEL_HIGH, 200, 0, 400);
	uint32_t other = add(&e, LEVEL_HIGH, 100, 0, 200);

	assert_true(escalation_due_ns(&e) == INT64_MAX);
	overrun(&e, brake, 0, 5 * second_ns);
	overrun(&e, other, 0, 6 * second_ns);
	overrun(&e, brake, 0, 7 * second_ns);
	int64_t due = escalation_due_ns(&e); /* ten periods of a second */
	assert_true(due == 16 * second_ns);
	assert_int_equal(escalation_recover(&e, due - 1, changes), 0);
	assert_int_equal(escalation_recover(&e, due, changes), 1);
	assert_true(escalation_due_ns(&e) == 17 * second_ns);
	e.pods.items[brake].recovery.delay_seconds = 20;
	e.pods.items[other].recovery.mode = RECOVERY_NODE_CPU;
	assert_true(escalation_due_ns(&e) == 27 * second_ns);
	escalation_done(&e);
}

TEST(least_important_is_cut_first_and_only_as_needed)
{
	struct escalation e = make(SCOPE_CORE);
	uint32_t brake = add(&e, LEVEL_HIGH, 200, 0, 500);
	uint32_t camera = add(&e, LEVEL_MIDDLE, 200, 0, 250);
	uint32_t logger = add(&e, LEVEL_LOW, 250, 0, 250);
	uint32_t video = add(&e, LEVEL_LOW, 250, 0, 250);

	e.pods.items[video].priority = 7;
	assert_int_equal(overrun(&e, brake, 0, 5), ESCALATION_CHANGED);
	assert_int_equal(n_changes, 3);
	assert_int_equal(changes[0].pod, logger);
	assert_int_equal(changes[0].to_us, 12500);
	assert_true(changes[0].is_cut);
	assert_int_equal(changes[1].pod, video);
	assert_int_equal(changes[2].pod, brake);
	assert_false(e.pods.items[camera].is_cut);
	escalation_done(&e);
}

/* The small one is cut first, the big one is needed and enough: the small one gets its own back. */
TEST(needless_cut_is_undone)
{
	struct escalation e = make(SCOPE_CORE);
	uint32_t brake = add(&e, LEVEL_HIGH, 200, 0, 600);
	uint32_t big = add(&e, LEVEL_LOW, 500, 0, 500);
	uint32_t small = add(&e, LEVEL_LOW, 50, 0, 50);

	assert_int_equal(overrun(&e, brake, 0, 5), ESCALATION_CHANGED);
	assert_true(e.pods.items[big].is_cut);
	assert_false(e.pods.items[small].is_cut);
	escalation_done(&e);
}

TEST(medium_cuts_low_pods_only)
{
	struct escalation e = make(SCOPE_CORE);
	uint32_t brake = add(&e, LEVEL_HIGH, 200, 350, 700);
	uint32_t camera = add(&e, LEVEL_MIDDLE, 400, 0, 400);
	uint32_t logger = add(&e, LEVEL_LOW, 300, 0, 300);
	int32_t limits[2];

	assert_int_equal(overrun(&e, brake, 0, 5), ESCALATION_CHANGED);
	assert_int_equal(e.pods.items[brake].level, LEVEL_MIDDLE);
	assert_true(e.pods.items[logger].is_cut);
	assert_false(e.pods.items[camera].is_cut);
	escalation_limits(&e.pods.items[brake], limits);
	assert_int_equal(limits[0], 200000);
	assert_int_equal(limits[1], 350000);

	assert_int_equal(overrun(&e, brake, 1, 6), ESCALATION_CHANGED);
	assert_int_equal(e.pods.items[brake].level, LEVEL_HIGH);
	assert_true(e.pods.items[camera].is_cut);
	escalation_limits(&e.pods.items[brake], limits);
	assert_int_equal(limits[1], 0);
	escalation_done(&e);
}

TEST(low_pod_takes_from_no_other_pod)
{
	struct escalation e = make(SCOPE_CORE);
	uint32_t brake = add(&e, LEVEL_HIGH, 300, 0, 500);
	uint32_t logger = add(&e, LEVEL_LOW, 300, 0, 400);
	uint32_t video = add(&e, LEVEL_LOW, 100, 0, 400);

	assert_int_equal(overrun(&e, logger, 0, 5), ESCALATION_CHANGED);
	assert_int_equal(e.pods.items[logger].level, LEVEL_LOW);
	assert_int_equal(changes[0].to_us, 400000);
	assert_int_equal(overrun(&e, video, 0, 6), ESCALATION_NO_ROOM);
	assert_int_equal(overrun(&e, logger, 0, 7), ESCALATION_NONE);

	assert_int_equal(overrun(&e, brake, 0, 8), ESCALATION_CHANGED);
	assert_false(e.pods.items[logger].is_boosted);
	assert_false(e.pods.items[logger].is_cut);
	escalation_done(&e);
}

TEST(refusal_changes_nothing)
{
	struct escalation e = make(SCOPE_CORE);
	uint32_t first = add(&e, LEVEL_HIGH, 400, 0, 800);
	uint32_t second = add(&e, LEVEL_HIGH, 400, 0, 800);
	uint32_t logger = add(&e, LEVEL_LOW, 100, 0, 100);

	assert_int_equal(overrun(&e, first, 0, 5), ESCALATION_NO_ROOM);
	assert_int_equal(n_changes, 0);
	assert_int_equal(e.pods.items[first].level, LEVEL_LOW);
	assert_int_equal(e.pods.items[second].level, LEVEL_LOW);
	assert_false(e.pods.items[logger].is_cut);
	escalation_done(&e);
}

TEST(other_cores_are_left_alone)
{
	struct escalation e = make(SCOPE_CORE);
	uint32_t brake = add(&e, LEVEL_HIGH, 300, 0, 600);
	uint32_t here = add(&e, LEVEL_LOW, 500, 0, 500);
	uint32_t there = add(&e, LEVEL_LOW, 100, 0, 100);

	e.pods.items[there].cores = (struct cpuset){ 0 };
	cpuset_add(&e.pods.items[there].cores, 1);
	assert_int_equal(overrun(&e, brake, 0, 5), ESCALATION_CHANGED);
	assert_true(e.pods.items[here].is_cut);
	assert_false(e.pods.items[there].is_cut);

	e.scope = SCOPE_NODE;
	assert_int_equal(escalation_room(&e, 9), 950000 - 600000 - 25000 - 100000);
	escalation_done(&e);
}

TEST(calm_pod_comes_down_level_by_level)
{
	struct escalation e = make(SCOPE_CORE);
	uint32_t brake = add(&e, LEVEL_HIGH, 200, 300, 700);
	uint32_t logger = add(&e, LEVEL_LOW, 500, 0, 500);
	int64_t now = second_ns;

	e.rules.calm_periods = 3;
	overrun(&e, brake, 0, now);
	overrun(&e, brake, 1, now);
	assert_true(e.pods.items[logger].is_cut);
	assert_int_equal(escalation_recover(&e, now + 2 * second_ns, changes), 0);
	assert_int_equal(overrun(&e, brake, 0, now + 2 * second_ns), ESCALATION_NONE);
	assert_int_equal(escalation_recover(&e, now + 4 * second_ns, changes), 0);
	assert_int_equal(escalation_recover(&e, now + 5 * second_ns, changes), 2);
	assert_int_equal(changes[0].pod, brake);
	assert_int_equal(changes[0].to_us, 300500);
	assert_int_equal(changes[1].pod, logger);
	assert_int_equal(changes[1].to_us, 500000);
	assert_int_equal(escalation_recover(&e, now + 5 * second_ns, changes), 0);
	assert_int_equal(escalation_recover(&e, now + 6 * second_ns, changes), 1);
	assert_int_equal(e.pods.items[brake].level, LEVEL_LOW);
	escalation_done(&e);
}

TEST(dwell_grows_while_overruns_come_back)
{
	struct escalation e = make(SCOPE_CORE);
	uint32_t brake = add(&e, LEVEL_HIGH, 200, 0, 400);
	int64_t now = second_ns, stays[4];

	e.rules.calm_periods = 1;
	e.rules.dwell_max_ns = 5 * second_ns;
	for (int i = 0; i < 4; i++) {
		int64_t start = now;

		assert_int_equal(overrun(&e, brake, 0, now), ESCALATION_CHANGED);
		while (escalation_recover(&e, now, changes) == 0)
			now += 100 * MS;
		stays[i] = now - start;
		now += 100 * MS;
	}
	assert_int_equal(stays[0], second_ns);
	assert_int_equal(stays[1], 2 * second_ns);
	assert_int_equal(stays[2], 4 * second_ns);
	assert_int_equal(stays[3], 5 * second_ns);
	now += 60 * second_ns;
	overrun(&e, brake, 0, now);
	assert_int_equal(e.pods.items[brake].dwell_ns, second_ns);
	escalation_done(&e);
}

TEST(node_cpu_mode_waits_for_a_calm_node)
{
	struct escalation e = make(SCOPE_CORE);
	uint32_t brake = add(&e, LEVEL_HIGH, 200, 0, 400);

	e.pods.items[brake].recovery.mode = RECOVERY_NODE_CPU;
	overrun(&e, brake, 0, second_ns);
	escalation_set_usage(&e, 900001, 2 * second_ns);
	assert_int_equal(escalation_recover(&e, 60 * second_ns, changes), 0);
	escalation_set_usage(&e, 900000, 60 * second_ns);
	escalation_set_usage(&e, 100000, 63 * second_ns);
	assert_int_equal(escalation_recover(&e, 64 * second_ns, changes), 0);
	assert_int_equal(escalation_recover(&e, 65 * second_ns, changes), 1);
	escalation_done(&e);
}

TEST(a_calm_that_is_older_than_the_overrun_does_not_count)
{
	struct escalation e = make(SCOPE_CORE);
	uint32_t brake = add(&e, LEVEL_HIGH, 200, 0, 400);

	e.pods.items[brake].recovery.mode = RECOVERY_NODE_CPU;
	escalation_set_usage(&e, 0, second_ns);
	overrun(&e, brake, 0, 60 * second_ns);
	assert_int_equal(escalation_recover(&e, 64 * second_ns, changes), 0);
	assert_int_equal(escalation_recover(&e, 65 * second_ns, changes), 1);
	escalation_done(&e);
}

TEST(a_pod_may_have_its_own_delay_and_threshold)
{
	struct escalation e = make(SCOPE_CORE);
	uint32_t brake = add(&e, LEVEL_HIGH, 200, 0, 300);
	uint32_t camera = add(&e, LEVEL_HIGH, 200, 0, 300);

	e.pods.items[brake].recovery = (struct recovery){ RECOVERY_CONSUMPTION, 20, 0 };
	e.pods.items[camera].recovery = (struct recovery){ RECOVERY_NODE_CPU, 10, 50 };
	overrun(&e, brake, 0, second_ns);
	overrun(&e, camera, 0, second_ns);
	escalation_set_usage(&e, 500001, 2 * second_ns);
	assert_int_equal(escalation_recover(&e, 20 * second_ns, changes), 0);
	assert_int_equal(escalation_recover(&e, 21 * second_ns, changes), 1);
	assert_int_equal(changes[0].pod, brake);
	escalation_set_usage(&e, 500000, 30 * second_ns);
	assert_int_equal(escalation_recover(&e, 39 * second_ns, changes), 0);
	assert_int_equal(escalation_recover(&e, 40 * second_ns, changes), 1);
	escalation_done(&e);
}

TEST(most_important_pods_are_watched_as_far_as_room_reaches)
{
	struct escalation e = make(SCOPE_CORE);
	uint32_t camera = add(&e, LEVEL_MIDDLE, 200, 0, 500);
	uint32_t brake = add(&e, LEVEL_HIGH, 200, 0, 500);
	uint32_t logger = add(&e, LEVEL_LOW, 200, 0, 500);

	array_each(p, &e.pods)
		p->wanted = ENFORCE_NONE;
	assert_int_equal(escalation_settle(&e, changes), 2);
	assert_int_equal(e.pods.items[brake].enforcement, ENFORCE_WATCH);
	assert_int_equal(escalation_runtime(&e.pods.items[camera]), 200500);
	assert_int_equal(e.pods.items[camera].enforcement, ENFORCE_RAISE);
	assert_int_equal(escalation_runtime(&e.pods.items[logger]), 200000);

	/* The camera's overrun cuts the logger before it touches the brake's comfort. */
	e.pods.items[camera].budget.hi = 430000;
	assert_int_equal(overrun(&e, camera, 0, 5), ESCALATION_CHANGED);
	assert_true(e.pods.items[logger].is_cut);
	assert_int_equal(e.pods.items[brake].enforcement, ENFORCE_WATCH);
	escalation_done(&e);
}

/* 0.5 ms of a second: 500 ppm. */
TEST(headroom_is_given_where_there_is_room_and_reclaimed_before_a_cut)
{
	struct escalation e = make(SCOPE_CORE);
	uint32_t brake = add(&e, LEVEL_HIGH, 200, 350, 699);
	uint32_t camera = add(&e, LEVEL_MIDDLE, 200, 0, 549);
	uint32_t logger = add(&e, LEVEL_LOW, 200, 0, 500);

	assert_int_equal(escalation_settle(&e, changes), 2);
	assert_int_equal(escalation_runtime(&e.pods.items[brake]), 200500);
	assert_int_equal(escalation_runtime(&e.pods.items[camera]), 200500);
	assert_int_equal(escalation_runtime(&e.pods.items[logger]), 200000);

	/* Up to medium, where it has headroom below hi again. */
	assert_int_equal(overrun(&e, brake, 0, 5), ESCALATION_CHANGED);
	assert_int_equal(n_changes, 1);
	assert_int_equal(changes[0].to_us, 350500);

	/* The camera may cut the logger, which is enough. */
	assert_int_equal(overrun(&e, camera, 0, 6), ESCALATION_CHANGED);
	assert_true(e.pods.items[logger].is_cut);
	assert_int_equal(escalation_runtime(&e.pods.items[brake]), 350500);
	escalation_done(&e);
}

TEST(headroom_that_was_not_needed_comes_back)
{
	struct escalation e = make(SCOPE_CORE);
	uint32_t brake = add(&e, LEVEL_HIGH, 200, 0, 700);
	uint32_t camera = add(&e, LEVEL_MIDDLE, 200, 0, 549);
	uint32_t logger = add(&e, LEVEL_LOW, 200, 0, 200);

	escalation_settle(&e, changes);
	assert_int_equal(overrun(&e, brake, 0, 5), ESCALATION_CHANGED);
	assert_int_equal(n_changes, 2);
	assert_int_equal(changes[0].pod, logger);
	assert_int_equal(changes[1].pod, brake);
	assert_int_equal(escalation_runtime(&e.pods.items[camera]), 200500);
	escalation_done(&e);
}

TEST(headroom_ends_at_the_next_level)
{
	struct escalation e = make(SCOPE_CORE);
	uint32_t brake = add(&e, LEVEL_HIGH, 200, 0, 400);

	e.pods.items[brake].budget.hi = 200100;
	escalation_settle(&e, changes);
	assert_int_equal(escalation_runtime(&e.pods.items[brake]), 200100);
	escalation_done(&e);
}

TEST(headroom_alone_can_be_room_enough)
{
	struct escalation e = make(SCOPE_CORE);
	uint32_t brake = add(&e, LEVEL_HIGH, 200, 0, 300);
	uint32_t camera = add(&e, LEVEL_MIDDLE, 200, 0, 500);
	uint32_t logger = add(&e, LEVEL_LOW, 200, 0, 200);

	e.pods.items[logger].budget.low = 449700;
	escalation_settle(&e, changes);
	e.pods.items[brake].budget.hi = 300300;
	assert_int_equal(overrun(&e, brake, 0, 5), ESCALATION_CHANGED);
	assert_false(e.pods.items[logger].is_cut);
	assert_int_equal(escalation_runtime(&e.pods.items[camera]), 200000);
	escalation_done(&e);
}

/* Random pods that pass the admission test, random overruns and recoveries. */
static bool is_admitted(const struct escalation *e, unsigned cpu)
{
	for (int mode = LEVEL_LOW; mode < LEVELS; mode++) {
		uint64_t sum = 0;

		array_each(p, &e->pods)
			if (e->scope == SCOPE_NODE || cpuset_has(&p->cores, cpu))
				sum += budget_load(&p->budget, (enum level)mode);
		if (sum > e->cap)
			return false;
	}
	return true;
}

static void add_random(struct escalation *e)
{
	int low = 1 + (int)(random() % 300), hi = low + (int)(random() % 400);
	uint32_t id =
		add(e, (enum level)(random() % 3), low, random() % 2 ? (low + hi) / 2 : 0, hi);
	struct escalation_pod *p = &e->pods.items[id];

	static const uint8_t wanted[] = { ENFORCE_NONE, ENFORCE_WATCH, ENFORCE_RAISE };
	p->wanted = wanted[random() % 3];
	p->priority = (int32_t)(random() % 3);
	p->cores = (struct cpuset){ 0 };
	cpuset_add(&p->cores, (unsigned)(random() % 3));
	if (random() % 4 == 0)
		cpuset_add(&p->cores, (unsigned)(random() % 3));
	if (!is_admitted(e, 0) || !is_admitted(e, 1) || !is_admitted(e, 2))
		e->pods.n--;
}

static void check_invariants(const struct escalation *e)
{
	for (unsigned cpu = 0; cpu < 3; cpu++)
		assert_true(escalation_room(e, cpu) >= 0);
	array_each(p, &e->pods) {
		bool has_reason = !p->is_cut;

		array_each(by, &e->pods)
			has_reason |= by->level != LEVEL_LOW &&
				      by->budget.criticality > p->budget.criticality;
		assert_true(has_reason);
		assert_true(p->is_cut ||
			    escalation_runtime(p) >= budget_runtime(&p->budget, p->level));
	}
}

/* The preview equals the decision, and changes nothing. */
static enum escalation_result preview_and_overrun(struct escalation *e, uint32_t pod,
						  unsigned limit, int64_t now)
{
	static struct escalation_change preview[64];
	const struct escalation_pod *p = &e->pods.items[pod], before = *p;
	int32_t runtime = escalation_runtime(p);
	int64_t room = escalation_room(e, 0);
	int up = escalation_limit_up(p);
	size_t n;

	enum escalation_result then = escalation_preview(e, pod, preview, &n);
	assert_int_equal(then == ESCALATION_NONE, up < 0);
	assert_int_equal(escalation_runtime(p), runtime);
	assert_int_equal(p->level, before.level);
	assert_int_equal(p->overrun_ns, before.overrun_ns);
	assert_int_equal(p->changed_ns, before.changed_ns);
	assert_int_equal(p->dwell_ns, before.dwell_ns);
	assert_int_equal(escalation_room(e, 0), room);

	enum escalation_result now_is = overrun(e, pod, limit, now);
	if ((int)limit != up)
		return now_is;
	assert_int_equal(now_is, then);
	assert_int_equal(n_changes, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(preview[i].pod, changes[i].pod);
		assert_int_equal(preview[i].to_us, changes[i].to_us);
	}
	return now_is;
}

TEST(admitted_pods_are_never_short)
{
	srandom(11);
	for (int round = 0; round < 2000; round++) {
		struct escalation e = make(round % 2 ? SCOPE_CORE : SCOPE_NODE);
		int64_t now = second_ns;

		for (int i = 0; i < 12; i++)
			add_random(&e);
		escalation_settle(&e, changes);
		for (int i = 0; i < 40 && e.pods.n; i++) {
			uint32_t pod = (uint32_t)(random() % (long)e.pods.n);
			struct escalation_pod *p = &e.pods.items[pod];
			unsigned limit = p->level == LEVEL_MIDDLE && random() % 2;

			now += random() % (3 * second_ns);
			enum escalation_result r = preview_and_overrun(&e, pod, limit, now);
			assert_false(r == ESCALATION_NO_ROOM &&
				     p->budget.criticality == LEVEL_HIGH);
			for (size_t k = 1; k < n_changes; k++)
				assert_false(changes[k - 1].to_us > changes[k - 1].from_us &&
					     changes[k].to_us < changes[k].from_us);
			check_invariants(&e);
			escalation_recover(&e, now, changes);
			check_invariants(&e);
		}
		escalation_recover(&e, now + 1000 * second_ns, changes);
		escalation_recover(&e, now + 2000 * second_ns, changes);
		array_each(p, &e.pods)
			assert_true(p->level == LEVEL_LOW && !p->is_cut && !p->is_boosted);
		escalation_done(&e);
	}
}

static enum escalation_result set_level(struct escalation *e, uint32_t pod, enum level level)
{
	return escalation_set_level(e, pod, level, 7, changes, &n_changes);
}

TEST(order_goes_where_there_is_room_and_follows_the_rules)
{
	struct escalation e = make(SCOPE_CORE);
	uint32_t brake = add(&e, LEVEL_HIGH, 200, 300, 500);
	uint32_t logger = add(&e, LEVEL_LOW, 500, 0, 500);

	assert_int_equal(set_level(&e, brake, LEVEL_LOW), ESCALATION_NONE);
	assert_int_equal(set_level(&e, brake, LEVEL_MIDDLE), ESCALATION_CHANGED);
	assert_int_equal(escalation_runtime(&e.pods.items[brake]), 300000);
	assert_false(e.pods.items[logger].is_cut);
	assert_int_equal(set_level(&e, brake, LEVEL_HIGH), ESCALATION_CHANGED);
	assert_true(e.pods.items[logger].is_cut);
	assert_int_equal(changes[0].pod, logger);
	assert_int_equal(set_level(&e, brake, LEVEL_LOW), ESCALATION_CHANGED);
	assert_int_equal(escalation_runtime(&e.pods.items[brake]), 200500);
	assert_int_equal(escalation_runtime(&e.pods.items[logger]), 500000);
	assert_int_equal(overrun(&e, brake, 0, 8), ESCALATION_CHANGED);
	assert_int_equal(e.pods.items[brake].level, LEVEL_MIDDLE);
	escalation_done(&e);
}

TEST(order_without_room_is_refused)
{
	struct escalation e = make(SCOPE_CORE);
	uint32_t brake = add(&e, LEVEL_HIGH, 200, 0, 500);

	add(&e, LEVEL_HIGH, 600, 0, 600);
	assert_int_equal(set_level(&e, brake, LEVEL_HIGH), ESCALATION_NO_ROOM);
	assert_int_equal(e.pods.items[brake].level, LEVEL_LOW);
	escalation_done(&e);
}
