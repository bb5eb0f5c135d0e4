/* SPDX-License-Identifier: Apache-2.0 */
#include "budget/budget.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static const char *const criticality_names[LEVELS] = { "Low", "Middle", "High" };
static const char *const level_names[LEVELS] = { "low", "medium", "hi" };
static const char *const enforcement_names[] = {
	[ENFORCE_NONE] = "",
	[ENFORCE_WATCH] = "watch",
	[ENFORCE_RAISE] = "raise",
};

int32_t budget_runtime(const struct budget *b, enum level mode)
{
	if (mode == LEVEL_LOW || b->criticality == LEVEL_LOW)
		return b->low;
	if (mode == LEVEL_MIDDLE && b->criticality == LEVEL_HIGH && b->medium)
		return b->medium;
	return b->hi;
}

int32_t budget_default_floor(int32_t low)
{
	int32_t floor = (int32_t)(((int64_t)low * 5 + 99) / 100);

	if (floor < 1000)
		floor = 1000;
	return floor < low ? floor : low;
}

uint32_t budget_load(const struct budget *b, enum level mode)
{
	int64_t runtime = b->criticality >= mode ? budget_runtime(b, mode) : b->floor;

	return (uint32_t)((runtime * PPM + b->period - 1) / b->period);
}

/* Not memcmp(): the struct has padding. */
bool budget_eq(const struct budget *a, const struct budget *b)
{
	return a->period == b->period && a->low == b->low && a->medium == b->medium &&
	       a->hi == b->hi && a->floor == b->floor && a->criticality == b->criticality;
}

const char *criticality_name(enum level l)
{
	return criticality_names[l];
}

const char *level_name(enum level l)
{
	return level_names[l];
}

static bool parse(const char *s, const char *const names[LEVELS], enum level *ret)
{
	for (int i = 0; i < LEVELS; i++) {
		if (strcasecmp(s, names[i]) == 0) {
			*ret = (enum level)i;
			return true;
		}
	}
	return false;
}

bool criticality_parse(const char *s, enum level *ret)
{
	return parse(s, criticality_names, ret);
}

bool level_parse(const char *s, enum level *ret)
{
	return parse(s, level_names, ret);
}

const char *enforcement_name(enum enforcement e)
{
	return enforcement_names[e];
}

bool enforcement_parse(const char *s, enum enforcement *ret)
{
	for (int i = ENFORCE_NONE; i <= ENFORCE_RAISE; i++) {
		if (strcmp(enforcement_names[i], s) != 0)
			continue;
		*ret = (enum enforcement)i;
		return true;
	}
	return false;
}
