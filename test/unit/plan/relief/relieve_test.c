/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/relief/relieve.h"

#include "base/alloc.h"
#include "base/auto.h"
#include "test/unit/plan/build.h"
#include "test/unit/snapshot.h"
#include "test/unit/test.h"

TEST(a_node_is_busy_when_all_of_its_annotations_say_so)
{
	static const struct {
		const char *flag, *usage, *seconds; /* NULL: not there */
		enum pressure expect;
	} rows[] = {
		{ NULL, NULL, NULL, PRESSURE_CALM },	 { "false", NULL, NULL, PRESSURE_CALM },
		{ "true", NULL, NULL, PRESSURE_BUSY },	 { NULL, "90", NULL, PRESSURE_BUSY },
		{ NULL, "89", NULL, PRESSURE_BETWEEN },	 { NULL, "80", NULL, PRESSURE_BETWEEN },
		{ NULL, "79", NULL, PRESSURE_CALM },	 { NULL, "79.9", "0", PRESSURE_CALM },
		{ "true", "89", "4", PRESSURE_BETWEEN }, { "true", "90", "5", PRESSURE_BUSY },
		{ "true", "90", "4", PRESSURE_SOON },	 { "true", NULL, "4", PRESSURE_SOON },
		{ "true", "50", "9", PRESSURE_BETWEEN }, { "false", "99", "9", PRESSURE_BETWEEN },
		{ "false", "50", "0", PRESSURE_CALM },	 { "true", "much", "9", PRESSURE_BUSY },
		{ "true", "-1", "x", PRESSURE_BUSY },	 { "yes", NULL, NULL, PRESSURE_CALM },
		{ "yes", "99", NULL, PRESSURE_BETWEEN }, { "true", "9999999", NULL, PRESSURE_BUSY },
	};
	struct settings settings = SETTINGS_DEFAULT;

	settings.pressure.trigger = PRESSURE_CPU;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(str_done) struct str annotations = STR_INIT, yaml = STR_INIT;

		if (rows[i].flag)
			str_addf(&annotations, "mckube.sdv.com/isCpuBusy: '%s', ", rows[i].flag);
		if (rows[i].usage)
			str_addf(&annotations, "mckube.sdv.com/cpu-usage: '%s', ", rows[i].usage);
		if (rows[i].seconds)
			str_addf(&annotations, "mckube.sdv.com/cpu-over90-duration-s: '%s', ",
				 rows[i].seconds);
		build_node(&yaml,
			   (struct test_node){ "edge",
					       .annotations = annotations.n ? annotations.s : "" });
		AUTO(cluster_done) struct cluster c = snapshot_of(yaml.s);
		enum pressure p = pressure_of(&c, &c.nodes.items[0], &settings, false);

		if (p != rows[i].expect)
			fail_msg("row %zu gives %d", i, p);
	}
}

TEST(lost_time_and_refused_budgets_are_pressure_and_cpu_use_is_not)
{
	static const struct {
		const char *annotations;
		bool is_refused;
		enum pressure expect;
	} rows[] = {
		{ "", false, PRESSURE_CALM },
		{ "", true, PRESSURE_BUSY },
		{ "mckube.io/rt-pressure: '0'", false, PRESSURE_CALM },
		{ "mckube.io/rt-pressure: 'x'", false, PRESSURE_CALM },
		{ "mckube.io/rt-pressure: '1200'", false, PRESSURE_BUSY },
		{ "mckube.sdv.com/isCpuBusy: 'true', mckube.sdv.com/cpu-usage: '100'", false,
		  PRESSURE_CALM },
	};
	struct settings settings = SETTINGS_DEFAULT;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(str_done) struct str yaml = STR_INIT;

		build_node(&yaml, (struct test_node){ "edge", .annotations = rows[i].annotations });
		AUTO(cluster_done) struct cluster c = snapshot_of(yaml.s);
		const struct node *node = &c.nodes.items[0];

		settings.pressure.enabled = true;
		if (pressure_of(&c, node, &settings, rows[i].is_refused) != rows[i].expect)
			fail_msg("row %zu", i);
		settings.pressure.enabled = false;
		assert_int_equal(pressure_of(&c, node, &settings, true), PRESSURE_CALM);
	}
}

