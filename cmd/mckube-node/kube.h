/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_KUBE_H
#define MCKUBE_NODE_KUBE_H

#include "run.h"

/* Kubernetes' side of the helper: a thread that watches the pods of this node, reports about them,
 * and describes the node in its annotations. Nothing urgent waits for it. */
struct kube_side;

int kube_side_start(struct run *r, struct kube_side **ret, struct error *err);
void kube_side_stop(struct kube_side *s);

/* Takes a note to be told as an Event. */
void kube_side_tell(struct kube_side *s, const struct note *n);

#endif
