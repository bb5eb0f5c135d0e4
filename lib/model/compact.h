/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_COMPACT_H
#define MCKUBE_MODEL_COMPACT_H

#include "model/cluster.h"

/* A snapshot that lives long and is changed row by row collects what nothing refers to any more:
 * the strings of old versions, the runs and rules of rows that were replaced. This drops it. Rows
 * stay where they are, strings keep their ids; what moves is the shared arrays and the text of the
 * strings. Runs that were shared stay shared.
 *
 * `keep` are ids that are held outside of the snapshot. */
void cluster_compact(struct cluster *c, const str_id *keep, size_t n_keep);

#endif
