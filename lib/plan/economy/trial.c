/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/names.h"
#include "model/pdb.h"
#include "plan/economy/alerts.h"
#include "plan/economy/budget.h"
#include "plan/economy/estimate.h"
#include "plan/economy/held.h"
#include "plan/economy/kinds.h"
#include "plan/economy/savings.h"
#include "plan/economy/scaling.h"
#include "plan/filter/inter_pod.h"

/* ---- Which pods are whose ---- */

static str_id name_of_optimizer(const struct cluster *c, const struct pod *pod, str_id label)
{
	str_id name = label == INTERN_NONE ? INTERN_NONE : cluster_label(c, pod->labels, label);

	if (name != INTERN_NONE)
		return name;
	if (pod->annotations == NONE)
		return 0;
	const struct pod_annotations *a = &c->annotations.items[pod->annotations];
	name = a->optimizer != NONE ? a->optimizer : a->kcloud_optimizer;
	return name == NONE ? 0 : name;
}

static optimizer_id find_optimizer(const struct cluster *c, str_id ns, str_id name)
{
	size_t low = 0, high = c->optimizers.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct meta *m = &c->optimizers.items[mid].meta;
		int order = cluster_cmp(c, m->ns, ns);

		order = order ? order : cluster_cmp(c, m->name, name);
		if (order == 0)
			return (optimizer_id)mid;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NONE;
}

static void bind_pods(struct economy *e)
{
	const struct cluster *c = e->c;
	str_id label = intern_find(&c->strings, KCLOUD_OPTIMIZER_LABEL,
				   sizeof(KCLOUD_OPTIMIZER_LABEL) - 1);

	e->of_pod = xmalloc((c->pods.n + 1) * sizeof(*e->of_pod));
	for (pod_id id = 0; id < c->pods.n; id++) {
		const struct pod *pod = &c->pods.items[id];
		str_id name = name_of_optimizer(c, pod, label);

		e->of_pod[id] = name ? find_optimizer(c, pod->meta.ns, name) : NONE;
	}
}

static bool waits_for_money(const struct economy *e, pod_id id)
{
	const struct pod *pod = &e->c->pods.items[id];

	return e->is_active && e->of_pod[id] != NONE && e->p->trial.req.of_pod[id] == NONE &&
	       !pod->node_name && pod->is_ours && !pod->is_terminating && !pod->has_other_gate &&
	       !pod->is_unread;
}

bool economy_handles(const struct economy *e, pod_id id)
{
	return waits_for_money(e, id) && !e->accounts[e->of_pod[id]].is_elsewhere;
}

bool economy_is_elsewhere(const struct economy *e, pod_id id)
{
	return waits_for_money(e, id) && e->accounts[e->of_pod[id]].is_elsewhere;
}

bool economy_releases(const struct economy *e, pod_id id)
{
	return economy_handles(e, id) && e->c->pods.items[id].has_our_gate &&
	       e->c->optimizers.items[e->of_pod[id]].is_deleting;
}

/* ---- Money of a node and of a pod ---- */

int64_t economy_node_power(const struct economy *e, node_id node)
{
	return fleet_power(&e->fleet.nodes[node], e->sites[node].cpu,
			   e->c->nodes.items[node].capacity_cpu_milli);
}

bool economy_is_spare(const struct economy *e, node_id node)
{
	const struct fleet_node *n = &e->fleet.nodes[node];

	return n->is_removable && !n->is_kept && !n->leaving && e->sites[node].n_in_use == 0;
}

static struct cost_terms terms_with(const struct economy *e, node_id node, int64_t cpu,
				    bool is_used, bool is_dear)
{
	const struct optimise_settings *s = &e->settings->optimise;
	const struct fleet_node *n = &e->fleet.nodes[node];
	int64_t price = n->capacity_type == CAPACITY_RESERVED ? 0 : n->price;

	if (n->is_removable && !is_used)
		return (struct cost_terms){ 0 };
	if (!n->is_removable)
		price = 0;
	else if (n->capacity_type == CAPACITY_SPOT && is_dear)
		price = n->on_demand;
	int64_t power = fleet_power(n, cpu, e->c->nodes.items[node].capacity_cpu_milli);
	return (struct cost_terms){
		.price = price,
		.energy = energy_cost(s, power) * e->power_weight,
		.carbon = carbon_cost(s, power, n->carbon),
	};
}

