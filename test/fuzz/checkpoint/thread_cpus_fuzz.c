/* SPDX-License-Identifier: Apache-2.0 */
/* What a helper of another node says of threads: numbers of threads, CPUs of the container alone.
 */
#include <stdint.h>
#include <stdlib.h>

#include "checkpoint/thread_cpus.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice rest = { (const char *)data, n };
	struct cpuset container = { .bits = { 0xf0f0 } }, places;
	struct error err = ERROR_INIT;
	int tid;

	while (thread_cpus_next(&rest, &tid, &places, &err) == 1) {
		const struct cpuset cpus = thread_cpus_at(&places, &container);

		if (tid <= 0 || !cpuset_is_subset(&cpus, &container))
			abort();
	}
	return 0;
}
