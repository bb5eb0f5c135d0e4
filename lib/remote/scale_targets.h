/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_REMOTE_SCALE_TARGETS_H
#define MCKUBE_REMOTE_SCALE_TARGETS_H

#include "kube/client.h"
#include "model/cluster.h"

/* Reads the subresource scale of what WorkloadOptimizers name by targetRef, each as a ScaleTarget:
 * of any kind but Deployment and StatefulSet, which are read whole. The kind's name in paths comes
 * from the discovery of its group and version, and is asked for once.
 *
 * Nothing here fails: what could not be read is a ScaleTarget without replicas, with the reason.
 *
 *	struct scale_targets *t = scale_targets_new(&kube);
 *	scale_targets_ask(t, &cluster);
 *	while (scale_targets_run(t, 100)) {}
 *	const char *const *objects = scale_targets_objects(t, &n);
 *	scale_targets_free(t);
 */
struct scale_targets;

/* Does a WorkloadOptimizer of these name an object of another kind? */
bool scale_targets_are_wanted(const struct cluster *c);

/* `k` must outlive it. */
struct scale_targets *scale_targets_new(struct kube *k);
void scale_targets_free(struct scale_targets *t);

/* Asks for all of them at once; what was asked before is dropped. The cluster may be one that is
 * still being loaded. */
void scale_targets_ask(struct scale_targets *t, const struct cluster *c);

/* Works for at most timeout_ms; with 0 it only takes what has come. False: all are answered, and
 * the objects are there until scale_targets_ask() is called again. */
bool scale_targets_run(struct scale_targets *t, int timeout_ms);

/* ScaleTargets as JSON, in the order of the WorkloadOptimizers. */
const char *const *scale_targets_objects(const struct scale_targets *t, size_t *ret_n);

#endif
