/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_OBJECTS_QUANTITY_H
#define MCKUBE_OBJECTS_QUANTITY_H

#include <stdint.h>

#include "base/str.h"

/* Kubernetes quantities: a signed decimal number with a suffix, which is one of n u m k M G T P E,
 * of Ki Mi Gi Ti Pi Ei, or an exponent (e3, E-3). Fractions of the unit asked for are rounded away
 * from zero, as Quantity.Value() and MilliValue() do. Blanks around it do not count, and what 64
 * bits cannot hold is the largest number that they can, as there.
 *
 * Both return 0, or -EINVAL for text that is no quantity. */
int quantity_value(struct slice text, int64_t *ret);
int quantity_milli(struct slice text, int64_t *ret);

#endif
