/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/economy/status.h"

#include "test/unit/test.h"

static bool differs(int64_t microwatts, int64_t was_mw)
{
	return status_power_differs(status_to_cents(microwatts), was_mw);
}

TEST(one_per_cent_of_power_is_no_change)
{
	assert_false(differs(10100000, 10000));
	assert_true(differs(10110000, 10000));
	assert_true(differs(9800000, 10000));
	assert_true(differs(10000, 0));
	assert_false(differs(0, 0));
}

/* Of little power the rounding is more than one per cent, and what was written is what is read. */
TEST(what_is_rounded_away_is_no_change)
{
	assert_false(differs(364000, 360));
	assert_false(differs(355000, 360));
	assert_true(differs(366000, 360));
}
