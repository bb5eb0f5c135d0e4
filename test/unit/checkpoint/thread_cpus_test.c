/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/thread_cpus.h"

#include <string.h>

#include "base/auto.h"
#include "test/unit/test.h"

static struct cpuset cpus(const char *text)
{
	struct cpuset set = { 0 };

	if (*text)
		assert_int_equal(cpuset_parse(text, strlen(text), &set, NULL), 0);
	return set;
}

static void add(struct str *text, int tid, const char *its, const char *container)
{
	const struct cpuset a = cpus(its), b = cpus(container);

	thread_cpus_add(text, tid, &a, &b);
}

TEST(threads_with_fewer_cpus_than_their_container_are_told)
{
	AUTO(str_done) struct str text = STR_INIT;

	add(&text, 1, "2-3", "2-3");
	add(&text, 12, "3", "2-3");
	add(&text, 13, "0-63", "2-3");
	add(&text, 14, "7", "2-3");
	add(&text, 15, "0-2,9", "2-3");
	add(&text, 16, "0,4", "0-7");
	assert_string_equal(text.s, "12:1;15:0;16:0,4");
}

static void goes_to(const char *text, const char *container, const char *expect)
{
	AUTO(str_done) struct str found = STR_INIT;
	struct slice rest = slice_of(text);
	const struct cpuset its = cpus(container);
	struct error err = ERROR_INIT;
	struct cpuset places;
	char list[CPUSET_TEXT];
	int tid, r;

	while ((r = thread_cpus_next(&rest, &tid, &places, &err)) == 1) {
		const struct cpuset at = thread_cpus_at(&places, &its);

		str_addf(&found, "%d on %s\n", tid,
			 cpuset_count(&at) ? cpuset_format(&at, list) : "none");
	}
	assert_int_equal(r, 0);
	assert_string_equal(found.s, expect);
}

TEST(they_go_to_the_same_places_among_other_cpus)
{
	goes_to("", "0-7", "");
	goes_to("12:1", "0-1", "12 on 1\n");
	goes_to("12:1;13:0,2-3", "1,5,8-9", "12 on 5\n13 on 1,8-9\n");
}

TEST(a_container_with_fewer_cpus_has_some_of_the_places_or_none)
{
	goes_to("12:1;13:1-3;14:0-1", "6", "12 on none\n13 on none\n14 on 6\n");
	goes_to("12:0,3", "4-5", "12 on 4\n");
}

TEST(other_text_is_refused)
{
	static const char *const bad[] = {
		":1",	 "12",	       "12:",  "12;",		"0:1",	   "-1:1",
		"12:1;", "12:1;;13:0", "12:x", "99999999999:1", "12:1024",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct slice rest = slice_of(bad[i]);
		struct error err = ERROR_INIT;
		struct cpuset places;
		int tid, r;

		while ((r = thread_cpus_next(&rest, &tid, &places, &err)) == 1)
			;
		assert_int_equal(r, -EBADMSG);
	}
}
