/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/micro_time.h"

#include <stdio.h>
#include <time.h>

void micro_time_now(char text[static MICRO_TIME_TEXT])
{
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	size_t n = strftime(text, MICRO_TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, MICRO_TIME_TEXT - n, ".%06ldZ", now.tv_nsec / 1000);
}
