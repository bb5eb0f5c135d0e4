/* SPDX-License-Identifier: Apache-2.0 */
/* What runs where there is no SSE2. */
#define MCKUBE_PORTABLE
#include "lib/base/stretch.c"

#include "test/unit/base/stretch_test.c"
