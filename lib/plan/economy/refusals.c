/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/decimal.h"
#include "model/match.h"
#include "plan/economy/kinds.h"

/* Does a node take the pod? First what its labels, taints and architecture say, then the limits of
 * money and power. */

bool economy_selects_node(const struct economy *e, const struct optimizer *o, node_id node)
{
	const struct rules as_pod = {
		.node_selector = o->node_selector,
		.node_terms = o->node_terms,
		.has_node_affinity = o->has_node_affinity,
	};

	return match_node(e->c, &as_pod, &e->c->nodes.items[node]);
}

static bool names_label(const struct cluster *c, struct range requirements, const char *key)
{
	for (uint32_t i = 0; i < requirements.n; i++)
		if (strcmp(cluster_str(c, c->requirements.items[requirements.at + i].key), key) ==
		    0)
			return true;
	return false;
}

static bool terms_name_label(const struct cluster *c, struct range terms, const char *key)
{
	for (uint32_t i = 0; i < terms.n; i++)
		if (names_label(c, c->node_terms.items[terms.at + i].expressions, key))
			return true;
	return false;
}

bool economy_names_arch(const struct economy *e, const struct cargo *g)
{
	static const char key[] = "kubernetes.io/arch";
	const struct cluster *c = e->c;
	const struct rules *r = &c->rules.items[c->pods.items[g->pod].rules];
	const struct optimizer *o = &c->optimizers.items[g->of];

	return names_label(c, r->node_selector, key) ||
	       (r->has_node_affinity && terms_name_label(c, r->node_terms, key)) ||
	       names_label(c, o->node_selector, key) ||
	       (o->has_node_affinity && terms_name_label(c, o->node_terms, key));
}

/* The architecture that it has to stay within; 0: any. */
static str_id arch_of(const struct economy *e, const struct cargo *g)
{
	str_id arch = g->of == NONE ? 0 : e->accounts[g->of].arch;

	return arch && !economy_names_arch(e, g) ? arch : 0;
}

/* Do its labels and taints, and those that its optimizer asks for, let it in? */
static bool node_allows(struct economy *e, const struct cargo *g, node_id node)
{
	const struct pod *pod = &e->c->pods.items[g->pod];
	const struct fleet_node *n = &e->fleet.nodes[node];

	if (!filter_bit(filters_allowed_by_rules(&e->p->filters, pod->rules), node) || n->leaving)
		return false;
	if (g->of == NONE)
		return true;
	str_id arch = arch_of(e, g);
	if (arch && n->arch && n->arch != arch)
		return false;
	return economy_selects_node(e, &e->c->optimizers.items[g->of], node);
}

static uint64_t *make_set(struct economy *e, const struct cargo *g)
{
	size_t first = e->c->nodes.n / 64 + 1; /* of the kinds */
	uint64_t *set = xcalloc(first + kinds_count(e->kinds) / 64 + 1, sizeof(*set));

	for (node_id node = 0; node < e->c->nodes.n; node++) {
		uint32_t kind = kind_of(e->kinds, node);

		if (!node_allows(e, g, node))
			continue;
		set[node / 64] |= (uint64_t)1 << node % 64;
		set[first + kind / 64] |= (uint64_t)1 << kind % 64;
	}
	return set;
}

static bool selects_nodes(const struct optimizer *o)
{
	return o->node_selector.n || o->has_node_affinity;
}

/* One set for all pods that ask the same. */
const uint64_t *economy_allowed(struct economy *e, uint32_t cargo)
{
	const struct cargo *g = &e->cargo.items[cargo];

	if (e->allowed[cargo])
		return e->allowed[cargo];
	rules_id rules = e->c->pods.items[g->pod].rules;
	bool selects = g->of != NONE && selects_nodes(&e->c->optimizers.items[g->of]);
	const uint64_t key[] = { (uintptr_t)filters_allowed_by_rules(&e->p->filters, rules),
				 arch_of(e, g), selects ? g->of : NONE };
	str_id id = intern_add(&e->set_keys, key, sizeof(key));

	while (e->sets.n <= id)
		*array_add(&e->sets) = NULL;
	if (!e->sets.items[id])
		e->sets.items[id] = make_set(e, g);
	return e->allowed[cargo] = e->sets.items[id];
}

bool economy_allows_kind(const struct economy *e, uint32_t cargo, uint32_t kind)
{
	return filter_bit(e->allowed[cargo] + e->c->nodes.n / 64 + 1, kind);
}

