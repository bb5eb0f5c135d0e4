/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/migrate/migrate.h"

#include "base/auto.h"
#include "plan/candidate.h"
#include "test/unit/plan/build.h"
#include "test/unit/test.h"

enum { NOW = 1000 }; /* 1970-01-01T00:16:40Z */

#define PRESSED_SINCE(time)                                          \
	"taints: [{key: mckube.io/pressure, value: 'True', effect: " \
	"PreferNoSchedule, timeAdded: '" time "'}]"
static const char long_pressed[] = PRESSED_SINCE("1970-01-01T00:10:00Z");
static const char old[] = "creationTimestamp: '1970-01-01T00:00:10Z'";

/* A node that uses 95 %, as its helper says, beside an empty one; its pods are in `yaml`. */
static void relieve_pressed(struct scene *s, struct str *yaml, const char *spec)
{
	build_node(yaml, (struct test_node){ "a", .annotations = "mckube.sdv.com/cpu-usage: '95'",
					     .spec = spec });
	build_node(yaml, (struct test_node){ "b" });
	scene_start(s, yaml);
	s->settings.migration.enabled = true;
	s->settings.migration.check_seconds = 30;
	s->settings.migration.cooldown_seconds = 300;
	s->c.taken_at = NOW;
	migrate_relieve(&s->p);
}

static void add_pod(struct str *yaml, const char *name, const char *meta)
{
	build_pod(yaml, (struct test_pod){ name, "a", .meta = meta, .requests = "cpu: 500m" });
}

TEST(a_pod_that_may_not_move_yet_sets_the_requeue_time)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	add_pod(&yaml, "young", "creationTimestamp: '1970-01-01T00:11:50Z'"); /* 710 */
	relieve_pressed(&s, &yaml, long_pressed);
	assert_int_equal(s.p.migrations.list.n, 0);
	assert_int_equal(s.p.migrations.requeue_after, 10);
}

TEST(a_pressure_that_has_not_lasted_sets_the_requeue_time)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	add_pod(&yaml, "web", old);
	relieve_pressed(&s, &yaml, PRESSED_SINCE("1970-01-01T00:16:17Z"));
	assert_int_equal(s.p.migrations.list.n, 0);
	assert_int_equal(s.p.migrations.requeue_after, 7);
}

TEST(a_node_whose_helper_reports_its_use_is_judged_again)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_pod(&yaml, (struct test_pod){ "kept", "a", .meta = old,
					    .annotations = "mckube.io/migration: Never",
					    .requests = "cpu: 500m" });
	relieve_pressed(&s, &yaml, long_pressed);
	assert_int_equal(s.p.migrations.list.n, 0);
	assert_int_equal(s.p.migrations.requeue_after, 30);
}

/* As many as a node usually has: agents of network, storage, logs. */
TEST(pods_that_never_move_do_not_hide_one_that_may)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	for (int i = 0; i < 20; i++) {
		AUTO_FREE char *name = xasprintf("agent-%02d", i);

		build_pod(&yaml, (struct test_pod){ name, "a", .meta = old, .owner = "DaemonSet",
						    .requests = "cpu: 600m", .priority = -1 });
	}
	add_pod(&yaml, "web", old);
	relieve_pressed(&s, &yaml, long_pressed);
	assert_int_equal(s.p.migrations.list.n, 1);
	assert_int_equal(s.p.migrations.list.items[0].to, scene_node(&s, "b"));
}

/* ---- Use that is measured ---- */

/* Times are hh:mm:ss of the first day; a window of 10 seconds. */
static void add_measured(struct str *yaml, const char *node, const char *time, const char *cpu)
{
	str_addf(
		yaml,
		"---\n{apiVersion: metrics.k8s.io/v1beta1, kind: NodeMetrics, metadata: {name: %s}, "
		"timestamp: '1970-01-01T%sZ', window: 10s, usage: {cpu: %s, memory: 1Gi}}\n",
		node, time, cpu);
}

static void add_measured_pod(struct str *yaml, const char *name, const char *cpu)
{
	str_addf(
		yaml,
		"---\n{apiVersion: metrics.k8s.io/v1beta1, kind: PodMetrics, metadata: {namespace: "
		"car, name: %s}, timestamp: '1970-01-01T00:16:30Z', window: 10s, containers: [{name: "
		"main, usage: {cpu: %s, memory: 1Mi}}]}\n",
		name, cpu);
}

