/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/evictions.h"

#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/date.h"
#include "plan/plan.h"
#include "plugins/policies.h"
#include "test/unit/snapshot.h"
#include "test/unit/test.h"

/* 2026-12-05 is a Saturday. */
static const char noon[] = "2026-12-05T12:00:00Z";

static int64_t at(const char *date)
{
	int64_t t = 0;

	assert_true(date_parse(date, strlen(date), &t));
	return t;
}

static struct settings with_windows(const char *windows)
{
	struct settings s = SETTINGS_DEFAULT;

	snprintf(s.evictions.windows, sizeof(s.evictions.windows), "%s", windows);
	return s;
}

TEST(windows_are_by_the_clock_of_the_offset)
{
	struct settings s = with_windows("14-15");

	assert_int_equal(evictions_closed_for(&s, at(noon)), 7200);
	s.optimise.utc_offset = 120;
	assert_int_equal(evictions_closed_for(&s, at(noon)), 0);
	s.optimise.utc_offset = 180;
	assert_int_equal(evictions_closed_for(&s, at(noon)), 23 * 3600);
}

TEST(without_windows_or_a_time_nothing_is_closed)
{
	struct settings s = with_windows("");

	assert_int_equal(evictions_closed_for(&s, at(noon)), 0);
	s = with_windows("14-15");
	assert_int_equal(evictions_closed_for(&s, 0), 0);
}

TEST(text_that_is_no_window_never_opens)
{
	struct settings s = with_windows("soon");

	assert_true(evictions_closed_for(&s, at(noon)) > INT64_C(366) * 86400);
}

/* So that watch plans when a window opens, though nothing has changed. */
TEST(a_plan_says_when_a_window_opens)
{
	AUTO(cluster_done)
	struct cluster c = snapshot_of("kind: Node\napiVersion: v1\nmetadata: {name: a}\n");
	AUTO(plan_done) struct plan closed = { 0 }, open = { 0 };
	struct settings s = with_windows("Sun 8-9");
	struct error err = ERROR_INIT;

	c.taken_at = at(noon);
	assert_int_equal(plan_make(&c, policies, &s, &closed, &err), 0);
	assert_int_equal(closed.requeue_after, 20 * 3600);
	c.taken_at = at("2026-12-06T08:00:00Z");
	assert_int_equal(plan_make(&c, policies, &s, &open, &err), 0);
	assert_int_equal(open.requeue_after, 0);
}
