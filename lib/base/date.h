/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_DATE_H
#define MCKUBE_BASE_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Times on the wire (RFC 3339) as seconds since 1970, by arithmetic alone: no time zone files, no
 * environment, no clock. (glibc's timegm() and gmtime_r() read TZ and the file that it names, for
 * leap seconds; a plan depends on nothing but its input.) */

/* "2026-11-21T09:00:00Z", also with a fraction (dropped) and with an offset. False for anything
 * else, for dates that are not in the calendar and for years before 1970. A leap second counts as
 * the second after it. */
bool date_parse(const char *s, size_t n, int64_t *ret);

/* Longest text that date_format() writes, with its NUL. */
enum { DATE_TEXT = 21 };

/* The last second that has a four-digit year. */
#define DATE_MAX INT64_C(253402300799)

/* "2026-11-21T09:00:00Z"; needs 0 <= t <= DATE_MAX. Returns buf. */
char *date_format(int64_t t, char buf[static DATE_TEXT]);

#endif
