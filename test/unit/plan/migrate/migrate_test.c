/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/migrate/migrate.h"

#include "base/auto.h"
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
