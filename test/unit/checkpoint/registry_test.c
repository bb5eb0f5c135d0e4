/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/registry.h"

#include <string.h>

#include "base/auto.h"
#include "test/unit/test.h"

#define ID  "abcdefghijklmnopqrstuvwxyz012345"
#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static int parse(const char *text, struct registry_request *ret)
{
	struct error err;

	return registry_parse(slice_of(text), ret, &err);
}

TEST(the_requests_of_a_pull_are_read)
{
	struct registry_request r;

	assert_int_equal(
		parse("HEAD /v2/mig/" ID "-0/manifests/v1 HTTP/1.1\r\nHost: x\r\n\r\n", &r), 0);
	assert_true(r.is_head);
	assert_int_equal(r.want, WANT_MANIFEST);
	assert_string_equal(r.id, ID);
	assert_string_equal(r.digest, "");
	assert_int_equal(
		parse("GET /v2/mig/" ID "-15/manifests/sha256:" HEX " HTTP/1.1\r\n\r\n", &r), 0);
	assert_int_equal(r.container, 15);
	assert_string_equal(r.digest, HEX);
	assert_int_equal(parse("GET /v2/mig/" ID "-1/blobs/sha256:" HEX "?ns=x HTTP/1.1\r\n"
			       "range: bytes=1024-\r\n\r\n",
			       &r),
			 0);
	assert_int_equal(r.want, WANT_BLOB);
	assert_int_equal(r.from, 1024);
}

TEST(anything_else_is_refused)
{
	static const char *const wrong[] = {
		"GET /v2/ HTTP/1.1\r\n\r\n",
		"GET /v2/mig/" ID "/manifests/v1 HTTP/1.1\r\n\r\n",
		"GET /v2/mig/" ID "-16/manifests/v1 HTTP/1.1\r\n\r\n",
		"GET /v2/mig/" ID "-0/manifests/v2 HTTP/1.1\r\n\r\n",
		"GET /v2/mig/" ID "-0/manifests/v1x HTTP/1.1\r\n\r\n",
		"GET /v2/mig/../../etc/passwd0123456789ab-0/manifests/v1 HTTP/1.1\r\n\r\n",
		"GET /v2/mig/" ID "-0/blobs/sha256:" ID " HTTP/1.1\r\n\r\n",
		"POST /v2/mig/" ID "-0/manifests/v1 HTTP/1.1\r\n\r\n",
		"GET /v2/mig/" ID "-0/blobs/sha256:G" HEX " HTTP/1.1\r\n\r\n",
		"\x16\x03\x01",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct registry_request r;

		assert_true(parse(wrong[i], &r) < 0);
	}
}

TEST(only_ranges_from_a_byte_to_the_end_count)
{
	struct registry_request r;

	assert_int_equal(parse("GET /v2/mig/" ID "-1/blobs/sha256:" HEX " HTTP/1.1\r\n"
			       "Range: bytes=10-20\r\n\r\n",
			       &r),
			 0);
	assert_int_equal(r.from, 0);
}

TEST(a_head_ends_with_an_empty_line)
{
	assert_int_equal(registry_head(SLICE("GET / HTTP/1.1\r\nA: b\r\n")), 0);
	assert_int_equal(registry_head(SLICE("GET / HTTP/1.1\r\n\r\nbody")), 18);
}

TEST(a_reply_says_what_follows)
{
	AUTO(str_done) struct str out = STR_INIT;

	registry_reply(&out, 206, "a/b", HEX, 90, 10, 100);
	assert_string_equal(out.s, "HTTP/1.1 206 Partial Content\r\nConnection: close\r\n"
				   "Content-Length: 90\r\nContent-Type: a/b\r\n"
				   "Docker-Content-Digest: sha256:" HEX "\r\n"
				   "Content-Range: bytes 10-99/100\r\n\r\n");
}

TEST(what_helpers_ask_for_is_read)
{
	AUTO(str_done) struct str text = STR_INIT;
	struct registry_request r;

	registry_ask_threads(&text, ID, 2);
	assert_int_equal(parse(text.s, &r), 0);
	assert_int_equal(r.want, WANT_THREADS);
	assert_int_equal(r.container, 2);
	assert_true(parse("GET /v2/mig/" ID "-2/threadsx HTTP/1.1\r\n\r\n", &r) < 0);
}

static int body(const char *text, struct slice *ret)
{
	struct error err;

	return registry_body(slice_of(text), ret, &err);
}

TEST(a_body_is_whole_or_refused)
{
	struct slice text;

	assert_int_equal(body("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n12:1", &text), 0);
	assert_true(slice_eq(text, "12:1"));
	assert_int_equal(body("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", &text), 0);
	assert_int_equal(text.n, 0);
	assert_int_equal(body("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n12:1", &text), -EBADMSG);
	assert_int_equal(body("HTTP/1.1 200 OK\r\n\r\n12:1", &text), -EBADMSG);
	assert_int_equal(body("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n", &text), -EBADMSG);
	assert_int_equal(body("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", &text),
			 -ENOENT);
	assert_int_equal(body("", &text), -EBADMSG);
}
