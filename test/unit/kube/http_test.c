/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "kube/http.h"
#include "test/unit/test.h"

enum { SHORT_MS = 30, LONG_MS = 20000 };

static int open_nowhere(void **state)
{
	static struct kube_target nowhere = { .cluster.server = "http://127.0.0.1:1" };
	const struct http_options options = { .user_agent = "test" };
	struct error err;

	return http_open(&nowhere, &options, (struct http **)state, &err);
}

static int close_it(void **state)
{
	http_close(*state);
	return 0;
}

static int64_t waited_ms(struct http *h, int timeout_ms)
{
	int64_t start = clock_ms();

	http_wait(h, timeout_ms);
	return clock_ms() - start;
}

TEST(without_calls_only_waiting_takes_its_time)
{
	int64_t start = clock_ms();

	assert_int_equal(http_run(*state, LONG_MS), 0);
	assert_in_range(clock_ms() - start, 0, LONG_MS / 2);
	assert_in_range(waited_ms(*state, SHORT_MS), SHORT_MS, LONG_MS);
}

TEST(a_wake_counts_once_and_also_beforehand)
{
	http_wake(*state);
	http_wake(*state);
	assert_in_range(waited_ms(*state, LONG_MS), 0, LONG_MS / 2);
	assert_in_range(waited_ms(*state, SHORT_MS), SHORT_MS, LONG_MS);
}

static void *wake_later(void *h)
{
	usleep(SHORT_MS * 1000);
	http_wake(h);
	return NULL;
}

TEST(another_thread_may_wake)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, wake_later, *state), 0);
	assert_in_range(waited_ms(*state, LONG_MS), 0, LONG_MS / 2);
	pthread_join(thread, NULL);
}

/* What comes during a call must not be lost with it. */
TEST(a_wake_during_a_call_is_kept)
{
	struct http_call call = { .method = "GET", .path = "/", .timeout_ms = SHORT_MS };
	struct error err;

	http_wake(*state);
	assert_true(http_do(*state, &call, &err) < 0);
	http_call_done(&call);
	assert_in_range(waited_ms(*state, LONG_MS), 0, LONG_MS / 2);
	assert_in_range(waited_ms(*state, SHORT_MS), SHORT_MS, LONG_MS);
}

/* So a loop may sleep for long: other calls may have ended meanwhile. */
TEST(after_a_call_there_is_a_look)
{
	struct http_call call = { .method = "GET", .path = "/", .timeout_ms = SHORT_MS };
	struct error err;

	http_wait(*state, 0);
	assert_true(http_do(*state, &call, &err) < 0);
	http_call_done(&call);
	assert_in_range(waited_ms(*state, LONG_MS), 0, LONG_MS / 2);
	assert_in_range(waited_ms(*state, SHORT_MS), SHORT_MS, LONG_MS);
}

GROUP(open_nowhere, close_it)
