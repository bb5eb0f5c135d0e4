/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>

/* What each target has. libFuzzer has no header for it, so the build includes this one in all. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
