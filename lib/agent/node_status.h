/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_AGENT_NODE_STATUS_H
#define MCKUBE_AGENT_NODE_STATUS_H

#include "agent/agent.h"
#include "kube/client.h"

/* The node's annotations: its capacity for the planner (model/capacity.h), once; the older CPU
 * agent's, when the node becomes busy or calm, else every 30 seconds; and real-time time that pods
 * were granted and did not receive (node/rt_pressure.h), when that begins or ends, else at most
 * every 5.5 seconds when it changes by more than a quarter, and every 30 when it changes at all.
 * Where it cannot be measured and none is known the annotation is absent. Zeroed: nothing was sent
 * yet. */
struct node_status {
	bool is_described, was_busy, has_retained;
	uint32_t retained; /* as it was written */
	int64_t due_ms;
	struct pressure_status {
		bool is_written, is_measured;
		uint32_t us;
		int64_t at_ms;
	} pressure;
};

/* After how many milliseconds to write this reading; 0: now. Pure. */
int64_t pressure_status_wait(const struct pressure_status *p, const struct rt_pressure_reading *now,
			     int64_t now_ms);

/* Returns after how many milliseconds to call it again if nothing happens. */
int node_status_send(struct node_status *n, const struct agent_options *o, struct kube *k,
		     struct error *err);

#endif
