/* SPDX-License-Identifier: Apache-2.0 */
#include "base/span_cache.h"

#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "test/unit/test.h"

static const char place, stop; /* for their addresses */

/* From the first brace to the value of "stop", or behind the last brace. */
static void learn(struct span_cache *t, const char *text)
{
	struct scan s = scan_of(slice_of(text));
	struct slice key;
	int r = scan_open(&s, '{');
	const char *from = s.at;

	while (r == 0 && (r = scan_member(&s, &key)) > 0 && !slice_eq(key, "stop"))
		r = scan_skip(&s);
	assert_true(r >= 0);
	span_cache_add(t, &s, from, &place, r ? &stop : NULL);
}

/* Where it leads to in the text, in a copy that ends where the text does; -1 if it is another. */
static int informer(struct span_cache *t, const char *text, size_t n, unsigned depth)
{
	AUTO_FREE char *copy = xmalloc(n);
	const void *what;

	memcpy(copy, text, n);
	struct scan s = { .at = copy, .end = copy + n, .depth = depth };
	assert_int_equal(scan_open(&s, '{'), 0);
	if (span_cache_pass(t, &s, &place, &what)) {
		assert_false(s.is_first);
		assert_int_equal(s.depth, depth + (what == &stop));
		return (int)(s.at - copy);
	}
	assert_ptr_equal(s.at, copy + 1);
	assert_int_equal(s.depth, depth + 1);
	return -1;
}

static int after(const char *text)
{
	const char *found = strstr(text, "\"stop\":");

	return (int)(found ? found + strlen("\"stop\":") - text : (long)strlen(text));
}

static const char pod[] =
	"{\"first\":{\"time\":\"10:33:21\",\"n\":[1,-2.5e3,true,null,\"\"]},\"uid\":\"0000-11\","
	"\"count\":7,\"k:{\\\"ip\\\":\\\"::1\\\"}\":{},\"stop\":[8]}";

TEST(what_differs_in_scalars_is_like_it)
{
	static const char *const like[] = {
		pod,
		"{\"first\":{\"time\":\"9\",\"n\":[12,-2.6e3,false,{1},\"x\"]},\"uid\":\"\",\"count\":"
		"7,\"k:{\\\"ip\\\":\\\"::1\\\"}\":{},\"stop\":[9]}",
		"{\"first\":{\"time\":\"10:33:21\",\"n\":[123,0,null,null,\"\xc3\xa9\\u00e9\"]},"
		"\"uid\":\"0000-1\",\"count\":777,\"k:{\\\"ip\\\":\\\"::1\\\"}\":{},\"stop\":[9]}",
		"{\"first\":{\"other\":\"a much longer text than the one that stood there before\","
		"\"n\":[1,-2.5e3,true,\"t\",\"\"]},\"uid\":\"0000-11\",\"count\":\"7\","
		"\"k:{\\\"ip\\\":\\\"::1\\\"}\":{},\"stop\":[9]}",
	};
	AUTO_FREE struct span_cache *t = xcalloc(1, sizeof(*t));

	assert_int_equal(informer(t, pod, strlen(pod), 0), -1);
	learn(t, pod);
	for (size_t i = 0; i < 4; i++) {
		bool is_bad = strstr(like[i], "{1}") != NULL;
		int expect = is_bad ? -1 : after(like[i]);

		assert_int_equal(informer(t, like[i], strlen(like[i]), 0), expect);
	}
}

