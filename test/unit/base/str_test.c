/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <string.h>

#include "test/unit/test.h"

static void becomes(const char *text, const char *expected)
{
	char copy[64];

	strncpy(copy, text, sizeof(copy) - 1);
	copy[sizeof(copy) - 1] = '\0';
	str_make_printable(copy);
	assert_string_equal(copy, expected);
}

TEST(what_is_printable_stays)
{
	becomes("a \xc3\xa9 \xf0\x9f\x98\x80 \xe4\xb8\xad",
		"a \xc3\xa9 \xf0\x9f\x98\x80 \xe4\xb8\xad");
	becomes("", "");
}

TEST(what_a_terminal_takes_for_a_command_or_hides_is_replaced)
{
	becomes("\x1b[31mred\x7f", "?[31mred?");
	becomes("one\ntwo\tthree\r", "one two three?");
	becomes("\xc2\x9b"
		"31m",
		"??31m"); /* U+009B, CSI */
	becomes("a\xe2\x80\xae"
		"b",
		"a???b"); /* U+202E, right to left */
	becomes("a\xe2\x81\xa6"
		"b\xe2\x80\xa8",
		"a???b???");	     /* U+2066, U+2028 */
	becomes("a\xd8\x9c", "a??"); /* U+061C */
	becomes("\xff\xc3", "??");
}
