/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/micro_time.h"

#include <string.h>

#include "base/array.h"
#include "test/unit/test.h"

static const struct {
	const char *text;
	int64_t us;
	const char *form; /* NULL: the same */
} good[] = {
	{ "1970-01-01T00:00:00.000000Z", 0, NULL },
	{ "2026-11-21T09:00:00.123456Z", INT64_C(1795251600123456), NULL },
	{ "2026-11-21T09:00:00Z", INT64_C(1795251600000000), "2026-11-21T09:00:00.000000Z" },
	{ "2026-11-21T09:00:00.5Z", INT64_C(1795251600500000), "2026-11-21T09:00:00.500000Z" },
	{ "2026-11-21T10:00:00.0000019+01:00", INT64_C(1795251600000001),
	  "2026-11-21T09:00:00.000001Z" },
};

TEST(micro_times_go_both_ways)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		char buf[MICRO_TIME_TEXT];
		int64_t us;

		assert_true(micro_time_parse(good[i].text, strlen(good[i].text), &us));
		assert_true(us == good[i].us);
		assert_string_equal(micro_time_format(us, buf),
				    good[i].form ? good[i].form : good[i].text);
	}
}

TEST(nonsense_is_refused)
{
	static const char *const bad[] = {
		"",
		"now",
		"2026-11-21",
		"2026-11-21T09:00:00",
		"2026-13-21T09:00:00.000000Z",
		"2026-11-21T09:00:00.Z",
		"2026-11-21T09:00:00.12x456Z",
	};
	int64_t us;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(micro_time_parse(bad[i], strlen(bad[i]), &us));
}
