/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/micro_time.h"

#include <stdio.h>
#include <time.h>

enum { US_PER_S = 1000000, NS_PER_US = 1000 };

void micro_time_format(int64_t us, char text[static MICRO_TIME_TEXT])
{
	time_t seconds = us / US_PER_S;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	size_t n = strftime(text, MICRO_TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, MICRO_TIME_TEXT - n, ".%06dZ", (int)(us % US_PER_S));
}

void micro_time_now(char text[static MICRO_TIME_TEXT])
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	micro_time_format((int64_t)now.tv_sec * US_PER_S + now.tv_nsec / NS_PER_US, text);
}
