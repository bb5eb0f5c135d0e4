/* SPDX-License-Identifier: Apache-2.0 */
#include "budget/cpuset.h"

#include <stdlib.h>
#include <string.h>

/* What is read is not empty, and its text form reads as the same set. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct cpuset set, again;
	char text[CPUSET_TEXT];

	if (cpuset_parse((const char *)data, n, &set, NULL) < 0)
		return 0;
	cpuset_format(&set, text);
	if (cpuset_count(&set) == 0 || cpuset_parse(text, strlen(text), &again, NULL) < 0 ||
	    !cpuset_eq(&set, &again))
		abort();
	return 0;
}