enum refusal economy_filter(struct economy *e, uint32_t cargo, node_id node, char *detail,
			    size_t size)
{
	const struct cargo *g = &e->cargo.items[cargo];
	const struct trial *t = &e->p->trial;
	struct unit as_unit = { .pod = g->pod, .kind = UNIT_PENDING };
	const struct fleet_node *n = &e->fleet.nodes[node];
	enum refusal r;

	bool is_avoided = g->of != NONE && economy_avoids(e, g->of, node);

	if (filter_bit(economy_allowed(e, cargo), node) && !is_avoided)
		return filter_node_now(t, &as_unit, node, 0, detail, size);
	r = filter_pod_rules(&e->p->filters, g->pod, node, detail, size);
	if (r != REFUSE_NOTHING)
		return r;
	if (n->leaving) {
		if (detail)
			snprintf(detail, size, "%s", cluster_str(e->c, n->leaving));
		return REFUSE_TAINT;
	}
	if (detail && is_avoided)
		snprintf(detail, size, "avoided since a moved pod did not become ready there");
	else if (detail)
		snprintf(detail, size, "%s",
			 economy_selects_node(e, &e->c->optimizers.items[g->of], node)
				 ? "on the architecture"
				 : "of its WorkloadOptimizer");
	return REFUSE_AFFINITY;
}

static enum money_refusal spot_refuses(const struct economy *e, const struct cargo *g, node_id node)
{
	const struct account *a = &e->accounts[g->of];
	const struct fleet_node *n = &e->fleet.nodes[node];
	uint32_t own = g->node != NONE && e->fleet.nodes[g->node].capacity_type == CAPACITY_SPOT;

	if (n->capacity_type != CAPACITY_SPOT)
		return MONEY_ACCEPTS;
	if (!economy_spot_is_open(a, n) || a->n_spot - own + 1 > a->max_spot)
		return MONEY_SPOT;
	return economy_spot_is_spread(e, g, node) ? MONEY_ACCEPTS : MONEY_SPREAD;
}

/* The part of renewable energy in the power of all pods of the workload, this one on the node. */
static bool green_refuses(const struct economy *e, uint32_t cargo, node_id node)
{
	const struct cargo *g = &e->cargo.items[cargo];
	const struct account *a = &e->accounts[g->of];
	const struct fleet_node *n = &e->fleet.nodes[node];

	if (a->min_green_ppm < 0 || n->green_ppm >= a->min_green_ppm)
		return false;
	int64_t own = economy_power_on(e, g, node);
	return a->green + (__int128)own * n->green_ppm <
	       ((__int128)a->power + own) * a->min_green_ppm;
}

struct most economy_most(const struct economy *e, const struct money_limit *l)
{
	struct most m = { l->max_cost, l->max_power, l->max_carbon };

	if (!e->adds_replicas)
		return m;
	return (struct most){
		.cost = (int64_t)lower_limit(m.cost, l->calm_cost),
		.power = (int64_t)lower_limit(m.power, l->calm_power),
		.carbon = lower_limit(m.carbon, l->calm_carbon),
	};
}

static bool is_over_power(const struct economy *e, const struct money_limit *l)
{
	int64_t most = economy_most(e, l).power;

	return most >= 0 && (!l->is_part || e->holds_parts) && l->power > most &&
	       l->power > l->base_power;
}

static bool is_over_carbon(const struct economy *e, const struct money_limit *l)
{
	__int128 most = economy_most(e, l).carbon;

	return most >= 0 && l->carbon > most && l->carbon > l->base_carbon;
}

/* Would a limit of power or carbon dioxide be exceeded that was not, or more than before? All pods
 * of the node draw more when one comes: their limits are asked, and no others change. */
static enum money_refusal power_refuses(struct economy *e, uint32_t cargo, node_id node)
{
	bool is_power = false, is_carbon = false;

	if (!e->power_limits.n)
		return MONEY_ACCEPTS;
	economy_put(e, cargo, node);
	array_each(i, &e->sites[node].cargo) {
		optimizer_id of = e->cargo.items[*i].of;
		struct range own = of == NONE ? (struct range){ 0 } : e->accounts[of].limits;

		for (uint32_t k = 0; k < own.n; k++) {
			const struct money_limit *l =
				&e->limits.items[e->limit_ids.items[own.at + k]];

			is_power |= is_over_power(e, l);
			is_carbon |= is_over_carbon(e, l);
		}
	}
	economy_take(e, cargo);
	return is_power ? MONEY_POWER : is_carbon ? MONEY_CARBON : MONEY_ACCEPTS;
}

static void mark(struct money_limit *l)
{
	l->base_cost = l->cost;
	l->base_power = l->power;
	l->base_carbon = l->carbon;
}

void economy_mark(struct economy *e)
{
	array_each(l, &e->limits)
		mark(l);
}

/* A workload that is over its limits may be moved to where it costs less; what replaces the pod may
 * then cost what that one did, or would now. */
static void allow_moved(struct economy *e, const struct cargo *g)
{
	const struct optimizer *o = &e->c->optimizers.items[g->of];
	const struct account *a = &e->accounts[g->of];
	bool is_there = a->was_from != NONE;
	int64_t now = is_there ? fleet_share(&e->fleet.nodes[a->was_from], g->billed) : 0;
	/* Of a node that is gone it is not known: whatever it was. */
	int64_t emitted = is_there ? e->fleet.nodes[a->was_from].carbon : DECIMAL_MAX;

	for (uint32_t k = 0; k < a->limits.n; k++) {
		struct money_limit *l = &e->limits.items[e->limit_ids.items[a->limits.at + k]];

		l->base_cost += now > o->moved_cost ? now : o->moved_cost;
		l->base_power += o->moved_power;
		l->base_carbon += (__int128)o->moved_power * emitted;
	}
}

