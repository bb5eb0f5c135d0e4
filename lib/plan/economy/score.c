/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/auto.h"
#include "plan/economy/kinds.h"

/* Sums over the bound pods of an optimizer. */
struct tally {
	int64_t share, best_share; /* micro-USD per hour */
	int64_t power, best_power; /* mW at full load */
	int64_t weight, met;	   /* of preferences */
	int64_t green;		   /* ppm */
	uint32_t n, n_spot;
};

/* The best that the nodes have for a pod, kept for the pods that are like it. */
struct best {
	int64_t share, power;
};

typedef ARRAY(node_id) node_list;

struct scorer {
	struct economy *e;
	struct tally *tallies;
	struct intern keys;
	ARRAY(struct best) bests; /* by id of keys */
	struct intern sets;
	ARRAY(node_list) choices; /* by id of sets: nodes that differ in what counts here */
};

/* What a load draws when all of the node does; of idle power too its part. */
static int64_t full_power(const struct economy *e, struct load load, node_id node)
{
	const struct fleet_node *n = &e->fleet.nodes[node];
	int64_t cpu = e->c->nodes.items[node].capacity_cpu_milli;
	int64_t power =
		cpu ? (int64_t)((__int128)n->curve.power[n->curve.n - 1] * load.cpu_milli / cpu)
		    : 0;

	return power + (n->has_watts ? load.accelerators * n->accelerator_max : 0);
}

/* Would it fit there if no other pod were? */
static bool fits_alone(const struct economy *e, const struct cargo *g, node_id node)
{
	const struct pod *pod = &e->c->pods.items[g->pod];
	const struct node *n = &e->c->nodes.items[node];
	const struct account *a = &e->accounts[g->of];
	const struct fleet_node *f = &e->fleet.nodes[node];
	bool is_spot = f->capacity_type == CAPACITY_SPOT;

	if (pod->cpu_milli > n->cpu_milli || pod->memory > n->memory ||
	    pod->ephemeral > n->ephemeral || g->load.accelerators > f->n_accelerators)
		return false;
	return !is_spot || economy_spot_is_open(a, f);
}

static void list_choices(const struct economy *e, const uint64_t *allowed, node_list *ret)
{
	struct intern known = { 0 };

	intern_add(&known, "", 0);
	for (node_id node = 0; node < e->c->nodes.n; node++) {
		const struct node *n = &e->c->nodes.items[node];
		const int64_t key[] = { kind_of(e->kinds, node), n->cpu_milli, n->memory,
					n->ephemeral };
		uint32_t before = known.n;

		if (filter_bit(allowed, node) && intern_add(&known, key, sizeof(key)) == before)
			*array_add(ret) = node;
	}
	intern_done(&known);
}

static const node_list *choices_of(struct scorer *s, const uint64_t *allowed)
{
	const uintptr_t key = (uintptr_t)allowed;
	str_id id = intern_add(&s->sets, &key, sizeof(key));

	while (s->choices.n <= id)
		*array_add(&s->choices) = (node_list){ 0 };
	node_list *list = &s->choices.items[id];
	if (!list->n)
		list_choices(s->e, allowed, list);
	return list;
}

static struct best find_best(struct scorer *s, const struct cargo *g, const uint64_t *allowed)
{
	const struct economy *e = s->e;
	struct best b = { INT64_MAX, INT64_MAX };

	array_each(node, choices_of(s, allowed)) {
		if (!fits_alone(e, g, *node))
			continue;
		int64_t share = fleet_share(&e->fleet.nodes[*node], g->billed);
		int64_t power = full_power(e, g->load, *node);

		b.share = share < b.share ? share : b.share;
		b.power = power < b.power ? power : b.power;
	}
	return b;
}

static struct best best_of(struct scorer *s, uint32_t cargo)
{
	const struct cargo *g = &s->e->cargo.items[cargo];
	const struct pod *pod = &s->e->c->pods.items[g->pod];
	const uint64_t *allowed = economy_allowed(s->e, cargo);
	const struct account *a = &s->e->accounts[g->of];
	const int64_t key[] = { (intptr_t)allowed,	 a->forbids_spot,      a->max_spot_price,
				a->max_interruption_ppm, g->load.cpu_milli,    g->load.memory,
				pod->ephemeral,		 g->load.accelerators, g->billed.cpu_milli,
				g->billed.memory };
	str_id id = intern_add(&s->keys, key, sizeof(key));

