/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/event.h"

#include <regex.h>
#include <string.h>

#include "base/array.h"
#include "base/auto.h"
#include "test/unit/test.h"

static void is_named(const char *object, const char *expected)
{
	AUTO_FREE char *name = event_name(object, 0x18eca);

	assert_string_equal(name, expected);
}

TEST(name_of_an_event_begins_with_its_objects)
{
	is_named("brake", "brake.18eca");
	is_named("a.b-c", "a.b-c.18eca");
}

TEST(name_that_is_cut_ends_with_a_letter_or_digit)
{
	char object[231], expected[220];

	memset(object, 'a', 199);
	object[199] = '-';
	memset(object + 200, 'b', 30);
	object[230] = '\0';
	memset(expected, 'a', 199);
	strcpy(expected + 199, ".18eca");
	is_named(object, expected);
}

TEST(any_name_becomes_a_dns_subdomain)
{
	static const char *const objects[] = { "",	"-",	 ".",	     "A_B",
					       "a-.b",	"a.-b",	 "a..b",     "-a-",
					       "\x1b[", "a/b c", "\xc3\xa9", "a--.-.b" };
	regex_t subdomain;

	assert_int_equal(
		regcomp(&subdomain,
			"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
			REG_EXTENDED | REG_NOSUB),
		0);
	for (size_t i = 0; i < ARRAY_LEN(objects); i++) {
		AUTO_FREE char *name = event_name(objects[i], 7);

		if (regexec(&subdomain, name, 0, NULL, 0) != 0)
			fail_msg("'%s' becomes '%s'", objects[i], name);
	}
	regfree(&subdomain);
}

TEST(text_is_cut_between_characters)
{
	AUTO_FREE char *whole = event_text("a\xc3\xa9", 3), *cut = event_text("a\xc3\xa9", 2);
	AUTO_FREE char *grown = event_text("\xff\xff", 5);

	assert_string_equal(whole, "a\xc3\xa9");
	assert_string_equal(cut, "a");
	assert_string_equal(grown, "\xff");
}
