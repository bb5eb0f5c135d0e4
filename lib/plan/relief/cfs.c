/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "model/pdb.h"
#include "plan/relief/relieve_internal.h"

/* Where CPU time is short, pods without real time yield first: BestEffort before Burstable, and of
 * a class the one with the lowest priority, then the youngest. */

static const struct pdb_cover *cover_of(const struct pressured_node *x, pod_id pod)
{
	if (!x->r->covers)
		x->r->covers = pdbs_read(x->p->trial.c, NULL);
	return &x->r->covers[pod];
}

static bool has_room(const struct trial *t, const struct pod *pod, node_id node)
{
	const struct node_load *n = &t->nodes[node];
	const int64_t want[RES_KINDS] = { pod->cpu_milli, pod->memory, pod->ephemeral, 1 };

	for (int i = 0; i < RES_KINDS; i++)
		if (want[i] && n->used[0][i] + want[i] > n->have[i])
			return false;
	return pod->extended.n == 0;
}

/* Is there another node that takes its replacement? */
static bool fits_elsewhere(const struct pressured_node *x, const struct pod *pod)
{
	const struct trial *t = &x->p->trial;
	const uint64_t *allowed = filters_allowed_by_rules(&x->p->filters, pod->rules);

	for (node_id node = 0; node < t->c->nodes.n; node++)
		if (node != x->node && !t->nodes[node].is_closed && filter_bit(allowed, node) &&
		    has_room(t, pod, node))
			return true;
	return false;
}

static bool may_evict(const struct pressured_node *x, pod_id id)
{
	const struct trial *t = &x->p->trial;
	const struct pod *pod = &t->c->pods.items[id];

	if (pod->node != x->node || pod->qos == QOS_GUARANTEED || t->req.of_pod[id] != NONE ||
	    trial_is_untouchable(t, pod) || trial_may_not_evict(t, pod) ||
	    pod->owner_kind == t->owner.daemon_set)
		return false;
	if (t->settings->pressure.evict != PRESSURE_EVICT_ALL &&
	    (!pod->owner_kind || !fits_elsewhere(x, pod)))
		return false;
	const struct pdb_cover *cover = cover_of(x, id);
	return pdb_allows(t->c, *cover) && evictions_allow(&t->evictions, id, cover->pdb);
}

static bool yields_before(const struct cluster *c, pod_id a, pod_id b)
{
	const struct pod *x = &c->pods.items[a], *y = &c->pods.items[b];

	if (x->qos != y->qos)
		return x->qos < y->qos;
	if (x->priority != y->priority)
		return x->priority < y->priority;
	return x->meta.created != y->meta.created ? x->meta.created > y->meta.created : a < b;
}

bool relieve_evict_cfs(const struct pressured_node *x)
{
	struct trial *t = &x->p->trial;
	pod_id chosen = NONE;

	if (t->settings->pressure.trigger != PRESSURE_CPU || !x->protected ||
	    t->settings->pressure.evict == PRESSURE_EVICT_NONE)
		return false;
	for (pod_id id = 0; id < t->c->pods.n; id++)
		if (may_evict(x, id) && (chosen == NONE || yields_before(t->c, id, chosen)))
			chosen = id;
	if (chosen == NONE)
		return false;
	evictions_count(&t->evictions, chosen, cover_of(x, chosen)->pdb, 1);
	x->r->cfs_on[x->node] = chosen;
	return true;
}
