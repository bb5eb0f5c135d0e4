/* SPDX-License-Identifier: Apache-2.0 */
#include "budget/thread_class.h"

#include <string.h>

#include "base/array.h"
#include "base/auto.h"
#include "test/unit/test.h"

TEST(values_are_one_or_one_for_each_container)
{
	static const char *const policies[] = { "",	"FIFO",	    "RR",
						"fifo", "app=FIFO", "app=FIFO,logger=RR,b-2=rr" };
	static const char *const priorities[] = { "", "1", "89", "app=20", "app=20,logger=5" };

	assert_true(thread_policy_is_valid(NULL));
	assert_true(thread_priority_is_valid(NULL));
	for (size_t i = 0; i < ARRAY_LEN(policies); i++)
		assert_true(thread_policy_is_valid(policies[i]));
	for (size_t i = 0; i < ARRAY_LEN(priorities); i++)
		assert_true(thread_priority_is_valid(priorities[i]));
}

TEST(other_texts_are_none)
{
	static const char *const policies[] = {
		"OTHER",       "FIFO ",	    "FIFO,RR",	       "app=",
		"=FIFO",       "app=FIFO,", ",app=FIFO",       "FIFO,",
		"app=FIFO,RR", "App=FIFO",  "app=FIFO,app=RR", "a=b=FIFO",
		"app",	       "DEADLINE",  "app=FIFO,,b=RR",  ",",
	};
	static const char *const priorities[] = {
		"0",	   "05",	  "90",		"100",
		"-1",	   "+1",	  "1.5",	"FIFO",
		" 1",	   "1,",	  "app=90",	"app=,b",
		"app=1,2", "app=1,app=1", "4294967297", "99999999999999999999",
	};

	for (size_t i = 0; i < ARRAY_LEN(policies); i++)
		if (thread_policy_is_valid(policies[i]))
			fail_msg("%s", policies[i]);
	for (size_t i = 0; i < ARRAY_LEN(priorities); i++)
		if (thread_priority_is_valid(priorities[i]))
			fail_msg("%s", priorities[i]);
}

TEST(a_name_and_a_text_have_their_longest)
{
	char text[2 * THREAD_CLASS_TEXT_MAX];

	memset(text, 'a', sizeof(text));
	memcpy(text + 63, "=RR", 4);
	assert_true(thread_policy_is_valid(text));
	memset(text, 'a', 64);
	memcpy(text + 64, "=RR", 4);
	assert_false(thread_policy_is_valid(text));
	size_t n = 0;
	for (int i = 0; n <= THREAD_CLASS_TEXT_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%sa%d=RR", i ? "," : "", i);
	assert_false(thread_policy_is_valid(text));
}

static void is_class(const char *policy, const char *priority, const char *container,
		     enum level criticality, const char *expect)
{
	char buf[THREAD_CLASS_NAME];

	assert_string_equal(
		thread_class_format(thread_class_of(policy, priority, container, criticality), buf),
		expect);
}

TEST(a_container_has_its_class)
{
	is_class(NULL, NULL, "app", LEVEL_HIGH, "");
	is_class("", "20", "app", LEVEL_HIGH, "");
	is_class("FIFO", "20", "app", LEVEL_LOW, "FIFO 20");
	is_class("rr", "app=7,logger=8", "logger", LEVEL_LOW, "RR 8");
	is_class("app=FIFO,logger=RR", "5", "logger", LEVEL_LOW, "RR 5");
	is_class("app=FIFO,logger=RR", "5", "app", LEVEL_LOW, "FIFO 5");
	is_class("app=FIFO", "5", "ap", LEVEL_LOW, "");
	is_class("app=FIFO", "5", "apps", LEVEL_LOW, "");
}

TEST(without_a_priority_the_more_critical_has_the_higher_one)
{
	is_class("FIFO", "", "app", LEVEL_LOW, "FIFO 10");
	is_class("FIFO", NULL, "app", LEVEL_MIDDLE, "FIFO 20");
	is_class("FIFO", "logger=1", "app", LEVEL_HIGH, "FIFO 30");
}

static void is_shown(const char *policy, const char *priority, const char *expect)
{
	AUTO(str_done) struct str text = STR_INIT;

	thread_class_add(&text, policy, priority, LEVEL_LOW);
	assert_string_equal(text.s, expect);
}

TEST(values_are_shown_with_their_default)
{
	is_shown("", "", "");
	is_shown("fifo", "", "FIFO 10");
	is_shown("RR", "3", "RR 3");
	is_shown("app=FIFO", "3", "app=FIFO 3");
	is_shown("app=FIFO", "", "app=FIFO");
	is_shown("FIFO", "app=3", "FIFO app=3");
}

static bool count(const char *name, size_t n, void *arg)
{
	size_t *counted = arg;

	(void)name;
	*counted += n;
	return *counted < 10;
}

TEST(names_are_visited_in_order)
{
	size_t n = 0;

	assert_true(thread_class_each_name("FIFO", count, &n));
	assert_true(thread_class_each_name("", count, &n));
	assert_int_equal(n, 0);
	assert_true(thread_class_each_name("app=FIFO,logger=RR", count, &n));
	assert_int_equal(n, 9);
	assert_false(thread_class_each_name("app=FIFO,logger=RR", count, &n));
	assert_int_equal(n, 12);
}
