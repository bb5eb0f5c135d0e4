/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_KUBE_MICRO_TIME_H
#define MCKUBE_KUBE_MICRO_TIME_H

#include <stdint.h>

/* metav1.MicroTime, "2026-11-21T20:25:27.000000Z", of now: for Leases and Events. */
enum { MICRO_TIME_TEXT = 32 };
void micro_time_now(char text[static MICRO_TIME_TEXT]);

/* The same of a time since 1970 in microseconds. */
void micro_time_format(int64_t us, char text[static MICRO_TIME_TEXT]);

#endif
