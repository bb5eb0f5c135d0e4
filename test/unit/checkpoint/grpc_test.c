/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/grpc.h"

#include "base/auto.h"
#include "test/unit/test.h"

TEST(a_frame_is_taken_off)
{
	struct slice m;
	struct error err;

	assert_int_equal(grpc_unframe(SLICE("\0\0\0\0\3abc"), &m, &err), 0);
	assert_true(slice_eq(m, "abc"));
	assert_int_equal(grpc_unframe(SLICE("\0\0\0\0\0"), &m, &err), 0);
	assert_int_equal(m.n, 0);
}

TEST(another_length_or_compression_is_refused)
{
	struct slice m;
	struct error err;

	assert_int_equal(grpc_unframe(SLICE("\0\0\0\0\4abc"), &m, &err), -EBADMSG);
	assert_int_equal(grpc_unframe(SLICE("\0\0\0\0\2abc"), &m, &err), -EBADMSG);
	assert_int_equal(grpc_unframe(SLICE("\1\0\0\0\3abc"), &m, &err), -EBADMSG);
	assert_int_equal(grpc_unframe(SLICE("\0\0\0"), &m, &err), -EBADMSG);
}

TEST(status_and_message_are_taken_from_trailers)
{
	struct grpc_trailer t = { .status = -1, .message = STR_INIT };

	grpc_take_header(&t, SLICE("HTTP/2 200 \r\n"));
	grpc_take_header(&t, SLICE("content-type: application/grpc\r\n"));
	assert_int_equal(t.status, -1);
	grpc_take_header(&t, SLICE("grpc-status: 5\r\n"));
	grpc_take_header(&t, SLICE("grpc-message: no%20such%2Gtask%\r\n"));
	assert_int_equal(t.status, GRPC_NOT_FOUND);
	assert_string_equal(t.message.s, "no such%2Gtask%");
	grpc_take_header(&t, SLICE("grpc-status: -1\r\n"));
	assert_int_equal(t.status, GRPC_UNKNOWN);
	str_done(&t.message);
}
