/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>

#include "node/rt_operator.h"

/* Any text as rt-operator.yaml: it is refused with a message, or gives values within bounds. */

static void check(const struct rt_operator *c)
{
	if (c->cgroup_v1_capacity < 0 || c->cgroup_v1_capacity > 1000000)
		abort();
	if (c->log_level < RT_OPERATOR_SILENT || c->log_level > 4)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	struct error err = ERROR_INIT;
	struct rt_operator c;

	if (rt_operator_parse((const char *)data, size, &arena, &c, &err) == 0)
		check(&c);
	else if (!err.msg[0] || err.code >= 0)
		abort();
	arena_done(&arena);
	return 0;
}
