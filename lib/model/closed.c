/* SPDX-License-Identifier: Apache-2.0 */
#include "model/closed.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

bool *nodes_closed(const struct cluster *c, const struct capacity *cap, const struct requests *r)
{
	bool *closed = xcalloc(c->nodes.n + (size_t)1, sizeof(*closed));

	for (node_id id = 0; id < c->nodes.n; id++)
		closed[id] = c->nodes.items[id].is_unread || cap->nodes.items[id].is_unread;
	array_each(pod, &c->pods) {
		if (pod->is_anywhere)
			memset(closed, true, c->nodes.n * sizeof(*closed));
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
