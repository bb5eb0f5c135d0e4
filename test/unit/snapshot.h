/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_TEST_SNAPSHOT_H
#define MCKUBE_TEST_SNAPSHOT_H

#include "model/cluster.h"

/* The snapshot of these YAML documents, for tests of what works on snapshots. The test fails when
 * the text cannot be read, or when anything in it was left out. The caller owns the cluster. */
struct cluster snapshot_of(const char *yaml);

/* The same of a text of which something cannot be read. */
struct cluster unread_snapshot_of(const char *yaml);

#endif
