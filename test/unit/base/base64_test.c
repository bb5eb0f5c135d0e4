/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

#include <string.h>

#include "base/array.h"
#include "base/auto.h"
#include "test/unit/test.h"

TEST(base64_goes_both_ways)
{
	static const char *const wrong[] = { "YQ", "YQ=", "Y===", "YQ==YQ==", "Y Q=", "YWJ*", "=" };
	AUTO(str_done) struct str text = STR_INIT, back = STR_INIT;

	for (size_t n = 0; n < 20; n++) {
		str_clear(&text);
		str_clear(&back);
		base64_encode("\0\1\2\377abcdefghijklmnopqr", n, &text);
		assert_true(base64_decode(text.s, text.n, &back));
		assert_int_equal(back.n, n);
		assert_memory_equal(back.s, "\0\1\2\377abcdefghijklmnopqr", n);
	}
	str_clear(&back);
	assert_true(base64_decode("YW\nJj\r\n", 7, &back));
	assert_string_equal(back.s, "abc");
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_false(base64_decode(wrong[i], strlen(wrong[i]), &back));
	assert_string_equal(back.s, "abc");
}
