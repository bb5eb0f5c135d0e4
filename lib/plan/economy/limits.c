/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/decimal.h"
#include "model/match.h"
#include "model/spending.h"
#include "plan/economy/kinds.h"

/* ---- Whose limits count ---- */

static const struct namespace *find_namespace(const struct cluster *c, str_id ns)
{
	array_each(n, &c->namespaces)
		if (n->meta.name == ns)
			return n;
	return NULL;
}

/* Does its namespaceSelector reach other namespaces? One that any tenant may write does not. */
static bool reaches_far(const struct economy *e, const struct meta *m)
{
	const char *own = e->settings->optimise.namespace;

	return !m->ns || (*own && strcmp(cluster_str(e->c, m->ns), own) == 0);
}

/* A policy without a namespace is the cluster's; others speak for their own one, and those of
 * optimise.namespace also for what they select. */
static bool policy_covers(const struct economy *e, const struct meta *m,
			  const struct selector *namespaces, const struct selector *workloads,
			  const struct optimizer *o)
{
	const struct cluster *c = e->c;

	if (workloads->is_set && !selector_matches(c, *workloads, o->labels))
		return false;
	if (m->ns && (!namespaces->is_set || !reaches_far(e, m)))
		return m->ns == o->meta.ns;
	if (!namespaces->is_set)
		return true;
	const struct namespace *ns = find_namespace(c, o->meta.ns);
	return ns && selector_matches(c, *namespaces, ns->labels);
}

static void warn_of_reach(struct economy *e, const char *kind, const struct meta *m,
			  const struct selector *namespaces)
{
	const struct cluster *c = e->c;

	if (!namespaces->is_set || reaches_far(e, m))
		return;
	array_each(ns, &c->namespaces) {
		if (ns->meta.name == m->ns || !selector_matches(c, *namespaces, ns->labels))
			continue;
		warning_add(&e->p->trial.warnings, kind, cluster_str(c, m->ns),
			    cluster_str(c, m->name), "PolicyOutOfReach",
			    "namespaceSelector: selects namespace %s, which only a policy of the "
			    "cluster or of optimise.namespace reaches",
			    cluster_str(c, ns->meta.name));
		return;
	}
}

static uint32_t new_limit(struct economy *e, const char *kind, const struct meta *m,
			  int64_t max_cost, int64_t max_power, bool is_exhausted)
{
	const char *ns = cluster_str(e->c, m->ns), *name = cluster_str(e->c, m->name);
	size_t n = strlen(kind) + strlen(ns) + strlen(name) + 3;
	char *object = arena_alloc(&e->p->trial.arena, n);

	snprintf(object, n, "%s %s%s%s", kind, ns, *ns ? "/" : "", name);
	*array_add(&e->limits) = (struct money_limit){
		.max_cost = max_cost,
		.max_power = max_power,
		.max_carbon = NO_LIMIT,
		.is_exhausted = is_exhausted,
		.object = object,
	};
	return (uint32_t)e->limits.n - 1;
}

/* Spot rules of a policy: all policies must allow it, and the smallest limit counts. */
static void add_spot_rules(struct account *a, const struct cost_policy *p)
{
	a->forbids_spot |= p->forbids_spot;
	a->stays_interrupted |= p->interruption == INTERRUPTION_TERMINATE;
	if (p->max_spot_ppm >= 0) {
		uint32_t most = (uint32_t)((uint64_t)a->n_pods * (uint32_t)p->max_spot_ppm / PPM);

		a->max_spot = most < a->max_spot ? most : a->max_spot;
	}
	if (p->max_spot_price >= 0 &&
	    (a->max_spot_price < 0 || p->max_spot_price < a->max_spot_price))
		a->max_spot_price = p->max_spot_price;
	if (p->max_interruption_ppm >= 0 &&
	    (a->max_interruption_ppm < 0 || p->max_interruption_ppm < a->max_interruption_ppm))
		a->max_interruption_ppm = p->max_interruption_ppm;
}

static void suspend(struct account *a, const char *why)
{
	a->is_suspended = true;
	a->why = a->why ? a->why : why;
}

/* Is it within one of the spans now, by the clock of optimise.utcOffset? */
static bool is_in_span(const struct economy *e, struct range spans)
{
	const struct cluster *c = e->c;
	int64_t now = settings_local_time(e->settings, c->taken_at);
	int32_t minute = (int32_t)((now % 86400 + 86400) % 86400 / 60);

	for (uint32_t i = 0; i < spans.n; i++) {
		const struct day_span *s = &c->day_spans.items[spans.at + i];
		bool is_over_midnight = s->from > s->to;
		bool is_in = is_over_midnight ? minute >= s->from || minute < s->to
					      : minute >= s->from && minute < s->to;

		if (is_in)
			return true;
	}
	return false;
}

/* The first use of each policy's limit, plus 1, by policy. */
struct policy_ids {
	uint32_t *cost, *power;
};