int64_t economy_cost_with(const struct economy *e, node_id node, int64_t cpu, bool is_used,
			  bool is_dear)
{
	struct cost_terms t = terms_with(e, node, cpu, is_used, is_dear);

	return t.price + t.energy + t.carbon;
}

int64_t economy_node_cost(const struct economy *e, node_id node)
{
	const struct site *site = &e->sites[node];

	return economy_cost_with(e, node, site->cpu, site->n_in_use > 0, site->n_no_spot > 0);
}

bool economy_prefers(const struct economy *e, const struct preference *w, node_id node)
{
	const struct cluster *c = e->c;
	const struct node *n = &c->nodes.items[node];

	for (uint32_t i = 0; i < w->term.expressions.n; i++) {
		const struct requirement *r = &c->requirements.items[w->term.expressions.at + i];

		if (!requirement_matches(c, r, cluster_label(c, n->labels, r->key)))
			return false;
	}
	for (uint32_t i = 0; i < w->term.fields.n; i++) {
		const struct requirement *r = &c->requirements.items[w->term.fields.at + i];

		if (!requirement_matches(c, r, n->meta.name))
			return false;
	}
	return w->term.expressions.n + w->term.fields.n > 0;
}

/* 5 % of the pod's share, for each preference by its weight, and for energy that is not renewable;
 * and what interruptions of a spot node cost. */
int64_t economy_penalty(const struct economy *e, uint32_t cargo, node_id node)
{
	const struct cargo *g = &e->cargo.items[cargo];
	const struct optimizer *o = g->of == NONE ? NULL : &e->c->optimizers.items[g->of];
	int64_t share, ppm = 0;

	if (!o)
		return 0;
	int64_t risk = e->fleet.nodes[node].monthly ? economy_spot_risk(e, g, node) : 0;
	if (!o->preferences.n && !o->prefers_green)
		return risk;
	share = fleet_share(&e->fleet.nodes[node], g->billed);
	for (uint32_t i = 0; i < o->preferences.n; i++) {
		const struct preference *w = &e->c->preferences.items[o->preferences.at + i];

		if (!economy_prefers(e, w, node))
			ppm += (int64_t)w->weight * 500; /* weight per cent of 5 % */
	}
	if (o->prefers_green)
		ppm += (PPM - e->fleet.nodes[node].green_ppm) / 20;
	return (int64_t)(((__int128)share * ppm + PPM / 2) / PPM) + risk;
}

int64_t economy_total(const struct economy *e)
{
	int64_t sum = 0;

	for (node_id node = 0; node < e->c->nodes.n; node++)
		sum += economy_node_cost(e, node);
	for (uint32_t i = 0; i < e->cargo.n; i++)
		if (e->cargo.items[i].node != NONE)
			sum += economy_penalty(e, i, e->cargo.items[i].node);
	return sum;
}

/* All nodes but removable ones that are not in use. */
struct totals economy_totals(const struct economy *e)
{
	struct totals t = { 0 };

	for (node_id node = 0; node < e->c->nodes.n; node++) {
		const struct fleet_node *n = &e->fleet.nodes[node];

		if (n->is_removable && e->sites[node].n_in_use == 0)
			continue;
		int64_t power = economy_node_power(e, node);
		t.cost += n->price;
		t.power += power;
		t.carbon += (int64_t)((__int128)power * n->carbon / PPM);
	}
	return t;
}

/* ---- Changing it ---- */

int64_t economy_power_of(const struct economy *e, const struct cargo *g, node_id node, int64_t cpu)
{
	int32_t use = g->of == NONE ? accelerator_use_of(WORKLOAD_SERVING)
				    : e->accounts[g->of].accelerator_use;

	return fleet_power_of(&e->fleet.nodes[node], g->load, cpu,
			      e->c->nodes.items[node].capacity_cpu_milli, use);
}

int64_t economy_power_on(const struct economy *e, const struct cargo *g, node_id node)
{
	int64_t cpu = e->sites[node].cpu + (g->node == node ? 0 : g->load.cpu_milli);

	return economy_power_of(e, g, node, cpu);
}

