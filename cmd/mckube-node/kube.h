/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_KUBE_H
#define MCKUBE_NODE_KUBE_H

#include "run.h"

/* Kubernetes' side of the helper: a thread that watches the pods of this node, reports about them,
 * and describes the node in its annotations. Nothing urgent waits for it. */
struct kube_side;

int kube_side_start(struct run *r, struct kube_side **ret, struct error *err);

/* Ends the thread. What follows may still be asked. */
void kube_side_stop(struct kube_side *s);
void kube_side_free(struct kube_side *s);

/* Has the first list of pods been worked through? */
bool kube_side_is_synced(const struct kube_side *s);

/* Does this DaemonSet ("NAMESPACE/NAME") exist and stay? The server is asked for two seconds; one
 * that cannot be reached means yes. Only after kube_side_stop(). */
bool kube_side_stays(struct kube_side *s, const char *daemon_set);

/* Takes a note to be told as an Event. */
void kube_side_tell(struct kube_side *s, const struct note *n);

/* The engine's revision has changed, or the node has become busy or calm: it sleeps until it is
 * told so. NULL is fine. */
void kube_side_look(struct kube_side *s);

#endif
