/* SPDX-License-Identifier: Apache-2.0 */
#include "node/realtime.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>

int realtime_lock_memory(struct error *err)
{
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
		return error_errno(err, "lock memory");
	return 0;
}

static const char *hint(int code)
{
	return code == EPERM ? " (needs CAP_SYS_NICE, and an RT budget in its own cgroup)" : "";
}

int realtime_start(pthread_t *ret, void *(*body)(void *), void *arg, struct error *ret_why,
		   struct error *err)
{
	struct sched_param param = { .sched_priority = REALTIME_PRIORITY };
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, REALTIME_STACK);
	int r = pthread_create(ret, &attr, body, arg);
	pthread_attr_destroy(&attr);
	if (r)
		return error_set(err, -r, "start a thread: %s", strerror(r));
	r = pthread_setschedparam(*ret, SCHED_FIFO, &param);
	if (r)
		error_set(ret_why, -r, "SCHED_FIFO for the reaction: %s%s", strerror(r), hint(r));
	return 0;
}
