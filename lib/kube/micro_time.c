/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/micro_time.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/date.h"
#include "base/units.h"

/* The decimals behind the seconds, as microseconds. */
static int64_t fraction_of(const char *s, size_t n)
{
	const char *p = memchr(s, '.', n);
	int64_t us = 0;

	for (int64_t unit = US_PER_S / 10; p && unit > 0 && ++p < s + n; unit /= 10) {
		if (*p < '0' || *p > '9')
			break;
		us += (*p - '0') * unit;
	}
	return us;
}

bool micro_time_parse(const char *s, size_t n, int64_t *ret_us)
{
	int64_t seconds;

	if (!date_parse(s, n, &seconds))
		return false;
	*ret_us = seconds * US_PER_S + fraction_of(s, n);
	return true;
}

char *micro_time_format(int64_t us, char buf[static MICRO_TIME_TEXT])
{
	char date[DATE_TEXT];

	date_format(us / US_PER_S, date);
	snprintf(buf, MICRO_TIME_TEXT, "%.19s.%06uZ", date, (unsigned)(us % US_PER_S) % US_PER_S);
	return buf;
}

char *micro_time_now(char buf[static MICRO_TIME_TEXT])
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return micro_time_format((int64_t)now.tv_sec * US_PER_S + now.tv_nsec / NS_PER_US, buf);
}
