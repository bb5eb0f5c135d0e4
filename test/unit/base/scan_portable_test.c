/* SPDX-License-Identifier: Apache-2.0 */
/* What runs where there is no SSE2. */
#define MCKUBE_PORTABLE
#include "lib/base/scan.c"

#include "test/unit/base/scan_test.c"
