/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_BASE64_H
#define MCKUBE_BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/* The standard alphabet with padding (RFC 4648, 4). Line breaks inside are passed over, as Go's
 * decoder does it for the -data fields of a kubeconfig; anything else that does not belong there
 * makes it false, and out is cut back to what it was. */
bool base64_decode(const char *s, size_t n, struct str *out);

/* The other way, in one line. */
void base64_encode(const void *s, size_t n, struct str *out);

#endif
