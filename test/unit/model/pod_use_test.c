/* SPDX-License-Identifier: Apache-2.0 */
#include "model/pod_use.h"

#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "test/unit/test.h"

TEST(what_is_written_is_read)
{
	static const struct container_used containers[] = { { "app", 5210, 6143 },
							    { "log", 12, -1 } };
	const struct pod_used pod = { "u1", 3, 1763715600, containers, 2 };
	AUTO(str_done) struct str text = STR_INIT;
	AUTO(json_out_done) struct json_out o = { .out = &text, .is_compact = true };
	AUTO(arena_done) struct arena arena = { 0 };
	struct pod_uses uses = { 0 };
	struct error err;

	str_add(&text, "{\"pods\":[");
	pod_use_write(&o, &pod);
	str_add(&text, "],\"omitted\":2}");
	assert_string_equal(text.s, "{\"pods\":[{\"uid\":\"u1\",\"overruns\":3,"
				    "\"changed\":\"2025-11-21T09:00:00Z\",\"containers\":["
				    "{\"name\":\"app\",\"usedUs\":5210,\"p99Us\":6143},"
				    "{\"name\":\"log\",\"usedUs\":12}]}],\"omitted\":2}");
	assert_int_equal(pod_uses_read(text.s, text.n, &arena, &uses, &err), 0);
	const struct pod_used *p = pod_uses_find(&uses, "u1");
	assert_non_null(p);
	assert_int_equal(p->overruns, 3);
	assert_int_equal(p->changed, 1763715600);
	assert_string_equal(p->containers[1].name, "log");
	assert_int_equal(pod_used_us(p), 5222);
	assert_int_equal(pod_p99_us(p), -1);
	assert_int_equal(uses.omitted, 2);
	assert_null(pod_uses_find(&uses, "u2"));
	array_done(&uses.list);
}

TEST(what_is_not_valid_is_an_error_or_unknown)
{
	AUTO(arena_done) struct arena arena = { 0 };
	struct pod_uses uses = { 0 };
	struct error err;

	assert_int_equal(pod_uses_read("[]", 2, &arena, &uses, &err), -EINVAL);
	assert_string_equal(err.msg, "mckube.io/use: pods is not a list");
	assert_true(pod_uses_read("{", 1, &arena, &uses, &err) < 0);
	static const char odd[] = "{\"pods\":[7,{\"uid\":8,\"changed\":\"soon\",\"containers\":[9,"
				  "{\"usedUs\":-5,\"p99Us\":\"x\"}],\"new\":true}]}";
	assert_int_equal(pod_uses_read(odd, strlen(odd), &arena, &uses, &err), 0);
	assert_int_equal(uses.list.n, 2);
	assert_string_equal(uses.list.items[1].uid, "");
	assert_int_equal(uses.list.items[1].changed, 0);
	assert_int_equal(pod_used_us(&uses.list.items[1]), -1);
	assert_int_equal(pod_used_us(&uses.list.items[0]), -1);
	array_done(&uses.list);
}
