/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/economy/economy.h"

#include "base/auto.h"
#include "plan/plan.h"
#include "plugins/policies.h"
#include "test/unit/snapshot.h"
#include "test/unit/test.h"

#define HOUR INT64_C(3600)
#define DAY  (24 * HOUR)

#define POLICY(scheduling)                                         \
	"---\nkind: PowerPolicy\napiVersion: kcloud.io/v1alpha1\n" \
	"metadata: {name: p, namespace: x}\nspec: {powerSchedulingPolicy: {" scheduling "}}\n"
#define PEAKS(hours) "peakPowerAvoidance: true, peakPowerHours: [" hours "]"

/* When a pass at this second of a day is to be followed by another one. */
static uint32_t requeued(const char *yaml, int32_t utc_offset, int64_t second)
{
	struct settings settings = SETTINGS_DEFAULT;
	AUTO(cluster_done) struct cluster c = snapshot_of(yaml);
	AUTO(plan_done) struct plan p = { 0 };
	struct error err = ERROR_INIT;

	c.taken_at = 1000 * DAY + second;
	settings.optimise.utc_offset = utc_offset;
	if (plan_make(&c, policies, &settings, &p, &err) < 0)
		fail_msg("%s", err.msg);
	return p.requeue_after;
}

TEST(the_next_pass_is_when_peak_hours_begin_or_end)
{
	static const char yaml[] = POLICY(PEAKS("9-17, '22:30-6'"));

	assert_int_equal(requeued(yaml, 0, 9 * HOUR - 30), 30);
	assert_int_equal(requeued(yaml, 0, 9 * HOUR), 8 * HOUR);
	assert_int_equal(requeued(yaml, 0, 17 * HOUR), 5 * HOUR + HOUR / 2);
	assert_int_equal(requeued(yaml, 0, 23 * HOUR), 7 * HOUR);
	assert_int_equal(requeued(yaml, 60, 9 * HOUR - 30), 7 * HOUR + 30);
}

TEST(peak_hours_that_are_not_avoided_wake_nothing)
{
	assert_int_equal(requeued(POLICY("peakPowerHours: [9-17]"), 0, 0), 0);
	assert_int_equal(requeued(POLICY("powerAwareScheduling: false, " PEAKS("9-17")), 0, 0), 0);
}
