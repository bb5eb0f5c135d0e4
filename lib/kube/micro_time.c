/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/micro_time.h"

#include <stdio.h>
#include <time.h>

#include "base/date.h"
#include "base/units.h"

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
