/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/micro_time.h"

#include "test/unit/test.h"

TEST(micro_times_have_six_decimals)
{
	char buf[MICRO_TIME_TEXT];

	assert_string_equal(micro_time_format(0, buf), "1970-01-01T00:00:00.000000Z");
	assert_string_equal(micro_time_format(INT64_C(1795251600123456), buf),
			    "2026-11-21T09:00:00.123456Z");
	assert_string_equal(micro_time_format(INT64_C(1795251600000001), buf),
			    "2026-11-21T09:00:00.000001Z");
}
