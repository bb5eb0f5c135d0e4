/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_STATE_DIGEST_H
#define MCKUBE_STATE_DIGEST_H

#include "model/cluster.h"

/* Fills c->digest with the SHA-256 of which objects a finished cluster has, and in which versions:
 * kind, namespace, name, uid and resourceVersion, whatever their order was in the input. Objects
 * from files without a resourceVersion are told apart by their names alone. */
void cluster_digest(struct cluster *c);

#endif
