/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/header.h"

#include <stdint.h>
#include <string.h>

static void visit(const char *text, void *arg)
{
	*(size_t *)arg += strlen(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice name, value;
	int64_t seconds = 0;
	size_t total = 0;

	if (!header_split((struct slice){ n ? (const char *)data : "", n }, &name, &value))
		return 0;
	header_warnings(value, visit, &total);
	if (total > n || (header_retry_after(value, &seconds) && seconds < 0))
		__builtin_trap();
	return 0;
}
