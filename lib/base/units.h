/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_UNITS_H
#define MCKUBE_BASE_UNITS_H

/* Conversions of units. All fit in an int: widen before multiplying. */
enum {
	NS_PER_US = 1000,
	NS_PER_MS = 1000000,
	NS_PER_S = 1000000000,
	US_PER_S = 1000000,
	MS_PER_S = 1000,
	PER_CENT = 100,
	PPM = 1000000, /* parts per million of a whole */
	PPM_PER_CENT = PPM / PER_CENT,
};

#endif