/* Node a, which may be marked; b and c are empty. */
static void start_measured(struct scene *s, struct str *yaml, const char *spec_of_a)
{
	build_node(yaml, (struct test_node){ "a", .spec = spec_of_a });
	build_node(yaml, (struct test_node){ "b" });
	build_node(yaml, (struct test_node){ "c" });
	scene_start(s, yaml);
	s->settings.migration.enabled = true;
	s->settings.migration.check_seconds = 30;
	s->c.taken_at = NOW;
}

TEST(requests_of_a_pod_that_has_just_come_are_no_pressure)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_pod(&yaml, (struct test_pod){ "young", "a", .requests = "cpu: 1500m",
					    .meta = "creationTimestamp: '1970-01-01T00:16:35Z'" });
	add_measured(&yaml, "a", "00:16:30", "900m");
	start_measured(&s, &yaml, NULL);
	migrate_relieve(&s.p);
	assert_int_equal(s.p.migrations.mark_of[scene_node(&s, "a")], MARK_NONE);
	assert_int_equal(s.p.migrations.usage[scene_node(&s, "a")].coming[USAGE_CPU], 1500);
}

TEST(a_measurement_that_began_before_the_mark_moves_nothing)
{
	static const struct {
		const char *time;
		size_t moves;
	} rows[] = { { "00:10:09", 0 }, { "00:10:10", 1 }, { "00:10:30", 1 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(scene_done) struct scene s;
		struct str yaml = STR_INIT;

		add_pod(&yaml, "web", old);
		add_measured(&yaml, "a", rows[i].time, "1900m");
		start_measured(&s, &yaml, long_pressed);
		s.c.taken_at = 640;
		migrate_relieve(&s.p);
		assert_int_equal(s.p.migrations.list.n, rows[i].moves);
	}
}

static void place_first(struct scene *s, const char *pod, const char *node)
{
	candidates list = { 0 };

	candidates_of(&s->p, unit_at(s, pod), scene_node(s, node), &list);
	assert_true(list.n > 0);
	trial_add(&s->p.trial, scene_unit(s, pod), list.items[0].place);
	array_done(&list);
}

/* On b 1,600 of 2,000 would be the limit: each of these leaves no room there for 500. */
TEST(what_is_coming_to_a_target_counts)
{
	enum { NOTHING, YOUNG, PLACED, N };

	for (int what = NOTHING; what < N; what++) {
		AUTO(scene_done) struct scene s;
		struct str yaml = STR_INIT;

		add_pod(&yaml, "web", old);
		add_measured_pod(&yaml, "web", "500m");
		for (int i = 0; i < 3; i++)
			add_measured(&yaml, (const char *[]){ "a", "b", "c" }[i], "00:16:30",
				     (const char *[]){ "1900m", "900m", "1900m" }[i]);
		if (what == YOUNG)
			build_pod(&yaml, (struct test_pod){ "young", "b", .requests = "cpu: 500m",
							    .meta = "creationTimestamp: "
								    "'1970-01-01T00:16:35Z'" });
		build_pod(&yaml, (struct test_pod){ "new", .low = 1000, .requests = "cpu: 500m" });
		start_measured(&s, &yaml, long_pressed);
		s.settings.migration.cooldown_seconds = 300;
		if (what == PLACED)
			place_first(&s, "new", "b");
		migrate_relieve(&s.p);
		assert_int_equal(s.p.migrations.list.n, what == NOTHING);
	}
}

TEST(requests_of_a_node_do_not_tell_where_a_measured_pod_fits)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	add_pod(&yaml, "web", old);
	add_measured_pod(&yaml, "web", "500m");
	add_measured(&yaml, "a", "00:16:30", "1900m");
	add_measured(&yaml, "c", "00:16:30", "1000m");
	start_measured(&s, &yaml, long_pressed);
	s.settings.migration.cooldown_seconds = 300;
	migrate_relieve(&s.p);
	assert_int_equal(s.p.migrations.list.n, 1);
	assert_int_equal(s.p.migrations.list.items[0].to, scene_node(&s, "c"));
}
