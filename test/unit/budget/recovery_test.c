/* SPDX-License-Identifier: Apache-2.0 */
#include "budget/recovery.h"

#include "test/unit/test.h"

static void is_written(struct recovery r, const char *expect)
{
	char buf[RECOVERY_TEXT];

	assert_string_equal(recovery_format(&r, buf), expect);
}

TEST(only_what_was_given_is_written)
{
	enum { NO = RECOVERY_NOT_GIVEN };

	is_written((struct recovery)RECOVERY_DEFAULT, "");
	is_written((struct recovery){ RECOVERY_CONSUMPTION, 0, NO }, "consumption,delaySeconds=0");
	is_written((struct recovery){ RECOVERY_NODE_CPU, NO, NO }, "nodeCpu");
	is_written((struct recovery){ RECOVERY_NODE_CPU, RECOVERY_DELAY_MAX, 100 },
		   "nodeCpu,delaySeconds=86400,threshold=100");
}

static void is_read(const char *text, struct recovery expect)
{
	struct recovery r;

	assert_true(recovery_parse(text, &r));
	assert_int_equal(r.mode, expect.mode);
	assert_int_equal(r.delay_seconds, expect.delay_seconds);
	assert_int_equal(r.threshold, expect.threshold);
}

TEST(what_was_written_is_read)
{
	enum { NO = RECOVERY_NOT_GIVEN };

	is_read("", (struct recovery)RECOVERY_DEFAULT);
	is_read("consumption", (struct recovery)RECOVERY_DEFAULT);
	is_read("NodeCPU", (struct recovery){ RECOVERY_NODE_CPU, NO, NO });
	is_read("nodeCpu,threshold=0", (struct recovery){ RECOVERY_NODE_CPU, NO, 0 });
	is_read("nodeCpu,threshold=80,delaySeconds=10",
		(struct recovery){ RECOVERY_NODE_CPU, 10, 80 });
}

TEST(nonsense_is_refused)
{
	static const char *const texts[] = {
		"never",
		"nodeCpuX",
		",delaySeconds=1",
		"nodeCpu,",
		"nodeCpu,delaySeconds",
		"nodeCpu,delaySeconds=",
		"nodeCpu,delaySeconds=-1",
		"nodeCpu,delaySeconds= 1",
		"nodeCpu,delaySeconds=1s",
		"nodeCpu,delaySeconds=86401",
		"nodeCpu,delaySeconds=99999999999999999999",
		"nodeCpu,threshold=101",
		"nodeCpu,dwell=1",
	};
	struct recovery r = { RECOVERY_NODE_CPU, 3, 4 };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(recovery_parse(texts[i], &r));
	assert_int_equal(r.delay_seconds, 3);
}