TEST(what_differs_otherwise_is_not)
{
	static const char *const unlike[] = {
		"{\"first\":{\"a\":1},\"uie\":\"x\",\"stop\":1}", /* another member */
		"{\"first\":{\"a\":1},\"stop\":1,\"uid\":\"x\"}", /* the watched_kinds one, sooner
								   */
		"{\"first\":{\"a\":1,\"b\":2},\"uid\":\"x\",\"stop\":1}",
		"{\"first\":{\"a\":{}},\"uid\":\"x\",\"stop\":1}",
		"{\"first\":{\"a\": {}},\"uid\":\"x\",\"stop\":1}",
		"{\"first\":{\"a\":1x},\"uid\":\"x\",\"stop\":1}",
		"{\"first\":{\"a\":01},\"uid\":\"x\",\"stop\":1}",
		"{\"first\":{\"a\":},\"uid\":\"x\",\"stop\":1}",
		"{\"first\":{7:1},\"uid\":\"x\",\"stop\":1}",
		"{\"first\":{\"a\":1},\"uid\":\"\xff\",\"stop\":1}",
		"{\"first\":{\"a\":1},\"uid\":\"\n\",\"stop\":1}",
		"{\"first\":{\"a\":1},\"uid\":\"\\q\",\"stop\":1}",
		"{\"first\":{\"a\":1},\"uid\":\"x\"y\",\"stop\":1}",
		"{\"first\":{\":\"a\":1},\"uid\":\"x\",\"stop\":1}",
		"{\"first\":{\"a\":12\"b\":1},\"uid\":\"x\",\"stop\":1}",
	};
	AUTO_FREE struct span_cache *t = xcalloc(1, sizeof(*t));

	learn(t, "{\"first\":{\"a\":1},\"uid\":\"x\",\"stop\":1}");
	for (size_t i = 0; i < sizeof(unlike) / sizeof(unlike[0]); i++)
		assert_int_equal(informer(t, unlike[i], strlen(unlike[i]), 0), -1);
}

/* The escape differs behind the backslash, the character in its second byte. */
TEST(a_scalar_that_differs_is_read_from_its_start)
{
	AUTO_FREE struct span_cache *t = xcalloc(1, sizeof(*t));
	static const char good[] = "{\"first\":\"\\\\ \xc3\xa9 \\u00e9\",\"stop\":1}";
	static const char bad[] = "{\"first\":\"\\\\ \xc3(\xa9 \\u00e9\",\"stop\":1}";
	static const char quoted[] = "{\"first\":\"\\\" \xc3\xa9\",\"stop\":1}";

	learn(t, good);
	assert_int_equal(informer(t, bad, strlen(bad), 0), -1);
	assert_int_equal(informer(t, quoted, strlen(quoted), 0), after(quoted));
}

TEST(a_part_is_not_enough)
{
	AUTO_FREE struct span_cache *t = xcalloc(1, sizeof(*t));
	static const char changed[] = "{\"first\":{\"a\":1},\"uid\":\"changed\",\"n\":14}";
	size_t n = strlen(changed);

	learn(t, "{\"first\":{\"a\":1},\"uid\":\"x\",\"n\":1}");
	for (size_t i = 1; i < n; i++)
		assert_int_equal(informer(t, changed, i, 0), -1);
	assert_int_equal(informer(t, changed, n, 0), (int)n);
}

TEST(it_may_be_too_deep_elsewhere)
{
	AUTO_FREE struct span_cache *t = xcalloc(1, sizeof(*t));
	static const char text[] = "{\"first\":[[[]]],\"stop\":1}";

	learn(t, text);
	assert_int_equal(informer(t, text, strlen(text), 0), after(text));
	assert_int_equal(informer(t, text, strlen(text), 1), -1);
}

/* More than there is room for, some of them too long: what is found is right all the same. */
TEST(many_are_forgotten)
{
	AUTO_FREE struct span_cache *t = xcalloc(1, sizeof(*t));
	int found = 0;

	for (int i = 0; i < 2000; i++) {
		AUTO_FREE char *text = xasprintf("{\"%dkey\":[\"%*d\"],\"stop\":%d}", i % 50,
						 i * 7 % (SPAN_MAX + 100), i, i);
		int where = informer(t, text, strlen(text), 0);

		assert_true(where == -1 || where == after(text));
		found += where > 0;
		learn(t, text);
		assert_true(t->used <= SPAN_ROOM);
	}
	assert_true(found > 0);
}
