/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/filter/filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "model/guarantee.h"
#include "model/match.h"
#include "model/storage.h"
#include "plan/filter/inter_pod.h"
#include "plan/filter/nominated.h"
#include "plan/filter/volume_use.h"

static const char *const texts[REFUSALS] = {
	[REFUSE_NOTHING] = "fits",
	[REFUSE_OTHER_NODE] = "bound to another node",
	[REFUSE_PIN] = "spec.node names another node",
	[REFUSE_UNREAD] = "unreadable object",
	[REFUSE_GUARANTEE] = "guarantee",
	[REFUSE_UNSCHEDULABLE] = "taint node.kubernetes.io/unschedulable",
	[REFUSE_FEATURES] = "feature RestartAllContainersOnContainerExits",
	[REFUSE_SELECTOR] = "node selector",
	[REFUSE_AFFINITY] = "node affinity",
	[REFUSE_TAINT] = "taint",
	[REFUSE_RESOURCES] = "resource",
	[REFUSE_PORTS] = "host port",
	[REFUSE_POD_AFFINITY] = "pod affinity",
	[REFUSE_POD_ANTI_AFFINITY] = "pod anti-affinity",
	[REFUSE_SPREAD] = "topology spread",
	[REFUSE_CLAIM_IN_USE] = "claim in use by another pod",
	[REFUSE_VOLUME_LIMIT] = "volume limit",
	[REFUSE_VOLUME] = "volume",
	[REFUSE_DEVICE] = "resource claim",
	[REFUSE_CORES] = "cores",
	[REFUSE_BUDGET] = "insufficient core budget",
};

const char *refusal_text(enum refusal r)
{
	return texts[r];
}

void filters_init(struct filters *f, const struct trial *t)
{
	*f = (struct filters){
		.trial = t,
		.allowed = xcalloc(t->c->rules.n * GUARANTEES, sizeof(*f->allowed)),
		.guarantee = xmalloc(t->c->nodes.n + 1),
		.n_words = t->c->nodes.n / 64 + 1,
	};
	for (node_id node = 0; node < t->c->nodes.n; node++)
		f->guarantee[node] = (uint8_t)guarantee_of_node(t->c, &t->c->nodes.items[node]);
}

void filters_done(struct filters *f)
{
	array_each(set, &f->sets)
		free(*set);
	array_done(&f->sets);
	intern_done(&f->questions);
	free(f->allowed);
	free(f->guarantee);
	*f = (struct filters){ 0 };
}

/* ---- What depends on rules and node alone ---- */

/* Cordoned nodes take pods that tolerate node.kubernetes.io/unschedulable:NoSchedule. */
static bool refuses_as_cordoned(const struct cluster *c, const struct rules *rules,
				const struct node *node)
{
	static const char key[] = "node.kubernetes.io/unschedulable";
	str_id id = intern_find(&c->strings, key, sizeof(key) - 1);

	return node->is_unschedulable &&
	       !match_tolerates(c, rules->tolerations, id, 0, EFFECT_NO_SCHEDULE);
}

static enum refusal filter_rules(const struct cluster *c, const struct rules *rules,
				 const struct node *node)
{
	if (refuses_as_cordoned(c, rules, node))
		return REFUSE_UNSCHEDULABLE;
	if (rules->restarts_all && !node->restarts_all)
		return REFUSE_FEATURES;
	if (!match_node_selector(c, rules, node))
		return REFUSE_SELECTOR;
	if (rules->has_node_affinity && !match_node_terms(c, rules->node_terms, node))
		return REFUSE_AFFINITY;
	if (match_untolerated(c, rules, node))
		return REFUSE_TAINT;
	return REFUSE_NOTHING;
}

static enum refusal filter_storage(const struct cluster *c, const struct rules *rules,
				   const struct node *node, char *detail, size_t size)
{
	str_id claim;
	enum storage_refusal r = storage_refuses(c, rules, node, &claim);

	if (r == STORAGE_ACCEPTS)
		return REFUSE_NOTHING;
	if (detail)
		storage_describe(c, r, claim, detail, size);
	return storage_is_device(r) ? REFUSE_DEVICE : REFUSE_VOLUME;
}

