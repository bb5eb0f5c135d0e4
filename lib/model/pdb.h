/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_PDB_H
#define MCKUBE_MODEL_PDB_H

#include "model/cluster.h"

/* Which PodDisruptionBudget covers which pod. The Eviction API takes each eviction from
 * status.disruptionsAllowed of the one that covers the pod; it refuses a pod under several (500),
 * and one whose budget allows none now (429). */

#define PDB_SEVERAL (UINT32_MAX - 1)

/* By pod_id: the one budget, NONE, or PDB_SEVERAL. The caller frees it. */
pdb_id *pdbs_read(const struct cluster *c);

#endif
