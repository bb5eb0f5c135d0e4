/* SPDX-License-Identifier: Apache-2.0 */
#include "model/pod_level.h"

#include <string.h>

#include "model/heartbeat.h"

static bool is_silent(const struct cluster *c, const struct pod *pod)
{
	return pod->node != NONE && helper_state(c, &c->nodes.items[pod->node]) == HELPER_SILENT;
}

bool pod_is_at_floor(const struct cluster *c, const struct pod *pod)
{
	if (pod->annotations == NONE)
		return false;
	const struct pod_annotations *a = &c->annotations.items[pod->annotations];
	return a->degraded != NONE ||
	       (strcmp(cluster_str(c, a->current), LEVEL_NAME_FLOOR) == 0 && !is_silent(c, pod));
}

const char *pod_level_name(const struct cluster *c, const struct pod *pod, enum level level)
{
	if (pod_is_at_floor(c, pod))
		return LEVEL_NAME_FLOOR;
	return is_silent(c, pod) ? "unknown" : level_name(level);
}