static bool policy_is_exhausted(const struct economy *e, const struct cost_policy *p)
{
	struct policy_budget budgets[POLICY_BUDGETS];
	uint32_t n = spending_of_policy(p, e->c->taken_at, budgets);
	bool is_exhausted = false;

	for (uint32_t i = 0; i < n; i++)
		is_exhausted |= budgets[i].spent >= budgets[i].limit;
	return is_exhausted;
}

static void apply_cost_policies(struct economy *e, optimizer_id id, const struct policy_ids *ids)
{
	const struct optimizer *o = &e->c->optimizers.items[id];
	struct account *a = &e->accounts[id];

	for (size_t i = 0; i < e->c->cost_policies.n; i++) {
		const struct cost_policy *p = &e->c->cost_policies.items[i];

		if (!policy_covers(e, &p->meta, &p->namespaces, &p->workloads, o))
			continue;
		if (p->is_unread)
			suspend(a, "a CostPolicy that covers it cannot be read");
		add_spot_rules(a, p);
		if (!ids->cost[i])
			ids->cost[i] = new_limit(e, "CostPolicy", &p->meta, p->per_hour, NO_LIMIT,
						 policy_is_exhausted(e, p)) +
				       1;
		*array_add(&e->limit_ids) = ids->cost[i] - 1;
	}
}

static bool power_policy_covers(const struct economy *e, size_t policy, optimizer_id id)
{
	const struct power_policy *p = &e->c->power_policies.items[policy];

	return policy_covers(e, &p->meta, &p->namespaces, &p->workloads,
			     &e->c->optimizers.items[id]);
}

static void add_part(struct economy *e, size_t policy, optimizer_id id)
{
	const struct power_policy *p = &e->c->power_policies.items[policy];

	if (p->max_power < 0 || p->allocation == ALLOCATE_NONE)
		return;
	uint32_t limit =
		new_limit(e, "PowerPolicy", &p->meta, NO_LIMIT, economy_part(e, policy, id), false);

	e->limits.items[limit].is_part = e->has_parts = true;
	*array_add(&e->limit_ids) = limit;
}

/* Is the target more than something to be told of? */
static bool caps_carbon(const struct cluster *c, const struct power_policy *p)
{
	for (uint32_t i = 0; i < p->alerts.n; i++) {
		const struct alert *a = &c->alerts.items[p->alerts.at + i];

		if (a->type == ALERT_CARBON && a->action != ALERT_NOTIFY)
			return !p->is_green_off && p->carbon_target >= 0;
	}
	return false;
}

/* The policy's limit, which is made when it first counts. */
static uint32_t limit_of_power(struct economy *e, const struct power_policy *p, uint32_t *id)
{
	if (!*id) {
		uint32_t limit =
			new_limit(e, "PowerPolicy", &p->meta, NO_LIMIT, p->max_power, false);

		if (caps_carbon(e->c, p))
			e->limits.items[limit].max_carbon = (__int128)p->carbon_target * PPM;
		*id = limit + 1;
	}
	return *id - 1;
}

static void apply_power_policies(struct economy *e, optimizer_id id, const struct policy_ids *ids)
{
	const struct optimizer *o = &e->c->optimizers.items[id];
	struct account *a = &e->accounts[id];

	for (size_t i = 0; i < e->c->power_policies.n; i++) {
		const struct power_policy *p = &e->c->power_policies.items[i];
		bool is_peak = p->avoids_peak && is_in_span(e, p->peak_hours);

		if (!power_policy_covers(e, i, id))
			continue;
		if (p->is_unread)
			suspend(a, "a PowerPolicy that covers it cannot be read");
		if (!p->is_green_off && p->min_green_ppm > a->min_green_ppm)
			a->min_green_ppm = p->min_green_ppm;
		e->is_peak |= is_peak;
		a->is_unaware |= p->is_unaware;
		a->avoids_power |=
			is_peak && (o->type == WORKLOAD_TRAINING || o->type == WORKLOAD_BATCH);
		*array_add(&e->limit_ids) = limit_of_power(e, p, &ids->power[i]);
		add_part(e, i, id);
	}
}

