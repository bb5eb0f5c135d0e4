/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/economy/kinds.h"

/* The best node for a pod: where J grows least, then where its share is lowest, then by name; of
 * nodes that cost the same, the fullest. */

/* Its share, at the on-demand price where the pod does not prefer spot: else equal costs would draw
 * it there. */
static int64_t counted_share(const struct economy *e, const struct cargo *g, node_id node)
{
	const struct fleet_node *n = &e->fleet.nodes[node];
	bool prefers_spot = g->of == NONE || e->c->optimizers.items[g->of].prefers_spot;

	return fleet_share_of(n, g->billed, prefers_spot ? n->price : n->on_demand);
}

static bool accepts(struct economy *e, uint32_t cargo, node_id node, bool only_used)
{
	return (!only_used || e->sites[node].is_used_before) &&
	       node != e->cargo.items[cargo].origin && economy_fits(e, cargo, node);
}

/* What holds for all nodes of the kind alike. */
static bool kind_is_open(const struct economy *e, uint32_t cargo, uint32_t kind)
{
	const struct cargo *g = &e->cargo.items[cargo];
	node_id node = kinds_get(e->kinds, kind)->node;

	return economy_allows_kind(e, cargo, kind) &&
	       g->load.accelerators <= e->fleet.nodes[node].n_accelerators &&
	       !economy_price_refuses(e, g, node);
}

struct choice {
	node_id node;
	int64_t more, share;
};

static void consider(struct economy *e, uint32_t cargo, node_id node, struct choice *best)
{
	struct choice c = {
		.node = node,
		.more = economy_increase(e, cargo, node),
		.share = counted_share(e, &e->cargo.items[cargo], node),
	};

	if (best->node == NONE || c.more < best->more ||
	    (c.more == best->more &&
	     (c.share < best->share || (c.share == best->share && node < best->node))))
		*best = c;
}

int64_t economy_least_increase(struct economy *e, uint32_t cargo)
{
	size_t n;
	const struct span *s = kinds_spans(e, cargo, &n);

	return n ? s->least : 0;
}

node_id economy_best(struct economy *e, uint32_t cargo, bool only_used)
{
	struct choice best = { .node = NONE };
	size_t n;

	if (economy_is_closed_to(e, &e->cargo.items[cargo]))
		return NONE;
	economy_allowed(e, cargo);
	const struct span *s = kinds_spans(e, cargo, &n);
	for (size_t i = 0; i < n; i++) {
		const struct kind *kind = kinds_get(e->kinds, s[i].kind);

		if (best.node != NONE && s[i].least > best.more)
			break;
		e->steps++;
		if (!kind->roots[s[i].group] || (only_used && !(s[i].group & KIND_USED)) ||
		    !kind_is_open(e, cargo, s[i].kind))
			continue;
		if (best.node != NONE &&
		    s[i].least + economy_penalty(e, cargo, kind->node) > best.more)
			continue;
		node_id node = kinds_walk(e, cargo, &s[i], accepts, only_used);
		if (node != NONE)
			consider(e, cargo, node, &best);
	}
	return best.node;
}