static void account_power(struct economy *e, node_id node, int sign)
{
	if (!e->tracks_power)
		return;
	array_each(i, &e->sites[node].cargo) {
		const struct cargo *g = &e->cargo.items[*i];

		if (g->of == NONE)
			continue;
		int64_t power = sign * economy_power_on(e, g, node);
		struct account *a = &e->accounts[g->of];
		a->power += power;
		a->green += (__int128)power * e->fleet.nodes[node].green_ppm;
		for (uint32_t k = 0; k < a->limits.n; k++) {
			struct money_limit *l =
				&e->limits.items[e->limit_ids.items[a->limits.at + k]];

			l->power += power;
			l->green += (__int128)power * e->fleet.nodes[node].green_ppm;
			l->carbon += (__int128)power * e->fleet.nodes[node].carbon;
		}
	}
}

void economy_sum_power(struct economy *e)
{
	if (e->tracks_power)
		return;
	e->tracks_power = true;
	for (node_id node = 0; node < e->c->nodes.n; node++)
		account_power(e, node, 1);
}

static void account_cost(struct economy *e, const struct cargo *g, int sign)
{
	if (g->of == NONE)
		return;
	struct account *a = &e->accounts[g->of];
	a->cost += sign * g->share;
	a->n_bound += (uint32_t)sign;
	if (e->fleet.nodes[g->node].capacity_type == CAPACITY_SPOT) {
		a->n_spot += (uint32_t)sign;
		economy_count_spot(e, g->of, g->node, sign);
	}
	for (uint32_t k = 0; k < a->limits.n; k++)
		e->limits.items[e->limit_ids.items[a->limits.at + k]].cost += sign * g->share;
}

bool economy_wants_no_spot(const struct economy *e, const struct cargo *g)
{
	return g->of != NONE && !e->c->optimizers.items[g->of].prefers_spot;
}

void economy_put(struct economy *e, uint32_t cargo, node_id node)
{
	struct cargo *g = &e->cargo.items[cargo];
	struct site *site = &e->sites[node];

	account_power(e, node, -1);
	g->node = node;
	g->share = fleet_share(&e->fleet.nodes[node], g->billed);
	site->cpu += g->load.cpu_milli;
	site->n_in_use += g->counts;
	site->n_no_spot += economy_wants_no_spot(e, g);
	*array_add(&site->cargo) = cargo;
	account_cost(e, g, 1);
	account_power(e, node, 1);
}

void economy_take(struct economy *e, uint32_t cargo)
{
	struct cargo *g = &e->cargo.items[cargo];
	struct site *site = &e->sites[g->node];
	size_t at = site->cargo.n;

	account_power(e, g->node, -1);
	account_cost(e, g, -1);
	site->cpu -= g->load.cpu_milli;
	site->n_in_use -= g->counts;
	site->n_no_spot -= economy_wants_no_spot(e, g);
	while (site->cargo.items[at - 1] != cargo)
		at--;
	site->cargo.items[at - 1] = site->cargo.items[--site->cargo.n];
	account_power(e, g->node, 1);
	g->node = NONE;
	g->share = 0;
}

void economy_add(struct economy *e, uint32_t cargo, node_id node)
{
	trial_charge_pod(&e->p->trial, e->cargo.items[cargo].pod, node);
	economy_put(e, cargo, node);
	kinds_refresh(e, node);
}

void economy_drop(struct economy *e, uint32_t cargo)
{
	node_id node = e->cargo.items[cargo].node;

	trial_uncharge_pod(&e->p->trial, e->cargo.items[cargo].pod, node);
	economy_take(e, cargo);
	kinds_refresh(e, node);
}

struct cost_terms economy_terms(struct economy *e, uint32_t cargo, node_id node)
{
	const struct cargo *g = &e->cargo.items[cargo];
	const struct site *site = &e->sites[node];
	struct cost_terms before =
		terms_with(e, node, site->cpu, site->n_in_use > 0, site->n_no_spot > 0);
	struct cost_terms after =
		terms_with(e, node, site->cpu + g->load.cpu_milli, site->n_in_use + g->counts > 0,
			   site->n_no_spot > 0 || economy_wants_no_spot(e, g));

	return (struct cost_terms){
		.price = after.price - before.price,
		.energy = after.energy - before.energy,
		.carbon = after.carbon - before.carbon,
		.penalty = economy_penalty(e, cargo, node),
	};
}

int64_t economy_increase(struct economy *e, uint32_t cargo, node_id node)
{
	struct cost_terms t = economy_terms(e, cargo, node);

	return t.price + t.energy + t.carbon + t.penalty;
}

/* ---- The start ---- */

