/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>

#include "objects/config.h"

/* Whatever is accepted must be within the ranges that the table promises. */
static void check(const struct settings *s)
{
	if (s->core_utilization_threshold > 1000000 || s->rt_capacity > 1000000 ||
	    s->search_steps < 1000 || s->preemption_nodes < 1 || s->n_policies > MAX_POLICIES)
		abort();
	for (uint32_t i = 0; i < s->n_policies; i++)
		if (!s->policies[i].name[0] || s->policies[i].weight > 1000)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings settings;
	struct error err;

	config_preset(&settings);
	config_read((const char *)data, size, &settings, &err);
	check(&settings);
	return 0;
}
