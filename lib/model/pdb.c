/* SPDX-License-Identifier: Apache-2.0 */
#include "model/pdb.h"

#include "base/auto.h"
#include "model/pod_index.h"

/* Does the Eviction API let the pod go without a look at disruptionsAllowed? */
static bool is_free(const struct cluster *c, const struct pod *pod, struct pdb_cover cover)
{
	const struct pdb *pdb = &c->pdbs.items[cover.pdb];

	if (pod->is_not_started || pod->is_ready || cover.is_several)
		return pod->is_not_started;
	return pdb->frees_unready || (pdb->frees_unready_healthy && pdb->desired_healthy > 0 &&
				      pdb->current_healthy >= pdb->desired_healthy);
}

static void cover(struct pdb_cover *cover, pdb_id id)
{
	cover->is_several = cover->pdb != NONE;
	if (!cover->is_several)
		cover->pdb = id;
}

/* A budget that cannot be read may be about any pod. */
static void cover_all(const struct cluster *c, pdb_id id, struct pdb_cover *covers)
{
	const struct pdb *pdb = &c->pdbs.items[id];

	for (pod_id pod = 0; pod < c->pods.n; pod++)
		if (pdb->is_anywhere || c->pods.items[pod].meta.ns == pdb->meta.ns)
			cover(&covers[pod], id);
}

struct pdb_cover *pdbs_read(const struct cluster *c, const uint32_t *of_pod)
{
	struct pdb_cover *covers = xmalloc(c->pods.n * sizeof(*covers));
	AUTO(pod_index_done) struct pod_index index = { 0 };
	pod_ids pods = { 0 };

	for (pod_id id = 0; id < c->pods.n; id++)
		covers[id] = (struct pdb_cover){ NONE, false };
	pod_index_init(&index, c);
	array_each(pdb, &c->pdbs)
		if (!pdb->is_unread)
			pod_index_want(&index, pdb->meta.ns, pdb->pods);
	pod_index_fill(&index, of_pod);
	for (pdb_id id = 0; id < c->pdbs.n; id++) {
		const struct pdb *pdb = &c->pdbs.items[id];

		if (pdb->is_unread) {
			cover_all(c, id, covers);
			continue;
		}
		pod_index_find(&index, pdb->meta.ns, pdb->pods, &pods);
		array_each(pod, &pods)
			cover(&covers[*pod], id);
	}
	array_done(&pods);
	for (pod_id id = 0; id < c->pods.n; id++)
		if (covers[id].pdb != NONE && is_free(c, &c->pods.items[id], covers[id]))
			covers[id] = (struct pdb_cover){ NONE, false };
	return covers;
}

int32_t pdb_left(const struct pdb *pdb)
{
	return pdb->is_stale ? 0 : pdb->disruptions_allowed;
}

bool pdb_allows(const struct cluster *c, struct pdb_cover cover)
{
	if (cover.pdb == NONE)
		return true;
	return !cover.is_several && pdb_left(&c->pdbs.items[cover.pdb]) > 0;
}
