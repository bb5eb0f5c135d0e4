/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timer.h"

#include <stdlib.h>

int timer_left(int64_t due_ms, int64_t now_ms, int most)
{
	if (due_ms <= now_ms)
		return 0;
	return due_ms - now_ms < most ? (int)(due_ms - now_ms) : most;
}

int timer_min(const int *waits, size_t n)
{
	int least = waits[0];

	for (size_t i = 1; i < n; i++)
		least = waits[i] < least ? waits[i] : least;
	return least;
}

int64_t backoff_ms(int64_t first, int64_t last, unsigned tries)
{
	int64_t ms = first;

	while (--tries && ms < last)
		ms *= 2;
	return ms < last ? ms : last;
}

int64_t jittered_ms(int64_t ms)
{
	return ms / 2 + random() % (ms / 2 + 1);
}
