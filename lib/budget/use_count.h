/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef MCKUBE_BUDGET_USE_COUNT_H
#define MCKUBE_BUDGET_USE_COUNT_H

#include <linux/types.h>

/* What a container used in each period, on each CPU that it ran on: how many periods, their sum,
 * and how many of them used how much. Buckets are 1 us wide up to 8 us, then eight of each power of
 * two: a bucket's end is at most an eighth above any use in it. Periods in which nothing ran are
 * not counted. Only ever grows, so the use of a time is the difference of two readings.
 *
 * BPF and user space share it; BPF adds with atomic instructions. */

enum { USE_SUB = 8, USE_BUCKETS = 160 }; /* the last one has 3.9 s and more */

struct use_count {
	__u64 periods;
	__u64 total_us;
	__u32 by_use[USE_BUCKETS];
};
_Static_assert(sizeof(struct use_count) == 16 + 4 * USE_BUCKETS, "map value");

static inline __u32 use_bucket(__u64 us)
{
	__u32 shift = 0;
	__u64 i;

	if (us > 0xffffffffULL)
		us = 0xffffffffULL;
	for (int step = 16; step; step /= 2)
		if (us >> (shift + step) >= USE_SUB)
			shift += step;
	i = us < USE_SUB ? us : (__u64)shift * USE_SUB + (us >> shift);
	return i < USE_BUCKETS ? (__u32)i : USE_BUCKETS - 1;
}

/* The largest use that the bucket has; of the last one its smallest. */
static inline __u64 use_bucket_end(__u32 i)
{
	__u32 shift;

	if (i < 2 * USE_SUB)
		return i;
	shift = i / USE_SUB - 1;
	if (i >= USE_BUCKETS - 1)
		return (__u64)(USE_SUB + i % USE_SUB) << shift;
	return ((__u64)(USE_SUB + i % USE_SUB + 1) << shift) - 1;
}

/* The use that at least `percent` of the periods between two readings did not exceed, in us; 0:
 * there was none. */
static inline __u64 use_quantile(const struct use_count *now, const struct use_count *before,
				 __u32 percent)
{
	__u64 n = now->periods - before->periods, below = 0;

	for (__u32 i = 0; n && i < USE_BUCKETS; i++) {
		below += (__u32)(now->by_use[i] - before->by_use[i]);
		if (below * 100 >= n * percent)
			return use_bucket_end(i);
	}
	return 0;
}

#endif