/* Where the pod is after the plan for real time: its new node, or that of its replacement. */
static node_id node_after(const struct trial *t, pod_id id)
{
	unit_id unit = t->unit_of_pod[id];
	const struct unit *u = unit == NONE ? NULL : &t->units.items[unit];

	if (u && u->is_evicted)
		return u->replacement == NONE ? NONE : t->places.items[u->replacement].node;
	if (u && u->kind == UNIT_PENDING)
		return u->at == NONE ? NONE : t->places.items[u->at].node;
	return t->c->pods.items[id].node;
}

static void add_cargo(struct economy *e, pod_id id, node_id node, optimizer_id of)
{
	const struct trial *t = &e->p->trial;
	const struct pod *pod = &e->c->pods.items[id];
	const struct load load = load_of_pod(e->c, pod);

	*array_add(&e->cargo) = (struct cargo){
		.pod = id,
		.of = of,
		.node = NONE,
		.origin = node,
		.load = load,
		.billed = economy_billed(e, pod, load),
		.counts = !pod->is_mirror &&
			  (!pod->owner_kind || pod->owner_kind != t->owner.daemon_set),
	};
	economy_read_baseline(e, &e->cargo.items[e->cargo.n - 1]);
}

/* Of a pod among all that it might crowd a node with, ppm. */
static int64_t dominant_share(const struct economy *e, const struct cargo *g, int64_t most_cpu,
			      int64_t most_memory)
{
	int64_t cpu = most_cpu ? g->load.cpu_milli * PPM / most_cpu : 0;
	int64_t memory = most_memory ? (int64_t)((__int128)g->load.memory * PPM / most_memory) : 0;

	(void)e;
	return cpu > memory ? cpu : memory;
}

struct choice {
	const struct economy *e;
	int64_t most_cpu, most_memory;
};

/* Optimizer priority, pod priority, size, age, name. */
static int by_choice(const void *x, const void *y, void *arg)
{
	const struct cargo *a = x, *b = y;
	const struct choice *s = arg;
	const struct cluster *c = s->e->c;
	const struct pod *p = &c->pods.items[a->pod], *q = &c->pods.items[b->pod];
	int32_t of_a = c->optimizers.items[a->of].priority;
	int32_t of_b = c->optimizers.items[b->of].priority;

	if (of_a != of_b)
		return of_a > of_b ? -1 : 1;
	if (p->priority != q->priority)
		return p->priority > q->priority ? -1 : 1;
	int64_t size_a = dominant_share(s->e, a, s->most_cpu, s->most_memory);
	int64_t size_b = dominant_share(s->e, b, s->most_cpu, s->most_memory);
	if (size_a != size_b)
		return size_a > size_b ? -1 : 1;
	if (p->meta.created != q->meta.created)
		return p->meta.created < q->meta.created ? -1 : 1;
	return a->pod < b->pod ? -1 : a->pod > b->pod;
}

static void sort_pending(struct economy *e)
{
	struct choice s = { .e = e };

	array_each(node, &e->c->nodes) {
		s.most_cpu = node->cpu_milli > s.most_cpu ? node->cpu_milli : s.most_cpu;
		s.most_memory = node->memory > s.most_memory ? node->memory : s.most_memory;
	}
	if (e->cargo.n > e->n_bound)
		qsort_r(e->cargo.items + e->n_bound, e->cargo.n - e->n_bound,
			sizeof(*e->cargo.items), by_choice, &s);
}

static void list_cargo(struct economy *e)
{
	for (pod_id id = 0; id < e->c->pods.n; id++) {
		node_id node = node_after(&e->p->trial, id);

		if (node != NONE)
			add_cargo(e, id, node, e->of_pod[id]);
	}
	e->n_bound = e->cargo.n;
	for (pod_id id = 0; id < e->c->pods.n; id++)
		if (economy_handles(e, id))
			add_cargo(e, id, NONE, e->of_pod[id]);
	sort_pending(e);
}

/* First as the snapshot has them, which is what the totals before are of. */
static void put_bound(struct economy *e)
{
	for (uint32_t i = 0; i < e->n_bound; i++)
		if (e->c->pods.items[e->cargo.items[i].pod].node != NONE)
			economy_put(e, i, e->c->pods.items[e->cargo.items[i].pod].node);
	e->before = economy_totals(e);
	for (node_id node = 0; node < e->c->nodes.n; node++)
		e->sites[node].cost_before = economy_node_cost(e, node);
	for (uint32_t i = 0; i < e->n_bound; i++) {
		struct cargo *g = &e->cargo.items[i];

		if (g->node == g->origin)
			continue;
		if (g->node != NONE)
			economy_take(e, i);
		economy_put(e, i, g->origin);
	}
}

