/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_POWER_CURVE_H
#define MCKUBE_MODEL_POWER_CURVE_H

#include <stdbool.h>
#include <stdint.h>

/* What a node draws by the part of its CPU that is in use: straight between points. */

enum { CURVE_POINTS = 16 };

struct power_curve {
	uint32_t n;		     /* 0: none, else at least 2 */
	int32_t use[CURVE_POINTS];   /* ppm, rising from 0 to PPM */
	int64_t power[CURVE_POINTS]; /* mW */
};

/* "0:8.8,0.1:14,1:39.9": parts and watts. False: it is none. *ret_rounded is set where a number has
 * more than six decimal places. */
bool power_curve_parse(const char *text, struct power_curve *ret, bool *ret_rounded);

struct power_curve power_curve_line(int64_t idle, int64_t max); /* mW */

/* The model of Peaks in kubernetes-sigs/scheduler-plugins, k0 + k1 * e^(k2 * x) watts at x per
 * cent, at 0, 10 ... 100. False: it is negative, or no number, at one of them. */
bool power_curve_of_peaks(double k0, double k1, double k2, struct power_curve *ret);

#endif
