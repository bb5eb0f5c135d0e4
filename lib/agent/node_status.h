/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_AGENT_NODE_STATUS_H
#define MCKUBE_AGENT_NODE_STATUS_H

#include "agent/agent.h"
#include "kube/client.h"

/* The node's annotations: its capacity for the planner (model/capacity.h), once; and the older CPU
 * agent's, when the node becomes busy or calm, else every 30 seconds. Zeroed: nothing was sent yet.
 */
struct node_status {
	bool is_described, was_busy, has_retained;
	uint32_t retained; /* as it was written */
	int64_t due_ms;
};

/* Returns after how many milliseconds to call it again if nothing happens. */
int node_status_send(struct node_status *n, const struct agent_options *o, struct kube *k,
		     struct error *err);

#endif
