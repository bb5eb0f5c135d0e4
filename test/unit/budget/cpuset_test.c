/* SPDX-License-Identifier: Apache-2.0 */
#include "budget/cpuset.h"

#include <string.h>

#include "test/unit/test.h"

static void formats_as(const char *text, const char *expect)
{
	struct cpuset set;
	struct error err;
	char buf[CPUSET_TEXT];

	assert_int_equal(cpuset_parse(text, strlen(text), &set, &err), 0);
	assert_string_equal(cpuset_format(&set, buf), expect);
}

TEST(every_spelling_has_one_form)
{
	formats_as("2", "2");
	formats_as("2-3", "2-3");
	formats_as("3,2", "2-3");
	formats_as("0,4", "0,4");
	formats_as(" 0 - 2 , 1-5\n", "0-5");
	formats_as("0-6:1/2", "0,2,4,6");
	formats_as("0-7:2/4", "0-1,4-5");
	formats_as("62-65,1023", "62-65,1023");
}

TEST(nonsense_is_refused)
{
	static const char *const bad[] = {
		"",	   "x",	      "-1",   "1-",	      "3-2",
		"1,,2",	   "1,",      "1024", "2 3",	      "0-6:",
		"0-6:3/2", "0-6:1/0", "0x1",  "0-4000000000", "99999999999999999999",
	};
	struct cpuset set;
	struct error err;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(cpuset_parse(bad[i], strlen(bad[i]), &set, &err), -EINVAL);
		assert_non_null(strstr(err.msg, "is not a list of CPUs"));
	}
}

/* Every second CPU alone, and pairs with a gap of one, which take more room. */
TEST(longest_text_fits)
{
	for (unsigned group = 2; group <= 3; group++) {
		struct cpuset set = { 0 }, back;
		char buf[CPUSET_TEXT];

		for (unsigned cpu = 0; cpu < CPUSET_MAX; cpu++)
			if (cpu % group)
				cpuset_add(&set, cpu);
		cpuset_format(&set, buf);
		assert_true(strlen(buf) < CPUSET_TEXT - 1);
		assert_int_equal(cpuset_parse(buf, strlen(buf), &back, NULL), 0);
		assert_true(cpuset_eq(&set, &back));
	}
}
