/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_CLOCK_H
#define MCKUBE_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Milliseconds that only go forward: for timeouts, pauses and leases. A clock that is set changes
 * nothing here. */
static inline int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The same clock in nanoseconds: that of BPF's bpf_ktime_get_ns(). */
static inline int64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

#endif
