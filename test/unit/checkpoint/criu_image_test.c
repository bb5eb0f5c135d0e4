/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/criu_image.h"

#include <string.h>

#include "base/auto.h"
#include "checkpoint/proto.h"
#include "test/unit/test.h"

/* files.img with one timerfd. */
static void write_image(struct str *out, unsigned value_s, unsigned value_ns, unsigned period_ns)
{
	AUTO(str_done) struct str timer = STR_INIT;
	AUTO(str_done) struct str entry = STR_INIT;

	proto_add_number(&timer, 1, 7);
	proto_add_number(&timer, 7, value_s);
	proto_add_number(&timer, 8, value_ns);
	proto_add_number(&timer, 9, 0);
	proto_add_number(&timer, 10, period_ns);
	proto_add_number(&entry, 1, 14);
	proto_add_number(&entry, 2, 1);
	proto_add_bytes(&entry, 12, (struct slice){ timer.s, timer.n });
	str_addn(out, "MAGICNUM", 8);
	for (int i = 0; i < 2; i++) {
		const char length[4] = { (char)entry.n, 0, 0, 0 };

		str_addn(out, length, 4);
		str_addn(out, entry.s, entry.n);
	}
}

TEST(a_periodic_timer_that_has_expired_fires_again)
{
	AUTO(str_done) struct str before = STR_INIT, after = STR_INIT;
	struct error err;

	write_image(&before, 0, 0, 50000000);
	write_image(&after, 0, 1, 50000000);
	assert_int_equal(criu_mend_timers(before.s, before.n, &err), 2);
	assert_int_equal(before.n, after.n);
	assert_memory_equal(before.s, after.s, after.n);
	assert_int_equal(criu_mend_timers(before.s, before.n, &err), 0);
}

TEST(other_timers_stay)
{
	static const unsigned values[][3] = { { 0, 0, 0 }, { 0, 5, 50 }, { 3, 0, 50 } };

	for (size_t i = 0; i < 3; i++) {
		AUTO(str_done) struct str image = STR_INIT, before = STR_INIT;
		struct error err;

		write_image(&image, values[i][0], values[i][1], values[i][2]);
		str_addn(&before, image.s, image.n);
		assert_int_equal(criu_mend_timers(image.s, image.n, &err), 0);
		assert_memory_equal(before.s, image.s, image.n);
	}
}

TEST(no_image_is_refused)
{
	char cut[] = "MAGICNUM\x05\0\0\0ab", none[] = "MAG";
	struct error err;

	assert_int_equal(criu_mend_timers(cut, sizeof(cut) - 1, &err), -EBADMSG);
	assert_int_equal(criu_mend_timers(cut, 10, &err), -EBADMSG);
	assert_int_equal(criu_mend_timers(none, 3, &err), -EBADMSG);
	assert_int_equal(criu_mend_timers(cut, 8, &err), 0);
}
