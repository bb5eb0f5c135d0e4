/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_KUBE_HEADER_H
#define MCKUBE_KUBE_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* The reply headers that mean something to us, as bytes of one header line. */

/* Splits "Name: value"; blanks around the value are gone. False for a status or empty line. */
bool header_split(struct slice line, struct slice *ret_name, struct slice *ret_value);

bool header_is(struct slice name, const char *wanted); /* case does not count */

/* May it be sent? Go's rule (httpguts.ValidHeaderFieldValue): no control characters but tabs; and
 * not blank, as libcurl leaves out a header without a value. */
bool header_value_is_valid(const char *value);

/* Retry-After in whole seconds (RFC 9110, 10.2.3); client-go passes over dates, so do we. */
bool header_retry_after(struct slice value, int64_t *ret_seconds);

/* Calls back with the text of each warning in a Warning header: 299 - "text" ["date"], several
 * separated by commas (RFC 7234, 5.5; Kubernetes KEP-1693 sends code 299 only). Returns how many;
 * what cannot be read ends it. */
unsigned header_warnings(struct slice value, void (*visit)(const char *text, void *arg), void *arg);

#endif
