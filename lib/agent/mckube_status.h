/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_AGENT_MCKUBE_STATUS_H
#define MCKUBE_AGENT_MCKUBE_STATUS_H

#include "agent/pod_status.h"

/* The status of a pod's McKube: currentRuntime ("floor" where the pod has its floor),
 * lastOverrunTime, allocatedCore, podUID, observedGeneration, and the conditions Placed (its pod
 * has a node and cores), RTApplied (its budget was read back from the kernel), Overrunning (it is
 * above its normal level) and Ready (the first two, and not at its floor). Conditions of other
 * types stay as they are.
 *
 * Of several McKubes with this podname the oldest takes precedence, then the first by name, as in a
 * plan. One with a selector is not written: it may select pods of several nodes.
 *
 * `kubectl mckube apply` corrects allocatedCore, currentRuntime and podUID where they contradict
 * the pod's annotations. Both write what these annotations have, and both name the version that
 * they read, so they do not overwrite each other in turn. */

enum { MCKUBE_CONDITION_TEXT = 320 };

struct mckube_condition {
	bool is_true;
	const char *reason;
	char message[MCKUBE_CONDITION_TEXT];
};

/* The conditions RTApplied and Ready of a pod that is here. Pure. */
void mckube_status_conditions(const struct pod_status *p, struct mckube_condition *ret_applied,
			      struct mckube_condition *ret_ready);

/* When it is to be written, by clock_ms(); INT64_MAX: it is up to date. It is written twice a
 * second at most; for an overrun that changes nothing else every ten seconds. */
int64_t mckube_status_due_ms(const struct pod_status *p);

/* Reads the McKube and writes what differs. */
int mckube_status_send(struct pod_statuses *s, const struct pod_status *due, struct kube *k,
		       struct error *err);

#endif
