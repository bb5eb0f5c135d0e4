/* SPDX-License-Identifier: Apache-2.0 */
#include "model/closed.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* Nodes that have the same value of the label as this one. */
static void close_domain(const struct cluster *c, node_id node, str_id key, bool *closed)
{
	str_id value = cluster_label(c, c->nodes.items[node].labels, key);

	for (node_id id = 0; value != INTERN_NONE && id < c->nodes.n; id++)
		if (cluster_label(c, c->nodes.items[id].labels, key) == value)
			closed[id] = true;
}

/* The topologies of unread anti-affinity: zones, regions, and what others of the snapshot name. */
static void close_domains(const struct cluster *c, node_id node, bool *closed)
{
	static const char *const keys[] = { "topology.kubernetes.io/zone",
					    "topology.kubernetes.io/region" };

	closed[node] = true;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		close_domain(c, node, intern_find(&c->strings, keys[i], strlen(keys[i])), closed);
	array_each(term, &c->inter_pod)
		close_domain(c, node, term->topology_key, closed);
	array_each(spread, &c->spreads)
		close_domain(c, node, spread->topology_key, closed);
}

bool *nodes_closed(const struct cluster *c, const struct capacity *cap, const struct requests *r)
{
	bool *closed = xcalloc(c->nodes.n + (size_t)1, sizeof(*closed));

	for (node_id id = 0; id < c->nodes.n; id++)
		closed[id] = c->nodes.items[id].is_unread || cap->nodes.items[id].is_unread;
	array_each(pod, &c->pods) {
		if (pod->is_anywhere)
			memset(closed, true, c->nodes.n * sizeof(*closed));
		else if (pod->avoids_unknown && pod->node != NONE)
			close_domains(c, pod->node, closed);
		else if (pod->takes_unknown && pod->node != NONE)
			closed[pod->node] = true;
	}
	array_each(q, &r->list) {
		const struct pod *pod = &c->pods.items[q->pod];

		if (q->is_unread && pod->node != NONE)
			closed[pod->node] = true;
	}
	return closed;
}
