/* SPDX-License-Identifier: Apache-2.0 */
#include "reconcile/metrics_server.h"

#include <unistd.h>

#include "base/clock.h"
#include "test/unit/test.h"

static struct watch_serve *start(void)
{
	struct watch_serve *s = NULL;
	const struct secure_options secure = { .address = NULL };
	struct error err = ERROR_INIT;

	assert_int_equal(watch_serve_start("127.0.0.1:0", &secure, &s, &err), 0);
	return s;
}

static void publish(struct watch_serve *s)
{
	struct str text = STR_INIT;

	str_add(&text, "mckube_passes_total 1\n");
	watch_serve_publish(s, &text);
	str_done(&text);
}

TEST(the_first_turn_wants_a_text)
{
	struct watch_serve *s = start();

	assert_true(watch_serve_turn(s, NULL, false));
	assert_true(watch_serve_turn(s, NULL, false));
	publish(s);
	assert_false(watch_serve_turn(s, NULL, false));
	assert_false(watch_serve_turn(s, NULL, true));
	watch_serve_stop(s);
}

/* The first scrape of a program that ran for hours shows its passes. */
TEST(passes_want_a_text_though_no_scrape_came)
{
	struct watch_serve *s = start();
	int64_t published = clock_ms();

	publish(s);
	while (!watch_serve_turn(s, NULL, true))
		usleep(50000);
	assert_true(clock_ms() - published >= WATCH_SERVE_REFRESH_MS);
	assert_false(watch_serve_turn(s, NULL, false));
	watch_serve_stop(s);
}
