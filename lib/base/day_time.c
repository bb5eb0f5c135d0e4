/* SPDX-License-Identifier: Apache-2.0 */
#include "base/day_time.h"

#include <stdbool.h>
#include <stddef.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

const char *day_time_take(const char *text, const char *end, int32_t *ret)
{
	const char *p = text;
	int32_t hour = 0, minute = 0;

	for (; p < end && is_digit(*p) && p < text + 2; p++)
		hour = hour * 10 + (*p - '0');
	if (p > text && end - p > 2 && *p == ':' && p[1] >= '0' && p[1] <= '5' && is_digit(p[2])) {
		minute = (p[1] - '0') * 10 + (p[2] - '0');
		p += 3;
	}
	*ret = hour * 60 + minute;
	return p > text && *ret <= DAY_MINUTES ? p : NULL;
}
