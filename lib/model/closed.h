/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_CLOSED_H
#define MCKUBE_MODEL_CLOSED_H

#include "model/capacity.h"
#include "model/request.h"

/* Nodes of which it is not known what they have, or what is taken of it, because an object or an
 * annotation cannot be read: nothing more may be promised there.
 *
 * Returns flags by node_id, to be freed. */
bool *nodes_closed(const struct cluster *c, const struct capacity *cap, const struct requests *r);

#endif
