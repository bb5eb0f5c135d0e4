/* SPDX-License-Identifier: Apache-2.0 */
#include "model/mckube_options.h"

#include "base/auto.h"
#include "test/unit/test.h"

static struct cluster cluster;

static int drop_cluster(void **state)
{
	(void)state;
	cluster_done(&cluster);
	return 0;
}

static struct raw raw_of(const char *text, enum raw_kind kind)
{
	return (struct raw){ intern_cstr(&cluster.strings, text), (uint8_t)kind };
}

static struct mckube mckube(void)
{
	return (struct mckube){
		.meta = { .ns = intern_cstr(&cluster.strings, "default"),
			  .name = intern_cstr(&cluster.strings, "a") },
		.kind = intern_cstr(&cluster.strings, "McKube"),
	};
}

/* The one warning, or none where expect is NULL. */
static void tells(const struct mckube *m, const char *expect)
{
	AUTO(arena_done) struct arena arena = { 0 };
	struct warnings warnings = { .arena = &arena };

	mckube_options_check(&cluster, m, &warnings);
	assert_int_equal(warnings.list.n, expect ? 1 : 0);
	if (expect) {
		assert_string_equal(warnings.list.items[0].object, "McKube default/a");
		assert_string_equal(warnings.list.items[0].reason, "Unsupported");
		assert_string_equal(warnings.list.items[0].message, expect);
	}
	array_done(&warnings.list);
}

TEST(migration_is_one_of_three_words)
{
	struct mckube m = mckube();

	tells(&m, NULL);
	m.migration = raw_of("Checkpoint", RAW_STRING);
	tells(&m, NULL);
	m.migration = raw_of("restart", RAW_STRING);
	tells(&m, NULL);
	m.migration = raw_of("Teleport", RAW_STRING);
	tells(&m, "spec.migration: 'Teleport' is not Never, Restart or Checkpoint; Never is taken");
	m.migration = raw_of("1", RAW_NUMBER);
	tells(&m, "spec.migration: '1' is not Never, Restart or Checkpoint; Never is taken");
}

TEST(recovery_comes_in_two_modes)
{
	struct mckube m = mckube();

	assert_int_equal(mckube_recovery(&cluster, &m).mode, RECOVERY_CONSUMPTION);
	m.recovery_mode = raw_of("NODECPU", RAW_STRING);
	assert_int_equal(mckube_recovery(&cluster, &m).mode, RECOVERY_NODE_CPU);
	tells(&m, NULL);
	m.recovery_mode = raw_of("never", RAW_STRING);
	assert_int_equal(mckube_recovery(&cluster, &m).mode, RECOVERY_CONSUMPTION);
	tells(&m,
	      "spec.recovery.mode: 'never' is not consumption or nodeCpu; consumption is taken");
}

TEST(delay_and_threshold_are_whole_numbers)
{
	struct mckube m = mckube();

	m.recovery_delay = raw_of("0", RAW_NUMBER);
	m.recovery_threshold = raw_of("90", RAW_NUMBER);
	tells(&m, NULL);
	assert_int_equal(mckube_recovery(&cluster, &m).delay_seconds, 0);
	assert_int_equal(mckube_recovery(&cluster, &m).threshold, 90);
	m.recovery_delay = raw_of("-1", RAW_NUMBER);
	tells(&m, "spec.recovery.delaySeconds: '-1' is not a whole number from 0 to 86400; "
		  "the default is taken");
	m.recovery_delay = raw_of("5", RAW_STRING);
	tells(&m, "spec.recovery.delaySeconds: '5' is not a whole number from 0 to 86400; "
		  "the default is taken");
	assert_int_equal(mckube_recovery(&cluster, &m).delay_seconds, RECOVERY_NOT_GIVEN);
	m.recovery_delay = (struct raw){ 0 };
	m.recovery_threshold = raw_of("101", RAW_NUMBER);
	tells(&m, "spec.recovery.threshold: '101' is not a whole number from 0 to 100; "
		  "the default is taken");
	m.recovery_threshold = raw_of("0.9", RAW_NUMBER);
	tells(&m, "spec.recovery.threshold: '0.9' is not a whole number from 0 to 100; "
		  "the default is taken");
}

GROUP(NULL, drop_cluster)
