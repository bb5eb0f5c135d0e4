/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "agent/assignment.h"
#include "node/container.h"
#include "node/set_rt.h"

/* Any JSON as a Pod, and as a POST of the older agents: what is accepted is within bounds. */

static void check_pod(const cJSON *pod)
{
	static struct assignment w;
	struct error err;
	uint64_t sum = 0;

	if (assignment_read(pod, false, 4, &w, &err) == ASSIGNMENT_VALID) {
		const struct budget *b = &w.want.budget;

		if (b->low < 1 || b->low > b->hi || b->hi > b->period || b->floor > b->low ||
		    !cpuset_count(&w.want.cores) || !pod_uid_is_valid(w.want.uid))
			abort();
		for (size_t i = 0; i < w.want.n_containers; i++)
			sum += w.containers[i].share;
		if (sum > PPM || w.want.n_containers > ASSIGNMENT_CONTAINERS)
			abort();
	}
	assignment_done(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_JSON cJSON *json = NULL;
	struct set_rt s;

	if (set_rt_parse((const char *)data, size, &s, NULL) == 0 &&
	    (strpbrk(s.container, "/.") || s.runtime_us < 0))
		abort();
	if (json_parse((const char *)data, size, &json, NULL) == 0)
		check_pod(json);
	return 0;
}