void economy_mark_for(struct economy *e, uint32_t cargo)
{
	const struct cargo *g = &e->cargo.items[cargo];
	struct range own = g->of == NONE ? (struct range){ 0 } : e->accounts[g->of].limits;

	for (uint32_t k = 0; k < own.n; k++)
		mark(&e->limits.items[e->limit_ids.items[own.at + k]]);
	array_each(id, &e->power_limits)
		mark(&e->limits.items[*id]);
	if (g->origin == NONE && economy_replaces_moved(e, g))
		allow_moved(e, g);
}

static bool cost_refuses(const struct economy *e, const struct cargo *g, node_id node)
{
	const struct account *a = &e->accounts[g->of];
	int64_t share = fleet_share(&e->fleet.nodes[node], g->billed);

	for (uint32_t k = 0; k < a->limits.n; k++) {
		const struct money_limit *l =
			&e->limits.items[e->limit_ids.items[a->limits.at + k]];
		int64_t most = economy_most(e, l).cost;

		if (most >= 0 && l->cost + share > most && l->cost + share > l->base_cost)
			return true;
	}
	return false;
}

bool economy_is_spent(const struct economy *e, const struct account *a)
{
	for (uint32_t k = 0; k < a->limits.n; k++)
		if (e->limits.items[e->limit_ids.items[a->limits.at + k]].is_exhausted)
			return true;
	return false;
}

/* Why no node takes the pod, whatever it costs there. What replaces a moved pod only restores what
 * the move took away, and one that runs draws power already: peak_refuses(). */
static enum money_refusal closed_to(const struct economy *e, const struct cargo *g)
{
	const struct account *a = g->of == NONE ? NULL : &e->accounts[g->of];

	if (!a || (g->origin == NONE && economy_replaces_moved(e, g)))
		return MONEY_ACCEPTS;
	if (economy_is_spent(e, a))
		return MONEY_BUDGET;
	return a->avoids_power && g->origin == NONE ? MONEY_PEAK : MONEY_ACCEPTS;
}

/* In peak hours that are avoided a running pod goes only to where it draws no more, unless it has
 * to leave: its node is about to go, or it has not become ready there. */
static bool peak_refuses(const struct economy *e, const struct cargo *g, node_id node)
{
	bool has_to_leave =
		g->origin != NONE && (g->has_failed || e->fleet.nodes[g->origin].is_interrupted);

	return e->accounts[g->of].avoids_power && g->origin != NONE && !has_to_leave &&
	       economy_power_on(e, g, node) > economy_power_on(e, g, g->origin);
}

bool economy_is_closed_to(const struct economy *e, const struct cargo *g)
{
	return closed_to(e, g) != MONEY_ACCEPTS;
}

bool economy_price_refuses(const struct economy *e, const struct cargo *g, node_id node)
{
	return g->of != NONE &&
	       (spot_refuses(e, g, node) != MONEY_ACCEPTS || cost_refuses(e, g, node));
}

/* For a pod that is nowhere in the trial; economy_mark() was called when it last was somewhere. */
enum money_refusal economy_refuses(struct economy *e, uint32_t cargo, node_id node)
{
	const struct cargo *g = &e->cargo.items[cargo];

	if (g->of == NONE)
		return power_refuses(e, cargo, node);
	enum money_refusal closed = closed_to(e, g);
	if (closed != MONEY_ACCEPTS)
		return closed;
	enum money_refusal spot = spot_refuses(e, g, node);
	if (spot != MONEY_ACCEPTS)
		return spot;
	if (cost_refuses(e, g, node))
		return MONEY_PER_HOUR;
	if (peak_refuses(e, g, node))
		return MONEY_PEAK;
	enum money_refusal power = power_refuses(e, cargo, node);
	if (power != MONEY_ACCEPTS)
		return power;
	return green_refuses(e, cargo, node) ? MONEY_GREEN : MONEY_ACCEPTS;
}

bool economy_fits(struct economy *e, uint32_t cargo, node_id node)
{
	struct unit as_unit = { .pod = e->cargo.items[cargo].pod, .kind = UNIT_PENDING };
	optimizer_id of = e->cargo.items[cargo].of;

	return filter_bit(economy_allowed(e, cargo), node) && !e->sites[node].is_closed &&
	       (of == NONE || !economy_avoids(e, of, node)) &&
	       filter_node_now(&e->p->trial, &as_unit, node, 0, NULL, 0) == REFUSE_NOTHING &&
	       economy_refuses(e, cargo, node) == MONEY_ACCEPTS;
}