bool filter_guarantees(const struct filters *f, const struct unit *u, node_id node)
{
	return f->guarantee[node] >= unit_request(f->trial, u)->guarantee;
}

static uint64_t *find_allowed(const struct filters *f, const struct rules *rules, uint8_t guarantee)
{
	const struct cluster *c = f->trial->c;
	uint64_t *set = xcalloc(f->n_words, sizeof(*set));

	for (node_id node = 0; node < c->nodes.n; node++)
		if (!f->trial->nodes[node].is_closed && f->guarantee[node] >= guarantee &&
		    filter_rules(c, rules, &c->nodes.items[node]) == REFUSE_NOTHING &&
		    filter_storage(c, rules, &c->nodes.items[node], NULL, 0) == REFUSE_NOTHING)
			set[node / 64] |= (uint64_t)1 << node % 64;
	return set;
}

/* Rules as far as filter_rules() and filter_storage() read them, as a row of numbers. */
typedef ARRAY(uint32_t) question;

static void ask_requirements(question *q, const struct cluster *c, struct range requirements)
{
	*array_add(q) = requirements.n;
	for (uint32_t i = 0; i < requirements.n; i++) {
		const struct requirement *r = &c->requirements.items[requirements.at + i];

		*array_add(q) = r->key;
		*array_add(q) = r->op;
		*array_add(q) = r->values.n;
		for (uint32_t k = 0; k < r->values.n; k++)
			*array_add(q) = c->names.items[r->values.at + k];
	}
}

static void ask_node_terms(question *q, const struct cluster *c, const struct rules *rules)
{
	*array_add(q) = rules->has_node_affinity ? rules->node_terms.n : NONE;
	for (uint32_t i = 0; rules->has_node_affinity && i < rules->node_terms.n; i++) {
		const struct node_term *t = &c->node_terms.items[rules->node_terms.at + i];

		ask_requirements(q, c, t->expressions);
		ask_requirements(q, c, t->fields);
	}
}

static void ask_tolerations(question *q, const struct cluster *c, struct range tolerations)
{
	*array_add(q) = tolerations.n;
	for (uint32_t i = 0; i < tolerations.n; i++) {
		const struct toleration *t = &c->tolerations.items[tolerations.at + i];

		*array_add(q) = t->key;
		*array_add(q) = t->value;
		*array_add(q) = (uint32_t)t->effect << 2 | t->op;
	}
}

static void ask_names(question *q, const struct cluster *c, struct range run)
{
	*array_add(q) = run.n;
	for (uint32_t i = 0; i < run.n; i++)
		*array_add(q) = c->names.items[run.at + i];
}

static void ask_claims(question *q, const struct cluster *c, const struct rules *rules)
{
	*array_add(q) = rules->has_in_tree_volume;
	*array_add(q) = rules->restarts_all;
	if (rules->claims.n + rules->devices.n == 0)
		return;
	*array_add(q) = rules->ns;
	ask_names(q, c, rules->claims);
	ask_names(q, c, rules->devices);
}

static const uint64_t *allowed_by(struct filters *f, rules_id id, uint8_t guarantee)
{
	const struct cluster *c = f->trial->c;
	const struct rules *rules = &c->rules.items[id];
	const uint64_t **allowed = &f->allowed[id * GUARANTEES + guarantee];
	const uint64_t *known = *allowed;
	question q = { 0 };

	if (known)
		return known;
	*array_add(&q) = guarantee;
	ask_requirements(&q, c, rules->node_selector);
	ask_node_terms(&q, c, rules);
	ask_tolerations(&q, c, rules->tolerations);
	ask_claims(&q, c, rules);

	str_id same = intern_add(&f->questions, q.items, q.n * sizeof(*q.items));
	array_done(&q);
	while (f->sets.n <= same)
		*array_add(&f->sets) = NULL;
	if (!f->sets.items[same])
		f->sets.items[same] = find_allowed(f, rules, guarantee);
	return *allowed = f->sets.items[same];
}

const uint64_t *filters_allowed(struct filters *f, const struct unit *u)
{
	return allowed_by(f, unit_pod(f->trial, u)->rules, unit_request(f->trial, u)->guarantee);
}

