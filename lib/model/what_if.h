/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_WHAT_IF_H
#define MCKUBE_MODEL_WHAT_IF_H

#include "base/error.h"
#include "model/cluster.h"

/* Changes of a snapshot that are only assumed: what would the plan be? Each function makes one, on
 * a cluster that is finished, and leaves it finished. What was assumed on the way becomes a problem
 * of the cluster with the reason "WhatIf", and so a warning of the plan. Ids that were kept from
 * before are void. */

/* As `kubectl drain --ignore-daemonsets --force` does: the node is cordoned; pods of controllers
 * come again as pending ones where they are for us to place, and other pods are gone. Mirror and
 * DaemonSet pods stay. A PodDisruptionBudget that allows less is said, and not waited for. -ENOENT:
 * there is no such node. */
int what_if_drain(struct cluster *c, const char *name, struct error *err);

/* As many copies of the node with the most CPUs (the first by name), empty, with its labels, taints
 * and annotations. -ENOENT: there is no node to copy. */
int what_if_add_nodes(struct cluster *c, unsigned n, struct error *err);

/* The controller has n pods (n <= WHAT_IF_MAX_PODS): new ones are copies of one that it has. `kind`
 * is "Deployment", "StatefulSet" or "ReplicaSet". Of more, pending ones go first, then the newest;
 * of a StatefulSet the highest ordinals. -ENOENT: it has no pod. */
enum { WHAT_IF_MAX_PODS = 1000, WHAT_IF_MAX_NODES = 1000 };
int what_if_scale(struct cluster *c, const char *kind, const char *ns, const char *name, unsigned n,
		  struct error *err);

/* The pod is not there, and not made again. */
void what_if_without(struct cluster *c, pod_id pod);

#endif
