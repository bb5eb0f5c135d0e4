/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BUDGET_CPUSET_H
#define MCKUBE_BUDGET_CPUSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* A set of CPU numbers, 0 to CPUSET_MAX - 1. The text form is the kernel's "list format"
 * (Documentation/admin-guide/cgroup-v1/cpusets.rst): "0-2,7", also with a stride, "0-6:1/2". */
enum { CPUSET_MAX = 1024, CPUSET_WORDS = CPUSET_MAX / 64 };

struct cpuset {
	uint64_t bits[CPUSET_WORDS];
};

/* Room for the longest text that cpuset_format() writes, with its NUL: two of every three CPUs,
 * each pair as "1020-1021,". */
enum { CPUSET_TEXT = (CPUSET_MAX / 3 + 1) * 10 + 1 };

/* Reads n bytes of text. Blanks around numbers, single CPUs, ranges, repeated and overlapping ones
 * are fine; an empty set, a falling range and a CPU of CPUSET_MAX or more are -EINVAL. */
int cpuset_parse(const char *s, size_t n, struct cpuset *ret, struct error *err);

/* Writes the shortest form, sorted, with ranges joined: "2", "2-3", "0,4". Returns buf. */
char *cpuset_format(const struct cpuset *set, char buf[static CPUSET_TEXT]);

static inline void cpuset_add(struct cpuset *set, unsigned cpu)
{
	set->bits[cpu / 64] |= (uint64_t)1 << cpu % 64;
}

static inline void cpuset_remove(struct cpuset *set, unsigned cpu)
{
	set->bits[cpu / 64] &= ~((uint64_t)1 << cpu % 64);
}

static inline bool cpuset_has(const struct cpuset *set, unsigned cpu)
{
	return cpu < CPUSET_MAX && (set->bits[cpu / 64] >> cpu % 64 & 1);
}

unsigned cpuset_count(const struct cpuset *set);
bool cpuset_eq(const struct cpuset *a, const struct cpuset *b);

/* Is every CPU of a in b? */
bool cpuset_is_subset(const struct cpuset *a, const struct cpuset *b);

/* The first CPU at or after `from`, CPUSET_MAX if there is none. */
unsigned cpuset_next(const struct cpuset *set, unsigned from);

#define cpuset_each(cpu, set)                                        \
	for (unsigned cpu = cpuset_next((set), 0); cpu < CPUSET_MAX; \
	     cpu = cpuset_next((set), cpu + 1))

#endif
