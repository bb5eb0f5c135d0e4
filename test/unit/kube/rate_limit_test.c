/* SPDX-License-Identifier: Apache-2.0 */

#include "kube/rate_limit.h"

#include "test/unit/test.h"

static unsigned take_all(struct rate_limit *p, int64_t now_ms)
{
	int64_t due;
	unsigned n = 0;

	while (n < 1000 && rate_limit_take(p, now_ms, &due))
		n++;
	return n;
}

TEST(a_full_bucket_is_a_burst)
{
	struct rate_limit p;

	rate_limit_init(&p, 10, 3, 5000);
	assert_int_equal(take_all(&p, 5000), 3);
	assert_int_equal(take_all(&p, 5500), 3); /* five came, three have room */
	assert_int_equal(take_all(&p, 5599), 0);
	assert_int_equal(take_all(&p, 5601), 1);
}

TEST(an_empty_one_says_when)
{
	struct rate_limit p;
	int64_t due = 0;

	rate_limit_init(&p, 4, 1, 1000);
	assert_true(rate_limit_take(&p, 1000, &due));
	assert_false(rate_limit_take(&p, 1100, &due));
	assert_in_range(due, 1250, 1252);
	assert_true(rate_limit_take(&p, due, &due));
}

TEST(zero_is_no_limit)
{
	struct rate_limit p;

	rate_limit_init(&p, 0, 0, 0);
	assert_int_equal(take_all(&p, 0), 1000);
}
