/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into a client (or openssl), it sets the wall clock, and the wall clock alone:
 *
 *	MCKUBE_CLOCK=N		N seconds off
 *	MCKUBE_CLOCK=jump:N	N seconds ahead and N seconds behind by turns, at every look
 */
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long offset(void)
{
	static const char jump[] = "jump:";
	static unsigned looks;
	const char *text = getenv("MCKUBE_CLOCK");

	if (!text)
		return 0;
	if (strncmp(text, jump, strlen(jump)) != 0)
		return atol(text);
	return looks++ % 2 ? atol(text + strlen(jump)) : -atol(text + strlen(jump));
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	int r = (int)syscall(SYS_clock_gettime, clock, ret);

	if (r == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		ret->tv_sec += offset();
	return r;
}

time_t time(time_t *ret)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (ret)
		*ret = now.tv_sec;
	return now.tv_sec;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	*ret = (struct timeval){ .tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000 };
	return 0;
}
