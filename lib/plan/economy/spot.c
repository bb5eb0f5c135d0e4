/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/economy/economy.h"

enum { MONTH_SECONDS = 730 * 3600, LOST_SECONDS = 1800 };

bool economy_spot_is_open(const struct account *a, const struct fleet_node *n)
{
	if (a->forbids_spot || (a->max_spot_price >= 0 && n->price > a->max_spot_price))
		return false;
	return a->max_interruption_ppm < 0 || !n->is_monthly_known ||
	       n->monthly <= a->max_interruption_ppm;
}

/* ---- Of one kind ---- */

struct spot_key {
	uint32_t of, type, zone;
};

static struct spot_key key_of(const struct economy *e, optimizer_id of, node_id node)
{
	const struct fleet_node *n = &e->fleet.nodes[node];

	return (struct spot_key){ of, n->type, n->zone };
}

void economy_count_spot(struct economy *e, optimizer_id of, node_id node, int sign)
{
	const struct spot_key key = key_of(e, of, node);
	str_id id = intern_add(&e->spot_keys, &key, sizeof(key));

	while (e->spot_counts.n <= id)
		*array_add(&e->spot_counts) = (struct spot_count){ .of = NONE };
	e->spot_counts.items[id].of = of;
	e->spot_counts.items[id].n += (uint32_t)sign;
}

static uint32_t count_at(const struct economy *e, optimizer_id of, node_id node)
{
	const struct spot_key key = key_of(e, of, node);
	str_id id = intern_find(&e->spot_keys, &key, sizeof(key));

	return id == INTERN_NONE || id >= e->spot_counts.n ? 0 : e->spot_counts.items[id].n;
}

bool economy_spot_is_spread(const struct economy *e, const struct cargo *g, node_id node)
{
	const struct spot_key key = key_of(e, g->of, node);
	uint32_t all = e->accounts[g->of].n_spot + 1, same = count_at(e, g->of, node) + 1;

	if (g->node != NONE && e->fleet.nodes[g->node].capacity_type == CAPACITY_SPOT) {
		const struct spot_key own = key_of(e, g->of, g->node);

		all--;
		same -= own.type == key.type && own.zone == key.zone;
	}
	return all < 2 || same <= (all + 1) / 2;
}

void economy_mark_spot(struct economy *e)
{
	array_each(s, &e->spot_counts)
		s->base = s->n;
}

bool economy_spots_are_spread(const struct economy *e)
{
	array_each(s, &e->spot_counts) {
		uint32_t all = s->of == NONE ? 0 : e->accounts[s->of].n_spot;

		if (s->n > s->base && all >= 2 && s->n > (all + 1) / 2)
			return false;
	}
	return true;
}

/* ---- What it costs ---- */

/* Of training and batch, half the time between checkpoints an hour apart. */
int64_t economy_spot_risk(const struct economy *e, const struct cargo *g, node_id node)
{
	const struct fleet_node *n = &e->fleet.nodes[node];
	const struct optimizer *o = g->of == NONE ? NULL : &e->c->optimizers.items[g->of];
	bool loses_work = o && (o->type == WORKLOAD_TRAINING || o->type == WORKLOAD_BATCH);
	int64_t seconds =
		e->settings->optimise.restart_seconds + (int64_t)(loses_work ? LOST_SECONDS : 0);
	__int128 cost = (__int128)fleet_share(n, g->billed) * n->monthly * seconds;
	__int128 per = (__int128)PPM * MONTH_SECONDS;

	return (int64_t)((cost + per / 2) / per);
}
