/* SPDX-License-Identifier: Apache-2.0 */
#include "base/auto.h"
#include "model/match.h"
#include "model/pod_index.h"
#include "model/request_internal.h"

static bool mckube_takes_precedence(const struct mckube *m)
{
	bool has_budget = m->period.kind || m->runtime_low.kind || m->budget_lo.kind ||
			  m->runtime_hi.kind || m->budget_hi.kind;

	return has_budget && !m->is_deleting;
}

/* Which takes precedence: by podname before by selector, then the older, then by name. */
static bool mckube_is_before(const struct cluster *c, mckube_id a, mckube_id b)
{
	const struct mckube *x = &c->mckubes.items[a], *y = &c->mckubes.items[b];

	if (!x->podname != !y->podname)
		return x->podname != 0;
	if (x->meta.created != y->meta.created)
		return x->meta.created < y->meta.created;
	return a < b;
}

void reading_name_pod(struct reading *r, mckube_id *best, mckube_id m, pod_id pod)
{
	const struct cluster *c = r->c;
	mckube_id loser = best[pod];

	r->out->of_mckube[m] = r->out->of_mckube[m] == NONE ? pod : REQUEST_MANY;
	if (best[pod] == NONE || mckube_is_before(c, m, best[pod]))
		best[pod] = m;
	else
		loser = m;
	if (loser == NONE)
		return;
	r->has_rivals = true;

	const struct mckube *l = &c->mckubes.items[loser];
	warning_add(r->warnings, cluster_str(c, l->kind), cluster_str(c, l->meta.ns),
		    cluster_str(c, l->meta.name), "DuplicateRequest",
		    "pod %s is already named by %s %s, which takes precedence",
		    cluster_str(c, c->pods.items[pod].meta.name),
		    cluster_str(c, c->mckubes.items[best[pod]].kind),
		    cluster_str(c, c->mckubes.items[best[pod]].meta.name));
}

void reading_bind(struct reading *r, mckube_id *best)
{
	const struct cluster *c = r->c;
	AUTO(pod_index_done) struct pod_index index = { 0 };
	pod_ids pods = { 0 };

	pod_index_init(&index, c);
	array_each(m, &c->mckubes)
		if (mckube_takes_precedence(m) && !m->podname)
			pod_index_want(&index, m->meta.ns, m->selector);
	pod_index_fill(&index, NULL);
	for (mckube_id id = 0; id < c->mckubes.n; id++) {
		const struct mckube *m = &c->mckubes.items[id];

		if (!mckube_takes_precedence(m))
			continue;
		if (m->podname) {
			pod_id pod = cluster_pod(c, cluster_str(c, m->meta.ns),
						 cluster_str(c, m->podname));
			if (pod != NONE)
				reading_name_pod(r, best, id, pod);
			continue;
		}
		pod_index_find(&index, m->meta.ns, m->selector, &pods);
		array_each(pod, &pods)
			reading_name_pod(r, best, id, *pod);
	}
	array_done(&pods);
}

bool reading_bind_one(struct reading *r, mckube_id *best, pod_id pod)
{
	const struct cluster *c = r->c;
	mckube_id found = NONE;

	for (mckube_id m = 0; m < c->mckubes.n; m++) {
		if (!mckube_takes_precedence(&c->mckubes.items[m]) ||
		    !match_mckube(c, &c->mckubes.items[m], &c->pods.items[pod]))
			continue;
		if (found != NONE)
			return false;
		found = m;
	}
	if (found != NONE)
		reading_name_pod(r, best, found, pod);
	return true;
}