/* Pods that wait count as replicas too. */
static void count_pods(struct economy *e)
{
	for (pod_id id = 0; id < e->c->pods.n; id++) {
		const struct pod *pod = &e->c->pods.items[id];

		if (e->of_pod[id] == NONE || pod->is_terminating)
			continue;
		e->accounts[e->of_pod[id]].n_pods++;
		e->accounts[e->of_pod[id]].n_ready += pod->is_ready;
	}
}

/* A workload stays within the architecture that it runs on: 0 where it runs on none or several. */
static void read_architectures(struct economy *e)
{
	AUTO_FREE bool *is_mixed = xcalloc(e->c->optimizers.n + 1, sizeof(*is_mixed));

	for (uint32_t i = 0; i < e->n_bound; i++) {
		const struct cargo *g = &e->cargo.items[i];
		str_id arch = e->fleet.nodes[g->origin].arch;

		if (g->of == NONE || !arch)
			continue;
		if (e->accounts[g->of].arch && e->accounts[g->of].arch != arch)
			is_mixed[g->of] = true;
		e->accounts[g->of].arch = arch;
	}
	for (optimizer_id id = 0; id < e->c->optimizers.n; id++)
		if (is_mixed[id])
			e->accounts[id].arch = 0;
}

void economy_start(struct economy *e, struct planner *p)
{
	const struct cluster *c = p->trial.c;

	*e = (struct economy){ .p = p, .c = c, .settings = p->trial.settings };
	e->is_active = c->optimizers.n + c->cost_policies.n + c->power_policies.n > 0;
	if (!e->is_active)
		return;
	fleet_read(&e->fleet, c, e->settings, &p->trial.warnings);
	e->accounts = xcalloc(c->optimizers.n + 1, sizeof(*e->accounts));
	e->scalings = xcalloc(c->optimizers.n + 1, sizeof(*e->scalings));
	e->sites = xcalloc(c->nodes.n + 1, sizeof(*e->sites));
	e->covers = pdbs_read(c, NULL);
	bind_pods(e);
	count_pods(e);
	for (optimizer_id id = 0; id < c->optimizers.n; id++)
		e->accounts[id].accelerator_use = economy_accelerator_use(e, id);
	economy_read_limits(e);
	list_cargo(e);
	e->allowed = xcalloc(e->cargo.n + 1, sizeof(*e->allowed));
	economy_follow_moves(e);
	put_bound(e);
	read_architectures(e);
	e->kinds = kinds_new(e);
	for (node_id node = 0; node < c->nodes.n; node++)
		kinds_refresh(e, node);
	economy_heed_alerts(e);
}

void economy_done(struct economy *e)
{
	if (!e->is_active)
		return;
	for (node_id node = 0; node < e->c->nodes.n; node++)
		array_done(&e->sites[node].cargo);
	array_each(set, &e->sets)
		free(*set);
	array_done(&e->sets);
	intern_done(&e->set_keys);
	array_done(&e->limits);
	array_done(&e->limit_ids);
	array_done(&e->power_limits);
	free(e->limit_of_policy);
	free(e->limit_of_power_policy);
	array_done(&e->cargo);
	free(e->allowed);
	free(e->accounts);
	free(e->sites);
	free(e->of_pod);
	free(e->covers);
	free(e->scores);
	free(e->parts);
	free(e->alerts_on);
	free(e->asked);
	free(e->weights);
	intern_done(&e->spot_keys);
	array_done(&e->spot_counts);
	array_done(&e->no_places);
	kinds_free(e->kinds);
	free(e->scalings);
	fleet_done(&e->fleet);
}

void economy_plan(struct economy *e, struct planner *p)
{
	if (p->held)
		held_begin(p->held);
	economy_start(e, p);
	if (e->is_active) {
		economy_warn_of_unread_use(e);
		economy_check_estimates(e);
		economy_warn_of_budgets(e);
		economy_find_baselines(e);
		economy_place(e);
		economy_scale(e);
		economy_move(e);
		economy_sum_power(e);
		e->after = economy_totals(e);
	}
	if (p->held)
		e->held_seconds = held_end(p->held, p->trial.c->taken_at);
}
