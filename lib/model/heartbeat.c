/* SPDX-License-Identifier: Apache-2.0 */
#include "model/heartbeat.h"

enum helper_state helper_state(const struct cluster *c, const struct node *node)
{
	if (!c->has_heartbeats || !c->taken_at || !*cluster_str(c, node->annotations.backend))
		return HELPER_UNKNOWN;
	return node->heartbeat && c->taken_at <= node->heartbeat + node->heartbeat_seconds
		       ? HELPER_ALIVE
		       : HELPER_SILENT;
}

int64_t helper_seconds_left(const struct cluster *c, const struct node *node)
{
	if (helper_state(c, node) != HELPER_ALIVE)
		return 0;
	return node->heartbeat + node->heartbeat_seconds - c->taken_at + 1;
}

const char *helper_backend(const struct cluster *c, const struct node *node)
{
	return helper_state(c, node) == HELPER_SILENT ? ""
						      : cluster_str(c, node->annotations.backend);
}
