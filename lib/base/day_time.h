/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_DAY_TIME_H
#define MCKUBE_BASE_DAY_TIME_H

#include <stdint.h>

enum { DAY_MINUTES = 24 * 60 };

/* Reads a time of day, "9" or "09:30" or "24:00", at the start of the text that ends at `end`.
 * Returns what follows it, with the minutes since midnight, 0 to DAY_MINUTES, in *ret; NULL: there
 * is none. */
const char *day_time_take(const char *text, const char *end, int32_t *ret);

#endif