const uint64_t *filters_allowed_by_rules(struct filters *f, rules_id id)
{
	return allowed_by(f, id, GUARANTEE_ANY);
}

/* ---- What changes while a plan is made ---- */

static int64_t extended_left(const struct trial *t, node_id node, str_id name, unsigned rank)
{
	struct range run = t->nodes[node].extended;

	for (uint32_t i = run.at; i < run.at + run.n; i++)
		if (t->extended.items[i].name == name)
			return t->extended.items[i].have - t->extended.items[i].used[rank];
	return 0;
}

static void name_resource(const struct trial *t, const struct unit *u, node_id node, unsigned rank,
			  char *detail, size_t size)
{
	static const char *const names[RES_KINDS] = { "cpu", "memory", "ephemeral-storage",
						      "pods" };
	const struct pod *pod = unit_pod(t, u);
	const struct node_load *n = &t->nodes[node];
	int64_t want[RES_KINDS] = { pod->cpu_milli, pod->memory, pod->ephemeral, 1 };
	int64_t kept[RES_KINDS];

	nominated_requests(t, u, node, kept);
	for (int i = 0; i < RES_KINDS; i++) {
		if (want[i] && n->used[rank][i] + kept[i] + want[i] > n->have[i]) {
			snprintf(detail, size, "%s", names[i]);
			return;
		}
	}
	for (uint32_t i = 0; i < pod->extended.n; i++) {
		const struct amount *a = &t->c->amounts.items[pod->extended.at + i];

		if (a->value + nominated_extended(t, u, node, a->name) >
		    extended_left(t, node, a->name, rank)) {
			snprintf(detail, size, "%s", cluster_str(t->c, a->name));
			return;
		}
	}
}

/* Ports of pods that may be evicted for this rank do not count. */
static bool ports_refuse(const struct trial *t, const struct pod *pod, node_id node, unsigned rank)
{
	const pod_ids *others = inter_pod_with_ports(t->terms, node);

	if (t->c->rules.items[pod->rules].ports.n == 0)
		return false;
	array_each(other, others)
		if (match_ports_collide(t->c, pod, &t->c->pods.items[*other]) &&
		    !trial_yields(t, *other, rank))
			return true;
	return false;
}

/* The less critical pods of the node that may be evicted come to it again, or leave it. */
static void charge_yielding(const struct trial *t, node_id node, unsigned rank, bool enters)
{
	struct range units = t->nodes[node].units;

	for (uint32_t i = 0; i < units.n; i++) {
		const struct unit *u = &t->units.items[t->node_units[units.at + i]];

		if (u->is_evicted || !trial_yields(t, u->pod, rank))
			continue;
		if (enters)
			inter_pod_charge(t->terms, t->c, u->pod, node);
		else
			inter_pod_uncharge(t->terms, t->c, u->pod, node);
	}
}

static bool anti_affinity_refuses(const struct trial *t, const struct unit *u, node_id node,
				  unsigned rank)
{
	bool refuses = inter_pod_anti_affinity_refuses(t->terms, t->c, u->pod, node);

	if (!refuses || rank == 0)
		return refuses;
	charge_yielding(t, node, rank, false);
	refuses = inter_pod_anti_affinity_refuses(t->terms, t->c, u->pod, node);
	charge_yielding(t, node, rank, true);
	return refuses;
}

bool filter_clash(const struct trial *t, pod_id a, pod_id b, node_id node)
{
	const struct cluster *c = t->c;

	return match_ports_collide(c, &c->pods.items[a], &c->pods.items[b]) ||
	       inter_pod_clash(c, a, b, node) || volume_use_clash(c, a, b);
}

static enum refusal refuse_for_others(const struct trial *t, const struct unit *u, node_id node,
				      unsigned rank)
{
	if (ports_refuse(t, unit_pod(t, u), node, rank))
		return REFUSE_PORTS;
	if (inter_pod_affinity_refuses(t->terms, t->c, u->pod, node))
		return REFUSE_POD_AFFINITY;
	if (anti_affinity_refuses(t, u, node, rank))
		return REFUSE_POD_ANTI_AFFINITY;
	if (inter_pod_spread_refuses(t->terms, t->c, u->pod, node))
		return REFUSE_SPREAD;
	return volume_use_refuses(t, u, node, rank);
}

