/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_KUBE_MICRO_TIME_H
#define MCKUBE_KUBE_MICRO_TIME_H

/* metav1.MicroTime, "2026-11-21T20:25:27.000000Z", of now: for Leases and Events. */
enum { MICRO_TIME_TEXT = 32 };
void micro_time_now(char text[static MICRO_TIME_TEXT]);

#endif
