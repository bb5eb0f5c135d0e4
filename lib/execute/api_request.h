/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_EXECUTE_API_REQUEST_H
#define MCKUBE_EXECUTE_API_REQUEST_H

#include "execute/assignment.h"
#include "kube/client.h"
#include "plan/plan.h"

/* One action as one request to the API server:
 *
 *	Bind		POST pods/NAME/binding, the assignment's annotations on it. A pod that our
 *			scheduling gate holds: one patch that pins its node, sets the annotations
 *			and takes the gate off; kube-scheduler binds it then
 *	Assign, Move	patch of the pod's annotations
 *	Evict		POST pods/NAME/eviction
 *	Degrade		patch of annotation mckube.io/rt-degraded
 *	SetLevel	patch of annotations mckube.io/rt-current and rt-degraded
 *	Status		McKube, WorkloadOptimizer, policies: patch of its status; Pod: the
 *			assignment's annotations taken off
 *	Scale		patch of the scale subresource
 *	Annotate	patch of annotation controller.kubernetes.io/pod-deletion-cost
 *	Finalizer	server-side apply of ours; or a patch of metadata.finalizers that takes it
 *			off, and
 *	Taint, Untaint	patch of spec.taints, each after the object was read: api_request_after()
 *
 * Each names the uid. A pod's also names its resourceVersion: what the plan was made for must still
 * hold; so does the status of costs, since what was spent is counted from the one before, and what
 *is scaled. Of McKubes and nodes only what is ours alone is written, while the node helper reports
 *on the same objects: there a version is named only behind a read, because a list is written whole.
 *
 * The snapshot is asked only for what a plan does not hold: gates, affinity, node labels, the
 *source of the annotations. */

/* `version` stands for the action's own where the pod was changed by us since. */
int api_request(struct kube_request *r, const struct kube *k, const struct action *a,
		const char *version, const struct cluster *c, struct error *err);

/* Binds a pod that our gate holds: pins it to the action's target, sets the annotations, and opens
 * the gate, in one patch. -ENOTSUP: a node affinity of its own, and a node without a hostname
 * label. */
int api_open_gate(struct kube_request *r, const struct kube *k, const struct kube_ref *ref,
		  const struct action *a, const struct cluster *c, bool has_node_affinity,
		  const struct annotation_change *annotations, struct error *err);

/* What the action is about, without a version. What is scaled may be of any kind: the snapshot
 * knows how paths name it. */
struct kube_ref api_ref(const struct action *a, const struct cluster *c,
			struct kube_resource *resource);

/* Is this object another one than the action's, of the same name? */
bool api_is_other(const struct action *a, struct slice object);

/* Does the first request only read the object? */
bool api_request_reads(const struct action *a);

/* The second one then: `object` is the object's text, read just now. 1: nothing to do. */
int api_request_after(struct kube_request *r, const struct kube *k, const struct action *a,
		      const struct cluster *c, struct slice object, struct error *err);

#endif
