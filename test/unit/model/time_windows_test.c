/* SPDX-License-Identifier: Apache-2.0 */
#include "model/time_windows.h"

#include <string.h>

#include "base/date.h"
#include "test/unit/test.h"

static int64_t at(const char *date)
{
	int64_t t = 0;

	assert_true(date_parse(date, strlen(date), &t));
	return t;
}

/* Seconds until it opens; 2026-12-05 is a Saturday. */
static int64_t wait_of(const char *text, const char *date)
{
	struct time_windows w;
	struct error err = ERROR_INIT;

	assert_int_equal(time_windows_parse(text, &w, &err), 0);
	return time_windows_wait(&w, at(date));
}

TEST(no_window_is_always_open)
{
	assert_int_equal(wait_of("", "2026-12-05T10:00:00Z"), 0);
	assert_int_equal(wait_of("  ", "2026-12-05T10:00:00Z"), 0);
}

TEST(a_day_lasts_from_midnight_to_midnight)
{
	assert_int_equal(wait_of("Sat", "2026-12-05T00:00:00Z"), 0);
	assert_int_equal(wait_of("Sat", "2026-12-05T23:59:59Z"), 0);
	assert_int_equal(wait_of("Sat", "2026-12-04T23:59:59Z"), 1);
	assert_int_equal(wait_of("Sat", "2026-12-06T00:00:00Z"), 6 * 86400);
	assert_int_equal(wait_of("sat-SUN", "2026-12-06T12:00:00Z"), 0);
	assert_int_equal(wait_of("Fri-Mon", "2026-12-07T12:00:00Z"), 0);
	assert_int_equal(wait_of("Fri-Mon", "2026-12-08T00:00:00Z"), 3 * 86400);
}

TEST(hours_go_over_midnight_with_the_day_they_begin_on)
{
	static const char text[] = "Mon-Fri 22:00-05:30";

	assert_int_equal(wait_of(text, "2026-12-04T22:00:00Z"), 0);
	assert_int_equal(wait_of(text, "2026-12-05T05:29:59Z"), 0);
	assert_int_equal(wait_of(text, "2026-12-05T05:30:00Z"), 2 * 86400 + 59400);
	assert_int_equal(wait_of(text, "2026-12-07T05:00:00Z"), 17 * 3600);
	assert_int_equal(wait_of("Sun 22-2", "2026-12-07T01:00:00Z"), 0);
}

TEST(the_next_of_several_counts)
{
	static const char text[] = "9-10,  Sat 14:15-14:30 ,Sun";

	assert_int_equal(wait_of(text, "2026-12-05T09:30:00Z"), 0);
	assert_int_equal(wait_of(text, "2026-12-05T10:00:00Z"), 4 * 3600 + 900);
	assert_int_equal(wait_of(text, "2026-12-05T14:30:00Z"), 9 * 3600 + 1800);
	assert_int_equal(wait_of("22:00-24:00", "2026-12-05T23:59:00Z"), 0);
}

TEST(what_is_no_window_is_named)
{
	static const char *const bad[] = {
		"x",	    "Mon-",	 "Mon-Foo",	 "Mon 9",  "9",		  "9-9", "24:00-25",
		"9-10 Mon", "Mon 9-10x", "Mon, 25:00-2", "Monday", "Mon 9:60-10", ",",	 "Mon,,Tue",
	};
	struct time_windows w;
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(time_windows_parse(bad[i], &w, NULL), -EINVAL);
	assert_int_equal(time_windows_parse("Sat, Mon 9", &w, &err), -EINVAL);
	assert_string_equal(err.msg, "'Mon 9' is no window such as 'Mon-Fri 22:00-05:30'");
	assert_int_equal(time_windows_parse("1-2,1-2,1-2,1-2,1-2,1-2,1-2,1-2,1-2,1-2,1-2,1-2,1-2,"
					    "1-2,1-2,1-2,1-2",
					    &w, &err),
			 -EINVAL);
	assert_string_equal(err.msg, "more than 16 windows");
}
