/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_AGENT_MCKUBE_STATUS_H
#define MCKUBE_AGENT_MCKUBE_STATUS_H

#include "agent/pod_status.h"

/* The status of the McKube that speaks for a pod: currentRuntime, lastOverrunTime, allocatedCore,
 * podUID, observedGeneration, and the conditions Placed (its pod has a node and cores), RTApplied
 * (the kernel holds its budget), Overrunning (it is above its normal level) and Ready (the first
 * two). Conditions of other types stay as they are.
 *
 * Of several McKubes with this podname the oldest speaks, then the first by name, as in a plan. One
 * with a selector is not written: it may mean pods of several nodes.
 *
 * `kubectl mckube apply` corrects allocatedCore, currentRuntime and podUID where they contradict
 * the pod's annotations. Both say what these annotations say, and both name the version that they
 * read, so they do not take turns. */

/* When it is to be written, by clock_ms(); INT64_MAX: it says what it should. It is written twice a
 * second at most; for an overrun that changes nothing else every ten seconds. */
int64_t mckube_status_due_ms(const struct pod_status *p);

/* Reads the McKube and writes what differs. */
int mckube_status_send(struct pod_statuses *s, const struct pod_status *due, struct kube *k,
		       struct error *err);

#endif
