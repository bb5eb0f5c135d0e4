/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_KUBE_MICRO_TIME_H
#define MCKUBE_KUBE_MICRO_TIME_H

#include <stdint.h>

/* The two time types of the API (apimachinery, pkg/apis/meta/v1): Time is RFC 3339 in seconds,
 * which base/date.h reads and writes; MicroTime, in Leases and Events, has six decimals. */

enum { MICRO_TIME_TEXT = 28 };

/* "2026-11-21T09:00:00.000000Z"; needs 0 <= t < (DATE_MAX + 1) * 1000000. Returns buf. */
char *micro_time_format(int64_t us, char buf[static MICRO_TIME_TEXT]);

/* The same of the present. */
char *micro_time_now(char buf[static MICRO_TIME_TEXT]);

#endif
