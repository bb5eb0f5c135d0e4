/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_TIME_WINDOWS_H
#define MCKUBE_MODEL_TIME_WINDOWS_H

#include <stdint.h>

#include "base/error.h"

/* Times of the week in which something is allowed, such as "Sat-Sun, Mon-Fri 22:00-05:30": items
 * apart by commas, of days (Mon, Tue ...; without any, all of them) and hours (without any, the
 * whole day). Hours that go over midnight belong to the day on which they begin. The end is
 * exclusive. Text without an item is always open. */

enum { TIME_WINDOWS_MAX = 16 };

struct time_windows {
	uint32_t n;
	struct {
		uint8_t days;	  /* bit 0 is Monday */
		int32_t from, to; /* minutes of the day; to may be beyond midnight */
	} items[TIME_WINDOWS_MAX];
};

/* -EINVAL: the error says which item is wrong. */
int time_windows_parse(const char *text, struct time_windows *ret, struct error *err);

/* Seconds until one opens; 0: one is open. `local` is seconds since 1970 by the clock that the
 * hours are of. */
int64_t time_windows_wait(const struct time_windows *w, int64_t local);

#endif