	while (s->bests.n <= id)
		*array_add(&s->bests) = (struct best){ -1, -1 };
	if (s->bests.items[id].share < 0)
		s->bests.items[id] = find_best(s, g, allowed);
	return s->bests.items[id];
}

/* A node that the pod is on already may not let it in again: no place is worse than its own. */
static void add_pod(struct scorer *s, uint32_t cargo)
{
	const struct economy *e = s->e;
	const struct cargo *g = &e->cargo.items[cargo];
	const struct best b = best_of(s, cargo);
	struct tally *t = &s->tallies[g->of];
	const struct fleet_node *n = &e->fleet.nodes[g->node];
	const struct optimizer *o = &e->c->optimizers.items[g->of];
	int64_t power = full_power(e, g->load, g->node);

	t->n++;
	t->share += g->share;
	t->best_share += g->share < b.share ? g->share : b.share;
	t->power += power;
	t->best_power += power < b.power ? power : b.power;
	t->n_spot += n->capacity_type == CAPACITY_SPOT;
	t->green += n->green_ppm;
	for (uint32_t i = 0; i < o->preferences.n; i++) {
		const struct preference *w = &e->c->preferences.items[o->preferences.at + i];

		t->weight += w->weight;
		t->met += economy_prefers(e, w, g->node) ? w->weight : 0;
	}
}

/* The part, in ppm; of nothing it is all. */
static int64_t part(int64_t of, int64_t all)
{
	if (all <= 0 || of >= all)
		return PPM;
	return of <= 0 ? 0 : (int64_t)((__int128)of * PPM / all);
}

/* The mean of the preferences that are asked for. */
static int64_t preferences_met(const struct optimizer *o, const struct account *a,
			       const struct tally *t)
{
	int64_t sum = 0, n = 0;

	if (t->weight) {
		sum += part(t->met, t->weight);
		n++;
	}
	if (o->prefers_spot && !a->forbids_spot) {
		sum += part(t->n_spot, t->n);
		n++;
	}
	if (o->prefers_green) {
		sum += t->n ? t->green / t->n : 0;
		n++;
	}
	return n ? sum / n : PPM;
}

static int64_t score_of(const struct economy *e, optimizer_id id, const struct tally *t)
{
	enum { COST = 40, POWER = 30, WANT = 30, HUNDRED = 100 };
	const struct optimizer *o = &e->c->optimizers.items[id];
	const struct account *a = &e->accounts[id];
	int64_t n_pods = a->n_pods, wanted = n_pods > o->min_replicas ? n_pods : o->min_replicas;
	__int128 score = COST * part(t->best_share, t->share) +
			 POWER * part(t->best_power, t->power) + WANT * preferences_met(o, a, t);

	if (!t->n)
		return 0;
	score = score * part(a->n_ready, wanted) / PPM;
	if (o->max_cost >= 0)
		score = score * part(o->max_cost, a->cost) / PPM;
	if (o->max_power >= 0)
		score = score * part(o->max_power, a->power) / PPM;
	/* Hundredths of a ppm: to two decimals of 1, half up. */
	return (int64_t)((score + PPM / 2) / PPM) * (PPM / HUNDRED);
}

/* By optimizer_id; the caller frees it. */
static struct tally *add_up(struct economy *e)
{
	struct scorer s = { .e = e,
			    .tallies = xcalloc(e->c->optimizers.n + 1, sizeof(*s.tallies)) };

	for (uint32_t i = 0; i < e->cargo.n; i++)
		if (e->cargo.items[i].of != NONE && e->cargo.items[i].node != NONE)
			add_pod(&s, i);
	intern_done(&s.keys);
	intern_done(&s.sets);
	array_each(list, &s.choices)
		array_done(list);
	array_done(&s.choices);
	array_done(&s.bests);
	return s.tallies;
}

int64_t *economy_scores(struct economy *e)
{
	AUTO_FREE struct tally *tallies = add_up(e);
	int64_t *scores = xcalloc(e->c->optimizers.n + 1, sizeof(*scores));

	for (optimizer_id id = 0; id < e->c->optimizers.n; id++)
		scores[id] = score_of(e, id, &tallies[id]);
	return scores;
}

struct power_parts *economy_power_parts(struct economy *e)
{
	AUTO_FREE struct tally *tallies = add_up(e);
	struct power_parts *parts = xcalloc(e->c->optimizers.n + 1, sizeof(*parts));

	for (optimizer_id id = 0; id < e->c->optimizers.n; id++)
		parts[id] = (struct power_parts){ tallies[id].best_power, tallies[id].power };
	return parts;
}
