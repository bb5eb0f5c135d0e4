/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/node_status.h"

#include "test/unit/test.h"

TEST(pressure_is_written_when_it_begins_ends_or_changes_much)
{
	static const struct {
		const char *name;
		struct pressure_status was;
		struct rt_pressure_reading now;
		int64_t wait_ms;
	} cases[] = {
		{ "first", { 0 }, { .is_measured = true }, 0 },
		{ "unmeasured, first", { 0 }, { 0 }, 0 },
		{ "same", { true, true, 500, 0 }, { true, 500, 0 }, 30000 },
		{ "none as before", { true, true, 0, 0 }, { true, 0, 0 }, 30000 },
		{ "begins", { true, true, 0, 99000 }, { true, 2000, 0 }, 0 },
		{ "ends", { true, true, 2000, 99000 }, { true, 0, 0 }, 0 },
		{ "no longer measured", { true, true, 0, 99000 }, { false, 0, 0 }, 0 },
		{ "a little more", { true, true, 2000, 99000 }, { true, 2500, 0 }, 29000 },
		{ "a little more, later", { true, true, 2000, 70000 }, { true, 2500, 0 }, 0 },
		{ "much more", { true, true, 2000, 99000 }, { true, 2501, 0 }, 4500 },
		{ "much less, later", { true, true, 2000, 94500 }, { true, 1499, 0 }, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t wait = pressure_status_wait(&cases[i].was, &cases[i].now, 100000);

		if (wait != cases[i].wait_ms)
			fail_msg("%s: %lld", cases[i].name, (long long)wait);
	}
}
