/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_LEVEL_H
#define MCKUBE_MODEL_LEVEL_H

#include <stdbool.h>
#include <stdint.h>

/* Criticalities, and the modes of a core, have the same three names; "levels" is what a pod's
 * current mode is called on the wire: low, medium, hi. */
enum level { LEVEL_LOW, LEVEL_MIDDLE, LEVEL_HIGH };
enum { LEVELS = 3 };

/* What a pod asks of every core it runs on. Budgets and period in microseconds. */
struct budget {
	int32_t period;	     /* 100 .. 4,000,000 */
	int32_t low, hi;     /* 1 <= low <= medium <= hi <= period */
	int32_t medium;	     /* 0: not given */
	int32_t floor;	     /* 1 .. low: the default is filled in, and a higher one is cut */
	uint8_t criticality; /* enum level */
};

enum { PERIOD_MIN_US = 100, PERIOD_MAX_US = 4000000, PPM = 1000000 };

/* C(mode): the budget that the pod may use while its core is in this mode (Vestal's C_i(k)). */
int32_t budget_runtime(const struct budget *b, enum level mode);

/* The floor when none is given: 5 % of low rounded up, at least 1000 us, never above low. */
int32_t budget_default_floor(int32_t low);

/* The load on a core in parts per million, rounded up: C(mode)/period for a pod of the mode's rank
 * or above, floor/period below it. */
uint32_t budget_load(const struct budget *b, enum level mode);

/* "Low", "Middle", "High" */
const char *criticality_name(enum level l);
/* "low", "medium", "hi" */
const char *level_name(enum level l);

/* The names above in any case; false for anything else. */
bool criticality_parse(const char *s, enum level *ret);
bool level_parse(const char *s, enum level *ret);

#endif
