/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/evictions.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "model/pdb.h"
#include "model/time_windows.h"

static int32_t *make_limits(size_t n, uint32_t limit)
{
	int32_t *left = limit ? xcalloc(n, sizeof(*left)) : NULL;

	for (size_t i = 0; left && i < n; i++)
		left[i] = (int32_t)limit;
	return left;
}

int64_t evictions_closed_for(const struct settings *settings, int64_t now)
{
	struct time_windows windows;

	if (!now || !*settings->evictions.windows)
		return 0;
	/* They were checked when they were read: what is none is never open. */
	if (time_windows_parse(settings->evictions.windows, &windows, NULL) < 0)
		return INT32_MAX;
	return time_windows_wait(&windows, settings_local_time(settings, now));
}

void evictions_init(struct evictions *e, const struct cluster *c, const struct settings *settings)
{
	*e = (struct evictions){
		.c = c,
		.of_pdb = xcalloc(c->pdbs.n, sizeof(*e->of_pdb)),
		.of_node = make_limits(c->nodes.n, settings->evictions.per_node),
		.of_namespace = make_limits(c->strings.n, settings->evictions.per_namespace),
		.in_all = settings->evictions.per_pass ? (int32_t)settings->evictions.per_pass
						       : INT32_MAX,
	};
	for (pdb_id id = 0; id < c->pdbs.n; id++)
		e->of_pdb[id] = pdb_left(&c->pdbs.items[id]);
	e->is_limited = evictions_are_limited(settings);
	e->closed = evictions_closed_for(settings, c->taken_at);
	e->is_for_nothing = settings->evictions.outside == EVICT_FOR_NOTHING;
	if (evictions_are_closed(e)) {
		e->in_all = 0;
		e->is_limited = true;
	}
}

void evictions_done(struct evictions *e)
{
	free(e->of_pdb);
	free(e->of_node);
	free(e->of_namespace);
	*e = (struct evictions){ 0 };
}

bool evictions_reached(const struct evictions *e, pod_id pod)
{
	const struct pod *p = &e->c->pods.items[pod];

	return e->in_all <= 0 || (e->of_node && p->node != NONE && e->of_node[p->node] <= 0) ||
	       (e->of_namespace && e->of_namespace[p->meta.ns] <= 0);
}

bool evictions_allow(const struct evictions *e, pod_id pod, pdb_id pdb)
{
	return (pdb == NONE || e->of_pdb[pdb] > 0) && !evictions_reached(e, pod);
}

void evictions_count(struct evictions *e, pod_id pod, pdb_id pdb, int n)
{
	const struct pod *p = &e->c->pods.items[pod];

	if (pdb != NONE)
		e->of_pdb[pdb] -= n;
	if (!e->is_limited)
		return;
	e->in_all -= n;
	if (e->of_node && p->node != NONE)
		e->of_node[p->node] -= n;
	if (e->of_namespace)
		e->of_namespace[p->meta.ns] -= n;
}
