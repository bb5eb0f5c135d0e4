/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_TIMER_H
#define MCKUBE_BASE_TIMER_H

#include <stddef.h>
#include <stdint.h>

/* When to do something again. Times are those of base/clock.h.
 *
 * What runs in steps (a watch, a lease, a writer of events) has a function that does what is due
 * and returns the milliseconds until it wants to be called again, or a negative error. A loop waits
 * for timer_min() of what its parts returned. */

/* Milliseconds until due_ms, 0 when it is over, and at most `most`. */
int timer_left(int64_t due_ms, int64_t now_ms, int most);

/* The least; a negative one, which is an error, comes first. */
int timer_min(const int *waits, size_t n);
#define TIMER_MIN(...) \
	timer_min((const int[]){ __VA_ARGS__ }, sizeof((const int[]){ __VA_ARGS__ }) / sizeof(int))

/* The pause after so many tries, at least one: `first`, then doubled up to `last`. */
int64_t backoff_ms(int64_t first, int64_t last, unsigned tries);

/* Up to half of it left out by chance, so that clients do not march in step. */
int64_t jittered_ms(int64_t ms);

#endif
