/* SPDX-License-Identifier: Apache-2.0 */
#include "base/date.h"

#include <string.h>
#include <time.h>

#include "test/unit/test.h"

static void reads_as(const char *text, int64_t expect)
{
	int64_t t;

	assert_true(date_parse(text, strlen(text), &t));
	assert_int_equal(t, expect);
}

TEST(every_spelling_is_read)
{
	reads_as("1970-01-01T00:00:00Z", 0);
	reads_as("2000-02-29T23:59:59Z", 951868799);
	reads_as("2026-11-21T09:00:00Z", 1795251600);
	reads_as("2026-11-21T09:00:00.123456Z", 1795251600);
	reads_as("2026-11-21t18:00:00+09:00", 1795251600);
	reads_as("2026-11-21T03:30:00-05:30", 1795251600);
	reads_as("2016-12-31T23:59:60Z", 1483228800);
	reads_as("9999-12-31T23:59:59Z", DATE_MAX);
}

TEST(nonsense_is_refused)
{
	static const char *const bad[] = {
		"",
		"2026-11-21",
		"2026-11-21T09:00:00",
		"2026-11-21 09:00:00Z",
		"2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z",
		"2026-02-29T00:00:00Z",
		"1900-02-28T00:00:00Z",
		"2100-02-29T00:00:00Z",
		"2026-11-21T24:00:00Z",
		"2026-11-21T09:60:00Z",
		"2026-11-21T09:00:61Z",
		"2026-11-21T09:00:00.Z",
		"2026-11-21T09:00:00Z ",
		"2026-11-21T09:00:00+9:00",
		"2026-11-21T09:00:00+24:00",
		"+026-11-21T09:00:00Z",
	};
	int64_t t = 42;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(date_parse(bad[i], strlen(bad[i]), &t));
	assert_int_equal(t, 42);
}

/* The C library's calendar is the second opinion. */
TEST(every_day_agrees_with_the_c_library)
{
	for (int64_t t = 0; t <= DATE_MAX; t += 86400 * 13 + 3607) {
		char ours[DATE_TEXT], theirs[DATE_TEXT];
		time_t clock = (time_t)t;
		struct tm tm;
		int64_t back;

		strftime(theirs, sizeof(theirs), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&clock, &tm));
		assert_string_equal(date_format(t, ours), theirs);
		assert_true(date_parse(ours, strlen(ours), &back));
		assert_int_equal(back, t);
	}
}
