/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_PDB_H
#define MCKUBE_MODEL_PDB_H

#include "model/cluster.h"

/* Which PodDisruptionBudget covers which pod. The Eviction API takes each eviction from
 * status.disruptionsAllowed of the one that covers the pod; it refuses a pod under several (500),
 * and one whose budget allows none now, or whose status is behind its spec (429). It lets go
 * without a budget what has not started, and, depending on the budget, what is not ready: for these
 * there is no cover. */

struct pdb_cover {
	pdb_id pdb; /* the first by name; NONE */
	bool is_several;
};

/* By pod_id; the caller frees it. `of_pod`: only those with of_pod[id] != NONE are asked for, and
 * what stands for the others means nothing; NULL: all. */
struct pdb_cover *pdbs_read(const struct cluster *c, const uint32_t *of_pod);

/* The evictions that the budget allows now. */
int32_t pdb_left(const struct pdb *pdb);

/* Would the Eviction API take a pod that is covered like this? */
bool pdb_allows(const struct cluster *c, struct pdb_cover cover);

#endif
