/* SPDX-License-Identifier: Apache-2.0 */
#include "model/pdb.h"

#include <string.h>

#include "base/auto.h"
#include "model/pod_index.h"

pdb_id *pdbs_read(const struct cluster *c)
{
	pdb_id *of_pod = xmalloc(c->pods.n * sizeof(*of_pod));
	AUTO(pod_index_done) struct pod_index index = { 0 };
	pod_ids pods = { 0 };

	memset(of_pod, 0xff, c->pods.n * sizeof(*of_pod)); /* NONE */
	pod_index_init(&index, c);
	array_each(pdb, &c->pdbs)
		pod_index_want(&index, pdb->meta.ns, pdb->pods);
	pod_index_fill(&index);
	for (pdb_id id = 0; id < c->pdbs.n; id++) {
		const struct pdb *pdb = &c->pdbs.items[id];

		pod_index_find(&index, pdb->meta.ns, pdb->pods, &pods);
		array_each(pod, &pods)
			of_pod[*pod] = of_pod[*pod] == NONE ? id : PDB_SEVERAL;
	}
	array_done(&pods);
	return of_pod;
}
