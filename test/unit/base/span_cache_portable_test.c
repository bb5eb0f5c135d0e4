/* SPDX-License-Identifier: Apache-2.0 */
/* What runs where there is no SSE2. */
#define MCKUBE_PORTABLE
#include "lib/base/span_cache.c"

#include "test/unit/base/span_cache_test.c"
