/* SPDX-License-Identifier: Apache-2.0 */
/* No length changes, and what was mended needs no mending. */
#include "checkpoint/criu_image.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = malloc(n + 1);

	memcpy(text, data, n);
	if (criu_mend_timers(text, n, NULL) > 0 && criu_mend_timers(text, n, NULL) != 0)
		abort();
	free(text);
	return 0;
}
