/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/proto.h"

#include <errno.h>

#include "base/auto.h"
#include "test/unit/test.h"

TEST(what_is_written_is_read)
{
	AUTO(str_done) struct str m = STR_INIT;
	struct proto_field f;

	proto_add_number(&m, 3, 300);
	proto_add_text(&m, 16, "abc");
	assert_memory_equal(m.s,
			    "\x18\xac\x02\x82\x01\x03"
			    "abc",
			    m.n);
	struct slice rest = { m.s, m.n };
	assert_int_equal(proto_next(&rest, &f), 1);
	assert_int_equal(f.number, 3);
	assert_int_equal(f.value, 300);
	assert_int_equal(f.n, 2);
	assert_int_equal(proto_next(&rest, &f), 1);
	assert_true(slice_eq(f.bytes, "abc"));
	assert_int_equal(proto_next(&rest, &f), 0);
}

TEST(a_path_leads_through_messages)
{
	/* 1 { 2 { 1: "x" } } */
	const struct slice m = SLICE("\x0a\x05\x12\x03\x0a\x01x");

	assert_true(slice_eq(PROTO_PATH(m, 1, 2, 1), "x"));
	assert_int_equal(PROTO_PATH(m, 1, 3).n, 0);
	assert_int_equal(PROTO_PATH(m, 2).n, 0);
}

TEST(the_largest_number_is_read)
{
	struct slice m = SLICE("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
	struct proto_field f;

	assert_int_equal(proto_next(&m, &f), 1);
	assert_true(f.value == UINT64_MAX);
}

TEST(no_message_is_refused_and_stays)
{
	static const struct slice wrong[] = {
		SLICE("\x08"),	       /* no value */
		SLICE("\x0a\x05x"),    /* shorter than it says */
		SLICE("\x00\x01"),     /* field 0 */
		SLICE("\x0b\x01"),     /* a group */
		SLICE("\x09\x01\x02"), /* eight bytes that are two */
		SLICE("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
		SLICE("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct slice rest = wrong[i];
		struct proto_field f;

		assert_int_equal(proto_next(&rest, &f), -EBADMSG);
		assert_ptr_equal(rest.s, wrong[i].s);
	}
}
