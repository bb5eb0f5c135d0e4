/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_STATE_DIGEST_H
#define MCKUBE_STATE_DIGEST_H

#include "model/cluster.h"

/* Fills c->digest with the SHA-256 of all objects of a finished cluster, kind by kind and by name.
 * Each is written as its fields, strings resolved and maps sorted, so that neither the order of the
 * input nor its spelling shows; a change of any field that a plan reads does. */
void cluster_digest(struct cluster *c);

#endif