static void read_account(struct economy *e, optimizer_id id, const struct policy_ids *ids)
{
	const struct optimizer *o = &e->c->optimizers.items[id];
	struct account *a = &e->accounts[id];
	uint32_t base = workload_serves(o->type) && a->n_pods >= 2
				? e->settings->optimise.on_demand_base
				: 0;

	a->max_spot = base < a->n_pods ? a->n_pods - base : 0;
	a->max_spot_price = a->max_interruption_ppm = a->min_green_ppm = NO_LIMIT;
	a->spent = spending_now((enum budget_period)o->period, &o->budget, e->c->taken_at);
	a->is_exhausted = o->budget_limit >= 0 && a->spent >= o->budget_limit;
	if (o->is_unread)
		suspend(a, "the WorkloadOptimizer cannot be read: see the warning");
	if (o->is_disabled)
		suspend(a, "annotation kcloud.io/optimization-disabled");
	if (o->is_deleting)
		suspend(a, "the WorkloadOptimizer is being deleted");
	a->is_elsewhere = !settings_optimise_in(e->settings, cluster_str(e->c, o->meta.ns));
	a->limits.at = (uint32_t)e->limit_ids.n;
	*array_add(&e->limit_ids) = new_limit(e, "WorkloadOptimizer", &o->meta, o->max_cost,
					      o->max_power, a->is_exhausted);
	apply_cost_policies(e, id, ids);
	apply_power_policies(e, id, ids);
	a->limits.n = (uint32_t)e->limit_ids.n - a->limits.at;
}

void economy_read_limits(struct economy *e)
{
	const struct cluster *c = e->c;

	e->limit_of_policy = xcalloc(c->cost_policies.n + 1, sizeof(*e->limit_of_policy));
	e->limit_of_power_policy =
		xcalloc(c->power_policies.n + 1, sizeof(*e->limit_of_power_policy));
	struct policy_ids ids = { e->limit_of_policy, e->limit_of_power_policy };

	array_each(p, &c->cost_policies)
		warn_of_reach(e, "CostPolicy", &p->meta, &p->namespaces);
	array_each(p, &c->power_policies)
		warn_of_reach(e, "PowerPolicy", &p->meta, &p->namespaces);
	economy_read_weights(e, power_policy_covers);
	for (optimizer_id id = 0; id < c->optimizers.n; id++)
		read_account(e, id, &ids);
	for (uint32_t i = 0; i < e->limits.n; i++)
		if (e->limits.items[i].max_power >= 0 || e->limits.items[i].max_carbon >= 0)
			*array_add(&e->power_limits) = i;
	e->tracks_power = e->power_limits.n > 0;
	for (optimizer_id id = 0; id < c->optimizers.n; id++)
		e->tracks_power |= e->accounts[id].min_green_ppm >= 0;
}

bool economy_is_over_cost(const struct economy *e, optimizer_id of)
{
	const struct range ids = of == NONE ? (struct range){ 0 } : e->accounts[of].limits;

	for (uint32_t k = 0; k < ids.n; k++) {
		const struct money_limit *l = &e->limits.items[e->limit_ids.items[ids.at + k]];

		if (l->max_cost >= 0 && l->cost > l->max_cost)
			return true;
	}
	return false;
}

/* ---- Does a node take the pod? ---- */

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

static bool is_over_power(const struct economy *e, const struct money_limit *l)
{
	return l->max_power >= 0 && (!l->is_part || e->holds_parts) && l->power > l->max_power &&
	       l->power > l->base_power;
}

static bool is_over_carbon(const struct money_limit *l)
{
	return l->max_carbon >= 0 && l->carbon > l->max_carbon && l->carbon > l->base_carbon;
}

/* Would a limit of power or carbon dioxide be exceeded that was not, or more than before? All pods
 * of the node draw more when one comes. */
static enum money_refusal power_refuses(struct economy *e, uint32_t cargo, node_id node)
{
	bool is_power = false, is_carbon = false;

	if (!e->power_limits.n)
		return MONEY_ACCEPTS;
	economy_put(e, cargo, node);
	array_each(id, &e->power_limits) {
		is_power |= is_over_power(e, &e->limits.items[*id]);
		is_carbon |= is_over_carbon(&e->limits.items[*id]);
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
	int64_t now = is_there ? fleet_share(&e->fleet.nodes[a->was_from], g->load) : 0;
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
	int64_t share = fleet_share(&e->fleet.nodes[node], g->load);

	for (uint32_t k = 0; k < a->limits.n; k++) {
		const struct money_limit *l =
			&e->limits.items[e->limit_ids.items[a->limits.at + k]];

		if (l->max_cost >= 0 && l->cost + share > l->max_cost &&
		    l->cost + share > l->base_cost)
			return true;
	}
	return false;
}

static bool has_exhausted(const struct economy *e, const struct account *a)
{
	for (uint32_t k = 0; k < a->limits.n; k++)
		if (e->limits.items[e->limit_ids.items[a->limits.at + k]].is_exhausted)
			return true;
	return false;
}

/* Why no node takes the pod, whatever it costs there. What replaces a moved pod only restores what
 * the move took away. */
static enum money_refusal closed_to(const struct economy *e, const struct cargo *g)
{
	const struct account *a = g->of == NONE ? NULL : &e->accounts[g->of];
	bool is_exhausted = a && has_exhausted(e, a);

	if (!a || (!is_exhausted && !a->avoids_power) ||
	    (g->origin == NONE && economy_replaces_moved(e, g)))
		return MONEY_ACCEPTS;
	return is_exhausted ? MONEY_BUDGET : MONEY_PEAK;
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