/* The pods that are nominated for the node come to it, or leave it; returns how many. */
static size_t charge_nominated(const struct trial *t, const struct unit *u, node_id node,
			       bool enters)
{
	size_t n = 0;

	array_each(id, &t->nominated) {
		if (!nominated_counts(t, *id, u, node))
			continue;
		n++;
		if (enters)
			inter_pod_charge(t->terms, t->c, *id, node);
		else
			inter_pod_uncharge(t->terms, t->c, *id, node);
	}
	return n;
}

/* With those that are nominated, and without: they may not come after all. */
enum refusal filter_inter_pod(const struct trial *t, const struct unit *u, node_id node,
			      unsigned rank)
{
	enum refusal r = REFUSE_NOTHING;

	if (!t->terms || unit_pod(t, u)->rules == NONE)
		return REFUSE_NOTHING;
	if (charge_nominated(t, u, node, true) > 0) {
		r = refuse_for_others(t, u, node, rank);
		charge_nominated(t, u, node, false);
	}
	return r == REFUSE_NOTHING ? refuse_for_others(t, u, node, rank) : r;
}

enum refusal filter_node_now(const struct trial *t, const struct unit *u, node_id node,
			     unsigned rank, char *detail, size_t size)
{
	if (!trial_has_room(t, u, node, rank)) {
		if (detail)
			name_resource(t, u, node, rank, detail, size);
		return REFUSE_RESOURCES;
	}
	return filter_inter_pod(t, u, node, rank);
}

bool filter_is_final(struct filters *f, const struct unit *u, node_id node)
{
	const struct trial *t = f->trial;
	const struct request *q = unit_request(t, u);

	return (q->has_node_pin && q->node_pin != node) ||
	       !filter_bit(filters_allowed(f, u), node) ||
	       filter_inter_pod(t, u, node, unit_reach(t, u)) != REFUSE_NOTHING;
}

enum refusal filter_pod_rules(struct filters *f, pod_id pod, node_id id, char *detail, size_t size)
{
	const struct cluster *c = f->trial->c;
	const struct rules *rules = &c->rules.items[c->pods.items[pod].rules];
	const struct node *node = &c->nodes.items[id];

	if (detail)
		*detail = '\0';
	if (f->trial->nodes[id].is_closed)
		return REFUSE_UNREAD;
	enum refusal r = filter_rules(c, rules, node);
	if (r == REFUSE_TAINT && detail)
		snprintf(detail, size, "%s",
			 cluster_str(c, match_untolerated(c, rules, node)->key));
	return r == REFUSE_NOTHING ? filter_storage(c, rules, node, detail, size) : r;
}

enum refusal filter_node(struct filters *f, const struct unit *u, node_id id, unsigned rank,
			 char *detail, size_t size)
{
	const struct trial *t = f->trial;
	const struct cluster *c = t->c;
	const struct pod *pod = unit_pod(t, u);
	const struct rules *rules = &c->rules.items[pod->rules];
	const struct node *node = &c->nodes.items[id];
	const struct request *q = unit_request(t, u);

	if (detail)
		*detail = '\0';
	if (q->has_node_pin && q->node_pin != id)
		return REFUSE_PIN;
	if (t->nodes[id].is_closed)
		return REFUSE_UNREAD;
	if (!filter_guarantees(f, u, id)) {
		if (detail)
			snprintf(detail, size, "%s", guarantee_name(q->guarantee));
		return REFUSE_GUARANTEE;
	}

	enum refusal r = filter_rules(c, rules, node);
	if (r == REFUSE_TAINT && detail)
		snprintf(detail, size, "%s",
			 cluster_str(c, match_untolerated(c, rules, node)->key));
	if (r == REFUSE_NOTHING)
		r = filter_node_now(t, u, id, rank, detail, size);
	if (r == REFUSE_NOTHING)
		r = filter_storage(c, rules, node, detail, size);
	return r;
}
