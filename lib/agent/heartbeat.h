/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_AGENT_HEARTBEAT_H
#define MCKUBE_AGENT_HEARTBEAT_H

#include "kube/client.h"
#include "node/engine/engine.h"

/* The helper's heartbeat, as kubelets have one: a Lease HELPER_LEASE_PREFIX and the node's name in
 * the helper's namespace, renewed every 10 seconds. Planners do not act upon what a helper without
 * one has reported (model/heartbeat.h). Zeroed: none was sent yet. */
struct heartbeat {
	int64_t due_ms;
	bool has_failed; /* which was logged */
};

enum { HEARTBEAT_INTERVAL_MS = 10000, HEARTBEAT_DURATION_S = 40 };

/* Returns after how many milliseconds to call it again. `ns` NULL: mckube-system. An unhealthy
 * helper sends none. Each carries what the engine's pods use (agent/use_report.h). */
int heartbeat_step(struct heartbeat *h, struct kube *k, const char *ns, const char *node_name,
		   struct engine *e, bool is_healthy);

/* The Lease to be applied, with the annotation HELPER_USE. Pure. */
void heartbeat_lease(struct str *out, const char *ns, const char *name, const char *node_name,
		     const char *use, const char *now);

#endif
