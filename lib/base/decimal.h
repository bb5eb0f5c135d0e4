/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_DECIMAL_H
#define MCKUBE_BASE_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* Decimals as millionths, exactly: money and power are never held in floating point. */

enum { MICRO = 1000000 };

/* Room for any as text, with its sign and end. */
enum { DECIMAL_TEXT = 24 };

/* The largest magnitude, in whole units: sums of a million of them stay within 64 bits. */
#define DECIMAL_MAX INT64_C(1000000000)

/* Reads "50", "-0.25", "1.2e3" as millionths; digits behind the sixth place round half away from
 * zero, and set *ret_rounded, which may be NULL. False: no decimal, or more than DECIMAL_MAX. */
bool decimal_parse(const char *text, size_t n, int64_t *ret, bool *ret_rounded);

/* Writes millionths without needless zeros, and with at least `places` of them: "0.538". */
void decimal_add(struct str *out, int64_t micro, unsigned places);

/* The same, rounded half away from zero to `places`, all of which are written: "42.50". */
void decimal_add_rounded(struct str *out, int64_t micro, unsigned places);

#endif
