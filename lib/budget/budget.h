/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BUDGET_BUDGET_H
#define MCKUBE_BUDGET_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/units.h"

/* Criticalities, and the modes of a core, have the same three names; "levels" is what a pod's
 * current mode is called on the wire: low, medium, hi. */
enum level { LEVEL_LOW, LEVEL_MIDDLE, LEVEL_HIGH };
enum { LEVELS = 3 };

enum scope {
	SCOPE_CORE, /* each core has its own budget */
	SCOPE_NODE, /* the kernel checks one sum for the node (cgroup v1 RT groups) */
};

/* How a budget above C_low becomes available: WATCH holds it in the kernel from the start and
 * counts the use above C_low; RAISE holds C_low and writes the next level's budget at an overrun.
 */
enum enforcement { ENFORCE_NONE, ENFORCE_WATCH, ENFORCE_RAISE };

/* The pod's class, which its cgroups are grouped by. */
enum pod_qos { QOS_BEST_EFFORT, QOS_BURSTABLE, QOS_GUARANTEED };

/* What a pod asks of every core it runs on. Budgets and period in microseconds. */
struct budget {
	int32_t period;	     /* 100 .. 4,000,000 */
	int32_t low, hi;     /* 1 <= low <= medium <= hi <= period */
	int32_t medium;	     /* 0: not given */
	int32_t floor;	     /* 1 .. low: the default is filled in, and a higher one is cut */
	uint8_t criticality; /* enum level */
};

enum { PERIOD_MIN_US = 100, PERIOD_MAX_US = 4000000 };

/* C(mode): the budget that the pod may use while its core is in this mode (Vestal's C_i(k)). */
int32_t budget_runtime(const struct budget *b, enum level mode);

/* The floor when none is given: 5 % of low rounded up, at least 1000 us, never above low. */
int32_t budget_default_floor(int32_t low);

/* Are all members equal? */
bool budget_eq(const struct budget *a, const struct budget *b);

/* The load on a core in parts per million, rounded up: C(mode)/period for a pod of the mode's rank
 * or above, floor/period below it. */
uint32_t budget_load(const struct budget *b, enum level mode);

/* "Low", "Middle", "High" */
const char *criticality_name(enum level l);
/* "low", "medium", "hi" */
const char *level_name(enum level l);
/* What a pod that was cut has instead of its level's budget, in place of the level's name. */
#define LEVEL_NAME_FLOOR "floor"

/* "watch", "raise"; ENFORCE_NONE: "" */
const char *enforcement_name(enum enforcement e);
bool enforcement_parse(const char *s, enum enforcement *ret);

/* The names above in any case; false for anything else. */
bool criticality_parse(const char *s, enum level *ret);
bool level_parse(const char *s, enum level *ret);

#endif
