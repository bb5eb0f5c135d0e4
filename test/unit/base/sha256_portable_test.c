/* SPDX-License-Identifier: Apache-2.0 */
/* What CPUs without instructions of their own for it run. */
#define MCKUBE_PORTABLE
#include "lib/base/sha256.c"

#include "test/unit/base/sha256_test.c"
