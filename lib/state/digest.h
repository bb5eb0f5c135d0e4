/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_STATE_DIGEST_H
#define MCKUBE_STATE_DIGEST_H

#include "model/cluster.h"

/* Fills c->digest with the SHA-256 of which objects a finished cluster has, and in which versions:
 * the uid of each, or its kind, namespace and name, and its resourceVersion, whatever their order
 * was in the input. A change of a file's object that has no resourceVersion does not show. */
void cluster_digest(struct cluster *c);

#endif