TEST(readings_of_a_silent_helper_change_nothing)
{
	AUTO(str_done) struct str yaml = STR_INIT;
	struct settings settings = SETTINGS_DEFAULT;

	build_node(&yaml,
		   (struct test_node){ "edge", .annotations = "mckube.io/rt-pressure: '1200', "
							      "mckube.io/backend: hcbs" });
	AUTO(cluster_done) struct cluster c = snapshot_of(yaml.s);
	struct node *node = &c.nodes.items[0];

	c.taken_at = 1000;
	c.has_heartbeats = true;
	node->heartbeat = 900;
	node->heartbeat_seconds = 40;
	assert_int_equal(pressure_of(&c, node, &settings, true), PRESSURE_BETWEEN);
	node->heartbeat = 990;
	assert_int_equal(pressure_of(&c, node, &settings, false), PRESSURE_BUSY);
}

TEST(the_annotation_holds_the_time_of_degrading)
{
	struct str yaml = STR_INIT;
	struct scene s;

	build_node(&yaml, (struct test_node){ "edge" });
	build_pod(&yaml, (struct test_pod){ "a", "edge", "0", .low = 1000 });
	build_pod(&yaml, (struct test_pod){ "b", "edge", "0", .low = 1000,
					    .annotations = "mckube.io/rt-degraded: ''" });
	build_pod(&yaml, (struct test_pod){
				 "c", "edge", "0", .low = 1000,
				 .annotations = "mckube.io/rt-degraded: '1970-01-01T00:01:00Z'" });
	scene_start(&s, &yaml);
	assert_int_equal(relieve_degraded_since(&s.c, &s.c.pods.items[0]), -1);
	assert_int_equal(relieve_degraded_since(&s.c, &s.c.pods.items[1]), 0);
	assert_int_equal(relieve_degraded_since(&s.c, &s.c.pods.items[2]), 60);
	scene_done(&s);
}

/* One node that says `annotations`; a Low pod and a High one, the Low one degraded since `since`.
 */
static uint32_t seconds_until_a_look(const char *annotations, const char *since, int64_t now)
{
	AUTO_FREE char *degraded = since ? xasprintf("mckube.io/rt-degraded: '%s'", since) : NULL;
	struct str yaml = STR_INIT;
	struct scene s;

	build_node(&yaml, (struct test_node){ "edge", .annotations = annotations });
	build_pod(&yaml,
		  (struct test_pod){ "a", "edge", "0", .low = 200000, .annotations = degraded });
	build_pod(&yaml, (struct test_pod){ "b", "edge", "1", "High", .low = 200000 });
	scene_start(&s, &yaml);
	s.settings.pressure.trigger = PRESSURE_CPU;
	s.c.taken_at = now;
	relieve(&s.p);
	uint32_t seconds = s.p.reliefs.requeue_after;
	scene_done(&s);
	return seconds;
}

TEST(a_wait_sets_the_requeue_time)
{
	static const char soon[] = "mckube.sdv.com/isCpuBusy: 'true', "
				   "mckube.sdv.com/cpu-over90-duration-s: '0'";
	static const char busy[] = "mckube.sdv.com/isCpuBusy: 'true'";
	static const char calm[] = "mckube.sdv.com/isCpuBusy: 'false'";
	static const char minute[] = "1970-01-01T00:01:00Z";

	assert_int_equal(seconds_until_a_look(calm, NULL, 100), 0);
	assert_int_equal(seconds_until_a_look(busy, NULL, 100), 0);
	assert_int_equal(seconds_until_a_look(soon, NULL, 100), 5);
	assert_int_equal(seconds_until_a_look(busy, minute, 70), 20);
	assert_int_equal(seconds_until_a_look(busy, minute, 90), 0);
	assert_int_equal(seconds_until_a_look(calm, minute, 70), 50);
	assert_int_equal(seconds_until_a_look(calm, minute, 120), 0);
	assert_int_equal(seconds_until_a_look(calm, minute, 0), 0);
	assert_int_equal(seconds_until_a_look(calm, "2200-01-01T00:00:00Z", 100), 0);
}

TEST(the_end_of_a_heartbeat_sets_the_requeue_time)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "edge", .annotations = "mckube.io/backend: hcbs" });
	build_pod(&yaml, (struct test_pod){ "brake", "edge", "0", .low = 1000 });
	scene_start(&s, &yaml);
	s.c.taken_at = 1000;
	s.c.has_heartbeats = true;
	s.c.nodes.items[0].heartbeat = 990;
	s.c.nodes.items[0].heartbeat_seconds = 40;
	relieve(&s.p);
	assert_int_equal(s.p.reliefs.requeue_after, 31);
}
